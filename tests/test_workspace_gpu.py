"""The build of PyTorch that fits a machine's GPU, and the installer of a machine without one."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bot.errors import WorkspaceError
from bot.workspace import gpu, uv
from bot.workspace.layout import Layout
from bot.workspace.prepare import prepare
from tests.fakes.minitorch import make, shell

REPORT = """
==============NVSMI LOG==============

Timestamp                                 : Fri Nov 20 10:00:00 2026
Driver Version                            : 570.86.15
CUDA Version                              : 12.8

Attached GPUs                             : 8
GPU 00000000:0F:00.0
    Product Name                          : NVIDIA H100 80GB HBM3
    Product Brand                         : NVIDIA
"""


def test_a_gpu_is_read_from_what_nvidia_smi_says() -> None:
    """Name, driver and the newest CUDA of a machine's first GPU."""
    assert gpu.read(REPORT) == gpu.Gpu("NVIDIA H100 80GB HBM3", "570.86.15", (12, 8))
    assert gpu.read("NVIDIA-SMI has failed") == gpu.Gpu()


@pytest.mark.parametrize(
    ("cuda", "tag"),
    [
        (None, "cpu"),
        ((12, 2), "cu126"),
        ((12, 6), "cu126"),
        ((12, 7), "cu126"),
        ((12, 9), "cu128"),
        ((13, 0), "cu130"),
        ((14, 1), "cu130"),
    ],
)
def test_the_newest_build_that_the_driver_runs_is_taken(
    cuda: tuple[int, int] | None, tag: str
) -> None:
    """The tag of the package index follows from the driver; without a GPU it is the CPU's."""
    assert gpu.tag(gpu.Gpu(cuda=cuda)) == tag


def test_a_driver_that_is_too_old_is_an_error() -> None:
    """A GPU is never left unused in silence."""
    with pytest.raises(WorkspaceError) as caught:
        gpu.tag(gpu.Gpu(cuda=(11, 4)))
    assert str(caught.value) == snapshot(
        "the GPU's driver runs CUDA 11.4; no build of PyTorch is that old"
    )


async def test_a_machine_with_a_gpu_gets_the_build_of_its_driver(tmp_path: Path) -> None:
    """The index of the driver's CUDA tag is asked, and the GPU is in what is reported."""
    mini, _ = await make(tmp_path)
    tagged = mini.wheels.rename(tmp_path / "cu128")
    home, programs = tmp_path / "home", tmp_path / "programs"
    home.mkdir()
    programs.mkdir()
    (programs / "report").write_text(REPORT)
    (programs / "nvidia-smi").write_text(f"#!/bin/sh\ncat '{programs}/report'\n")
    (programs / "nvidia-smi").chmod(0o755)
    space = "echo Filesystem; echo '/dev/vda 100 40 99999999 50% /'"
    (programs / "df").write_text(f"#!/bin/sh\n{space}\n")
    (programs / "df").chmod(0o755)
    python = Path(sys.executable).parent
    machine = shell(home, PATH=f"{programs}:{python}:{os.environ['PATH']}")

    async def tell(_: str) -> None:
        """Nobody listens."""

    torch = mini.settings(tagged=True, index_url=str(tagged.parent))
    build = await prepare(machine, Layout(f"{home}/w"), torch, tell=tell)

    assert (build.gpu, build.driver) == ("NVIDIA H100 80GB HBM3", "570.86.15")


def test_the_installer_is_the_one_that_the_locks_name() -> None:
    """A machine without uv gets the version, by hash, that this project itself uses."""
    lock = Path("requirements/bootstrap.lock").read_text()
    found = re.search(r"^uv==.*\n(?:    --hash=.*\n)+", lock, re.MULTILINE)
    assert found is not None
    assert found[0] == uv.REQUIREMENT


async def test_a_machine_where_uv_cannot_be_had_says_what_it_needs(tmp_path: Path) -> None:
    """Without uv and without a way to install it, people read what to install."""
    mini, _ = await make(tmp_path)
    home, programs = tmp_path / "home", tmp_path / "programs"
    home.mkdir()
    programs.mkdir()
    (programs / "uv").write_text("#!/bin/sh\necho uv 0.1.0\n")
    (programs / "uv").chmod(0o755)
    variables = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(programs),
        "PIP_CONFIG_FILE": "/dev/null",
    }
    machine = shell(home, PATH=f"{programs}:/usr/local/bin:/usr/bin:/bin", **variables)

    async def tell(_: str) -> None:
        """Nobody listens."""

    with pytest.raises(WorkspaceError, match=r"could not install uv \(the machine needs uv, or"):
        await prepare(machine, Layout(f"{home}/w"), mini.settings(), tell=tell)
