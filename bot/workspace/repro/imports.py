"""Imports that people leave out of a repro because everybody knows them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

IMPORTS = {
    "torch": "import torch",
    "nn": "import torch.nn as nn",
    "F": "import torch.nn.functional as F",
    "optim": "import torch.optim as optim",
    "dist": "import torch.distributed as dist",
    "mp": "import torch.multiprocessing as mp",
    "fx": "import torch.fx as fx",
    "jit": "import torch.jit as jit",
    "autograd": "import torch.autograd as autograd",
    "cudnn": "import torch.backends.cudnn as cudnn",
    "Tensor": "from torch import Tensor",
    "Parameter": "from torch.nn import Parameter",
    "Variable": "from torch.autograd import Variable",
    "DataLoader": "from torch.utils.data import DataLoader",
    "Dataset": "from torch.utils.data import Dataset",
    "TensorDataset": "from torch.utils.data import TensorDataset",
    "IterableDataset": "from torch.utils.data import IterableDataset",
    "IterDataPipe": "from torch.utils.data import IterDataPipe",
    "DistributedSampler": "from torch.utils.data import DistributedSampler",
    "SummaryWriter": "from torch.utils.tensorboard import SummaryWriter",
    "pack_padded_sequence": "from torch.nn.utils.rnn import pack_padded_sequence",
    "pad_packed_sequence": "from torch.nn.utils.rnn import pad_packed_sequence",
    "pad_sequence": "from torch.nn.utils.rnn import pad_sequence",
    "profile": "from torch.profiler import profile",
    "record_function": "from torch.profiler import record_function",
    "ProfilerActivity": "from torch.profiler import ProfilerActivity",
    "GradScaler": "from torch.amp import GradScaler",
    "DDP": "from torch.nn.parallel import DistributedDataParallel as DDP",
    "FSDP": "from torch.distributed.fsdp import FullyShardedDataParallel as FSDP",
    "DistributedDataParallel": "from torch.nn.parallel import DistributedDataParallel",
    "FullyShardedDataParallel": "from torch.distributed.fsdp import FullyShardedDataParallel",
    "make_fx": "from torch.fx.experimental.proxy_tensor import make_fx",
    "flex_attention": "from torch.nn.attention.flex_attention import flex_attention",
    "export": "from torch.export import export",
    "Dim": "from torch.export import Dim",
    "assert_close": "from torch.testing import assert_close",
    "gradcheck": "from torch.autograd import gradcheck",
    "checkpoint": "from torch.utils.checkpoint import checkpoint",
    "init_device_mesh": "from torch.distributed.device_mesh import init_device_mesh",
    "DTensor": "from torch.distributed.tensor import DTensor",
    "Shard": "from torch.distributed.tensor import Shard",
    "Replicate": "from torch.distributed.tensor import Replicate",
    "distribute_tensor": "from torch.distributed.tensor import distribute_tensor",
    "fully_shard": "from torch.distributed.fsdp import fully_shard",
    "DeviceMesh": "from torch.distributed.device_mesh import DeviceMesh",
    "FakeTensorMode": "from torch._subclasses import FakeTensorMode",
    "ShapeEnv": "from torch.fx.experimental.symbolic_shapes import ShapeEnv",
    "rand_strided": "from torch._dynamo.testing import rand_strided",
    "fresh_inductor_cache": "from torch._inductor.utils import fresh_inductor_cache",
    "run_and_get_code": "from torch._inductor.utils import run_and_get_code",
    "aot_function": "from functorch.compile import aot_function",
    "TestCase": "from torch.testing._internal.common_utils import TestCase",
    "run_tests": "from torch.testing._internal.common_utils import run_tests",
    "create_block_mask": "from torch.nn.attention.flex_attention import create_block_mask",
    "vmap": "from torch.func import vmap",
    "triton": "import triton",
    "tl": "import triton.language as tl",
    "torchvision": "import torchvision",
    "np": "import numpy as np",
    "numpy": "import numpy",
    "psutil": "import psutil",
    "pytest": "import pytest",
    "onnx": "import onnx",
    "onnxruntime": "import onnxruntime",
    "tqdm": "from tqdm import tqdm",
    "plt": "import matplotlib.pyplot as plt",
    "timedelta": "from datetime import timedelta",
    "nullcontext": "from contextlib import nullcontext",
    "contextmanager": "from contextlib import contextmanager",
    "OrderedDict": "from collections import OrderedDict",
    "defaultdict": "from collections import defaultdict",
    "namedtuple": "from collections import namedtuple",
    "deepcopy": "from copy import deepcopy",
    "Path": "from pathlib import Path",
    "partial": "from functools import partial",
    "dataclass": "from dataclasses import dataclass",
    "Optional": "from typing import Optional",
    "List": "from typing import List",
    "Dict": "from typing import Dict",
    "Tuple": "from typing import Tuple",
    "Any": "from typing import Any",
    "Union": "from typing import Union",
    "NamedTuple": "from typing import NamedTuple",
    "Callable": "from typing import Callable",
    "abc": "import abc",
    "argparse": "import argparse",
    "ast": "import ast",
    "asyncio": "import asyncio",
    "atexit": "import atexit",
    "bisect": "import bisect",
    "collections": "import collections",
    "concurrent": "import concurrent.futures",
    "contextlib": "import contextlib",
    "copy": "import copy",
    "cProfile": "import cProfile",
    "ctypes": "import ctypes",
    "dataclasses": "import dataclasses",
    "datetime": "import datetime",
    "enum": "import enum",
    "faulthandler": "import faulthandler",
    "functools": "import functools",
    "gc": "import gc",
    "glob": "import glob",
    "hashlib": "import hashlib",
    "heapq": "import heapq",
    "importlib": "import importlib",
    "inspect": "import inspect",
    "io": "import io",
    "itertools": "import itertools",
    "json": "import json",
    "linecache": "import linecache",
    "logging": "import logging",
    "math": "import math",
    "multiprocessing": "import multiprocessing",
    "operator": "import operator",
    "os": "import os",
    "pathlib": "import pathlib",
    "pickle": "import pickle",
    "platform": "import platform",
    "pprint": "import pprint",
    "random": "import random",
    "re": "import re",
    "shutil": "import shutil",
    "socket": "import socket",
    "subprocess": "import subprocess",
    "sys": "import sys",
    "tempfile": "import tempfile",
    "textwrap": "import textwrap",
    "threading": "import threading",
    "time": "import time",
    "timeit": "import timeit",
    "traceback": "import traceback",
    "tracemalloc": "import tracemalloc",
    "types": "import types",
    "typing": "import typing",
    "unittest": "import unittest",
    "uuid": "import uuid",
    "warnings": "import warnings",
    "weakref": "import weakref",
}
"""The name that everybody means, and its import."""


def only_handed_on(tree: ast.Module, names: Collection[str]) -> frozenset[str]:
    """Return which of these names are never called or looked into.

    ``checkpoint`` may be the function that everybody means; handed to ``torch.load`` it is a
    variable that the writer left out. A class is written with a capital letter.
    """
    small = {name for name in names if name in IMPORTS and name.islower()}
    if not small:
        return frozenset()
    used = {name for node in ast.walk(tree) for name in _used_as_itself(node)}
    return frozenset(small - used)


def _used_as_itself(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Attribute(value=ast.Name(id=name)) | ast.Call(func=ast.Name(id=name)):
            yield name
        case ast.FunctionDef(decorator_list=decorators) | ast.ClassDef(decorator_list=decorators):
            yield from (one.id for one in decorators if isinstance(one, ast.Name))
        case _:
            pass
