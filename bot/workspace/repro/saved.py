"""The files that a program leaves for the next one, and those that it takes from the last."""

from __future__ import annotations

import ast
import re

_FILE = re.compile(
    r"[^\n]{0,300}\.(?:pt|pth|pt2|ptl|ts|onnx|npy|npz|pkl|pickle|safetensors|ckpt|tar|bin)"
)
_SAVES = re.compile(r"save|export|dump", re.IGNORECASE)
_LOADS = re.compile(r"load|InferenceSession|open|from_file", re.IGNORECASE)


def saved_and_loaded(tree: ast.Module) -> tuple[frozenset[str], frozenset[str]]:
    """Return the files that a program saves, and those that it only loads."""
    files: set[str] = set()
    calls: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _FILE.fullmatch(node.value):
                files.add(node.value)
        elif isinstance(node, ast.Call):
            calls.add(_name(node.func))
    if any(_SAVES.search(name) for name in calls):
        return frozenset(files), frozenset()
    loads = any(_LOADS.search(name) for name in calls)
    return frozenset(), frozenset(files) if loads else frozenset()


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
