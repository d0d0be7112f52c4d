"""The process that watches over one agent, in a session of its own, and ends all of it.

It is a child subreaper, so that whatever the agent starts stays below it, in its own sessions too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bot.remote.processes import MARKER, descendants, end_all, start_time
from bot.remote.run_directory import ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.remote.run_directory import Fields, RunDirectory

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_LOOK_AGAIN = 5.0
_LEFTOVER_GRACE = 2.0
_LATEST = 7 * 24 * 3600.0
_NOT_STARTED = 127


def supervise(run: RunDirectory, launch: Fields, *, started: int) -> NoReturn:
    """Be the supervisor: out of the caller's session, and without its streams."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    log = os.open(run.path / "runner.log", flags, 0o600)
    for stream, source in ((0, nothing), (1, nothing), (2, log)):
        os.dup2(source, stream)
    os.chdir("/")
    try:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        Supervisor(run, launch).watch(started)
    except Exception:  # noqa: BLE001 -- whatever it is, it must be found in the log
        traceback.print_exc()
        end_all(lambda: descendants(os.getpid()), grace=0)
    sys.exit(0)


class Supervisor:
    """The process that watches over one agent."""

    def __init__(self, run: RunDirectory, launch: Fields) -> None:
        """Know what to start; nothing is started yet."""
        self._run = run
        self._launch = launch
        self._grace = float(launch["stop_grace"])
        now = time.monotonic()
        self._soft = now + float(launch["soft_after"])
        self._hard = now + float(launch["hard_after"])
        self._agent: int | None = None
        self._exit_status: int | None = None
        self._is_told = False
        self._stopped = False
        self._timed_out = False
        self._wake = _wake_on_signals(self._asked)

    def watch(self, started: int) -> None:
        """Start the agent, close ``started``, and return when it and all of its are gone."""
        run = self._run
        own = {"pid": os.getpid(), "start_time": start_time(os.getpid())}
        run.write("supervisor.json", {**own, "stop_grace": self._grace})
        run.remove("launch.json")
        started_at = time.time()
        self._start()
        if self._agent is not None:
            process = {"pid": self._agent, "start_time": start_time(self._agent)}
            run.write("agent.json", {**process, "session": self._agent, "started_at": started_at})
        os.close(started)
        self._wait()
        grace = self._grace if self._stopped or self._timed_out else _LEFTOVER_GRACE
        end_all(lambda: descendants(os.getpid()), grace=grace, reap=self._reap)
        run.write(
            "exit.json",
            ending(
                exit_status=self._exit_status,
                started_at=started_at,
                stopped=self._stopped,
                timed_out=self._timed_out,
            ),
        )

    def _start(self) -> None:
        launch = self._launch
        log = Path(launch["log"]).expanduser()
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**launch["environment"], MARKER: str(launch["id"])}
        with tempfile.TemporaryFile(dir=self._run.path) as stdin, log.open("ab") as out:
            stdin.write(str(launch["stdin"]).encode())
            stdin.seek(0)
            with log.with_name(log.name + ".stderr").open("ab") as err:
                try:
                    agent = subprocess.Popen(
                        launch["argv"],
                        stdin=stdin,
                        stdout=out,
                        stderr=err,
                        cwd=Path(launch["cwd"]).expanduser(),
                        env=environment,
                        start_new_session=True,
                    )
                except (OSError, ValueError) as error:
                    err.write(f"{launch['argv'][0]} cannot be started: {error}\n".encode())
                    self._exit_status = _NOT_STARTED
                    return
        self._agent = agent.pid
        agent.returncode = 0  # we reap it ourselves, with everything else

    def _wait(self) -> None:
        """Return when the agent has ended, or is to be ended."""
        while True:
            self._reap()
            now = time.monotonic()
            if self._exit_status is not None:
                return
            if self._stopped or self._run.has("stop"):
                self._stopped = True
                return
            later = self._later()
            if now >= self._hard + later:
                self._timed_out = True
                return
            ahead = self._soft + later - now
            with contextlib.suppress(OSError):  # a full disk must not end the watch
                self._sign(is_soft_over=ahead <= 0)
            wait = min(self._hard + later - now, _LOOK_AGAIN)
            if ahead > 0:
                wait = min(wait, ahead)
            if select.select([self._wake], [], [], wait)[0]:
                os.read(self._wake, 4096)

    def _later(self) -> float:
        """Return by how much the deadlines were moved, in seconds."""
        later = (self._run.read("deadlines.json") or {}).get("later")
        return later if isinstance(later, (int, float)) and 0 <= later <= _LATEST else 0.0

    def _sign(self, *, is_soft_over: bool) -> None:
        """Tell the agent of the soft deadline; when that was moved, as if it had not been told."""
        if is_soft_over and not self._is_told:
            self._is_told = True
            self._run.touch("soft-deadline")
        elif self._is_told and not is_soft_over:
            self._is_told = False
            for sign in self._run.path.glob("soft-deadline*"):
                sign.unlink(missing_ok=True)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, how = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._agent:
                    self._exit_status = os.waitstatus_to_exitcode(how)

    def _asked(self, _signal: int, _frame: object) -> None:
        self._stopped = True


def _wake_on_signals(asked: Callable[[int, object], None]) -> int:
    """Return what can be read when a child ended or somebody asked to stop.

    The others are caught too, not ignored: what is ignored stays so in the agent.
    """
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: None)
    signal.signal(signal.SIGTERM, asked)
    return reading
