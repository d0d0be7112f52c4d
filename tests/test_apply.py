"""A job's patch on a branch of a local checkout."""

from __future__ import annotations

import asyncio
import re
import shutil
from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from tests.own_terminal import Terminal, terminal_of
from tests.seeded import PATCH, Seed, seed

if TYPE_CHECKING:
    from pathlib import Path

    from demo.project import Project
    from tests.harness import Bot

FORBIDDEN = PATCH.replace("tinytorch/sequence.py", ".github/workflow.py")


async def git(path: Path, *argv: str) -> str:
    """Return what git prints."""
    process = await asyncio.create_subprocess_exec(
        *("git", "-C", str(path), *argv), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return out.decode()


async def checkout(project: Project, path: Path) -> Path:
    """Return a checkout of the sample."""
    await asyncio.to_thread(shutil.copytree, project.source, path)
    return path


async def test_a_patch_becomes_a_branch(world: Bot, sample: Project, tmp_path: Path) -> None:
    """The branch holds the change, staged and not committed; what comes next is said."""
    path = await checkout(sample, tmp_path / "checkout")
    async with terminal_of(world) as terminal:
        await seed(terminal, Seed(7, documents={"fix.diff": PATCH}))
        applied = await terminal.ptq("apply", "7", "--pytorch-path", str(path))
        assert applied.out == snapshot("""\
  tinytorch/sequence.py
/srv/checkout is on branch ptq/7 now: 1 file, +1 -1, staged and not committed.

Next:
  read the change:     git -C /srv/checkout diff --staged
  read why:            ptq results YYYYMMDD-pytorch-7
  keep it:             git -C /srv/checkout commit
  or go back:          git -C /srv/checkout switch --discard-changes main
  and forget it:       git -C /srv/checkout branch -D ptq/7
""")
        assert (await git(path, "branch", "--show-current")).strip() == "ptq/7"
        assert await git(path, "status", "--porcelain") == "M  tinytorch/sequence.py\n"
        assert "+        padded = transpose(padded)" in await git(path, "diff", "--staged")

        await git(path, "switch", "--quiet", "--discard-changes", "main")
        again = await terminal.ptq("apply", "7", "--pytorch-path", str(path))
    assert (again.status, again.out) == (1, "")
    assert again.err == snapshot(
        "ptq: /srv/checkout has a branch ptq/7 already: `git -C /srv/checkout branch -D ptq/7` removes it\n"
    )


async def test_the_repositorys_own_rules(world: Bot, sample: Project, tmp_path: Path) -> None:
    """What the checkout's .github/ptq.yml forbids is not applied."""
    path = await checkout(sample, tmp_path / "checkout")
    (path / ".github").mkdir()
    (path / ".github" / "ptq.yml").write_text('paths:\n  deny: ["tinytorch/**"]\n')
    await git(path, "add", ".github")
    await git(path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "Rules")
    async with terminal_of(world) as terminal:
        await seed(terminal, Seed(7, documents={"fix.diff": PATCH}))
        assert await refused(terminal, path) == snapshot(
            "tinytorch/sequence.py: changes of tinytorch/** are not allowed here\n"
        )
    assert await git(path, "branch", "--list") == "* main\n"


BOTH = f"""{PATCH}\
diff --git a/test/test_new.py b/test/test_new.py
new file mode 100644
index 0000000..3333333
--- /dev/null
+++ b/test/test_new.py
@@ -0,0 +1 @@
+assert True
"""


async def test_from_wherever_one_is(world: Bot, sample: Project, tmp_path: Path) -> None:
    """Below the checkout's root all of the patch is applied; what is said can be pasted."""
    path = await checkout(sample, tmp_path / "my checkout")
    await git(path, "switch", "--quiet", "--detach")
    async with terminal_of(world) as terminal:
        await seed(terminal, Seed(7, documents={"fix.diff": BOTH}))
        applied = await terminal.ptq("apply", "7", "--pytorch-path", str(path / "test"))
    lines = applied.out.splitlines()
    assert [line.partition("  git")[2] for line in lines if " git " in line] == [
        " -C '/srv/my checkout' diff --staged",
        " -C '/srv/my checkout' commit",
        f" -C '/srv/my checkout' switch --discard-changes --detach {sample.commit}",
        " -C '/srv/my checkout' branch -D ptq/7",
    ]
    status = "A  test/test_new.py\nM  tinytorch/sequence.py\n"
    assert await git(path, "status", "--porcelain") == status

    await git(path, "switch", "--quiet", "--discard-changes", "--detach", sample.commit)
    assert await git(path, "status", "--porcelain") == ""


async def test_a_file_in_the_way_of_a_new_one(world: Bot, sample: Project, tmp_path: Path) -> None:
    """A file that git does not know stays as it is, and so does the detached commit."""
    path = await checkout(sample, tmp_path / "checkout")
    await git(path, "switch", "--quiet", "--detach")
    (path / "test" / "test_new.py").write_text("mine\n")
    async with terminal_of(world) as terminal:
        await seed(terminal, Seed(7, documents={"fix.diff": BOTH}))
        assert await refused(terminal, path) == snapshot(
            "/srv/checkout: git apply does not do it: error: test/test_new.py: already exists in working directory\n"
        )
    assert (path / "test" / "test_new.py").read_text() == "mine\n"
    assert await git(path, "branch", "--show-current") == ""
    assert await git(path, "branch", "--list", "ptq/7") == ""
    assert await git(path, "status", "--porcelain") == "?? test/test_new.py\n"


async def refused(terminal: Terminal, path: Path, job: str = "7") -> str:
    """Return why it is not applied; nothing has changed."""
    ended = await terminal.ptq("apply", job, "--pytorch-path", str(path))
    assert ended.status in {1, 2}
    assert ended.out == ""
    return ended.err.removeprefix("ptq: ")


async def test_nothing_is_changed_where_it_cannot_be_applied(
    world: Bot, sample: Project, tmp_path: Path
) -> None:
    """Whatever stands in the way is named, and the checkout is as it was."""
    path = await checkout(sample, tmp_path / "checkout")
    async with terminal_of(world) as terminal:
        await seed(
            terminal,
            Seed(7, documents={"fix.diff": PATCH}),
            Seed(8),
            Seed(9, documents={"fix.diff": FORBIDDEN}),
        )
        assert await refused(terminal, tmp_path / "nowhere") == snapshot(
            "/srv/nowhere: no such directory\n"
        )
        (tmp_path / "empty").mkdir()
        assert await refused(terminal, tmp_path / "empty") == snapshot(
            "/srv/empty: not a git repository, or it has no commit HEAD\n"
        )
        assert await refused(terminal, path, "8") == snapshot(
            "YYYYMMDD-pytorch-8 left no patch: it is finished\n"
        )
        assert await refused(terminal, path, "9") == snapshot(
            ".github/workflow.py: workflows and hooks are never changed\n"
        )

        source = path / "tinytorch" / "sequence.py"
        kept = source.read_text()
        source.write_text(kept.replace("transpose_(padded)", "swap(padded)"))
        assert await refused(terminal, path) == snapshot(
            "/srv/checkout has changes that are not committed (tinytorch/sequence.py): commit or stash them\n"
        )
        await git(path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "Swap")
        told = re.sub(
            r"[0-9a-f]{12} is checked out", "COMMIT is checked out", await refused(terminal, path)
        )
        assert told == snapshot(
            "the patch does not apply to the base commit: patch failed: tinytorch/sequence.py:26: COMMIT is checked out, and it was made against bbbbbbbbbbbb\n"
        )
    assert await git(path, "branch", "--list") == "* main\n"
    assert await git(path, "status", "--porcelain") == ""
