"""A job as it goes on, in a terminal: its phases, and what the agent does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from bot.models import JobState
from bot.render.phrases import count, duration, money

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from bot.store import Job

PHASES = {
    JobState.RECEIVED: "Wait to be taken up",
    JobState.QUEUED: "Wait for a machine",
    JobState.RESERVING: "Reserve the machine",
    JobState.PREPARING: "Prepare PyTorch on it",
    JobState.INVESTIGATING: "Investigate",
    JobState.PROVING: "Run the repro ourselves",
    JobState.RELEASING: "Give the machine back",
    JobState.PUBLISHING: "Check and publish the patch",
}


class Screen:
    """Shows one job: phases as lines, the one that goes on as the last line of a terminal."""

    def __init__(self, console: Console) -> None:
        """Show on this console."""
        self._console = console
        self._status: Status | None = None
        self._shown: list[JobState] = []

    def show(self, job: Job, *, until: JobState | None = None) -> None:
        """Show the phases that began since the last time, up to one of them."""
        for state in sorted(job.states, key=lambda state: job.states[state]):
            if state not in self._shown and not state.is_end:
                self._begin(job, state)
            if state is until:
                return
        if self._status is not None:
            self._status.update(_line(job, self._shown[-1], is_live=True))
        if job.state.is_end:
            self._end(job, datetime.now(UTC))

    def say(self, line: str) -> None:
        """Print a line of the agent's."""
        self._console.print(Text(f"  {line}", style="dim"), soft_wrap=True)

    def close(self) -> None:
        """Take the last line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _begin(self, job: Job, state: JobState) -> None:
        self._end(job, job.states[state])
        self._shown.append(state)
        if self._console.is_terminal:
            self._status = self._console.status(_line(job, state, is_live=True))
            self._status.start()
        else:
            self._console.print(f"… {_line(job, state)}", soft_wrap=True, highlight=False)

    def _end(self, job: Job, now: datetime) -> None:
        self.close()
        if self._shown and self._console.is_terminal:
            took = duration(now - job.states[self._shown[-1]])
            line = Text.assemble(("✓ ", "green"), f"{PHASES[self._shown[-1]]} ({took})")
            self._console.print(line)


def _line(job: Job, state: JobState, *, is_live: bool = False) -> str:
    facts = [PHASES[state]]
    if job.machine and state is JobState.RESERVING:
        facts.append(job.machine)
    if is_live and state is JobState.INVESTIGATING and job.progress is not None:
        facts.append(count(job.progress.turns, "turn"))
        if job.progress.usd:
            facts.append(money(job.progress.usd))
    if is_live:
        facts.append(duration(datetime.now(UTC) - job.states[state]))
    return " · ".join(facts)
