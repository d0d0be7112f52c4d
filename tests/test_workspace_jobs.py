"""Each job has a worktree and an environment of its own."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import stat
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import WorkspaceError
from bot.workspace.layout import Layout
from bot.workspace.prepare import prepare
from bot.workspace.worktree import create, remove
from tests.fakes.minitorch import MiniTorch, at, git, make, shell

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from bot.models import JobPaths, TorchBuild


class Jobs:
    """A prepared workspace in which jobs are made."""

    def __init__(self, top: Path, mini: MiniTorch) -> None:
        """Take a directory as the machine's home."""
        self.home = top / "a home"
        self.home.mkdir()
        self.mini = mini
        self.shell = shell(self.home)
        self.layout = Layout(str(self.home / "ptq_workspace"))
        self.build: TorchBuild | None = None

    async def prepare(self, **settings: object) -> TorchBuild:
        """Prepare the workspace."""

        async def tell(_: str) -> None:
            """Nobody listens."""

        torch = self.mini.settings(**settings)
        self.build = await prepare(self.shell, self.layout, torch, tell=tell)
        return self.build

    async def create(self, job_id: str) -> JobPaths:
        """Make a job's worktree and environment."""
        build = self.build or await self.prepare()
        return await create(self.shell, self.layout, job_id, build, module="minitorch")

    async def python(self, paths: JobPaths, code: str) -> str:
        """Run code with the job's Python; return what it prints."""
        said = await self.shell.run(f"{paths.environment}/bin/python", "-c", code)
        return said.stdout.strip()


@pytest.fixture
async def jobs(tmp_path: Path) -> Jobs:
    """Return a workspace on a machine whose home has a space in its name."""
    mini, _ = await make(tmp_path)
    return Jobs(tmp_path, mini)


async def test_an_edit_in_the_worktree_is_live(jobs: Jobs) -> None:
    """A job's Python imports the worktree's source with what only the wheel has."""
    paths = await jobs.create("20261122-pytorch-1")
    where = "import minitorch; print(minitorch.__file__, minitorch.__version__)"
    assert await jobs.python(paths, where) == f"{paths.worktree}/minitorch/__init__.py 1.0"
    values = "from minitorch import _generated, ops; print(_generated.VALUE, ops.add(2, 3))"
    assert await jobs.python(paths, values) == "7 -1"

    at(paths.worktree, "minitorch/ops.py").write_text("def add(a, b):\n    return a + b\n")

    assert await jobs.python(paths, values) == "7 5"


async def test_what_the_wheel_adds_is_no_change(jobs: Jobs) -> None:
    """By git's word a new job's worktree is clean, at the base commit, on no branch."""
    paths = await jobs.create("a")
    worktree = at(paths.worktree)

    assert await git(worktree, "status", "--porcelain", "--untracked-files=all") == ""
    assert await git(worktree, "branch", "--show-current") == ""
    assert jobs.build is not None
    assert (await git(worktree, "rev-parse", "HEAD")).strip() == jobs.build.base_commit
    assert (worktree / "minitorch/include").is_symlink()
    assert (worktree / "minitorch/lib/libmini.so").is_symlink()
    assert not (worktree / "minitorch/lib").is_symlink()


async def test_two_jobs_do_not_touch_each_other(jobs: Jobs) -> None:
    """What one job edits, deletes or installs, another does not see."""
    one, two = await asyncio.gather(jobs.create("one"), jobs.create("two"))
    code = "from minitorch import ops, _generated; print(ops.add(2, 3), _generated.VALUE)"

    at(one.worktree, "minitorch/ops.py").write_text("def add(a, b):\n    return 42\n")
    at(one.worktree, "minitorch/_generated.py").write_text("VALUE = 8\n")
    packages = next(at(one.environment).glob("lib/python3*/site-packages"))
    (packages / "only_here.py").write_text("")
    await jobs.shell.run(
        *("uv", "pip", "uninstall", "-q", "--python", f"{one.environment}/bin/python", "minitorch"),
    )

    assert await jobs.python(two, code) == "-1 7"
    with pytest.raises(Exception, match="only_here"):
        await jobs.python(two, "import only_here")
    assert (await jobs.create("three")).worktree.endswith("three/pytorch")


