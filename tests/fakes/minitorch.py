"""A small package like PyTorch: a git repository, and a wheel that was built from one commit of it.

The wheel holds what the source has not: a library, a generated module, headers, ``version.py``.
"""

from __future__ import annotations

import asyncio
import os
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.machines.local import LocalShell, login_environment
from bot.settings import TorchSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = {
    ".gitignore": "*.log\n/build/\nminitorch/version.py\n",
    "minitorch/.gitignore": "/_generated.py\nscratch/\n!keep.log\n",
    "minitorch/__init__.py": "from minitorch.version import __version__\n",
    "minitorch/ops.py": "def add(a, b):\n    return a - b\n\n\ndef main():\n    print(add(2, 3))\n",
    "minitorch/lib/README.md": "Libraries come here.\n",
    "minitorch/old.py": "x = 1\n",
    "test/test_ops.py": "from minitorch.ops import add\n",
    "README.md": "minitorch\n",
}
"""The files of the source at its first commit; ``add`` has a bug."""

ONLY_IN_WHEEL = {
    "minitorch/lib/libmini.so": b"\x7fELF" + bytes(1 << 20),
    "minitorch/_C.so": b"\x7fELF",
    "minitorch/_generated.py": b"VALUE = 7\n",
    "minitorch/include/a.h": b"/* a */\n",
    "minitorch/include/deep/b.h": b"/* b */\n",
}


@dataclass(frozen=True, slots=True)
class MiniTorch:
    """The repository and the directory of wheels, under one directory."""

    top: Path

    @property
    def repository(self) -> Path:
        """The git repository."""
        return self.top / "source"

    @property
    def wheels(self) -> Path:
        """The directory that the installer searches."""
        return self.top / "wheels"

    def settings(self, **changes: object) -> TorchSettings:
        """Return settings that install this package and reach no network."""
        values: dict[str, object] = {
            "package": "minitorch",
            "module": "minitorch",
            "index_url": str(self.wheels),
            "tagged": False,
            "source_url": f"file://{self.repository}",
            "python": sys.executable,
            "extra_packages": (),
        }
        return TorchSettings.model_validate(values | changes)

    async def git(self, *argv: str) -> str:
        """Run git in the repository."""
        return await git(self.repository, *argv)

    async def commit(self, message: str, files: dict[str, str]) -> str:
        """Commit files and return the commit."""
        await asyncio.to_thread(_write, self.repository, files)
        await self.git("add", "-A", "-f")
        await self.git("commit", "-q", "--allow-empty", "-m", message)
        return (await self.git("rev-parse", "HEAD")).strip()

    async def wheel(
        self, version: str, commit: str, *, more: Mapping[str, bytes] | None = None
    ) -> None:
        """Build the wheel of the repository's files as they are, saying it is of this commit.

        ``more`` are files that only the wheel has, in place of the usual ones of these names.
        """
        await asyncio.to_thread(self._wheel, version, commit, dict(more or {}))

    def _wheel(self, version: str, commit: str, more: dict[str, bytes]) -> None:
        info = f"minitorch-{version}.dist-info"
        files = {
            path.relative_to(self.repository).as_posix(): path.read_bytes()
            for path in sorted((self.repository / "minitorch").rglob("*.py"))
        }
        text = f"__version__ = {version!r}\ngit_version = {commit!r}\ncuda = None\n"
        files["minitorch/version.py"] = text.encode()
        files |= ONLY_IN_WHEEL | more
        metadata = f"Metadata-Version: 2.1\nName: minitorch\nVersion: {version}\n"
        files[f"{info}/METADATA"] = metadata.encode()
        files[f"{info}/WHEEL"] = (
            b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        files[f"{info}/entry_points.txt"] = (
            b"[console_scripts]\nminitorch-add = minitorch.ops:main\n"
        )
        record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
        files[f"{info}/RECORD"] = record.encode()
        self.wheels.mkdir(exist_ok=True)
        path = self.wheels / f"minitorch-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)


async def make(top: Path, *, version: str = "1.0") -> tuple[MiniTorch, str]:
    """Make the repository with one commit, and its wheel; return both."""
    mini = MiniTorch(top)
    mini.repository.mkdir(parents=True)
    await mini.git("init", "-q", "-b", "main")
    commit = await mini.commit("First", SOURCE)
    await mini.wheel(version, commit)
    return mini, commit


async def git(directory: Path, *argv: str) -> str:
    """Run git as a person would; return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *argv),
        cwd=directory,
        env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"},
        stdout=asyncio.subprocess.PIPE,
    )
    stdout, _ = await process.communicate()
    if process.returncode:
        raise AssertionError(f"git {argv} ended with {process.returncode}")
    return stdout.decode()


def shell(home: Path, **variables: str) -> LocalShell:
    """Return a shell on this machine with a home of its own, uv on its PATH and no network."""
    programs = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"  # noqa: PTH120 -- a string
    environment = {**login_environment(), "PATH": programs, "HOME": str(home), "UV_OFFLINE": "1"}
    return LocalShell({**environment, **variables})


def at(*parts: str) -> Path:
    """Return a place on the machine, which is this one."""
    return Path(*parts)


def _write(top: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
