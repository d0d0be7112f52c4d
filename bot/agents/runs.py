"""The runs of agents on a machine: started once, followed, stopped; they outlive the bot.

The runner (``bot.remote.runner``) does the work on the machine. Deadlines travel as durations,
measured there from the start, so that the machine's clock need not agree with ours; the times in a
``RunStatus`` are the machine's.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.agents.runner_archive import runner_archive
from bot.errors import (
    AgentError,
    CommandFailed,
    MachineError,
    MachineUnreachable,
    RemoteFileMissing,
)
from bot.machines.at_once import at_once, write_all
from bot.machines.base import Chunk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from bot.agents.base import Invocation
    from bot.machines.base import Shell

SOFT_DEADLINE = "soft-deadline"
"""The file in the run's directory that is there since the soft deadline."""

_PRIVATE = 0o600
_PIECE = 1 << 20
_ASKING = timedelta(minutes=1)
_STOPPING = timedelta(minutes=4)
"""What the runner takes at most to stop, beyond the grace."""
_AGAIN = timedelta(seconds=0.05)
_CHECK = timedelta(minutes=2)
"""A run that ends by itself says so at once; only one whose supervisor was killed needs this."""

State = Literal["absent", "running", "ended", "lost"]
Seconds = Annotated[float, Field(ge=0, le=32_503_680_000, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of an agent, before it is started; paths are of the machine."""

    id: str
    """Unique on the machine: the agent's processes carry it in their environment."""
    directory: str
    """Of this run alone: the runner's files."""
    cwd: str
    """Where the agent starts."""
    log: str
    """The agent's stdout; its stderr goes to the same path with ``.stderr`` after it."""
    python: str
    """The interpreter that runs the runner: a name or a path, 3.9 or newer."""
    soft_deadline: datetime
    hard_deadline: datetime
    stop_grace: timedelta


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How a run is; the times are the machine's."""

    state: State
    """``lost``: its supervisor is gone without a word, after a reboot or a SIGKILL."""
    exit_status: int | None = None
    """As ``subprocess`` gives it: negative for a signal; 127 when it could not be started."""
    stopped: bool = False
    """Whether it was asked to stop."""
    timed_out: bool = False
    """Whether it met the hard deadline."""
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes from it."""
        return self.state in {"ended", "lost"}


async def start(shell: Shell, run: Run, invocation: Invocation) -> RunStatus:
    """Start the agent, or find what was started (or stopped) before under this directory.

    Raise AgentError when the runner cannot be started. A program that cannot be is a run that
    ended with exit status 127, and says why in ``<log>.stderr``.
    """
    if not await _is_begun(shell, run):
        launch = {f"{run.directory}/launch.json": json.dumps(_launch(run, invocation))}
        await write_all(shell, {**invocation.files, **launch}, mode=_PRIVATE)
        await shell.write(_archive(run), await runner_archive())
    return _understood(await _ask(shell, run, "start", timeout=_ASKING))


async def status(shell: Shell, run: Run) -> RunStatus:
    """Return how the run is; MachineUnreachable is no answer, and never reads as ended."""
    if await shell.stat(_archive(run)) is None:
        return RunStatus("absent")
    return _understood(await _ask(shell, run, "status", timeout=_ASKING))


async def stop(shell: Shell, run: Run) -> RunStatus:
    """End the agent and every descendant, and return how it ended.

    A run that was not started never will be. Raise MachineUnreachable when it is not known to be
    stopped.
    """
    await shell.write(_archive(run), await runner_archive())
    answer = await _ask(shell, run, "stop", run.id, timeout=run.stop_grace + _STOPPING)
    try:
        return _understood(answer)
    except AgentError:
        return RunStatus("ended", stopped=True)  # it ended all; its files say nothing of use


async def follow(
    shell: Shell,
    run: Run,
    *,
    offset: int = 0,
    check_every: timedelta = _CHECK,
    heard: Callable[[], None] = lambda: None,
) -> AsyncGenerator[Chunk]:
    """Yield the log from a byte offset until the agent has ended and the log was read to its end.

    ``heard`` is called whenever the machine has answered, also while the agent writes nothing.
    Close it when you stop early (``aclosing``). Raise AgentError for a run that was lost (after
    what its log holds) or never started, which is found out every ``check_every``, and
    MachineUnreachable when the machine stays away.
    """
    over = asyncio.create_task(_over(shell, run, check_every, heard))
    following: asyncio.Task[Chunk] | None = None
    try:
        async with aclosing(shell.tail(run.log, offset=offset)) as chunks:
            try:
                while not over.done():
                    following = asyncio.create_task(_next(chunks))
                    await asyncio.wait({over, following}, return_when=asyncio.FIRST_COMPLETED)
                    if not following.done():
                        break
                    chunk = following.result()
                    heard()
                    offset = chunk.offset + len(chunk.data)
                    yield chunk
            finally:
                # Also when the caller is cancelled: a generator that runs cannot be closed.
                await _end(following)
        ended = await over
    finally:
        await _end(over)
    async for chunk in _rest(shell, run, offset):
        yield chunk
    if ended.state != "ended":
        raise AgentError(f"the agent's run is {ended.state}: nobody knows how it ended")


async def _rest(shell: Shell, run: Run, offset: int) -> AsyncGenerator[Chunk]:
    while True:
        try:
            data = await shell.read(run.log, limit=_PIECE, offset=offset)
        except RemoteFileMissing:
            return  # it never started
        if not data:
            return
        yield Chunk(offset, data)
        offset += len(data)


async def _over(
    shell: Shell, run: Run, check_every: timedelta, heard: Callable[[], None]
) -> RunStatus:
    """Wait for the run's end: its last file appears; now and then a thorough look, too."""
    said = asyncio.create_task(_appears(shell, f"{run.directory}/exit.json"))
    again = _AGAIN
    try:
        while True:
            with suppress(MachineUnreachable):  # the log's follower has the patience for both
                now = await status(shell, run)
                heard()
                if now.state != "running":
                    return now
            if said.done():
                said.result()
                # Its supervisor is about to be gone; or the agent wrote the file itself.
                await asyncio.sleep(again.total_seconds())
                again = min(2 * again, check_every)
            else:
                await asyncio.wait({said}, timeout=check_every.total_seconds())
    finally:
        await _end(said)


async def _appears(shell: Shell, path: str) -> None:
    """Return once something is there."""
    while True:
        try:
            async with aclosing(shell.tail(path)) as chunks:
                await anext(chunks)
        except MachineUnreachable:
            continue
        except MachineError:
            return  # it is no file, and it is there
        return


async def _next(chunks: AsyncGenerator[Chunk]) -> Chunk:
    return await anext(chunks)


async def _end(
    task: asyncio.Task[Chunk] | asyncio.Task[RunStatus] | asyncio.Task[None] | None,
) -> None:
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task})


