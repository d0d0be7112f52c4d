"""What is wrong with a repository's file, for the people who can mend it."""

from __future__ import annotations

from bot.models import Frozen


class Problem(Frozen):
    """One thing that is wrong, and where."""

    line: int | None = None
    """Counted from 1; None for the file as a whole."""
    text: str
    """Markdown of ours: what stands in the file is in it as code only."""

    def __str__(self) -> str:
        """Return it as one line of Markdown."""
        return self.text if self.line is None else f"line {self.line}: {self.text}"
