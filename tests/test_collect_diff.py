"""The patch is made by us, whatever an agent did to git in its worktree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import PatchRefused
from bot.patch import apply, decode, read_patch
from bot.workspace.layout import Layout
from tests.fakes.minijob import Job, make_job
from tests.fakes.minitorch import SOURCE, at, git

if TYPE_CHECKING:
    from pathlib import Path

FIX = SOURCE["minitorch/ops.py"].replace("a - b", "a + b")


@pytest.fixture
async def job(tmp_path: Path) -> Job:
    """Return a job whose agent has changed nothing."""
    return await make_job(tmp_path)


async def test_a_patch_that_lost_its_middle_is_no_patch(job: Job) -> None:
    """What was cut is never published, wherever the cut fell."""
    (job.worktree / "minitorch/new.py").write_text("x = 1\n" * 2000)
    collected = await job.collect(limit=12_100)
    assert collected.truncated == ("fix.diff",)
    with pytest.raises(PatchRefused):
        read_patch(decode((job.into / "fix.diff").read_bytes()))


async def test_the_patch_holds_edited_new_and_deleted_files(job: Job) -> None:
    """The patch is what the worktree changes against the base commit, new files too."""
    (job.worktree / "minitorch/ops.py").write_text(FIX)
    (job.worktree / "test/new folder").mkdir()
    (job.worktree / "test/new folder/t\u00e4st.py").write_text("x = 1")
    (job.worktree / "minitorch/old.py").unlink()

    assert await job.changes() == {
        "minitorch/ops.py": "modified",
        "minitorch/old.py": "deleted",
        "test/new folder/t\u00e4st.py": "added",
    }
    base = {name: text.encode() for name, text in SOURCE.items()}
    assert (await apply(await job.patch(), base))["minitorch/ops.py"] == FIX.encode()


async def test_what_the_agent_committed_is_in_the_patch(job: Job) -> None:
    """Commits, a branch, a stash of the index: the patch is always against the base commit."""
    (job.worktree / "minitorch/ops.py").write_text(FIX)
    await git(job.worktree, "checkout", "-q", "-b", "mine")
    await git(job.worktree, "commit", "-qam", "Mine")
    (job.worktree / "minitorch/more.py").write_text("x = 1\n")
    await git(job.worktree, "add", "-A")
    await git(job.worktree, "update-index", "--assume-unchanged", "minitorch/ops.py")

    assert await job.changes() == {"minitorch/ops.py": "modified", "minitorch/more.py": "added"}
    head = await git(job.worktree, "log", "-1", "--format=%s")
    assert head == "Mine\n"


async def test_an_agent_cannot_hide_a_change(job: Job) -> None:
    """Ignore files and git's settings in the worktree have no say in what the patch holds."""
    (job.worktree / "minitorch/ops.py").write_text(FIX)
    (job.worktree / "minitorch/hidden.py").write_text("x = 1\n")
    (job.worktree / ".gitignore").write_text("*\n")
    source = at(Layout.of(job.paths).source)
    (source / ".git/info").mkdir(exist_ok=True)
    (source / ".git/info/exclude").write_text("*\n")
    (source / ".git/info/attributes").write_text("* binary\n")
    mark = job.directory / "ran"
    evil = f"sh -c 'touch {mark}; cat'"
    for key in ("filter.x.clean", "diff.external", "core.fsmonitor"):
        await git(job.worktree, "config", key, evil)
    await git(job.worktree, "config", "core.ignoreStat", "true")

    assert await job.changes() == {
        ".gitignore": "modified",
        "minitorch/ops.py": "modified",
        "minitorch/hidden.py": "added",
    }
    (job.worktree / ".gitattributes").write_text("* binary filter=x\n")
    assert "+    return a + b\n" in await job.patch()
    assert not mark.exists()


async def test_what_the_base_ignores_stays_out(job: Job) -> None:
    """What the base commit's own ignore files name, caches, and the wheel's files are no change."""
    new = {
        "run.log": False,
        "build/out.py": False,
        "sub/build/out.py": True,
        "minitorch/scratch/x.py": False,
        "scratch/x.py": True,
        "minitorch/keep.log": True,
        "minitorch/deep/scratch/x.py": False,
        "minitorch/deep/_generated.py": True,
        "minitorch/__pycache__/x.py": False,
        "minitorch/x.pyc": False,
    }
    for name in new:
        path = job.worktree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")

    assert set(await job.changes()) == {name for name, kept in new.items() if kept}


async def test_what_cannot_be_in_a_patch_makes_it_unfit(job: Job) -> None:
    """A repository inside the worktree or a huge new file is named, and nothing is published."""
    inner = job.worktree / "inner"
    inner.mkdir()
    await git(inner, "init", "-q")
    await git(inner, "commit", "-q", "--allow-empty", "-m", "x")
    (job.worktree / "huge.py").write_bytes(bytes(200_000))
    text = await job.patch()
    assert text == "left out: 'huge.py'\nleft out: 'inner/'\n"
    with pytest.raises(PatchRefused):
        read_patch(text)


async def test_links_modes_and_binaries_are_in_the_patch_and_refused(job: Job) -> None:
    """The patch tells what was done; whoever judges it refuses it."""
    (job.worktree / "link.py").symlink_to("/etc/passwd")
    with pytest.raises(PatchRefused, match=r"link\.py: a symbolic link"):
        read_patch(await job.patch())
    (job.worktree / "link.py").unlink()
    (job.worktree / "minitorch/ops.py").chmod(0o755)
    with pytest.raises(PatchRefused, match=r"ops\.py: a change of its mode"):
        read_patch(await job.patch())
    (job.worktree / "minitorch/ops.py").chmod(0o644)
    (job.worktree / "minitorch/ops.py").write_bytes(b"\0\1\2")
    with pytest.raises(PatchRefused, match=r"ops\.py: a binary file"):
        read_patch(await job.patch())
