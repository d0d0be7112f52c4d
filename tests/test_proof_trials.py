"""A program is run several times in a clean place, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from bot.models import Verdict
from bot.proof import trials
from tests.fakes.ground import Ground as Machine, ground as machine
from tests.fakes.proof import MEND, REPRO, fenced, ground, made_on
from tests.fakes.proof_trying import Trying, trying

if TYPE_CHECKING:
    from pathlib import Path

    from demo.project import Project

__all__ = ["ground", "machine", "trying"]


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


async def test_over_every_kind_of_shell(machine: Machine, sample: Project) -> None:
    """A proof is the same on this machine and over SSH."""
    there = await made_on(machine.shell, machine.home, sample)
    proof = await there.prove(fenced(REPRO), edits=MEND)
    assert proof.verdict is Verdict.FIXED
    assert there.left() == []


def is_running(pid: str) -> bool:
    """Whether a process lives."""
    try:
        with open(f"/proc/{int(pid)}/stat") as file:  # noqa: PTH123 -- a pseudo file
            return file.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False