async def test_a_jobs_environment_works_where_it_is(jobs: Jobs) -> None:
    """Nothing in a job's environment points at the environment it is a copy of."""
    paths = await jobs.create("a")
    scripts = at(paths.environment, "bin")
    said = await jobs.shell.run(f"{paths.environment}/bin/minitorch-add")
    assert said.stdout == "-1\n"
    prefix = await jobs.python(paths, "import sys; print(sys.prefix)")
    assert prefix == paths.environment
    for path in (*scripts.iterdir(), at(paths.environment, "pyvenv.cfg")):
        if not path.is_symlink():
            assert f"{jobs.layout.environment}/".encode() not in path.read_bytes(), path.name
    activated = await jobs.shell.run(
        "bash", "-c", '. "$1/bin/activate" && command -v python', "x", paths.environment
    )
    assert activated.stdout.strip() == f"{paths.environment}/bin/python"


async def test_only_large_libraries_are_shared_and_nobody_writes_them(jobs: Jobs) -> None:
    """A file of a job's environment is its own, but for large libraries, which are read-only."""
    paths = await jobs.create("a")
    shared = [
        path
        for path in at(paths.environment).rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_nlink > 1
    ]
    assert {path.name for path in shared} <= {"libmini.so"}
    assert all(not path.stat().st_mode & stat.S_IWUSR for path in shared)


async def test_making_a_job_again_keeps_its_work(jobs: Jobs) -> None:
    """The next run of a job finds the worktree as the last one left it."""
    paths = await jobs.create("a")
    edited = at(paths.worktree, "minitorch/ops.py")
    edited.write_text("def add(a, b):\n    return 42\n")

    assert await jobs.create("a") == paths

    assert "42" in edited.read_text()


async def test_a_job_that_was_half_made_is_made_anew(jobs: Jobs) -> None:
    """A crash between the worktree and the environment leaves nothing that stands in the way."""
    paths = await jobs.create("a")
    await asyncio.to_thread(shutil.rmtree, paths.environment)
    at(jobs.layout.job_state(paths), "created").unlink()
    at(f"{paths.environment}.partial").mkdir()

    await jobs.create("a")

    assert await jobs.python(paths, "import minitorch; print(minitorch.__version__)") == "1.0"


async def test_git_was_killed_in_adding_the_worktree(jobs: Jobs) -> None:
    """Git keeps a worktree locked while it adds it: the job is made anew, and can be removed."""
    paths = await jobs.create("a")
    source = at(jobs.layout.source)
    await git(source, "worktree", "lock", "--reason", "initializing", paths.worktree)
    await asyncio.to_thread(shutil.rmtree, paths.worktree)

    await jobs.create("a")

    assert await jobs.python(paths, "import minitorch; print(minitorch.__version__)") == "1.0"
    await git(source, "worktree", "lock", paths.worktree)
    await remove(jobs.shell, jobs.layout, "a")
    assert "/a/" not in await git(source, "worktree", "list")


async def test_another_build_makes_the_job_anew(jobs: Jobs) -> None:
    """A job is never investigated with one build's binaries and another's source."""
    paths = await jobs.create("a")
    later = await jobs.mini.commit("Later", {"minitorch/ops.py": "def add(a, b):\n    return 0\n"})
    await jobs.mini.wheel("1.2", later)
    build = await jobs.prepare(requirement="minitorch==1.2")
    await jobs.create("a")

    code = "from minitorch import __version__, ops; print(__version__, ops.add(2, 3))"
    assert await jobs.python(paths, code) == "1.2 0"
    assert build.base_commit == later


