"""A workspace is made once, found again, and repaired when it was cut short."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.errors import WorkspaceError
from bot.workspace.layout import Layout
from bot.workspace.prepare import build_there, prepare
from tests.fakes.minitorch import MiniTorch, at, make, shell

if TYPE_CHECKING:
    from pathlib import Path

    from bot.models import TorchBuild


class Room:
    """A machine of a test: its shell, its workspace, and what people were told."""

    def __init__(self, top: Path, mini: MiniTorch, **variables: str) -> None:
        """Take an empty directory as the machine's home."""
        self.home = top / "home"
        self.home.mkdir(exist_ok=True)
        self.mini = mini
        self.shell = shell(self.home, **variables)
        self.layout = Layout(str(self.home / "ptq_workspace"))
        self.told: list[str] = []

    async def prepare(self, **settings: object) -> TorchBuild:
        """Prepare the workspace with some settings of its own."""

        async def tell(text: str) -> None:
            self.told.append(text)

        return await prepare(self.shell, self.layout, self.mini.settings(**settings), tell=tell)

    def times(self) -> dict[str, int]:
        """Return when each file of the workspace was last changed."""
        root = at(self.layout.root)
        return {str(path): path.lstat().st_mtime_ns for path in (root, *root.rglob("*"))}


def program(directory: Path, name: str, text: str) -> Path:
    """Write a program of the machine; return its directory, for PATH."""
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\n{text}\n")
    (directory / name).chmod(0o755)
    return directory


async def test_an_empty_machine_gets_a_workspace(tmp_path: Path) -> None:
    """A machine with nothing on it gets the package and its source at its commit."""
    mini, commit = await make(tmp_path)
    room = Room(tmp_path, mini)

    build = await room.prepare()

    assert (build.version, build.wheel_commit, build.base_commit) == ("1.0", commit, commit)
    assert build.cuda is None
    assert room.told == snapshot(
        [
            "Setting up the workspace.",
            "Installing minitorch.",
            "Fetching the source of minitorch 1.0.",
        ]
    )
    root = at(room.layout.root)
    assert (root / "pytorch/minitorch/ops.py").exists()
    assert (root / ".venv/bin/python").exists()


async def test_preparing_again_changes_nothing(tmp_path: Path) -> None:
    """A workspace that is in place is found, not touched, and nobody is told anything."""
    mini, _ = await make(tmp_path)
    room = Room(tmp_path, mini)
    first = await room.prepare()
    before, told = await asyncio.to_thread(room.times), list(room.told)

    again = await room.prepare()

    assert again == first
    assert await asyncio.to_thread(room.times) == before
    assert room.told == told


async def test_two_set_ups_at_once_are_one(tmp_path: Path) -> None:
    """Two jobs that set up the same machine at once wait for each other."""
    mini, commit = await make(tmp_path)
    room = Room(tmp_path, mini)

    builds = await asyncio.gather(*(room.prepare() for _ in range(3)))

    assert {build.base_commit for build in builds} == {commit}
    assert await room.prepare() == builds[0]


async def test_what_was_cut_short_is_repaired(tmp_path: Path) -> None:
    """A set-up that died in the middle is done again from where it was."""
    mini, commit = await make(tmp_path)
    hidden = mini.repository.rename(tmp_path / "hidden")
    room = Room(tmp_path, mini)
    with pytest.raises(WorkspaceError, match="could not clone the source"):
        await room.prepare()
    hidden.rename(mini.repository)
    root = at(room.layout.root)
    (root / "pytorch.partial").mkdir()
    (root / "pytorch.partial/half").write_text("half")
    (root / ".ptq/environment.done").unlink()
    (root / ".venv/bin/python").unlink()

    assert (await room.prepare()).base_commit == commit
    (root / ".ptq/ready.json").write_text("{ half")
    assert (await room.prepare()).base_commit == commit
    await asyncio.to_thread(shutil.rmtree, root / ".venv")
    assert (await room.prepare()).base_commit == commit
    assert (root / ".venv/bin/python").exists()


async def test_a_set_up_that_failed_leaves_no_ready_workspace(tmp_path: Path) -> None:
    """Another build was asked for and is not there: then the first one is installed again."""
    mini, _ = await make(tmp_path)
    room = Room(tmp_path, mini)
    first = await room.prepare()
    with pytest.raises(WorkspaceError):
        await room.prepare(requirement="minitorch==9.9")
    assert await build_there(room.shell, room.layout) is None

    assert await room.prepare() == first
    said = await room.shell.run(room.layout.python, "-c", "import minitorch; print('there')")
    assert said.stdout == "there\n"


async def test_the_wheel_of_an_unknown_commit_is_an_error_that_says_so(tmp_path: Path) -> None:
    """No other commit is ever taken for the wheel's."""
    mini, _ = await make(tmp_path)
    await mini.wheel("1.1", "a" * 40)
    room = Room(tmp_path, mini)

    with pytest.raises(WorkspaceError) as caught:
        await room.prepare()

    text = str(caught.value).replace(str(tmp_path), "")
    assert text == snapshot(
        "minitorch 1.1 was built from commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, "
        "which is not in file:///source"
    )


