"""What a patch may hold, and what becomes of it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st
from inline_snapshot import snapshot

from bot.errors import PatchRefused
from bot.models import DiffStat
from bot.patch import Change, Patch, apply, decode, judge, read_patch
from bot.settings import PatchSettings

if TYPE_CHECKING:
    from pathlib import Path

ONE_LINE = """\
diff --git a/torch/nn/rnn.py b/torch/nn/rnn.py
index 1111111111111111111111111111111111111111..2222222222222222222222222222222222222222 100644
--- a/torch/nn/rnn.py
+++ b/torch/nn/rnn.py
@@ -1,3 +1,3 @@
 one
-two
+2
 three
"""


def added(path: str, *, mode: str = "100644") -> str:
    """Return a patch that adds a file of one line."""
    tab = "\t" if " " in path else ""
    return (
        f"diff --git a/{path} b/{path}\nnew file mode {mode}\nindex 0000000..1111111\n"
        f"--- /dev/null\n+++ b/{path}{tab}\n@@ -0,0 +1 @@\n+x = 1\n"
    )


def refusal(text: str) -> str:
    """Return why a patch is refused when it is read and judged."""
    with pytest.raises(PatchRefused) as caught:
        judge(read_patch(text), PatchSettings(allow=("**",)))
    return str(caught.value)


async def git(directory: Path, *argv: str) -> str:
    """Run git as a person would, without the host's configuration."""
    process = await asyncio.create_subprocess_exec(
        "git",
        *("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "core.quotePath=false"),
        *argv,
        cwd=directory,
        env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"},
        stdout=asyncio.subprocess.PIPE,
    )
    stdout, _ = await process.communicate()
    assert process.returncode == 0
    return decode(stdout)


def test_a_patch_of_one_line_is_read() -> None:
    """A patch is known by its files, what it does to them, and its size."""
    patch = read_patch(ONE_LINE)

    assert [(file.path, file.change, file.mode) for file in patch.files] == [
        ("torch/nn/rnn.py", Change.MODIFIED, "100644")
    ]
    assert judge(patch, PatchSettings()) == DiffStat(files=("torch/nn/rnn.py",), added=1, removed=1)


@pytest.mark.parametrize(
    "path",
    [
        "../x.py",
        "torch/../../x.py",
        "torch/./x.py",
        "/etc/x.py",
        "torch//x.py",
        "torch/x.py/",
        "C:/x.py",
        ".git/hooks/pre-commit",
        "torch/.git/hooks/x.py",
        "torch/.GIT/x.py",
        "git~1/x.py",
        ".gitmodules",
        "torch/.gitattributes",
        ".github/workflows/x.py",
        ".GitHub/actions/x.py",
        ".husky/x.py",
        "torch/\u202ex.py",
        "torch/\u200bx.py",
        "torch/x\x1b[2J.py",
        "torch/a\\b.py",
        "torch/ x.py",
        "torch/x.py ",
        "torch./x.py",
        f"torch/{'x' * 300}.py",
        "x/" * 600 + "y.py",
    ],
)
def test_a_path_that_is_no_plain_path_is_refused(path: str) -> None:
    """No patch reaches outside the repository, git's own files, workflows or hooks."""
    with pytest.raises(PatchRefused):
        read_patch(added(path))


def test_refusals_name_the_file_and_the_reason() -> None:
    """Who reads a refusal learns which file it is about and what is wrong with it."""
    modes = "diff --git a/x.py b/x.py\nold mode 100644\nnew mode 100755\n"
    rename = "diff --git a/x.py b/y.py\nsimilarity index 100%\nrename from x.py\nrename to y.py\n"
    same_rename = (
        "diff --git a/x.py b/x.py\nsimilarity index 100%\nrename from x.py\nrename to .git/x\n"
    )
    quoted = 'diff --git "a/\\303\\244.py" "b/\\303\\244.py"\nnew file mode 100644\n'
    binary = (
        "diff --git a/x.py b/x.py\nindex 1111111..2222222 100644\n"
        "GIT binary patch\nliteral 3\nKc$~(b\n\n"
    )
    differ = (
        "diff --git a/x.py b/x.py\nindex 1111111..2222222 100644\n"
        "Binary files a/x.py and b/x.py differ\n"
    )
    link = ONE_LINE.replace(" 100644\n", " 120000\n")
    submodule = ONE_LINE.replace(" 100644\n", " 160000\n")
    lying = ONE_LINE.replace("+++ b/torch/nn/rnn.py", "+++ b/setup.py")
    lying_old = ONE_LINE.replace("--- a/torch/nn/rnn.py", "--- a/.github/workflows/ci.yml")
    assert [
        refusal(text)
        for text in (
            "",
            "hello\n",
            ONE_LINE[:-1],
            ONE_LINE + "From: somebody\n",
            ONE_LINE + "--- a/setup.py\n+++ b/setup.py\n@@ -1 +1 @@\n-a\n+b\n",
            ONE_LINE + ONE_LINE,
            ONE_LINE.replace("@@ -1,3 +1,3 @@", "@@ -1,4 +1,3 @@"),
            ONE_LINE.replace("@@ -1,3 +1,3 @@", "@@ -1,2 +1,2 @@"),
            ONE_LINE.replace("-two\n+2\n", " two\n"),
            modes,
            rename,
            same_rename,
            quoted,
            binary,
            differ,
            link,
            submodule,
            lying,
            lying_old,
            added("x.py", mode="100755"),
            added("x.py", mode="120000"),
            added("test/conftest.py"),
            added("test/CONFTEST.py"),
            added("third_party/x.py"),
        )
    ] == snapshot(
        [
            "the patch is empty",
            "the patch is not what `git diff` writes, or it was cut off",
            "the patch is not what `git diff` writes, or it was cut off",
            "torch/nn/rnn.py: a line of it is no part of a patch",
            "torch/nn/rnn.py: a hunk's length is not what it says",
            "torch/nn/rnn.py: the patch holds this file twice",
            "torch/nn/rnn.py: a hunk's length is not what it says",
            "torch/nn/rnn.py: a hunk's length is not what it says",
            "torch/nn/rnn.py: a hunk changes nothing",
            "x.py: a change of its mode is not taken",
            "a/x.py b/y.py: the two names differ, or are not those of `git diff`",
            "x.py: a renamed or copied file is not taken",
            '"a/\\\\303\\\\244.py" "b/\\\\303\\\\244.py": a quoted file name is not taken',
            "x.py: a binary file is not taken",
            "x.py: a binary file is not taken",
            "torch/nn/rnn.py: a symbolic link is not taken",
            "torch/nn/rnn.py: a submodule is not taken",
            "torch/nn/rnn.py: its names are not those of its header",
            "torch/nn/rnn.py: its names are not those of its header",
            "x.py: a new executable file is not taken",
            "x.py: a symbolic link is not taken",
            "test/conftest.py: changes of **/conftest.py are not allowed here",
            "test/CONFTEST.py: changes of **/conftest.py are not allowed here",
            "third_party/x.py: changes of third_party/** are not allowed here",
        ]
    )


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("setup.py", True),
        ("torch/nn/modules/rnn.py", True),
        ("torch/_C/__init__.pyi", True),
        ("torch/nn/rnn.pyc", False),
        ("torch/csrc/x.cpp", False),
        ("torch/py", False),
        (".ci/x.py", False),
        ("conftest.py", False),
        ("torch/conftest.py.md", True),
    ],
)
def test_two_stars_cross_directories_and_one_does_not(path: str, *, allowed: bool) -> None:
    """``**/*.py`` means every Python file, those at the top of the repository too."""
    patch = read_patch(added(path))
    if allowed:
        assert judge(patch, PatchSettings()).files == (path,)
        return
    with pytest.raises(PatchRefused):
        judge(patch, PatchSettings())


