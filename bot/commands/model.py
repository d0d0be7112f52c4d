"""What a command line can mean: a closed union of frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.models import JobId, JobOptions

if TYPE_CHECKING:
    from datetime import timedelta

_NOTHING = JobOptions()

LOG_LINES = 20
"""What ``peek`` shows of the log unless told otherwise."""

JobNamed = JobId | int
"""A job as people name it: by its id, or by its issue's number, which means the newest one."""


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
class Run:
    """`/ptq run`: the whole job for a free task."""

    task: str
    """What is to be done: raw text of the person who asks, capped, never empty."""
    changes: OptionChanges = field(default_factory=OptionChanges)
    guidance: str = ""


@dataclass(frozen=True, slots=True)
class Rerun:
    """`/ptq rerun`: the next run of the job of this issue."""

    changes: OptionChanges = field(default_factory=OptionChanges)
    """What is to be otherwise than in the last run."""
    guidance: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """`/ptq status`: how far a job is."""

    job: JobNamed | None = None


@dataclass(frozen=True, slots=True)
class Peek:
    """`/ptq peek`: the worklog, and the end of the log."""

    job: JobNamed | None = None
    lines: int = LOG_LINES


@dataclass(frozen=True, slots=True)
class Results:
    """`/ptq results`: what a job found."""

    job: JobNamed | None = None


@dataclass(frozen=True, slots=True)
class Publish:
    """`/ptq pr`: the draft pull request of a job that ran without one."""

    job: JobNamed | None = None


@dataclass(frozen=True, slots=True)
class ListJobs:
    """`/ptq list`: the repository's jobs."""


@dataclass(frozen=True, slots=True)
class Kill:
    """`/ptq kill`, `cancel` or `stop`: end a job."""

    job: JobNamed | None = None


@dataclass(frozen=True, slots=True)
class Extend:
    """`/ptq extend`: more time on the machine."""

    more: timedelta
    job: JobNamed | None = None


@dataclass(frozen=True, slots=True)
class Clean:
    """`/ptq clean`: remove a job's files from its machine."""

    job: JobNamed | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """`/ptq help`, or `/ptq` alone."""

    topic: str | None = None
    """A command of the catalogue, or None for all of them."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that begins with `/ptq` and is no command: what is wrong, as safe Markdown."""

    text: str


Command = (
    Investigate
    | Run
    | Rerun
    | Status
    | Peek
    | Results
    | Publish
    | ListJobs
    | Kill
    | Extend
    | Clean
    | Help
)
"""Everything a right command line can mean; match on it and end in ``assert_never``."""
