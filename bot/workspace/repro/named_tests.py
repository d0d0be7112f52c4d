"""Tests of PyTorch that a text says fail, by their pytest id and without a command."""

from __future__ import annotations

import re

_ID = re.compile(r"\btest/[\w/]{1,200}\.py::\w{1,200}(?:::\w{1,300})?")
_FAILS = re.compile(
    r"\b(?:fail|flak[eiy]|broke|crash|hang|time[sd]? ?out|segfault|regress|core (?:dump|file))\w*",
    re.IGNORECASE,
)
_FILE = re.compile(r"(?<![\w/])test/[\w/]{1,200}\.py(?![\w:])")
_TEST = re.compile(r"(?<![\w/.])test_\w+(?![\w./])")
_TEST_ANYWHERE = re.compile(r"(?<![\w/.])test_\w+(?![\w./])|(?<=\.py:)test_\w+(?![\w./])")
_FILE_ANYWHERE = re.compile(r"\btest/[\w/]{0,200}\btest_\w+\.py")
_IN_CLASS = re.compile(r"(?<![\w/.])(Test[A-Z]\w+|[A-Z]\w+Tests?)[.:]{1,2}(test_\w+)")
_IN_MODULE = re.compile(r"(?<![\w/.])(test_\w+)\.(test_\w+)(?![\w./])")
_ANY_ID = re.compile(r"(?<![\w/.])(?:\w+/)*\w+\.py::\w+(?:::\w+)?")
_BARE_FILE = re.compile(r"(?<![\w/.])test_\w+\.py(?![\w:])")
_IS_A_TEST = re.compile(r"\s*Test: ")
"""How the title of an issue begins that stands for a skipped test."""
_PATH = re.compile(r"(?<![\w/.])(?:test/)?((?:\w+/)+test_\w+)(?![\w./])")
_BESIDE = re.compile(
    r"\b(?:behind|after|before|like|unlike|besides) [`'\"]?test_\w+", re.IGNORECASE
)
"""A test that only tells where another one is."""
_FEW = 4
_TESTS_FAIL = re.compile(
    r"\btests?\b[^.\n]{0,80}\b(?:fail|flak|broke|crash|error)"
    r"|\b(?:fail|flak|broke|crash)\w*[^.\n]{0,80}\btests?\b|\btest_\w+\S* fail",
    re.IGNORECASE,
)
_LOGGED = re.compile(
    r"^(?:ERROR|FAIL)(?: \[[\d.]+s\])?: (?P<t1>test_\w+) \((?:[\w.]+\.)?(?P<c1>Test\w+)\)"
    r"|^FAILED \S+\.py::(?P<c2>Test\w+)::(?P<t2>test_\w+)"
    r"|^_{3,} (?P<c3>Test\w+)\.(?P<t3>test_\w+) _{3,}",
    re.MULTILINE,
)
_IN_FRAME = re.compile(
    r"File \"(?P<path>[^\"\n]{0,300}?)(?P<file>\w*test\w*\.py)\", line \d+, in (?P<test>test_\w+)"
)
"""A line of a traceback."""
_IN_FRAME_OF_TESTS = re.compile(r"File \"(?P<file>test_\w+\.py)\", line \d+")
"""One of a test's own helpers, started in the directory of the tests."""
_GROUP = re.compile(r"\bTest[A-Z]\w+(?![\w.])")
_MAX_PARAGRAPH = 2_000


def file_in_title(title: str) -> str | None:
    """Return the one file of tests that a title says fails."""
    named = set(_FILE.findall(title))
    named |= {f"test/{path}.py" for path in _PATH.findall(title)}
    named |= {f"test/{file}" for file in _BARE_FILE.findall(title)}
    is_told = _FAILS.search(title) or "Error" in title
    return named.pop() if len(named) == 1 and is_told else None


def id_in_title(title: str) -> str | None:
    """Return pytest's id of the one test that a title says fails: ``test/a.py::TestB::test_c``."""
    named = set(_ANY_ID.findall(title))
    if len(named) != 1 or not _FAILS.search(title):
        return None
    found = named.pop()
    path = found.partition("::")[0]
    is_below = "/test/" in f"/{path}" or not path.rpartition("/")[2].startswith("test_")
    return found if is_below else f"test/{found}"


