"""Which test files stand near a patch. Pure but for the two looks into the source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.proof import sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.machines.base import Shell
    from bot.proof.places import Place
    from bot.proof.sources import Source

MOST = 6
"""Test files of one patch, beside those that it changes."""
MOST_NAMES = 20

_TEST_FILE = re.compile(r"^(?:tests?|.*/tests?)/(?:.*/)?test_[^/]+\.py$")
_LOOK_TIMEOUT = timedelta(minutes=2)
_COMMON = frozenset(
    {
        "forward",
        "backward",
        "main",
        "call",
        "run",
        "get",
        "set",
        "wrapper",
        "inner",
        "step",
        "apply",
    }
)
"""Names that say nothing of a file that uses them."""

# Where PyTorch keeps the tests of what has no file of its own name: the most particular first.
_KNOWN = (
    ("torch/nn/utils/rnn.py", "test/nn/test_packed_sequence.py"),
    ("torch/nn/utils/parametri", "test/nn/test_parametrization.py"),
    ("torch/nn/utils/prune.py", "test/nn/test_pruning.py"),
    ("torch/nn/modules/conv", "test/nn/test_convolution.py"),
    ("torch/nn/modules/lazy", "test/nn/test_lazy_modules.py"),
    ("torch/nn/modules/module.py", "test/nn/test_module_hooks.py"),
    ("torch/nn/modules/transformer", "test/test_transformers.py"),
    ("torch/nn/modules/activation.py", "test/nn/test_multihead_attention.py"),
    ("torch/nn/attention/", "test/test_transformers.py"),
    ("torch/nn/", "test/test_nn.py"),
    ("torch/optim/swa_utils", "test/optim/test_swa_utils.py"),
    ("torch/optim/lr_scheduler", "test/optim/test_lrscheduler.py"),
    ("torch/optim/", "test/test_optim.py"),
    ("torch/utils/data/datapipes/", "test/test_datapipe.py"),
    ("torch/utils/data/", "test/test_dataloader.py"),
    ("torch/utils/_pytree", "test/test_pytree.py"),
    ("torch/_dynamo/", "test/dynamo/test_misc.py"),
    ("torch/_inductor/", "test/inductor/test_torchinductor.py"),
    ("torch/_functorch/", "test/functorch/test_aotdispatch.py"),
    ("torch/_higher_order_ops/", "test/functorch/test_control_flow.py"),
    ("torch/func/", "test/functorch/test_eager_transforms.py"),
    ("torch/export/", "test/export/test_export.py"),
    ("torch/fx/experimental/", "test/test_dynamic_shapes.py"),
    ("torch/fx/", "test/test_fx.py"),
    ("torch/distributions/", "test/distributions/test_distributions.py"),
    ("torch/distributed/tensor/", "test/distributed/tensor/test_dtensor.py"),
    ("torch/distributed/", "test/distributed/test_c10d_common.py"),
    ("torch/autograd/", "test/test_autograd.py"),
    ("torch/linalg/", "test/test_linalg.py"),
    ("torch/sparse/", "test/test_sparse.py"),
    ("torch/fft/", "test/test_spectral_ops.py"),
    ("torch/_refs/", "test/test_ops.py"),
    ("torch/_decomp/", "test/test_decomp.py"),
    ("torch/_meta_registrations.py", "test/test_meta.py"),
    ("torch/_subclasses/", "test/test_fake_tensor.py"),
    ("torch/library.py", "test/test_custom_ops.py"),
    ("torch/_library/", "test/test_custom_ops.py"),
    ("torch/jit/", "test/test_jit.py"),
    ("torch/onnx/", "test/onnx/test_pytorch_onnx_no_runtime.py"),
    ("torch/ao/", "test/test_quantization.py"),
    ("torch/cuda/", "test/test_cuda.py"),
    ("torch/nested/", "test/test_nestedtensor.py"),
    ("torch/masked/", "test/test_masked.py"),
    ("torch/profiler/", "test/profiler/test_profiler.py"),
    ("torch/package/", "test/package/test_package_script.py"),
    ("torch/testing/", "test/test_testing.py"),
    ("torch/_tensor.py", "test/test_torch.py"),
    ("torch/functional.py", "test/test_torch.py"),
    ("torch/storage.py", "test/test_torch.py"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A test file, and why it is run."""

    path: str
    reason: str
    """In our words."""
    source: Source | None = None
    """Where the patch changes it."""


