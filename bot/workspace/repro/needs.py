"""What a repro takes to run: devices, how many, packages, the network, another system."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_OWN = sys.stdlib_module_names | {
    "torch",
    "torchgen",
    "functorch",
    "caffe2",
    "triton",
    "numpy",
    "pytest",
    "expecttest",
    "hypothesis",
    "typing_extensions",
    "sympy",
    "networkx",
    "jinja2",
    "filelock",
    "fsspec",
    "setuptools",
}
"""What a workspace has anyway."""

_FALLBACK = re.compile(
    r"""["']cuda(?::0)?["']\)?\s+if\s+[^\n]{0,80}?is_available\(\)\s+else|torch\.cuda\.is_available\(\)"""
    r"""|torch\.(?:cuda|xpu|mps|backends\.mps)\.is_available\(\)"""
    r"""|torch\.(?:cuda|xpu|mps)\.(?:manual_seed(?:_all)?|empty_cache)\("""
)
_DEVICES = (
    ("mps", re.compile(r"""["']mps(?::0)?["']|torch\.mps\.|--devices?[ =]mps""")),
    ("xpu", re.compile(r"""["']xpu(?::\d+)?["']|\.xpu\(|torch\.xpu\.|--devices?[ =]xpu""")),
    (
        "cuda",
        re.compile(
            r"""["']cuda(?::\d+)?["']|accelerator=["'](?:gpu|cuda)|\bgpus=[1-9]|["'][^"'\n]{0,40}nccl["']|\.cuda\(|torch\.cuda\.|\bkCUDA\b"""
            r"""|\bcudaMalloc|cuda_runtime|^[ \t]*(?:import|from) (?:triton|vllm)\b"""
            r"""|--devices?[ =]cuda"""
            r"""|\bnvcc\b|(?<![\w-])-dcuda\b|torch\.backends\.cu(?:da|dnn)\.|cuda:\d""",
            re.MULTILINE,
        ),
    ),
)
_TESTED = tuple(
    (name, re.compile(rf"{name.upper()}(?:\.test_|::test_|$)|_{name}(?![a-z])|test_{name}\.py"))
    for name in ("cuda", "xpu", "mps")
)
"""How a device stands in the name of a test, its class or its file."""
_SEVERAL = re.compile(
    r"""["']?cuda:[1-9]|device_count\(\)\s*>=?\s*[12]|\bDataParallel\(|device_ids=\[\s*0\s*,"""
    r"""|\bworld_size\s*=\s*[2-9]|\bWORLD_SIZE\s*=\s*[2-9]|nprocs\s*=\s*[2-9]|\.cuda\([1-9]\)"""
    r"""|\bdevices=[2-9]|\bgpus=[2-9]|skip_if_lt_x_gpu\(\s*[2-9]"""
)
_PROCESSES = re.compile(r"--?n(?:proc)?[-_]?(?:proc[-_])?per[-_]node[ =](\w+)|--nproc[ =](\w+)")
_OWN_GPU = re.compile(
    r"device_ids=\[\s*(?:self\.)?(?:local_)?rank\b|\.(?:to|cuda)\(\s*(?:self\.)?(?:local_)?rank\s*\)"
)
"""A process that takes the GPU of its rank."""
_NETWORK = re.compile(
    r"download=True|(?<!Embedding\.)(?<!EmbeddingBag\.)from_pretrained\(|\bLLM\(|torch\.hub\.|load_dataset\(|pretrained=True|\bweights=(?!None)"
    r"""|urlopen\(|requests\.get\(|urlretrieve|hf_hub|\bgit clone\b|\bwget\b|\bcurl\b|pip install"""
)
_LABELS = {
    "module: mps": "mps",
    "module: rocm": "rocm",
    "module: xpu": "xpu",
    "module: windows": "windows",
    "module: macos": "macos",
}
_TITLES = {
    "rocm": re.compile(r"\b(?:ROCm|HIP|gfx\d{3,4}\w?|MI\d{3}X?|(?i:hipblas(?:lt)?|miopen))\b"),
    "mps": re.compile(r"\bMPS\b"),
    "xpu": re.compile(r"\bXPU\b"),
    "windows": re.compile(r"\bwindows\b", re.IGNORECASE),
}
_IN_TITLE = {
    "cuda": re.compile(r"\b(?:CUDA|GPUs?|ROCm|HIP)\b", re.IGNORECASE),
    "mps": re.compile(r"\bmps\b", re.IGNORECASE),
    "xpu": re.compile(r"\bxpu\b", re.IGNORECASE),
}
_REMARK = re.compile(r"^[ \t]*(?:#(?!include|define|if|import)|//).*$", re.MULTILINE)
"""A line of code that was put out of use."""
_NAMES_DEVICE = re.compile(
    r"""['"](?:cpu|cuda|mps|xpu)(?::\d)?['"]|\.(?:cuda|cpu|mps|xpu)\(\)|\bdevice\s*=|#[^\n]*|[\s,()]""",
    re.IGNORECASE,
)
_GLOO = re.compile(r"""["'](?:cpu:)?gloo["']""")


