"""The sample project, published as PyTorch is: a git repository, and a wheel of a commit."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

SAMPLE = Path(__file__).with_name("sample")
PACKAGE = "tinytorch"
VERSION = "0.3.0"

_DATE = "2026-01-05T09:00:00Z"
_WHO = "tinytorch"


@dataclass(frozen=True, slots=True)
class Project:
    """Where the sample lies."""

    source: Path
    """The git repository."""
    index: Path
    """A directory with the wheel."""
    commit: str
    """The commit that the wheel was built from."""


async def build(into: Path) -> Project:
    """Make the repository and the wheel under ``into``: the same commit every time."""
    source, index = into / "source", into / "index"
    await asyncio.to_thread(shutil.copytree, SAMPLE, source, ignore=_GENERATED)
    await _git(source, "init", "--quiet", "--initial-branch=main")
    await _git(source, "add", "--all")
    await _git(source, "commit", "--quiet", "--message=Pad and unpad sequences")
    commit = (await _git(source, "rev-parse", "HEAD")).strip()
    await asyncio.to_thread(_wheel, index, commit)
    return Project(source=source, index=index, commit=commit)


_GENERATED = shutil.ignore_patterns("__pycache__", "*.pyc")


async def _git(directory: Path, *argv: str) -> str:
    identity = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (
            ("NAME", _WHO),
            ("EMAIL", f"{_WHO}@example.com"),
            ("DATE", _DATE),
        )
    }
    process = await asyncio.create_subprocess_exec(
        "git",
        *argv,
        cwd=directory,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **identity,
        },
        stdout=asyncio.subprocess.PIPE,
    )
    stdout, _ = await process.communicate()
    if process.returncode:
        message = f"git {argv[0]} ended with exit status {process.returncode}"
        raise RuntimeError(message)
    return stdout.decode()


def _wheel(index: Path, commit: str) -> None:
    """Write the wheel as the specification says.

    https://packaging.python.org/specifications/binary-distribution-format/
    """
    index.mkdir(parents=True)
    files = {
        str(path.relative_to(SAMPLE)): path.read_bytes()
        for path in sorted((SAMPLE / PACKAGE).rglob("*.py"))
    }
    files[f"{PACKAGE}/version.py"] = (
        f'__version__ = "{VERSION}"\ngit_version = "{commit}"\ncuda = None\n'.encode()
    )
    information = f"{PACKAGE}-{VERSION}.dist-info"
    files[f"{information}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {VERSION}\n".encode()
    )
    files[f"{information}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: demo\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = "".join(f"{name},{_digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{information}/RECORD"] = f"{record}{information}/RECORD,,\n".encode()
    with zipfile.ZipFile(index / f"{PACKAGE}-{VERSION}-py3-none-any.whl", "w") as wheel:
        for name, data in files.items():
            wheel.writestr(zipfile.ZipInfo(name, (2026, 1, 5, 9, 0, 0)), data)


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"