async def choose(shell: Shell, base: Place, changes: Sequence[Source]) -> list[Choice]:
    """Return the test files near a patch, the nearest first."""
    own = [source for source in changes if source.is_test]
    library = [source for source in changes if source.is_library]
    files = await _files(shell, base)
    used = await _uses(shell, base, names(library), [module(source.path) for source in library])
    return rank(own, library, files=files, uses=used)


def rank(
    own: Sequence[Source],
    library: Sequence[Source],
    *,
    files: Sequence[str],
    uses: Sequence[str],
) -> list[Choice]:
    """Order what was found: the patch's own, by name, by PyTorch's layout, by use."""
    chosen = {source.path: Choice(source.path, "The patch changes it.", source) for source in own}
    there = set(files)
    found = [
        *_by_name(library, files),
        *_by_layout(library),
        *((path, "It uses what the patch changes.") for path in uses),
    ]
    left = MOST
    for path, reason in found:
        if path in there and path not in chosen and left:
            chosen[path] = Choice(path, reason)
            left -= 1
    return list(chosen.values())


def names(library: Iterable[Source]) -> list[str]:
    """Return the names that a patch changes, fit to look for."""
    found = (name for source in library for name in sources.changed(source))
    plain = (name for name in found if name not in _COMMON and not name.startswith("__"))
    return list(dict.fromkeys(plain))[:MOST_NAMES]


def module(path: str) -> str:
    """Return the dotted name of a file: ``torch.nn.utils.rnn``."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _by_name(library: Sequence[Source], files: Sequence[str]) -> Iterator[tuple[str, str]]:
    for source in library:
        stem = module(source.path).rpartition(".")[2].strip("_")
        if not stem:
            continue
        for path in files:
            if path.rpartition("/")[2] == f"test_{stem}.py":
                yield path, "It is named for a file that the patch changes."


def _by_layout(library: Sequence[Source]) -> Iterator[tuple[str, str]]:
    for source in library:
        for beginning, path in _KNOWN:
            if source.path.startswith(beginning):
                yield path, f"PyTorch tests `{beginning}` there."


async def _files(shell: Shell, base: Place) -> list[str]:
    """Return the test files of the source."""
    said = await shell.run(
        *("git", "-C", base.paths.worktree, "ls-files", "-z", "--", "*.py"), timeout=_LOOK_TIMEOUT
    )
    return [path for path in said.stdout.split("\0") if _TEST_FILE.match(path)]


async def _uses(
    shell: Shell, base: Place, words: Sequence[str], modules: Sequence[str]
) -> list[str]:
    """Return the files that use these names, else those that import the modules, most use first."""
    for patterns in (words, modules):
        counted = await _grep(shell, base, patterns) if patterns else {}
        if counted:
            return sorted(counted, key=lambda path: (-counted[path], path))
    return []


async def _grep(shell: Shell, base: Place, patterns: Sequence[str]) -> dict[str, int]:
    wanted = [word for pattern in patterns for word in ("-e", pattern)]
    said = await shell.run(
        *("git", "-C", base.paths.worktree, "grep", "-z", "-c", "-w", "-F", *wanted),
        *("--", "*test_*.py"),
        timeout=_LOOK_TIMEOUT,
        check=False,
    )
    counted: dict[str, int] = {}
    for line in said.stdout.splitlines():
        path, _, count = line.partition("\0")
        if count.isdecimal() and _TEST_FILE.match(path):
            counted[path] = int(count)
    return counted
