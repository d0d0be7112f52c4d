"""The programs of a benchmark: each a process of its own, ended at its end."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

ROOT = Path(__file__).parent.parent
_URL = re.compile(rb"http://127\.0\.0\.1:\d+")
_LINE = 1 << 22


@asynccontextmanager
async def program(
    *argv: str, environment: Mapping[str, str] | None = None
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a module of Python until the block ends; what it logs is dropped."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *argv),
        cwd=ROOT,
        env={**kept, **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@asynccontextmanager
async def serving(
    *argv: str, environment: Mapping[str, str] | None = None
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """Run a program that says where it listens; yield it with that address."""
    async with program(*argv, environment=environment) as process:
        stream = process.stderr if argv[0] == "bot" else process.stdout
        if stream is None:
            raise AssertionError("a process with pipes")
        said = b""
        while not (found := _URL.search(said)):
            line = await stream.readline()
            if not line:
                raise RuntimeError(f"{argv} ended: {said.decode(errors='replace')[-2000:]}")
            said = said[-_LINE:] + line
        reading = asyncio.create_task(_drop(stream))
        try:
            yield process, found[0].decode()
        finally:
            reading.cancel()
            await asyncio.wait({reading})


def github_key() -> str:
    """Return a private key such as an App has."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return key.decode()


async def _drop(stream: asyncio.StreamReader) -> None:
    while await stream.read(1 << 16):
        pass
