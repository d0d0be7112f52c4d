"""Work on a machine that is done once: under the workspace's lock, remembered by a marker."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from bot.errors import CommandFailed, CommandTimedOut, WorkspaceError
from bot.machines.at_once import write_all

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from bot.machines.base import Shell
    from bot.workspace.layout import Layout

_CREDENTIALS = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.IGNORECASE)
_LAST_LINES = 12
_LONGEST_REASON = 1500


@dataclass(frozen=True, slots=True)
class Step:
    """One command of some work."""

    argv: tuple[str, ...]
    may_fail: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """Steps that belong together and are done again from the first when one failed."""

    purpose: str
    """For people, as in "could not …"."""
    steps: tuple[Step, ...]
    marker: str | None = None
    """Path of the file that remembers the work; None for work that is always done."""
    inputs: tuple[str, ...] = ()
    """The work is done again when these change."""
    needs: tuple[str, ...] = ()
    """Paths whose absence means that the work must be done again."""
    patience: timedelta | None = None
    """How long it waits for other work in the workspace; without, until that is done."""

    def plan(self, layout: Layout) -> bytes:
        """Return what ``bot/remote/once.py`` reads; the inputs only as a hash of theirs."""
        steps = [{"argv": step.argv, "may_fail": step.may_fail} for step in self.steps]
        plan = {
            "lock": layout.lock,
            "patience": None if self.patience is None else self.patience.total_seconds(),
            "marker": self.marker,
            "value": fingerprint(*self.inputs),
            "needs": self.needs,
            "steps": steps,
        }
        return json.dumps(plan).encode()


def fingerprint(*inputs: str) -> str:
    """Return a hash that changes with the inputs and tells nothing of them."""
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


async def send_scripts(shell: Shell, layout: Layout, *names: str) -> None:
    """Write programs of ``bot.remote`` to the machine, anew each time.

    Whoever was on the machine before may have changed them, and an older ptq had others.
    """
    texts = await asyncio.to_thread(_script_texts, names)
    await write_all(shell, {f"{layout.scripts}/{name}.py": text for name, text in texts.items()})


async def do(
    shell: Shell,
    layout: Layout,
    work: Work,
    *,
    timeout: timedelta,  # noqa: ASYNC109 -- the remote commands' own limit
    env: Mapping[str, str] | None = None,
) -> None:
    """Do some work unless it was done with the same inputs; raise WorkspaceError."""
    await send_scripts(shell, layout, "once")
    once = f"{layout.scripts}/once.py"
    plan = work.plan(layout)
    try:
        await shell.run("python3", "-I", once, stdin=plan, env=env, timeout=timeout)
    except (CommandFailed, CommandTimedOut) as error:
        raise failure(work.purpose, error, layout) from error


def failure(purpose: str, error: CommandFailed | CommandTimedOut, layout: Layout) -> WorkspaceError:
    """Say what could not be done and the last of what the command said, fit for people."""
    if isinstance(error, CommandTimedOut):
        return WorkspaceError(f"could not {purpose}: it took too long and was ended")
    lines = [line.strip() for line in error.stderr.splitlines() if line.strip()]
    reason = "\n".join(lines[-_LAST_LINES:])[-_LONGEST_REASON:]
    if not reason:
        reason = f"exit status {error.exit_status}"
    return WorkspaceError(f"could not {purpose}: {clean(reason, layout)}")


def clean(text: str, layout: Layout) -> str:
    """Take credentials in addresses and the workspace's own path out of a text for people."""
    return _CREDENTIALS.sub(r"\1***@", text).replace(layout.root, "<workspace>")


def _script_texts(names: tuple[str, ...]) -> dict[str, str]:
    package = resources.files("bot.remote")
    return {name: package.joinpath(f"{name}.py").read_text(encoding="utf-8") for name in names}