def of_program(
    text: str, *, launcher: str, labels: Iterable[str], title: str, modules: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return the needs in a fixed order; ``cpu`` alone where nothing else is needed."""
    found: list[str] = []
    text = _REMARK.sub("", text)
    devices = _devices(f"{text}\n{launcher}")
    lowered = {label.lower() for label in labels}
    for label, need in _LABELS.items():
        if label in lowered and need not in devices:
            found.append(need)
    found += [need for need, words in _TITLES.items() if words.search(title)]
    on_cuda = "cuda" in devices
    if on_cuda and "rocm" in found:
        devices.remove("cuda")  # ROCm answers to the name of CUDA
    if (on_cuda or "rocm" in found) and _needs_several(text, launcher):
        devices.append("multi_gpu")
    device_found = bool(devices) or bool({"mps", "rocm", "xpu"} & set(found))
    if not device_found and "module: cuda" in lowered:
        devices.append("cuda")
        device_found = True
    if not device_found:
        devices.insert(0, "cpu")
    if _NETWORK.search(text):
        found.append("network")
    packages = sorted(set(modules) - _OWN)
    return tuple(dict.fromkeys([*devices, *found, *packages]))


def of_test(line: str, *, labels: Iterable[str], title: str) -> tuple[str, ...]:
    """Return what a test of PyTorch needs, by its command line: its name tells the device."""
    named = "".join(f" --device {name}" for name, words in _TESTED if words.search(line))
    return of_program(line + named, launcher="", labels=labels, title=title)


def devices(text: str) -> frozenset[str]:
    """Return the devices that a program uses: cuda, mps, xpu."""
    return frozenset(_devices(_REMARK.sub("", text)))


def without_device(text: str) -> str:
    """Return a program without the words that name its device: to tell whether two are alike."""
    return _NAMES_DEVICE.sub("", text)


def of_title(title: str) -> frozenset[str]:
    """Return the devices that a title names, as a program calls them."""
    return frozenset(name for name, words in _IN_TITLE.items() if words.search(title))


def _devices(text: str) -> list[str]:
    """Find the devices; one that is only used where there is one is not needed."""
    certain = _FALLBACK.sub(" ", text)
    found = [name for name, pattern in _DEVICES if pattern.search(certain)]
    return found or (["cuda"] if _OWN_GPU.search(certain) else [])


def _needs_several(text: str, launcher: str) -> bool:
    takes_gpu = _OWN_GPU.search(text) is not None
    if _GLOO.search(text) and "nccl" not in text and not takes_gpu:
        return False
    processes = _PROCESSES.search(launcher) or _PROCESSES.search(text)
    if processes is not None:
        count = processes[1] or processes[2] or ""
        return count.lstrip("0") not in {"", "1"}
    return _SEVERAL.search(text) is not None or (takes_gpu and "spawn(" in text)