def in_module(title: str) -> tuple[str, str] | None:
    """Return the module and the name of the one test that a title says fails: ``test_a.test_b``."""
    named = set(_IN_MODULE.findall(title))
    return named.pop() if len(named) == 1 and _FAILS.search(title) else None


def group_in_log(text: str, test: str) -> str:
    """Return the class that a log names beside a test: ``test_x (__main__.TestY)``; or nothing."""
    found = re.search(rf"\b{re.escape(test)} \((?:\w+\.)*([A-Z]\w+)\)", text)
    return found[1] if found is not None else ""


def file_called(module: str, text: str) -> str:
    """Return the file of tests that a text names, and that is called like a module; or nothing."""
    found = re.search(rf"\btest/(?:\w+/)*{re.escape(module)}\.py\b", text)
    if found is not None:
        return found[0]
    return f"test/{module}.py" if f"{module}.py" in text else ""


def in_title(title: str) -> tuple[str, str] | None:
    """Return the class (or nothing) and the name of the one test that a title says fails."""
    joined = set(_IN_CLASS.findall(title))
    if len(joined) == 1 and (_FAILS.search(title) or _IS_A_TEST.match(title)):
        return joined.pop()
    tests = set(_TEST.findall(title))
    if len(tests) != 1 or not _FAILS.search(title):
        return None
    groups = set(_GROUP.findall(title))
    return (groups.pop() if len(groups) == 1 else "", tests.pop())


def in_classes(text: str) -> list[tuple[str, str]]:
    """Return the class and the name of each test that a paragraph says fails, if they are few."""
    found = {
        test
        for paragraph in re.split(r"\n\s*\n", text)
        if _FAILS.search(paragraph[:_MAX_PARAGRAPH])
        for test in _IN_CLASS.findall(paragraph[:_MAX_PARAGRAPH])
    }
    return sorted(found) if len(found) <= _FEW else []


def files(text: str) -> list[str]:
    """Return the files of tests that a text names, if they are few."""
    named = sorted(set(_FILE.findall(text)))
    return named if len(named) <= _FEW else []


def are_told_to_fail(text: str) -> bool:
    """Whether a sentence says that tests fail."""
    return _TESTS_FAIL.search(text) is not None


def in_log(text: str) -> tuple[str, str, str] | None:
    """Return the file (or nothing), the class and the name of the first failed test of a log."""
    found = _LOGGED.search(text)
    if found is None:
        return None
    group, test = next(
        (found[a], found[b]) for a, b in (("c1", "t1"), ("c2", "t2"), ("c3", "t3")) if found[b]
    )
    files = set(_FILE_ANYWHERE.findall(text))
    return (files.pop() if len(files) == 1 else "", group, test)


def file_in_log(text: str, test: str) -> str:
    """Return the file in which a traceback has the test, in PyTorch's root; or nothing.

    Whoever starts it in the directory of the tests sees the name alone.
    """
    for found in _IN_FRAME.finditer(text):
        if test.startswith(found["test"]):
            _, is_inside, path = f"/{found['path']}".replace("\\", "/").rpartition("/test/")
            return f"test/{path if is_inside else ''}{found['file']}"
    named = {found["file"] for found in _IN_FRAME_OF_TESTS.finditer(text)}
    return f"test/{named.pop()}" if len(named) == 1 else ""


def in_prose(text: str) -> tuple[str, str] | None:
    """Return the file (or nothing) and the name of the one test that a paragraph says fails."""
    tests = {
        test
        for paragraph in re.split(r"\n\s*\n", text)
        if _FAILS.search(paragraph[:_MAX_PARAGRAPH])
        for test in _TEST_ANYWHERE.findall(_BESIDE.sub("", paragraph[:_MAX_PARAGRAPH]))
    }
    files = set(_FILE_ANYWHERE.findall(text))
    if len(tests) != 1 or len(files) > 1:
        return None
    return (files.pop() if files else "", tests.pop())


def only_one(text: str) -> str | None:
    """Return the test's id if a paragraph says that it fails, and no other test is named so."""
    named = {
        found[0]
        for paragraph in re.split(r"\n\s*\n", text)
        if _FAILS.search(paragraph[:_MAX_PARAGRAPH])
        for found in _ID.finditer(paragraph[:_MAX_PARAGRAPH])
    }
    return named.pop() if len(named) == 1 else None
