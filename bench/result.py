"""What a benchmark says: progress for people on stderr, and one line of JSON at the end."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Result:
    """A measured ratio."""

    ratio: float
    """Ours to the baseline's."""
    goal: str
    met: bool
    figures: dict[str, Any]

    def line(self, name: str) -> dict[str, Any]:
        """Return what is printed."""
        return {
            "name": name,
            "ratio": round(self.ratio, 3),
            "goal": self.goal,
            "met": self.met,
            "figures": self.figures,
        }


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
