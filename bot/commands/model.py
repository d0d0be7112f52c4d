"""What a command line can mean: a closed union of frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.models import JobOptions

_NOTHING = JobOptions()


@dataclass(frozen=True, slots=True)
class OptionChanges:
    """The options that a command named, and nothing about the others."""

    options: JobOptions = _NOTHING
    """Checked values; only the fields in ``said`` mean anything."""
    said: frozenset[str] = frozenset()
    """Names of the fields of JobOptions that the command set."""

    def apply(self, defaults: JobOptions) -> JobOptions:
        """Return ``defaults`` with what was said put over them."""
        return defaults.model_copy(
            update={name: getattr(self.options, name) for name in sorted(self.said)}
        )


@dataclass(frozen=True, slots=True)
class Investigate:
    """`/ptq investigate`: the whole job on this issue."""

    changes: OptionChanges = field(default_factory=OptionChanges)
    guidance: str = ""
    """What the agent is told besides the issue: raw text of the person who asks, capped."""


@dataclass(frozen=True, slots=True)
class Help:
    """`/ptq help`, or `/ptq` alone."""

    topic: str | None = None
    """A command of the catalogue, or None for all of them."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """A command of the catalogue that is not built yet."""

    name: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that begins with `/ptq` and is no command: what is wrong, as safe Markdown."""

    text: str


Command = Investigate | Help | NotYet
"""Everything a right command line can mean; match on it and end in ``assert_never``."""
