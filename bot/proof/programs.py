"""Our programs on the machine that a proof needs."""

from __future__ import annotations

import asyncio
import io
import zipfile
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from bot.machines.at_once import write_all

if TYPE_CHECKING:
    from bot.machines.base import Shell
    from bot.workspace.layout import Layout

_TRIAL = "trial.pyz"
_ALONE = ("run_to_end.py", "test_driver.py", "build_cpp.py", "rebuild.py")
_PARTS = ("processes", "trial")
_MAIN = "from bot.remote.trial import main\n\nmain()\n"


async def send(shell: Shell, layout: Layout) -> None:
    """Write them anew: whoever was on the machine before may have changed them."""
    files = await asyncio.to_thread(_files)
    await write_all(shell, {f"{layout.scripts}/{name}": data for name, data in files.items()})


def trial(layout: Layout) -> tuple[str, ...]:
    """Return the argv of the program that carries out a plan of trials."""
    return ("python3", "-I", f"{layout.scripts}/{_TRIAL}")


def run_to_end(layout: Layout) -> str:
    """Return the path of the program that runs a script and marks its end."""
    return f"{layout.scripts}/run_to_end.py"


def test_driver(layout: Layout) -> str:
    """Return the path of the program that runs a test file."""
    return f"{layout.scripts}/test_driver.py"


def build_cpp(layout: Layout) -> str:
    """Return the path of the program that builds a C++ file against the package."""
    return f"{layout.scripts}/build_cpp.py"


@cache
def _files() -> dict[str, bytes]:
    remote = resources.files("bot.remote")
    alone = {name: remote.joinpath(name).read_bytes() for name in _ALONE}
    parts = {"__main__.py": _MAIN.encode(), "bot/__init__.py": b"", "bot/remote/__init__.py": b""}
    for part in _PARTS:
        parts[f"bot/remote/{part}.py"] = remote.joinpath(f"{part}.py").read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return {_TRIAL: buffer.getvalue(), **alone}
