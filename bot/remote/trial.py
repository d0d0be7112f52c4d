"""Runs a program several times, each time in a fresh place, and tells how it ended.

It travels to the machine with ``processes``, as one archive that Python runs (Python 3.9 and newer,
Linux). The plan is JSON on stdin::

    {"id": text, "argv": [...], "cwd": path, "environment": {name: value}, "count": number,
     "limit": seconds, "output": bytes, "fresh": {directory: {name: text}}, "marks": path,
     "report": path or null, "report_limit": bytes}

Before each run the directories of ``fresh`` are emptied and the files written. It answers with a
list of what was seen, as JSON. ``began`` and ``ended`` count the lines that ``run_to_end`` wrote
into ``marks``; ``report`` is the beginning of that file.

Two processes: one that is asked and answers, and one in a session of its own that runs the program
as a child subreaper. When the first is ended, in whatever way, the second ends all that it started.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from bot.remote.processes import MARKER, descendants, end_all, marked

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_PIECE = 1 << 16
_NOT_STARTED = 127
_LINGER = 1.0
"""Seconds in which the output of an ended program is read to its end."""

Fields = dict[str, Any]


def main() -> None:
    """Read the plan, have it carried out, and print what was seen."""
    plan = json.load(sys.stdin)
    lifeline, held = os.pipe()
    answer, written = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(held)
        os.close(answer)
        _guard(plan, lifeline=lifeline, answer=written)
    os.close(lifeline)
    os.close(written)
    with os.fdopen(answer, "rb") as stream:
        said = stream.read()
    _, how = os.waitpid(pid, 0)
    if how or not said:
        end_all(lambda: marked(plan["id"]), grace=0)
        sys.exit("the trials came to no end")
    sys.stdout.write(said.decode())


def _guard(plan: Fields, *, lifeline: int, answer: int) -> NoReturn:
    """Carry out the plan apart from the caller's session."""
    status = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        guard = Guard(plan, lifeline)
        seen = [guard.run() for _ in range(plan["count"])]
        with os.fdopen(answer, "wb") as stream:
            stream.write(json.dumps(seen).encode())
        status = 0
    finally:
        end_all(lambda: descendants(os.getpid()), grace=0, reap=_reap_all)
        os._exit(status)


class Guard:
    """Runs the program of a plan."""

    def __init__(self, plan: Fields, lifeline: int) -> None:
        """End everything when the lifeline ends."""
        self._plan = plan
        self._lifeline = lifeline
        self._wake = _wake_on_children()
        self._output = bytearray()

    def run(self) -> Fields:
        """Run the program once, and end what it leaves behind."""
        plan = self._plan
        end_all(lambda: marked(plan["id"]), grace=0)
        for directory, files in plan["fresh"].items():
            _make_fresh(Path(directory), files)
        for path in (plan["marks"], plan["report"]):
            if path:
                Path(path).unlink(missing_ok=True)
        self._output.clear()
        started = time.monotonic()
        status, timed_out = self._run(started)
        seconds = time.monotonic() - started
        marks = _read(plan["marks"], _PIECE).split()
        return {
            "exit_status": status,
            "timed_out": timed_out,
            "seconds": round(seconds, 4),
            "output": self._output[-plan["output"] :].decode(errors="replace"),
            "began": marks.count("began"),
            "ended": marks.count("ended"),
            "report": _read(plan["report"], plan["report_limit"]) if plan["report"] else "",
        }

    def _run(self, started: float) -> tuple[int | None, bool]:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        try:
            program = self._start(writing)
        except (OSError, ValueError) as error:  # not there; or words that no process can be given
            self._output += ascii(f"{self._plan['argv'][0]}: {error}").encode() + b"\n"
            os.close(reading)
            return _NOT_STARTED, False
        finally:
            os.close(writing)
        deadline = started + self._plan["limit"]
        status: int | None = None
        while status is None and (left := deadline - time.monotonic()) > 0:
            streams = [reading] if reading >= 0 else []
            ready, _, _ = select.select([*streams, self._wake, self._lifeline], [], [], left)
            if self._lifeline in ready:
                os._exit(_end_everything())
            if self._wake in ready:
                os.read(self._wake, _PIECE)
            if reading in ready and not self._take(reading):
                os.close(reading)
                reading = -1
            status = _reap(program)
        end_all(lambda: descendants(os.getpid()), grace=0, reap=_reap_all)
        self._take_rest(reading)
        return status, status is None

    def _start(self, output: int) -> int:
        plan = self._plan
        program = subprocess.Popen(
            plan["argv"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=plan["cwd"],
            env={**plan["environment"], MARKER: plan["id"]},
            start_new_session=True,
            preexec_fn=_without_core,  # noqa: PLW1509 -- this process has one thread
        )
        program.returncode = 0  # we reap it ourselves, with everything else
        return program.pid

    def _take(self, reading: int) -> bool:
        """Read what is there, keep the end; False at the end of the stream."""
        try:
            piece = os.read(reading, _PIECE)
        except BlockingIOError:
            return True
        self._output += piece
        del self._output[: -2 * self._plan["output"]]
        return bool(piece)

    def _take_rest(self, reading: int) -> None:
        until = time.monotonic() + _LINGER
        while (left := until - time.monotonic()) > 0 and reading >= 0:
            if not select.select([reading], [], [], left)[0] or not self._take(reading):
                break
        if reading >= 0:
            os.close(reading)


def _reap(program: int) -> int | None:
    """Reap all that ended; return the program's exit status if it did, as a shell tells it."""
    status: int | None = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, how = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == program:
                code = os.waitstatus_to_exitcode(how)
                status = 128 - code if code < 0 else code
    return status


def _reap_all() -> None:
    _reap(0)


def _end_everything() -> int:
    end_all(lambda: descendants(os.getpid()), grace=0, reap=_reap_all)
    return 1


def _make_fresh(directory: Path, files: dict[str, str]) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8", errors="surrogatepass", newline="")


def _read(path: str, limit: int) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(limit).decode(errors="replace")
    except OSError:
        return ""


def _without_core() -> None:
    """Write no memory image when it crashes: one may be larger than the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _wake_on_children() -> int:
    """Return what can be read when a child ended."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
    return reading
