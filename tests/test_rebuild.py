"""Compiled code of a worktree: built where the repository allows it, and proved like any other."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.models import Verdict
from bot.patch import may_hold_compiled
from bot.settings import PatchSettings
from bot.workspace import rebuilding
from bot.workspace.layout import Layout
from bot.workspace.prepare import prepare
from bot.workspace.worktree import create
from tests.fakes.minitorch import git, make, shell
from tests.fakes.proof import Ground, fenced, quiet

if TYPE_CHECKING:
    from bot.models import JobPaths

WRONG = "int add(int a, int b) { return a - b; }\n"
RIGHT = "int add(int a, int b) { return a + b; }\n"
SETUP = """\
import pathlib, shutil, subprocess, sys

assert sys.argv[1:] == ["build"], sys.argv
out = pathlib.Path("build/lib.here/minitorch")
(out / "lib").mkdir(parents=True, exist_ok=True)
for path in pathlib.Path("minitorch").glob("*.py"):
    shutil.copy(path, out)
library = out / "lib" / "libmini.so"
subprocess.run(["cc", "-shared", "-fPIC", "-o", library, "minitorch/csrc/add.c"], check=True)
with open("build/times", "a") as times:
    times.write("built\\n")
"""
NATIVE = """\
import ctypes, os

add = ctypes.CDLL(os.path.join(os.path.dirname(__file__), "lib", "libmini.so")).add
"""
REPRO = """\
from minitorch import native

assert native.add(2, 3) == 5, native.add(2, 3)
"""
SOURCE = "minitorch/csrc/add.c"


@pytest.fixture
async def compiled(tmp_path: Path) -> Ground:
    """A workspace of a package whose C code has a bug, in the wheel's library too."""
    mini, _ = await make(tmp_path)
    files = {SOURCE: WRONG, "setup.py": SETUP, "minitorch/native.py": NATIVE}
    commit = await mini.commit("Add in C", files)
    library = await _built(mini.repository, tmp_path / "libmini.so")
    await mini.wheel("1.1", commit, more={"minitorch/lib/libmini.so": library})
    home = tmp_path / "home"
    home.mkdir()
    machine = shell(home)
    layout = Layout(f"{home}/ptq_workspace")
    torch = mini.settings()
    build = await prepare(machine, layout, torch, tell=quiet)
    return Ground(mini.repository, commit, home, machine, layout, build, torch)


async def _built(repository: Path, library: Path) -> bytes:
    words = ("cc", "-shared", "-fPIC", "-o", str(library), SOURCE)
    process = await asyncio.create_subprocess_exec(*words, cwd=repository)
    assert await process.wait() == 0
    return await asyncio.to_thread(library.read_bytes)


async def job_of(ground: Ground) -> JobPaths:
    """Make the agent's job, with the means to build."""
    paths = await create(
        ground.shell, ground.layout, "20260105-minitorch-1", ground.build, module="minitorch"
    )
    await rebuilding.offer(ground.shell, ground.layout, paths, ground.build, module="minitorch")
    return paths


async def rebuilt(ground: Ground, paths: JobPaths) -> str:
    """Build as the agent does; return what it prints last."""
    script = f"{paths.directory}/{rebuilding.SCRIPT}"
    said = await ground.shell.run("bash", script, timeout=timedelta(minutes=2))
    return said.stdout.strip().rpartition("\n")[2]


async def added(ground: Ground, paths: JobPaths) -> str:
    """Return what the job's Python takes for the sum of 2 and 3."""
    code = "from minitorch import native; print(native.add(2, 3))"
    said = await ground.shell.run(f"{paths.environment}/bin/python", "-c", code)
    return said.stdout.strip()


async def test_a_change_is_live_after_a_build(compiled: Ground) -> None:
    """The job's own worktree imports what was built; the wheel's library and git see nothing."""
    paths = await job_of(compiled)
    assert await added(compiled, paths) == "-1"
    worktree = Path(paths.worktree)
    (worktree / SOURCE).write_text(RIGHT)

    told = await rebuilt(compiled, paths)

    assert told == "built; 1 files of it are linked into the worktree"
    assert await added(compiled, paths) == "5"
    changes = (await git(worktree, "status", "--porcelain", "-uall")).splitlines()
    assert [one for one in changes if not one.endswith(".pyc")] == [f" M {SOURCE}"]
    wheel = f"{compiled.layout.environment}/bin/python"
    code = "from minitorch import native; print(native.add(2, 3))"
    assert (await compiled.shell.run(wheel, "-c", code)).stdout.strip() == "-1"


async def test_a_change_that_is_taken_back(compiled: Ground) -> None:
    """The next build has the base's file again; what did not change keeps its time."""
    paths = await job_of(compiled)
    worktree, source = Path(paths.worktree), Path(paths.directory, "build", "source")
    (worktree / SOURCE).write_text(RIGHT)
    (worktree / "minitorch/csrc/new.h").write_text("/* new */\n")
    await rebuilt(compiled, paths)
    stamp = os.stat(source / SOURCE).st_mtime_ns  # noqa: PTH116 -- one number
    await rebuilt(compiled, paths)
    assert os.stat(source / SOURCE).st_mtime_ns == stamp  # noqa: PTH116 -- as above
    assert (source / "minitorch/csrc/new.h").exists()

    (worktree / SOURCE).write_text(WRONG)
    (worktree / "minitorch/csrc/new.h").unlink()
    await rebuilt(compiled, paths)

    assert await added(compiled, paths) == "-1"
    assert not (source / "minitorch/csrc/new.h").exists()


async def test_a_fix_in_compiled_code_is_proved(compiled: Ground) -> None:
    """The bot builds the patch itself, in a clean worktree; the repro passes only then."""
    right = {SOURCE: (WRONG, RIGHT)}
    proof = await compiled.prove(fenced(REPRO), edits=right)
    assert (proof.verdict, proof.is_proved) == (Verdict.FIXED, True)
    assert proof.red is not None
    assert proof.green is not None
    assert (proof.red.matching, proof.green.passed) == (3, 3)
    assert compiled.left() == []


async def test_a_patch_that_does_not_build(compiled: Ground) -> None:
    """It is not fixed, and the reason is told."""
    proof = await compiled.prove(fenced(REPRO), edits={SOURCE: (WRONG, "int add(\n")})
    assert (proof.verdict, proof.green) == (Verdict.NOT_FIXED, None)
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. Its patch cannot be tried: with it the package does not build."
    )


@pytest.mark.parametrize(
    ("allow", "may"),
    [
        (PatchSettings().allow, False),
        (("**/*.py", "aten/src/**/*.cpp"), True),
        (("**",), True),
        (("torch/csrc/**",), True),
        (("docs/*.md",), False),
        (("torch/csrc/*.h",), True),
    ],
)
def test_which_rules_let_compiled_code_change(allow: tuple[str, ...], *, may: bool) -> None:
    """The paths of the repository's configuration say so."""
    assert may_hold_compiled(PatchSettings(allow=allow)) is may
