"""Imports that people leave out of a repro because everybody knows them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PLAIN = """
    abc argparse ast asyncio atexit bisect cProfile collections contextlib copy ctypes cv2
    dataclasses datetime einops enum faulthandler functools functorch gc glob hashlib heapq
    importlib inspect io itertools jax json linecache logging math multiprocessing numpy onnx
    onnxruntime operator os pathlib pickle platform pprint psutil pytest random re scipy shutil
    socket subprocess sys tempfile textwrap threading time timeit torch torchaudio torchvision
    traceback tracemalloc transformers triton types typing unittest uuid warnings weakref
"""
"""``import math``."""

_SHORT = {
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "optim": "torch.optim",
    "dist": "torch.distributed",
    "mp": "torch.multiprocessing",
    "fx": "torch.fx",
    "jit": "torch.jit",
    "autograd": "torch.autograd",
    "cudnn": "torch.backends.cudnn",
    "pytree": "torch.utils._pytree",
    "models": "torchvision.models",
    "transforms": "torchvision.transforms",
    "pd": "pandas",
    "benchmark": "torch.utils.benchmark",
    "distributions": "torch.distributions",
    "dynamo": "torch._dynamo",
    "jnp": "jax.numpy",
    "prims": "torch._prims",
    "refs": "torch._refs",
    "tf": "tensorflow",
    "torchdynamo": "torch._dynamo",
    "tl": "triton.language",
    "np": "numpy",
    "plt": "matplotlib.pyplot",
}
"""``import numpy as np``."""

_FROM = {
    "torch": "Tensor",
    "torch.nn": (
        "BCELoss BCEWithLogitsLoss BatchNorm1d BatchNorm2d Conv1d Conv2d Conv3d ConvTranspose2d "
        "CrossEntropyLoss Dropout Embedding EmbeddingBag Flatten GRU GRUCell LSTM LSTMCell "
        "LayerNorm Linear MSELoss MaxPool2d Module ModuleDict ModuleList MultiheadAttention "
        "Parameter ParameterList ReLU Sequential Sigmoid Softmax Transformer TransformerEncoder "
        "TransformerEncoderLayer init"
    ),
    "torch.autograd": "Variable gradcheck gradgradcheck",
    "torch.utils.data": (
        "BatchSampler DataLoader Dataset DistributedSampler IterDataPipe IterableDataset "
        "RandomSampler SequentialSampler Subset TensorDataset WeightedRandomSampler random_split"
    ),
    "torch.utils.tensorboard": "SummaryWriter",
    "torch.nn.utils.rnn": "pack_padded_sequence pad_packed_sequence pad_sequence",
    "torch.profiler": "ProfilerActivity profile record_function",
    "torch.amp": "GradScaler",
    "torch.nn.parallel": "DistributedDataParallel",
    "torch.distributed.fsdp": "FullyShardedDataParallel fully_shard",
    "torch.fx.experimental.proxy_tensor": "ProxyTorchDispatchMode make_fx",
    "torch.nn.attention.flex_attention": "BlockMask create_block_mask flex_attention",
    "torch.export": "Dim dynamic_dim ExportedProgram draft_export export",
    "torch.testing": "assert_close make_tensor",
    "torch.utils.checkpoint": "checkpoint",
    "torch.distributed.device_mesh": "DeviceMesh init_device_mesh",
    "torch.distributed.tensor": (
        "DTensor Partial Replicate Shard distribute_module distribute_tensor"
    ),
    "torch._subclasses": "FakeTensorMode",
    "torch.fx.experimental.symbolic_shapes": "ShapeEnv guard_size_oblivious",
    "torch._dynamo.testing": (
        "CompileCounter CompileCounterWithBackend EagerAndRecordGraphs rand_strided"
    ),
    "torch._inductor.utils": "fresh_inductor_cache run_and_get_code run_and_get_triton_code",
    "torch.masked": "MaskedTensor as_masked_tensor masked_tensor",
    "torch.func": "functional_call grad hessian jacfwd jacrev jvp vjp vmap",
    "torch.utils._pytree": "tree_map",
    "torch.utils._python_dispatch": "TorchDispatchMode",
    "torch.overrides": "TorchFunctionMode",
    "torch.testing._internal.common_distributed": "spawn_threads_and_init_comms",
    "torch._dynamo.exc": "Unsupported",
    "torch.fx": "GraphModule symbolic_trace",
    "torch.ao.quantization.quantize_fx": "convert_fx prepare_fx prepare_qat_fx",
    "torch.ao.quantization": (
        "DeQuantStub QConfigMapping QuantStub fuse_modules get_default_qconfig "
        "get_default_qconfig_mapping quantize_dynamic"
    ),
    "torch._dynamo.utils": "counters",
    "functorch.compile": "aot_function aot_module make_boxed_func",
    "torch.testing._internal.common_utils": (
        "TestCase instantiate_parametrized_tests parametrize run_tests"
    ),
    "transformers": (
        "AutoConfig AutoModel AutoModelForCausalLM AutoTokenizer BertConfig BertModel "
        "BertTokenizer GPT2Config GPT2LMHeadModel LlamaConfig LlamaForCausalLM pipeline"
    ),
    "diffusers": "DiffusionPipeline StableDiffusionPipeline",
    "PIL": "Image",
    "torch.optim": "Adam AdamW SGD lr_scheduler",
    "torch.distributions": "Bernoulli Categorical MultivariateNormal Normal",
    "torch.distributed.tensor.parallel": "ColwiseParallel RowwiseParallel parallelize_module",
    "torch.optim.lr_scheduler": "CosineAnnealingLR LambdaLR OneCycleLR ReduceLROnPlateau StepLR",
    "torch.nn.attention": "SDPBackend sdpa_kernel",
    "torch.utils.benchmark": "Timer",
    "torchvision.transforms": "ToTensor",
    "torch._functorch.aot_autograd": "aot_export_module aot_module_simplified",
    "torch.cuda.amp": "autocast",
    "torch.library": "custom_op register_fake triton_op wrap_triton",
    "torch.distributed.checkpoint.state_dict": "get_model_state_dict get_state_dict set_state_dict",
    "torch.testing._internal.common_device_type": "instantiate_device_type_tests",
    "torch.utils.cpp_extension": "load_inline",
    "einops": "rearrange",
    "torchvision.models": "resnet18 resnet50",
    "torch.nn.functional": "scaled_dot_product_attention",
    "tqdm": "tqdm",
    "datetime": "timedelta",
    "contextlib": "contextmanager nullcontext",
    "collections": "OrderedDict defaultdict namedtuple",
    "copy": "deepcopy",
    "pathlib": "Path",
    "functools": "partial reduce",
    "dataclasses": "dataclass",
    "typing": "Any Callable Dict List NamedTuple Optional Tuple Union",
}
"""``from pathlib import Path``."""

_OTHERS = {
    "DDP": "from torch.nn.parallel import DistributedDataParallel as DDP",
    "FSDP": "from torch.distributed.fsdp import FullyShardedDataParallel as FSDP",
    "_Reduction": "from torch.nn import _reduction as _Reduction",
    "xrange": "xrange = range",
    "long": "long = int",
    "unicode": "unicode = str",
    "concurrent": "import concurrent.futures",
}

IMPORTS = (
    {"torch": "import torch"}
    | {name: f"import {module} as {name}" for name, module in _SHORT.items()}
    | {
        name: f"from {module} import {name}"
        for module, names in _FROM.items()
        for name in names.split()
    }
    | _OTHERS
    | {name: f"import {name}" for name in _PLAIN.split()}
)
"""The name that everybody means, and its import."""


def only_filled(tree: ast.Module, names: Collection[str]) -> frozenset[str]:
    """Return which of these names are only used to put a value under a text into them."""
    filled = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    }
    others = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in filled
    }
    return frozenset({node.id for node in filled} & set(names) - others)


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
