"""``ptq check-patch`` says whether a patch would be published, and why not."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from tests.fakes.patches import ONE_LINE, added
from tests.terminal import Said, ptq

if TYPE_CHECKING:
    from pathlib import Path

FILE = "torch/nn/rnn.py"


async def git(directory: Path, *argv: str) -> str:
    """Run git in a checkout; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *("git", "-C", str(directory), "-c", "user.name=a", "-c", "user.email=a@b.example", *argv),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err
    return out.decode().strip()


@pytest.fixture
async def checkout(tmp_path: Path) -> Path:
    """Return a repository with one commit, and a change of the file that is not committed."""
    directory = tmp_path / "checkout"
    (directory / "torch" / "nn").mkdir(parents=True)
    (directory / FILE).write_text("one\ntwo\nthree\n")
    (directory / "setup.py").symlink_to(FILE)
    (directory / "tools").symlink_to("torch")
    (directory / "run.py").write_text("x = 1\n")
    (directory / "run.py").chmod(0o755)
    await git(directory, "init", "--quiet")
    await git(directory, "add", "--all")
    await git(directory, "commit", "--quiet", "--message", "base")
    (directory / FILE).write_text("something else\n")
    return directory


async def test_a_patch_that_may_be_published() -> None:
    """Without a checkout its shape and its files are judged."""
    assert await ptq("check-patch", "-", stdin=ONE_LINE.encode()) == snapshot(
        Said(
            exit_status=0,
            out="""\
modified  torch/nn/rnn.py  +1 -1
It would be published, if it applies; --base tries that.
""",
            err="",
        )
    )


async def test_a_patch_that_applies(checkout: Path, tmp_path: Path) -> None:
    """It is applied to a commit, not to what was changed since, and nothing is changed."""
    file = tmp_path / "fix.diff"
    file.write_text(ONE_LINE)
    commit = await git(checkout, "rev-parse", "HEAD")
    said = await ptq("check-patch", str(file), "--base", str(checkout), "--commit", commit[:9])
    assert said.out.replace(commit[:12], "COMMIT") == snapshot("""\
modified  torch/nn/rnn.py  +1 -1
It would be published: it applies to COMMIT.
""")
    assert (said.exit_status, said.err) == (0, "")
    assert (checkout / FILE).read_text() == "something else\n"
    assert await git(checkout, "status", "--short") == "M torch/nn/rnn.py"


async def test_json(checkout: Path) -> None:
    """Scripts get the reason, the files and the commit."""
    text = ONE_LINE.replace("-two", "-zwei")
    said = await ptq("check-patch", "-", "--base", str(checkout), "--json", stdin=text.encode())
    assert said.exit_status == 1
    found = json.loads(said.out)
    assert found.pop("base") == await git(checkout, "rev-parse", "HEAD")
    assert found == snapshot(
        {
            "accepted": False,
            "reason": "the patch does not apply to the base commit: patch failed: torch/nn/rnn.py:1",
            "files": [
                {
                    "path": "torch/nn/rnn.py",
                    "change": "modified",
                    "mode": "100644",
                    "added": 1,
                    "removed": 1,
                }
            ],
            "size": 224,
        }
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            added("setup.py/x.py"),
            snapshot(
                "It would not be published: setup.py/x.py: setup.py is no directory in the repository."
            ),
        ),
        (
            added("tools/x.py"),
            snapshot(
                "It would not be published: tools/x.py: tools is no directory in the repository."
            ),
        ),
        (
            added(FILE),
            snapshot(
                "It would not be published: torch/nn/rnn.py: it is there already at the base commit."
            ),
        ),
        (
            ONE_LINE.replace(FILE, "torch/gone.py"),
            snapshot(
                "It would not be published: torch/gone.py: it is not there at the base commit."
            ),
        ),
        (
            ONE_LINE.replace(FILE, "setup.py"),
            snapshot("It would not be published: setup.py: is no regular file in the repository."),
        ),
        (
            ONE_LINE.replace(FILE, "run.py"),
            snapshot("It would not be published: run.py: its mode in the repository is 100755."),
        ),
    ],
    ids=["below a file", "below a link", "there already", "not there", "a link", "its mode"],
)
async def test_what_the_commit_holds(text: str, told: str, checkout: Path) -> None:
    """A path that is something else in the repository is named."""
    said = await ptq("check-patch", "-", "--base", str(checkout), stdin=text.encode())
    assert (said.exit_status, said.err) == (1, "")
    assert said.out.splitlines()[-1] == told


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", snapshot("It would not be published: the patch is empty.")),
        (
            b"Fixed it.\n",
            snapshot(
                "It would not be published: the patch is not what `git diff` writes, or it was cut off."
            ),
        ),
        (b"\xff", snapshot("It would not be published: the patch is not UTF-8 text (byte 0).")),
        (
            added(".github/workflows/x.yml").encode(),
            snapshot(
                "It would not be published: .github/workflows/x.yml: workflows and hooks are never changed."
            ),
        ),
        (
            added("third_party/x.py").encode(),
            snapshot(
                "It would not be published: third_party/x.py: changes of third_party/** are not allowed here."
            ),
        ),
        (
            added("aten/x.cpp").encode(),
            snapshot(
                "It would not be published: aten/x.cpp: not one of the files that may change here."
            ),
        ),
    ],
    ids=["empty", "no patch", "no text", "a workflow", "denied", "not allowed"],
)
async def test_a_patch_that_is_refused(data: bytes, told: str) -> None:
    """The first reason is told."""
    said = await ptq("check-patch", "-", stdin=data)
    assert (said.exit_status, said.err) == (1, "")
    assert said.out.splitlines()[-1] == told


