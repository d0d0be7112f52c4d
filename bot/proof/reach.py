"""What cannot be proved on this machine, said in one line. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.workspace.repro import ReproKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import TorchBuild
    from bot.workspace.repro import Repro

_ELSEWHERE = {
    "mps": "Apple's MPS",
    "rocm": "an AMD GPU (ROCm)",
    "xpu": "an Intel GPU (XPU)",
    "windows": "Windows",
    "macos": "macOS",
}
_SEVERAL = 2
_KERNEL = re.compile(r"\b__global__\b|<<<[^;]{1,200}>>>\s*\(")


def gpus(build: TorchBuild, variables: Mapping[str, str]) -> int:
    """Return how many GPUs a program has here."""
    if build.gpu is None or build.cuda is None:
        return 0
    given = variables.get("CUDA_VISIBLE_DEVICES")
    return 1 if given is None else len([one for one in given.split(",") if one.strip()])


def missing(repro: Repro, build: TorchBuild, *, gpus: int) -> str:
    """Return why the repro cannot be run here, as a sentence; empty when it can."""
    return _no_program(repro) or _no_device(repro, build, gpus=gpus)


def _no_program(repro: Repro) -> str:
    if repro.kind is ReproKind.NONE:
        return "There is no program that could be run."
    if repro.kind is ReproKind.CPP:
        return _not_built(repro)
    if not repro.command(repro.filename or ""):
        return "Nothing says how the repro is started."
    return ""


def _not_built(repro: Repro) -> str:
    if _KERNEL.search(repro.text):
        return "The repro holds CUDA kernels, and only a C++ compiler is looked for here."
    return ""


def _no_device(repro: Repro, build: TorchBuild, *, gpus: int) -> str:
    elsewhere = [words for need, words in _ELSEWHERE.items() if need in repro.needs]
    if elsewhere:
        return f"The repro needs {' and '.join(elsewhere)}, which this machine does not have."
    if "multi_gpu" in repro.needs and gpus < _SEVERAL:
        return f"The repro needs several GPUs, and this machine has {gpus or 'none'}."
    if "cuda" in repro.needs and not gpus:
        unusable = f" that {build.version} can use" if build.gpu else ""
        return f"The repro needs a GPU, and this machine has none{unusable}."
    return ""
