"""A program is run several times in a clean place, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.models import JobId, JobPaths, Verdict
from bot.proof import programs, test_results, trials
from bot.proof.places import Grounds, Place
from bot.proof.trials import Program
from tests.fakes.ground import Ground as Machine, ground as machine
from tests.fakes.proof import MEND, REPRO, Ground, fenced, ground, made_on

if TYPE_CHECKING:
    from pathlib import Path

    from bot.proof.trials import Seen
    from demo.project import Project

__all__ = ["ground", "machine"]

LIMIT = timedelta(seconds=30)


class Trying:
    """A place without a worktree, in which programs are run."""

    def __init__(self, ground: Ground, top: Path) -> None:
        """Use a directory for the place."""
        self.grounds = Grounds(
            shell=ground.shell,
            layout=ground.layout,
            job_id=JobId("20260105-trial-1"),
            build=ground.build,
            torch=ground.torch,
        )
        paths = JobPaths(
            directory=str(top), worktree=str(top / "pytorch"), environment=str(top / ".venv")
        )
        path = f"{os.path.dirname(sys.executable)}:/usr/bin:/bin"  # noqa: PTH120 -- a string
        variables = {
            "PATH": path,
            "HOME": str(top / "home"),
            "LC_ALL": "C.UTF-8",
            "PTQ_MARKS": str(top / "marks"),
        }
        self.place = Place(paths=paths, variables=variables, marker=top.name, real=str(top))
        (top / "pytorch").mkdir()

    async def run(
        self, text: str, *, count: int = 1, limit: timedelta = LIMIT, marked: bool = False
    ) -> list[Seen]:
        """Run a Python program."""
        await programs.send(self.grounds.shell, self.grounds.layout)
        before = (programs.run_to_end(self.grounds.layout),) if marked else ()
        program = Program(
            argv=("python", *before, "repro.py"),
            shown=("python", "repro.py"),
            files={"repro.py": text},
        )
        return await trials.run(self.grounds, self.place, program, count=count, limit=limit)


@pytest.fixture
def trying(ground: Ground, tmp_path: Path) -> Trying:
    """A place of its own for each test."""
    return Trying(ground, tmp_path)


async def test_each_run_is_the_first(trying: Trying) -> None:
    """What a run leaves in its directory or its home is not there for the next."""
    text = (
        "import os, pathlib\n"
        "for place in (pathlib.Path(), pathlib.Path.home()):\n"
        "    print(sorted(path.name for path in place.iterdir()))\n"
        "    (place / 'left').touch()\n"
        "print(sorted(os.environ))\n"
    )
    seen = await trying.run(text, count=2)
    assert [one.output for one in seen] == [seen[0].output] * 2
    assert seen[0].output == snapshot("""\
['repro.py']
[]
['HOME', 'LC_ALL', 'PATH', 'PTQ_MARKS', 'PTQ_RUN']
""")


async def test_both_streams_are_one_and_capped(trying: Trying) -> None:
    """Of what a program prints the end is kept."""
    text = "import sys\nfor n in range(9000):\n    print(n, file=(sys.stdout, sys.stderr)[n % 2], flush=True)\n"
    (seen,) = await trying.run(text)
    assert seen.output.endswith("\n8998\n8999\n")
    assert len(seen.output) == trials.OUTPUT_LIMIT


async def test_exit_statuses(trying: Trying) -> None:
    """A signal is told as a shell tells it; the program has no input."""
    ends = {
        "raise SystemExit(3)": 3,
        "import os; os.kill(os.getpid(), 11)": 139,
        "import os; os.abort()": 134,
        "import os; os.killpg(0, 15)": 143,
        "assert input() == 'x'": 1,
    }
    for text, status in ends.items():
        (seen,) = await trying.run(text)
        assert (text, seen.exit_status) == (text, status)


async def test_what_a_program_leaves_running_is_ended(trying: Trying) -> None:
    """Children in sessions of their own, without their streams, end with the program."""
    text = (
        "import subprocess, sys\n"
        "words = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "child = subprocess.Popen(words, start_new_session=True, env={},\n"
        "    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(child.pid)\n"
    )
    (seen,) = await trying.run(text)
    assert seen.exit_status == 0
    assert not is_running(seen.output)
    assert seen.seconds < 20


async def test_a_cancelled_proof_ends_its_program(trying: Trying, tmp_path: Path) -> None:
    """When whoever waits for a run goes away, the program and its children end."""
    held = tmp_path / "held"
    os.mkfifo(held)
    text = (
        "import subprocess, sys, time\n"
        f"held = open({str(held)!r}, 'w')\n"
        "words = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "subprocess.Popen(words, start_new_session=True, pass_fds=(held.fileno(),))\n"
        "print('started', file=held, flush=True)\n"
        "time.sleep(600)\n"
    )
    running = asyncio.create_task(trying.run(text, limit=timedelta(minutes=10)))
    with await asyncio.to_thread(held.open) as reading:
        assert await asyncio.to_thread(reading.readline) == "started\n"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        # The end of the stream is the end of the last process that holds it.
        assert await asyncio.to_thread(reading.read) == ""


async def test_a_program_that_ends_its_watcher(trying: Trying) -> None:
    """It has failed, and is ended too."""
    text = "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(600)\n"
    (seen,) = await trying.run(text)
    assert (seen.exit_status, seen.ended) == (137, 0)
    assert seen.output == snapshot("""\
It ended the program that watched over it.
the trials came to no end
""")


async def test_the_end_of_a_script_is_marked(trying: Trying) -> None:
    """Its own exit is an end; a process that is ended in the middle has none."""
    ends = {
        "print(__name__, __file__ == __import__('os').path.abspath('repro.py'))": (1, 1, 0),
        "raise SystemExit(0)": (1, 1, 0),
        "import sys\ndef f():\n    sys.exit(0)\nf()": (1, 1, 0),
        "import os\nos._exit(0)": (1, 0, 0),
        "import unittest\nunittest.main(argv=['x'])": (1, 1, 0),
        "1 / 0": (1, 0, 1),
        "import os\nif os.fork():\n    os.wait()": (1, 1, 0),
        "this is no Python": (1, 0, 1),
    }
    for text, expected in ends.items():
        (seen,) = await trying.run(text, marked=True)
        assert (text, (seen.began, seen.ended, seen.exit_status)) == (text, expected), seen.output


async def test_a_traceback_is_as_python_shows_it(trying: Trying) -> None:
    """The program that marks the end is not seen in what fails."""
    text = "def f():\n    raise ValueError('x')\nf()\n"
    (plain,) = await trying.run(text)
    (marked,) = await trying.run(text, marked=True)
    assert marked.output == plain.output
    (plain,) = await trying.run("x = (\n")
    (marked,) = await trying.run("x = (\n", marked=True)
    assert marked.output == plain.output


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


async def test_over_every_kind_of_shell(machine: Machine, sample: Project) -> None:
    """A proof is the same on this machine and over SSH."""
    there = await made_on(machine.shell, machine.home, sample)
    proof = await there.prove(fenced(REPRO), edits=MEND)
    assert proof.verdict is Verdict.FIXED
    assert there.left() == []


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


def is_running(pid: str) -> bool:
    """Whether a process lives."""
    try:
        with open(f"/proc/{int(pid)}/stat") as file:  # noqa: PTH123 -- a pseudo file
            return file.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False
