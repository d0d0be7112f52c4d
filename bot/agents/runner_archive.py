"""The runner as it travels to a machine: one archive that Python runs as it is."""

from __future__ import annotations

import asyncio
import io
import zipfile
from functools import cache
from importlib import resources

_PARTS = ("run_directory", "processes", "supervisor", "runner")
_MAIN = "import sys\n\nfrom bot.remote.runner import main\n\nmain(sys.argv[1:])\n"


async def runner_archive() -> bytes:
    """Return the archive: the runner's modules and nothing else of the bot (see zipapp)."""
    return await asyncio.to_thread(_archive)


@cache
def _archive() -> bytes:
    remote = resources.files("bot.remote")
    files = {"__main__.py": _MAIN, "bot/__init__.py": "", "bot/remote/__init__.py": ""}
    for part in _PARTS:
        files[f"bot/remote/{part}.py"] = remote.joinpath(f"{part}.py").read_text(encoding="utf-8")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # without the time: always the same bytes
    return buffer.getvalue()