def test_a_star_stays_in_its_directory() -> None:
    """A single ``*`` does not reach into subdirectories."""
    with pytest.raises(PatchRefused, match="not one of the files"):
        judge(read_patch(added("torch/nn/x.py")), PatchSettings(allow=("torch/*.py",)))


def test_a_patch_over_a_limit_is_refused() -> None:
    """Neither a long patch nor one of many files is published; the refusal says the numbers."""
    many = "".join(added(f"f{number}.py") for number in range(4))
    with pytest.raises(PatchRefused, match="touches 4 files, more than 3"):
        judge(read_patch(many), PatchSettings(max_files=3))
    with pytest.raises(PatchRefused, match=r"bytes, more than 100$"):
        judge(read_patch(many), PatchSettings(max_bytes=100))
    with pytest.raises(PatchRefused, match="more than 5,000,000"):
        read_patch("x" * 5_000_001)


def test_a_patch_that_is_no_text_is_refused() -> None:
    """Bytes that are not UTF-8 are no patch of ours."""
    with pytest.raises(PatchRefused, match="not UTF-8"):
        decode(b"\xff\xfe")
    with pytest.raises(PatchRefused, match="not Unicode"):
        read_patch("\ud800")


_LINES = st.sampled_from(
    [
        *ONE_LINE.splitlines(keepends=True),
        *added("a b.py").splitlines(keepends=True),
        "deleted file mode 100644\n",
        "rename to x.py\n",
        "GIT binary patch\n",
        "\\ No newline at end of file\n",
        "\n",
        "@@ -0,0 +0,0 @@\n",
        "@@ -99999999999999 +1 @@\n",
        "--- a\n",
        "+++ b\n",
    ]
)


