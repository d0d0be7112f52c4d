"""How far it is: a bar on a terminal, a line now and then elsewhere; on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import TaskID

    from chaos.options import Options

_EVERY = 5
"""Kills between two lines where there is no terminal."""


class Screen:
    """Shows how far it is while the block runs."""

    def __init__(self, options: Options) -> None:
        """Show nothing yet."""
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[more]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._bar: TaskID = self._progress.add_task(
            "kills and freezes", total=options.kills, more=""
        )
        self._kills = 0
        self._wishes = 0
        self._told = -_EVERY

    def __enter__(self) -> Self:
        """Begin to show it."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave it as it stands."""
        self._progress.stop()

    def show(self, *, unfinished: int, kills: int | None = None, wishes: int | None = None) -> None:
        """Show the numbers as they are now; what is not given is as before."""
        self._kills = self._kills if kills is None else kills
        self._wishes = self._wishes if wishes is None else wishes
        more = f"{self._wishes} wishes, {unfinished} issues unfinished"
        self._progress.update(self._bar, completed=self._kills, more=more)
        if not self._console.is_terminal and self._kills - self._told >= _EVERY:
            self._told = self._kills
            self.say(f"{self._kills} kills and freezes, {more}")

    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._console.print(text, markup=False, soft_wrap=True)
