"""The command line as a person starts it: a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Said(NamedTuple):
    """How the program ended, and what it said."""

    exit_status: int | None
    out: str
    err: str


async def ptq(*argv: str, stdin: bytes = b"", **settings: str) -> Said:
    """Run the command line with these settings and no others."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *argv),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "COLUMNS": "80", **settings},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin)
    return Said(process.returncode, out.decode(), err.decode())