async def _is_begun(shell: Shell, run: Run) -> bool:
    names = ("supervisor.json", "exit.json")
    found = await at_once(shell.stat(f"{run.directory}/{name}") for name in names)
    return any(one is not None for one in found)


def _archive(run: Run) -> str:
    return f"{run.directory}/runner.pyz"


def _launch(run: Run, invocation: Invocation) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "id": run.id,
        "argv": list(invocation.argv),
        "environment": dict(invocation.environment),
        "stdin": invocation.stdin,
        "cwd": run.cwd,
        "log": run.log,
        "soft_after": (run.soft_deadline - now).total_seconds(),
        "hard_after": (run.hard_deadline - now).total_seconds(),
        "stop_grace": run.stop_grace.total_seconds(),
    }


class _Answer(BaseModel):
    """One line of the runner: data from a hostile machine."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: State
    exit_status: Annotated[int, Field(ge=-255, le=255)] | None = None
    stopped: bool = False
    timed_out: bool = False
    started_at: Seconds | None = None
    ended_at: Seconds | None = None


async def _ask(shell: Shell, run: Run, what: str, *more: str, timeout: timedelta) -> str:  # noqa: ASYNC109 -- the remote command's own limit
    archive = await shell.expand(_archive(run))
    try:
        done = await shell.run(
            *(run.python, "-I", archive, what, run.directory, *more), timeout=timeout
        )
    except CommandFailed as error:
        raise AgentError(f"the runner cannot {what} the agent: {error}") from error
    return done.stdout


def _understood(line: str) -> RunStatus:
    try:
        answer = _Answer.model_validate_json(line)
    except ValidationError as error:
        raise AgentError("the runner's answer is not understood") from error
    return RunStatus(
        state=answer.state,
        exit_status=answer.exit_status,
        stopped=answer.stopped,
        timed_out=answer.timed_out,
        started_at=_time(answer.started_at),
        ended_at=_time(answer.ended_at),
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
