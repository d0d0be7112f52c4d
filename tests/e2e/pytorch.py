"""The real PyTorch 2.13.0: its wheel for the CPU, and a git repository that it was built from.

The repository holds the wheel's own Python files, so the wheel is rewritten to name its commit.
Both are made once in a checkout; that they were not is found by the fingerprint of what makes them.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.settings import TorchSettings
from tests.e2e import wheel

REQUIREMENT = "torch==2.13.0"
VERSION = "2.13.0+cpu"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CACHE = Path(__file__).parents[2] / ".cache" / "e2e"

TEST_PACKED_SEQUENCE = "test/nn/test_packed_sequence.py"
TEST_CONTAINER = "test/nn/test_container.py"
_TESTS = {
    TEST_PACKED_SEQUENCE: '''\
"""Sequences, padded into one tensor and taken out again."""

import unittest

import torch
from torch.nn.utils.rnn import pad_sequence, unpad_sequence


class TestPackedSequence(unittest.TestCase):
    def test_unpad_sequence(self):
        sequences = [torch.arange(1.0, length + 1) for length in (4, 2, 3)]
        lengths = torch.tensor([4, 2, 3])
        for batch_first in (False, True):
            padded = pad_sequence(sequences, batch_first=batch_first)
            unpadded = unpad_sequence(padded, lengths, batch_first=batch_first)
            for expected, found in zip(sequences, unpadded, strict=True):
                self.assertTrue(torch.equal(expected, found))


if __name__ == "__main__":
    unittest.main()
''',
    TEST_CONTAINER: '''\
"""Modules that hold modules."""

import unittest

from torch import nn


class TestModuleList(unittest.TestCase):
    def test_insert(self):
        modules = nn.ModuleList([nn.Identity()])
        modules.insert(0, nn.ReLU())
        self.assertEqual([type(module) for module in modules], [nn.ReLU, nn.Identity])


if __name__ == "__main__":
    unittest.main()
''',
}
"""Tests of the source, as PyTorch lays them out: the wheel holds none."""

_DATE = "2026-06-01T09:00:00Z"
_WHO = "pytorch"


@dataclass(frozen=True, slots=True)
class PyTorch:
    """Where PyTorch lies."""

    directory: Path

    @property
    def source(self) -> Path:
        """The git repository, with one commit on ``main``."""
        return self.directory / "source"

    @property
    def index(self) -> Path:
        """A directory with the wheel and all that it needs."""
        return self.directory / "index"

    @property
    def commit(self) -> str:
        """The commit that the wheel names."""
        return (self.directory / "commit").read_text()

    @property
    def settings(self) -> TorchSettings:
        """What a workspace of it is made of."""
        return TorchSettings(
            requirement=REQUIREMENT,
            index_url=str(self.index),
            tagged=False,
            source_url=str(self.source),
            python=sys.executable,
            extra_packages=(),
        )


async def find(cache: Path = CACHE) -> PyTorch:
    """Return PyTorch as it lies in the cache, made first where it does not."""
    place = cache / await asyncio.to_thread(_fingerprint)
    if not await asyncio.to_thread(place.exists):
        await asyncio.to_thread(shutil.rmtree, cache, ignore_errors=True)
        partial = place.with_suffix(".partial")
        await _make(partial)
        await asyncio.to_thread(partial.rename, place)
    return PyTorch(place)


def _fingerprint() -> str:
    """Return a name that changes with what is made, and with the Python that it is for."""
    made_by = [Path(path).read_bytes() for path in (__file__, wheel.__file__)]
    return hashlib.sha256(b"\0".join([*made_by, sys.version.encode()])).hexdigest()[:16]


async def _make(place: Path) -> None:
    made = PyTorch(place)
    await _download(made.index)
    (original,) = await asyncio.to_thread(lambda: [*made.index.glob("torch-*.whl")])
    await asyncio.to_thread(_lay_out, original, made.source)
    commit = await _commit(made.source)
    await asyncio.to_thread(wheel.with_commit, original, place, commit=commit)
    await asyncio.to_thread((place / original.name).replace, original)
    await asyncio.to_thread((place / "commit").write_text, commit)


async def _download(into: Path) -> None:
    """Let pip find the wheel where it is told to look, else in PyTorch's own index."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet")
    # The local version keeps other builds out, which bring gigabytes of CUDA's libraries.
    what = ("--only-binary", ":all:", "--dest", str(into), f"torch=={VERSION}")
    try:
        await _run(*pip, *what)
    except RuntimeError:
        await _run(*pip, "--extra-index-url", CPU_INDEX, *what)


def _lay_out(original: Path, source: Path) -> None:
    tests = ((name, text.encode()) for name, text in _TESTS.items())
    for name, content in (*wheel.python_files(original), *tests):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


async def _commit(source: Path) -> str:
    """Commit everything, as the same commit each time, and return it."""
    git = ("git", "-C", str(source))
    await _run(*git, "init", "--quiet", "--initial-branch=main")
    await _run(*git, "add", "--all")
    await _run(*git, "commit", "--quiet", "--message=Release 2.13.0")
    return (await _run(*git, "rev-parse", "HEAD")).strip()


async def _run(*argv: str) -> str:
    """Return what a program prints; raise RuntimeError with what it says when it fails."""
    identity = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", _WHO), ("EMAIL", f"{_WHO}@example.com"), ("DATE", _DATE))
    }
    process = await asyncio.create_subprocess_exec(
        *argv,
        env={
            **os.environ,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **identity,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    if process.returncode:
        message = f"{' '.join(argv)}\n{stderr.decode(errors='replace')[-2000:]}"
        raise RuntimeError(message)
    return stdout.decode()