@given(st.one_of(st.text(), st.lists(st.one_of(_LINES, st.text())).map("".join)))
@hypothesis_settings(deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever an agent leaves is a patch or a refusal, never another error."""
    try:
        patch = read_patch(text)
        judge(patch, PatchSettings())
    except PatchRefused:
        return
    assert patch.files


_PATHS = st.text(st.sampled_from("ab./ *_\u00e9"), min_size=1, max_size=12)


@given(_PATHS, st.lists(_PATHS, max_size=3), st.lists(_PATHS, max_size=3))
def test_what_is_denied_is_never_published(path: str, allow: list[str], deny: list[str]) -> None:
    """A deny pattern wins over every allow pattern, and no pattern breaks the judge."""
    try:
        patch = read_patch(added(path))
    except PatchRefused:
        return
    rules = PatchSettings(allow=(*allow, "**"), deny=(*deny, path.replace("*", "?")))
    with pytest.raises(PatchRefused):
        judge(patch, rules)


async def test_git_diff_is_read_and_applied_as_it_was_made(tmp_path: Path) -> None:
    """What ``git diff`` writes of text files comes out of ``apply`` byte for byte."""
    before: dict[str, bytes] = {
        "crlf.py": b"a\r\nb\r\nc\r\n",
        "no_end.py": b"a\nb",
        "gone.py": b"x = 1\n",
        "empty_gone.py": b"",
        "dir with space/\u00e4 b.py": b"1\n",
        "feed.py": b"a\x0cb\n\x1c\nc\rd\n",
        "far.py": b"".join(b"%d\n" % n for n in range(100)),
        "tool.py": b"#!/usr/bin/env python\n",
    }
    after: dict[str, bytes] = {
        "crlf.py": b"a\r\nB\r\nc\r\n",
        "no_end.py": b"a\nb\nc",
        "dir with space/\u00e4 b.py": b"1\n2",
        "feed.py": b"a\x0cc\n\x1c\nc\rD\n--- a/x\n+++ b/x\n@@ -1 +1 @@\ndiff --git a/x b/x\n",
        "far.py": b"0\n" + b"".join(b"%d\n" % n for n in range(2, 100)) + b"101\n",
        "tool.py": b"#!/usr/bin/env python3\n",
        "new/__init__.py": b"",
        "new/one.py": b"# \xe2\x98\x83\n",
    }
    for name, data in before.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "tool.py").chmod(0o755)
    await git(tmp_path, "init", "-q")
    await git(tmp_path, "add", "-A")
    await git(tmp_path, "commit", "-qm", "base")
    for name in before:
        (tmp_path / name).unlink()
    for name, data in after.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "tool.py").chmod(0o755)
    await git(tmp_path, "add", "-A")
    text = await git(tmp_path, "diff", "--cached", "--binary", "--full-index", "--no-renames")

    stat = judge(read_patch(text), PatchSettings())
    new = await apply(text, before)

    assert new == {name: after.get(name) for name in before | after}
    assert set(stat.files) == set(new)


async def test_a_patch_for_another_base_is_refused() -> None:
    """A patch is applied to the base commit as it is, or not at all."""
    with pytest.raises(PatchRefused, match="does not apply to the base commit"):
        await apply(ONE_LINE, {"torch/nn/rnn.py": b"something\nelse\n"})
    with pytest.raises(PatchRefused, match=r"rnn\.py: it is not there"):
        await apply(ONE_LINE, {})
    with pytest.raises(PatchRefused, match=r"x\.py: it is there already"):
        await apply(added("x.py"), {"x.py": b""})
    with pytest.raises(PatchRefused, match="empty"):
        await apply("", {})


async def test_a_file_in_the_place_of_a_directory_is_refused() -> None:
    """A patch whose files cannot lie beside each other does not apply."""
    with pytest.raises(PatchRefused):
        await apply(added("a.py") + added("a.py/b.py"), {})


def test_an_empty_patch_is_read_as_such() -> None:
    """No change is no error until somebody wants to publish it."""
    assert read_patch("") == Patch(files=(), size=0)
