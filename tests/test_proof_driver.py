"""The tests of a file are run one by one, and each one's end is written down."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bot.proof import programs, test_results, trials
from bot.proof.trials import Program
from tests.fakes.proof import ground
from tests.fakes.proof_trying import LIMIT, Trying, trying

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ground", "trying"]

TESTS = """\
import os, unittest, pytest

class TestA(unittest.TestCase):
    def test_pass(self): pass
    def test_fail(self): self.assertEqual(1, 2)
    def test_parts(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertNotEqual(n, 1)
    @unittest.skip("no")
    def test_skip(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    @unittest.expectedFailure
    def test_unexpected(self): pass

@pytest.mark.parametrize("n", [1, 2])
def test_each(n): assert n == 1
"""


@pytest.mark.parametrize("by", ["pytest", "unittest"])
async def test_the_ends_of_tests(trying: Trying, by: str, tmp_path: Path) -> None:
    """Each test's end is written down, by whichever of the two is there."""
    text = TESTS
    if by == "unittest":
        text = TESTS.partition("@pytest")[0].replace(", pytest", "")
        blind = "import sys\nsys.modules['pytest'] = None\n"
        (tmp_path / "blind").mkdir()
        (tmp_path / "blind" / "sitecustomize.py").write_text(blind)
    (tmp_path / "pytorch" / "test_a.py").write_text(text)
    results = await drive(trying, by=by)
    assert results.is_done
    endings = {
        name.rpartition("::")[2].rpartition(".")[2]: ending
        for name, ending in results.tests.items()
    }
    expected = {
        "test_pass": "passed",
        "test_fail": "failed",
        "test_parts": "failed",
        "test_skip": "skipped",
        "test_expected": "passed",
        "test_unexpected": "failed",
    }
    each = {"test_each[1]": "passed", "test_each[2]": "failed"} if by == "pytest" else {}
    assert endings == expected | each
    only = await drive(trying, by=by, only=["test_pass", "test_each", "test_fa"])
    chosen = {test_results.functions([name])[0] for name in only.tests}
    assert chosen == {"test_pass"} | ({"test_each"} if each else set())
    about = await drive(trying, by=by, about=["subTest"], most=2)
    assert [name.rpartition("test_")[2] for name in about.tests] == ["parts"]


async def test_a_test_that_ends_the_process(trying: Trying, tmp_path: Path) -> None:
    """It has failed, and the tests behind it are not known."""
    text = "import os, unittest\nclass TestA(unittest.TestCase):\n"
    text += "    def test_a(self): pass\n    def test_b(self): os._exit(0)\n    def test_c(self): pass\n"
    (tmp_path / "pytorch" / "test_a.py").write_text(text)
    results = await drive(trying, by="pytest")
    assert not results.is_done
    assert {name[-1]: ending for name, ending in results.tests.items()} == {
        "a": "passed",
        "b": "failed",
    }
    (tmp_path / "pytorch" / "test_a.py").write_text("import nothing_of_this_name\n")
    broken = await drive(trying, by="pytest")
    assert "nothing_of_this_name" in broken.error


def test_a_report_may_hold_anything() -> None:
    """What is no line of ours is left out."""
    report = '{"start": 1}\nnull\n[]\n{"end": "a", "outcome": "won"}\n' + "[" * 5000
    report += '\n{"start": "x"}\n{"end": "x", "outcome": "passed"}\n{"done": true'
    seen = trials.Seen(
        exit_status=0, timed_out=False, seconds=1, output="", began=0, ended=0, report=report
    )
    assert test_results.read(seen).tests == {"x": "passed"}


async def drive(
    trying: Trying,
    *,
    by: str,
    only: list[str] | None = None,
    about: list[str] | None = None,
    most: int = 100,
) -> test_results.Results:
    """Run the test file of the place by the test driver."""
    await programs.send(trying.grounds.shell, trying.grounds.layout)
    place = trying.place
    plan = {"file": "test_a.py", "report": place.report, "only": only}
    plan |= {"about": about or [], "most": most}
    driver = programs.test_driver(trying.grounds.layout)
    before = ("env", f"PYTHONPATH={place.paths.directory}/blind") if by == "unittest" else ()
    program = Program(
        argv=(*before, "python", driver, json.dumps(plan)),
        shown=(),
        in_worktree=True,
        reports=True,
    )
    (seen,) = await trials.run(trying.grounds, place, program, count=1, limit=LIMIT)
    return test_results.read(seen)