async def test_a_wheel_without_a_commit_is_an_error(tmp_path: Path) -> None:
    """A wheel that somebody built by hand names no commit to make a patch against."""
    mini, _ = await make(tmp_path)
    await mini.wheel("1.1", "Unknown")
    with pytest.raises(WorkspaceError) as caught:
        await Room(tmp_path, mini).prepare()
    assert str(caught.value) == snapshot(
        "minitorch 1.1 does not name the commit it was built from "
        "(minitorch.version.git_version is 'Unknown')"
    )


async def test_a_nightly_is_investigated_at_the_commit_of_main_it_names(tmp_path: Path) -> None:
    """A nightly's own commit is on a branch nobody works on; patches are made against main's."""
    mini, main = await make(tmp_path)
    await mini.git("checkout", "-q", "-b", "nightly")
    nightly = await mini.commit(f"2026-11-20 nightly release ({main})", {"version.txt": "2.0\n"})
    await mini.git("checkout", "-q", "main")
    await mini.commit("Later", {"later.py": "x = 1\n"})
    await mini.wheel("2.0.dev20261120", nightly)

    build = await Room(tmp_path, mini).prepare()

    assert (build.version, build.wheel_commit) == ("2.0.dev20261120", nightly)
    assert build.base_commit == main


async def test_a_nightly_of_a_commit_that_is_nowhere_is_an_error(tmp_path: Path) -> None:
    """A nightly whose commit of main cannot be found is not investigated at another."""
    mini, _ = await make(tmp_path)
    nightly = await mini.commit(f"2026-11-20 nightly release ({'b' * 40})", {})
    await mini.wheel("2.0.dev1", nightly)
    with pytest.raises(WorkspaceError, match=f"is the nightly of commit {'b' * 40}, which is not"):
        await Room(tmp_path, mini).prepare()


async def test_a_commit_that_came_after_the_clone_is_fetched(tmp_path: Path) -> None:
    """A newer wheel is installed when it is asked for, and its commit fetched; the clone stays."""
    mini, _ = await make(tmp_path)
    room = Room(tmp_path, mini)
    await room.prepare()
    clone = at(room.layout.source).stat().st_ino
    later = await mini.commit("Later", {"minitorch/later.py": "x = 1\n"})
    await mini.wheel("1.2", later)

    build = await room.prepare(requirement="minitorch==1.2")

    assert (build.version, build.base_commit) == ("1.2", later)
    assert at(room.layout.source).stat().st_ino == clone
    assert (at(room.layout.source) / "minitorch/later.py").exists()


async def test_git_was_killed_in_fetching(tmp_path: Path) -> None:
    """What it had locked stands in nobody's way: everything of ours holds the workspace's lock."""
    mini, _ = await make(tmp_path)
    room = Room(tmp_path, mini)
    await room.prepare()
    later = await mini.commit("Later", {"minitorch/later.py": "x = 1\n"})
    await mini.wheel("1.2", later)
    clone = at(room.layout.source) / ".git"
    (clone / "refs/ptq").mkdir()
    for name in ("config", "index", f"refs/ptq/{later}", "refs/remotes/origin/main"):
        (clone / f"{name}.lock").touch()

    build = await room.prepare(
        requirement="minitorch==1.2", source_url=f"file://{mini.repository}/"
    )

    assert (build.version, build.base_commit) == ("1.2", later)


async def test_a_package_that_is_not_there_says_so(tmp_path: Path) -> None:
    """What the installer says reaches people, without the workspace's path."""
    mini, _ = await make(tmp_path)
    with pytest.raises(WorkspaceError) as caught:
        await Room(tmp_path, mini).prepare(requirement="minitorch==9")
    assert "could not install minitorch" in str(caught.value)
    assert "minitorch==9" in str(caught.value)


async def test_credentials_of_an_index_are_not_told(tmp_path: Path) -> None:
    """An index's user and password are in no error."""
    mini, _ = await make(tmp_path)
    with pytest.raises(WorkspaceError) as caught:
        await Room(tmp_path, mini).prepare(index_url="http://ada:hunter2@127.0.0.1:9/simple")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(WorkspaceError) as caught:
        await Room(tmp_path, mini).prepare(source_url="http://ada:hunter2@127.0.0.1:9/x.git")
    assert "hunter2" not in str(caught.value)


async def test_too_small_a_disk_is_an_error_with_the_figures(tmp_path: Path) -> None:
    """A full disk is told before anything is installed."""
    mini, _ = await make(tmp_path)
    text = "echo Filesystem; echo '/dev/vda 100 40 524288 50% /'"
    fakes = program(tmp_path / "programs", "df", text)
    room = Room(tmp_path, mini, PATH=f"{fakes}:{os.environ['PATH']}")
    with pytest.raises(WorkspaceError) as caught:
        await room.prepare()
    assert str(caught.value) == snapshot(
        "the workspace needs 1 GiB on the disk, and 0.5 GiB are free"
    )
    assert room.told == []


@pytest.mark.parametrize("root", ["~/x", "/", "x", "/x/"])
def test_a_workspace_is_an_absolute_directory(root: str) -> None:
    """A path that was not expanded is refused before anything is done there."""
    with pytest.raises(WorkspaceError):
        Layout(root)


@pytest.mark.parametrize("job_id", ["", "..", "../x", "a/b", ".a", "a..b", "a\n", "x" * 200, "-a"])
def test_a_job_id_is_a_plain_name(job_id: str) -> None:
    """No job's directory lies outside the directory of jobs."""
    with pytest.raises(WorkspaceError):
        Layout("/w").job(job_id)
