"""How a command is run on a machine, the same over SSH and in a local process.

A small script of the machine's own ``sh`` stands between: it starts the command in a session of its
own and holds its stdin open as a lifeline. When that ends (a time limit, a cancelled caller, a lost
connection, a dead bot) the command's whole process group ends; and when the command ends, so does
what it left behind in its group. What moved to a session of its own lives on: the runner relies on
it. The script needs ``sh`` and the coreutils (``timeout``, ``head``, ``mktemp``, ``env``), and
``setsid``.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from bot.errors import CommandFailed, CommandTimedOut
from bot.machines.base import DEFAULT_TIMEOUT, Completed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

MAX_OUTPUT = 10_000_000
"""Bytes kept of each output stream; of more, the end is kept."""

_PIECE = 1 << 18
_BACKSTOP = timedelta(seconds=30)
"""The machine's own limit stands this much after ours, for a connection that died unnoticed."""
_ENDING = 5.0
"""Seconds that a command which was ended gets to be gone."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# One line, for login shells that know no newline in quotes. In order: the directory; stdin into an
# unlinked file, whole or not at all; the command; the lifeline; the end. (A shell starts with `&`
# what ignores SIGINT and SIGQUIT; `timeout` sets them right again.)
_SCRIPT = r"""
limit=$1 size=$2 dir=$3; shift 3;
case $dir in "~") dir=$HOME;; "~/"*) dir=$HOME/${dir#"~/"};; esac;
if [ -n "$dir" ]; then cd -- "$dir" || exit 125; fi;
if [ "$size" -gt 0 ]; then file=$(mktemp) || exit 125; head -c "$size" >"$file";
if [ "$(wc -c <"$file")" -eq "$size" ]; then exec 4<"$file"; rm -f -- "$file";
else rm -f -- "$file"; exit 125; fi; else exec 4</dev/null; fi;
exec 3<&0 </dev/null;
setsid timeout -s KILL "$limit" "$@" <&4 3<&- 4<&- &
command=$!; exec 4<&- 2>/dev/null;
end() { kill -s KILL -- "-$command" || kill -s KILL "$command"; };
{ while read -r line; do :; done; end; } <&3 >/dev/null &
lifeline=$!; exec 3<&-; wait "$command"; status=$?;
kill -s KILL "$lifeline"; kill -s KILL -- "-$command"; exit "$status"
""".strip().replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Command:
    """A command to run; see ``Shell.run``."""

    argv: tuple[str, ...]
    cwd: str | None = None
    env: Mapping[str, str] | None = None
    stdin: bytes | None = None
    timeout: timedelta = DEFAULT_TIMEOUT
    check: bool = True

    def wrapped(self) -> tuple[str, ...]:
        """Return the argv to start on the machine.

        Raise ValueError for what no process can be given: no program, a NUL, a variable's name
        that is none.
        """
        if not self.argv or not self.argv[0]:
            raise ValueError("a command needs a program")
        variables = self._variables()
        limit = (self.timeout + _BACKSTOP).total_seconds()
        words = (f"{limit:.3f}", str(len(self.stdin or b"")), self.cwd or "", *variables)
        argv = ("sh", "-c", _SCRIPT, "ptq", *words, *self.argv)
        if any("\0" in word for word in argv):
            raise ValueError("a command cannot hold a NUL")
        return argv

    def _variables(self) -> tuple[str, ...]:
        if not self.env:
            return ()
        wrong = [name for name in self.env if not _VARIABLE.fullmatch(name)]
        if wrong:
            raise ValueError(f"not a variable's name: {wrong[0]!r}")
        return ("env", *(f"{name}={value}" for name, value in self.env.items()))


class Reader(Protocol):
    """A stream of a process that is read (asyncio's and asyncssh's both are)."""

    async def read(self, n: int = -1, /) -> bytes:
        """Return up to ``n`` bytes; none at the end."""
        ...


class Writer(Protocol):
    """The stdin of a process (asyncio's and asyncssh's both are)."""

    def write(self, data: bytes, /) -> None:
        """Send data."""
        ...

    async def drain(self) -> None:
        """Wait until there is room for more."""
        ...

    def write_eof(self) -> None:
        """Say that nothing follows."""
        ...


@dataclass(frozen=True, slots=True)
class Started:
    """A started process, over whatever it was started."""

    stdin: Writer
    stdout: Reader
    stderr: Reader
    ended: Callable[[], Awaitable[int]]
    """Wait for its end; the exit status, 128 + N for a signal. May be called again."""


async def finish(command: Command, process: Started) -> Completed:
    """Feed the process its stdin, read what it says, and wait for its end.

    Raise CommandFailed and CommandTimedOut as ``Shell.run`` does; errors of the streams pass.
    """
    work = [
        asyncio.create_task(_feed(process.stdin, command.stdin or b"")),
        asyncio.create_task(_end_of(process.stdout)),
        asyncio.create_task(_end_of(process.stderr)),
    ]
    limit = asyncio.timeout(command.timeout.total_seconds())
    try:
        async with limit:
            await asyncio.gather(*work)
            exit_status = await process.ended()
    except TimeoutError as error:
        if not limit.expired():
            raise
        message = f"{command.argv[0]} took longer than {command.timeout} and was ended"
        raise CommandTimedOut(message) from error
    finally:
        await _cut(process)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    stdout, stderr = (task.result() for task in work[1:])
    if command.check and exit_status != 0:
        raise CommandFailed(command.argv, exit_status, stderr)
    return Completed(command.argv, exit_status, stdout, stderr)


async def _feed(stdin: Writer, data: bytes) -> str:
    """Send all of it and leave the stream open: it is the lifeline."""
    for start in range(0, len(data), _PIECE):
        stdin.write(data[start : start + _PIECE])
        try:
            await stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            break  # it ended before it read everything, which is its own affair
    return ""


async def _end_of(stream: Reader) -> str:
    kept = bytearray()
    while piece := await stream.read(_PIECE):
        kept += piece
        if len(kept) > 2 * MAX_OUTPUT:
            del kept[:-MAX_OUTPUT]
    return bytes(kept[-MAX_OUTPUT:]).decode(errors="replace")


async def _cut(process: Started) -> None:
    """Cut the lifeline and wait until the command is gone, but not for ever."""
    with suppress(OSError):
        process.stdin.write_eof()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.ended(), _ENDING)
