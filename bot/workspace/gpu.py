"""The GPU of a machine, as ``nvidia-smi`` tells it, and the build of PyTorch that fits it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import CommandTimedOut, WorkspaceError

if TYPE_CHECKING:
    from bot.machines.base import Shell

CUDA_TAGS = ((12, 6), (12, 8), (13, 0))
"""The CUDA versions that nightlies are built for
(https://download.pytorch.org/whl/nightly: cu126, cu128, cu130)."""

_NAME = re.compile(r"^[ \t]*Product Name\s*:\s*(.+?)\s*$", re.MULTILINE)
_DRIVER = re.compile(r"^[ \t]*Driver Version\s*:\s*([0-9.]+)", re.MULTILINE)
_CUDA = re.compile(r"^[ \t]*CUDA\b[^:\n]*Version\s*:\s*(\d+)\.(\d+)", re.MULTILINE)
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Gpu:
    """What ``nvidia-smi`` says; nothing is known where there is none."""

    name: str | None = None
    driver: str | None = None
    cuda: tuple[int, int] | None = None
    """The newest CUDA that the driver runs."""


async def look_at(shell: Shell) -> Gpu:
    """Return the machine's first GPU."""
    try:
        said = await shell.run("nvidia-smi", "-q", "-i", "0", check=False)
    except CommandTimedOut as error:
        raise WorkspaceError("nvidia-smi does not answer: the GPU's driver hangs") from error
    if said.exit_status != 0:
        return Gpu()
    return read(said.stdout)


def read(text: str) -> Gpu:
    """Read the output of ``nvidia-smi -q``."""
    name, driver, cuda = (pattern.search(text) for pattern in (_NAME, _DRIVER, _CUDA))
    return Gpu(
        name=name[1][:_LONGEST_NAME] if name else None,
        driver=driver[1] if driver else None,
        cuda=(int(cuda[1]), int(cuda[2])) if cuda else None,
    )


def tag(gpu: Gpu) -> str:
    """Return the tag of the newest build that the driver runs; ``cpu`` without a GPU.

    A driver older than every build still runs those of its own major version (CUDA's minor
    version compatibility, https://docs.nvidia.com/deploy/cuda-compatibility). Raise WorkspaceError
    when it is older than that.
    """
    if gpu.cuda is None:
        return "cpu"
    fitting = [version for version in CUDA_TAGS if version <= gpu.cuda]
    if fitting:
        return "cu{}{}".format(*fitting[-1])
    same_major = [version for version in CUDA_TAGS if version[0] == gpu.cuda[0]]
    if same_major:
        return "cu{}{}".format(*same_major[0])
    newest = "{}.{}".format(*gpu.cuda)
    raise WorkspaceError(f"the GPU's driver runs CUDA {newest}; no build of PyTorch is that old")
