"""A failure that is hidden is not mended."""

from __future__ import annotations

import pytest

from bot.models import FailureKind, Signature
from bot.proof.hidden import Change, reason
from bot.proof.tracebacks import Frame

BEFORE = """\
import os

class A:
    def outer(self, x):
        return self.inner(x)

    def inner(self, x):
        y = x[0]
        return y + 1

def elsewhere(x):
    return x
"""
PATH = "torch/a.py"
FRAMES = [Frame(PATH, 5, "outer"), Frame(PATH, 8, "inner")]
FAILURE = Signature(kind=FailureKind.EXCEPTION, exception="IndexError")
INNER = "        y = x[0]\n"
OUTER = "        return self.inner(x)\n"


def found(old: str, new: str, *, signature: Signature | None = FAILURE, path: str = PATH) -> str:
    """Return how a change hides the failure."""
    assert old in BEFORE
    change = Change(path, BEFORE, BEFORE.replace(old, new, 1))
    return reason([change], signature=signature, frames=FRAMES)


def handler(line: str, kind: str, then: str) -> str:
    """Put a handler around a line."""
    return f"        try:\n    {line}        except{kind}:\n            {then}\n"


@pytest.mark.parametrize("kind", ["", " IndexError", " LookupError", " Exception as error"])
@pytest.mark.parametrize("line", [INNER, OUTER])
def test_a_handler_on_the_way_of_the_failure(line: str, kind: str) -> None:
    """Whatever catches the exception and goes on, in the function that fails or one that calls."""
    assert found(line, handler(line, kind, "return None"))


@pytest.mark.parametrize(
    "new",
    [
        handler(INNER, " ValueError", "return None"),
        handler(INNER, " IndexError as error", "raise ValueError('empty') from error"),
        "        if not x:\n            return 1\n" + INNER,
        "        y = x[0] if x else 0\n",
        "        try:\n    " + INNER + "        finally:\n            print(x)\n",
    ],
)
def test_an_honest_change(new: str) -> None:
    """Another exception, one that is raised anew, a case that is handled."""
    assert not found(INNER, new)


def test_a_handler_elsewhere() -> None:
    """Where the failure did not come through, a handler hides nothing."""
    assert not found(
        "    return x\n", "    try:\n        return x\n    except IndexError:\n        return 1\n"
    )


def test_a_new_function_that_swallows_everything() -> None:
    """A decorator is a handler, too."""
    safe = "def safe(f):\n    def g(*a):\n        try:\n            return f(*a)\n        except Exception:\n            return 1\n    return g\n\n"
    assert found("class A:\n", safe + "class A:\n")


def test_a_wrong_result_has_no_exception_to_catch() -> None:
    """Of an assertion in the repro nothing comes through the library."""
    wrong = Signature(kind=FailureKind.WRONG_RESULT)
    assert not found(INNER, handler(INNER, " IndexError", "y = 0"), signature=wrong)


@pytest.mark.parametrize(
    "new",
    [
        "        os._exit(0)\n",
        "        raise SystemExit\n",
        "        exit()\n",
        "        os.kill(os.getpid(), 9)\n",
        "        sys.excepthook = print\n",
        "        if 'repro.py' in str(x): return 1\n",
        "        return 1\n        y = 0\n",
    ],
)
def test_other_ways_around(new: str) -> None:
    """An end of the process, another hook, a look at the repro, a return before the line."""
    assert found(INNER, new)


@pytest.mark.parametrize(
    ("path", "hides"),
    [
        ("sitecustomize.py", True),
        ("random.py", True),
        ("json/__init__.py", True),
        ("torch/random.py", False),
        ("test/__init__.py", False),
        ("setup.py", False),
    ],
)
def test_a_file_before_all_others(path: str, *, hides: bool) -> None:
    """A module that Python would take for its own."""
    assert bool(reason([Change(path, None, "x = 1\n")], signature=None, frames=[])) is hides


def test_what_is_no_python() -> None:
    """A file that cannot be parsed is judged by what the repro does."""
    changes = [Change(PATH, BEFORE, "def f(:\n"), Change(PATH, BEFORE, None)]
    assert not reason(changes, signature=FAILURE, frames=FRAMES)
