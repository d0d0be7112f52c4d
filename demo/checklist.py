"""The phases of the job on the screen, as they go on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from demo.phases import Mark, lines

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from bot.models import JobState
    from bot.store import Job

_STYLES = {Mark.DONE: "green", Mark.FAILED: "red", Mark.AHEAD: "dim", Mark.NOW: "cyan"}
_FRAMES_A_SECOND = 12


class Checklist:
    """Stays below everything else on a terminal; elsewhere it is one line for each change."""

    def __init__(self, console: Console) -> None:
        """Show it here, once entered."""
        self._console = console
        self._job: Job | None = None
        self._told: set[tuple[JobState, Mark]] = set()
        self._spinner = Spinner("dots", style=_STYLES[Mark.NOW])
        self._live = Live(
            console=console, get_renderable=self._table, refresh_per_second=_FRAMES_A_SECOND
        )

    def __enter__(self) -> Self:
        """Begin to show it."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave it as it stands."""
        if self._console.is_terminal:
            self._live.stop()

    def show(self, job: Job | None) -> None:
        """Take the job as it is now."""
        self._job = job
        if not self._console.is_terminal:
            self._tell()

    def _tell(self) -> None:
        for line in lines(self._job, now=datetime.now(UTC)):
            key = line.phase, line.mark
            if line.mark is not Mark.AHEAD and key not in self._told:
                self._told.add(key)
                # How long it has taken tells nothing in the moment in which it begins.
                text = line.text.rpartition(" (")[0] if line.mark is Mark.NOW else line.text
                self._console.print(Text(f"{line.mark} {text}"))

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for line in lines(self._job, now=datetime.now(UTC)):
            style = _STYLES[line.mark]
            mark = self._spinner if line.mark is Mark.NOW else Text(line.mark, style)
            table.add_row(mark, Text(line.text, "dim" if line.mark is Mark.AHEAD else ""))
        return table