async def test_the_operators_own_rules() -> None:
    """The settings decide which files may change."""
    cpp = added("aten/x.cpp").encode()
    assert (await ptq("check-patch", "-", stdin=cpp, PTQ_PATCH__ALLOW="**/*.cpp")).exit_status == 0
    wrong = await ptq("check-patch", "-", stdin=cpp, PTQ_PATCH__MAX_FILES="many")
    assert (wrong.exit_status, wrong.out) == (2, "")
    assert "PTQ_PATCH__MAX_FILES" in wrong.err


async def test_the_repositorys_own_rules(checkout: Path) -> None:
    """With a checkout, what its commit's .github/ptq.yml allows and forbids counts too."""
    base = ("--base", str(checkout))
    cpp = added("aten/x.cpp").encode()
    assert (await ptq("check-patch", "-", *base, stdin=cpp)).exit_status == 1

    own = checkout / ".github" / "ptq.yml"
    own.parent.mkdir()
    own.write_text('paths:\n  allow: ["**/*.cpp", "**/*.py"]\n  deny: ["torch/nn/**"]\n')
    assert (await ptq("check-patch", "-", *base, stdin=cpp)).exit_status == 1, "not committed"
    await git(checkout, "add", ".github")
    await git(checkout, "commit", "--quiet", "--message", "rules")
    assert (await ptq("check-patch", "-", *base, stdin=cpp)).exit_status == 0
    assert (await ptq("check-patch", "-", *base, stdin=ONE_LINE.encode())).out.splitlines()[
        -1
    ] == snapshot(
        "It would not be published: torch/nn/rnn.py: changes of torch/nn/** are not allowed here."
    )
    earlier = await ptq("check-patch", "-", *base, "--commit", "HEAD~1", stdin=ONE_LINE.encode())
    assert earlier.exit_status == 0


async def test_a_wrong_file_of_the_repository(checkout: Path) -> None:
    """Nobody knows what it meant, so nothing is judged."""
    own = checkout / ".github" / "ptq.yml"
    own.parent.mkdir()
    own.write_text("paths:\n  alow: [x]\nlimits: 3\n")
    await git(checkout, "add", ".github")
    await git(checkout, "commit", "--quiet", "--message", "rules")
    commit = await git(checkout, "rev-parse", "HEAD")
    said = await ptq("check-patch", "-", "--base", str(checkout), stdin=ONE_LINE.encode())
    assert (said.exit_status, said.out) == (2, "")
    assert said.err.replace(commit[:12], "COMMIT") == snapshot(
        "ptq: .github/ptq.yml at COMMIT: line 2: there is no key `paths.alow`. Did you mean `allow`?; line 3: `limits`: input should be an object\n"
    )

    own.unlink()
    own.symlink_to("../run.py")
    await git(checkout, "commit", "--quiet", "--all", "--message", "a link")
    link = await ptq("check-patch", "-", "--base", str(checkout), stdin=ONE_LINE.encode())
    assert (link.exit_status, "is no regular file" in link.err) == (2, True)


async def test_nothing_to_judge(checkout: Path, tmp_path: Path) -> None:
    """What is missing is named, with an exit status of its own."""
    patch = ONE_LINE.encode()
    told = [
        await ptq("check-patch", str(tmp_path / "none.diff")),
        await ptq("check-patch", "-", "--base", str(tmp_path / "none"), stdin=patch),
        await ptq("check-patch", "-", "--base", str(tmp_path), stdin=patch),
        await ptq("check-patch", "-", "--base", str(checkout), "--commit", "v9", stdin=patch),
    ]
    assert [(said.exit_status, said.out) for said in told] == [(2, "")] * 4
    assert [said.err.replace(str(tmp_path), "DIR") for said in told] == snapshot(
        [
            "ptq: DIR/none.diff: No such file or directory\n",
            "ptq: DIR/none: no such directory\n",
            "ptq: DIR: not a git repository, or it has no commit HEAD\n",
            "ptq: DIR/checkout: not a git repository, or it has no commit v9\n",
        ]
    )