async def test_a_job_is_not_made_of_another_build(jobs: Jobs) -> None:
    """A workspace that was prepared for another build meanwhile is an error for the first."""
    first = await jobs.prepare()
    later = await jobs.mini.commit("Later", {"minitorch/later.py": "x = 1\n"})
    await jobs.mini.wheel("1.2", later)
    await jobs.prepare(requirement="minitorch==1.2")
    jobs.build = first

    with pytest.raises(WorkspaceError, match="the environment holds another build"):
        await jobs.create("a")


async def test_removing_a_job_removes_it_alone(jobs: Jobs) -> None:
    """A removed job leaves no directory and no worktree behind, and others as they are."""
    gone, stays = await jobs.create("gone"), await jobs.create("stays")
    outside = jobs.home / "precious"
    outside.mkdir()
    (outside / "file").write_text("x")
    at(gone.directory, "link").symlink_to(outside)
    locked = at(gone.directory, "locked")
    locked.mkdir()
    (locked / "file").write_text("x")
    locked.chmod(0o500)

    await remove(jobs.shell, jobs.layout, "gone")
    at(jobs.layout.scripts, "once.py").unlink()
    await remove(jobs.shell, jobs.layout, "gone")

    assert not at(jobs.layout.scripts, "once.py").exists(), "what is gone costs a look, no program"
    assert not at(gone.directory).exists()
    assert (outside / "file").exists()
    library = next(at(jobs.layout.environment).rglob("libmini.so"))
    if library.stat().st_nlink > 1:  # not where the file system clones files
        assert not library.stat().st_mode & stat.S_IWUSR
    listing = await git(at(jobs.layout.source), "worktree", "list")
    assert "/gone/" not in listing
    assert "/stays/" in listing
    assert await jobs.python(stays, "import minitorch; print(1)") == "1"


@contextmanager
def held(lock: str) -> Generator[None]:
    """Be busy in a workspace."""
    with at(lock).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def test_a_job_is_not_removed_after_a_long_wait(jobs: Jobs) -> None:
    """While the workspace is made ready for long, the job may be asked for again: it stays."""
    paths = await jobs.create("a")
    with held(jobs.layout.lock):
        with pytest.raises(WorkspaceError, match="the workspace is busy"):
            await remove(jobs.shell, jobs.layout, "a", patience=timedelta(seconds=0.2))
        assert at(paths.worktree).is_dir()
        removing = asyncio.ensure_future(remove(jobs.shell, jobs.layout, "a"))
        await asyncio.sleep(0.3)
    await removing
    assert not at(paths.directory).exists()


async def test_a_link_in_the_place_of_a_job_is_removed_and_not_followed(jobs: Jobs) -> None:
    """An agent that puts a link where its directory was has nothing else removed."""
    paths = await jobs.create("a")
    at(paths.directory).rename(jobs.home / "moved")
    outside = jobs.home / "precious"
    outside.mkdir()
    at(paths.directory).symlink_to(outside)

    await remove(jobs.shell, jobs.layout, "a")

    assert outside.is_dir()
    assert not at(paths.directory).is_symlink()


async def test_nothing_is_removed_where_the_jobs_directory_is_a_link(jobs: Jobs) -> None:
    """A workspace whose directory of jobs was replaced is left to people."""
    paths = await jobs.create("a")
    elsewhere = jobs.home / "elsewhere"
    at(jobs.layout.jobs).rename(elsewhere)
    at(jobs.layout.jobs).symlink_to(elsewhere)
    with pytest.raises(WorkspaceError):
        await remove(jobs.shell, jobs.layout, "a")
    assert at(paths.directory).is_dir()


async def test_removing_from_an_empty_machine_is_fine(tmp_path: Path) -> None:
    """Cleaning up what was never made is no error, and makes nothing."""
    home = tmp_path / "home"
    home.mkdir()
    await remove(shell(home), Layout(f"{home}/ptq_workspace"), "a")
    assert list(home.iterdir()) == []
