"""What a patch may hold, and what becomes of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st
from inline_snapshot import snapshot

from bot.errors import PatchRefused
from bot.models import DiffStat
from bot.patch import Change, Patch, decode, judge, read_patch
from bot.settings import PatchSettings
from tests.fakes.patches import ONE_LINE, added


def refusal(text: str) -> str:
    """Return why a patch is refused when it is read and judged."""
    with pytest.raises(PatchRefused) as caught:
        judge(read_patch(text), PatchSettings(allow=("**",)))
    return str(caught.value)


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


def test_an_empty_patch_is_read_as_such() -> None:
    """No change is no error until somebody wants to publish it."""
    assert read_patch("") == Patch(files=(), size=0)
