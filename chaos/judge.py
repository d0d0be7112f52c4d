"""The judge: what GitHub and the machines remember → what was lost or made twice. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chaos.scenarios import Scenario

_MARKER = re.compile(r"<!-- ptq:(\w+) (.*?) -->")
_RUN = re.compile(r"(.+)-(\d+)-[0-9a-f]{8}-(\d+)")
"""``PTQ_RUN``: job, run, the place on its machine, and which try of the agent."""
_STOPPED = "This job was stopped by "
_MOVED = "had stopped answering, so I began again"
_LAST_FORM = "**This investigation "
"""How a progress comment begins that is the report."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A comment of a person that holds a command."""

    comment: int
    issue: int
    is_seen: bool
    """Whether the App reacted to it."""
    stops: bool = False
    """Whether it asks to stop what runs."""


@dataclass(frozen=True, slots=True)
class Said:
    """A comment of the App."""

    issue: int
    body: str

    @property
    def marker(self) -> str:
        """What kind of comment it is, and of what: the hidden marker, or else the whole text."""
        found = _MARKER.match(self.body)
        return found[0] if found else self.body

    def about(self, kind: str) -> str | None:
        """Return what it is about when it is of this kind."""
        found = _MARKER.match(self.body)
        return found[2] if found and found[1] == kind else None


@dataclass(frozen=True, slots=True)
class Opened:
    """A pull request of the App."""

    number: int
    branch: str
    body: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found when all was over, in the memory of others than the bot."""

    asked: tuple[Asked, ...] = ()
    said: tuple[Said, ...] = ()
    pulls: tuple[Opened, ...] = ()
    branches: tuple[str, ...] = ()
    """Of the App."""
    starts: tuple[str, ...] = ()
    """``PTQ_RUN`` of every agent that was started, as the machines wrote it down."""
    starts_on_dead: tuple[str, ...] = ()
    """The same on machines that died for good: such a start may come again elsewhere, once."""
    alive: tuple[str, ...] = ()
    """What still runs on the machines."""
    leases: tuple[str, ...] = ()
    """Reservations that are not given back."""
    ends: tuple[str, ...] = ()
    """Processes of the bot that ended by themselves, or not when they were told to."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong, in sentences, by the name that the last line of output has for it."""

    runs: int = 0
    finished: int = 0
    moved: int = 0
    """Runs that began again on another machine."""
    duplicate_comments: list[str] = field(default_factory=list[str])
    duplicate_pull_requests: list[str] = field(default_factory=list[str])
    duplicate_agents: list[str] = field(default_factory=list[str])
    duplicate_jobs: list[str] = field(default_factory=list[str])
    leaked_reservations: list[str] = field(default_factory=list[str])
    lost_deliveries: list[str] = field(default_factory=list[str])
    unfinished: list[str] = field(default_factory=list[str])
    crashes: list[str] = field(default_factory=list[str])

    def wrong(self) -> dict[str, list[str]]:
        """Return every kind of wrong with what was found of it."""
        return {
            "duplicate_comments": self.duplicate_comments,
            "duplicate_pull_requests": self.duplicate_pull_requests,
            "leaked_reservations": self.leaked_reservations,
            "lost_deliveries": self.lost_deliveries,
            "unfinished": self.unfinished,
            "duplicate_agents": self.duplicate_agents,
            "duplicate_jobs": self.duplicate_jobs,
            "crashes": self.crashes,
        }

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost and nothing made twice."""
        return not any(self.wrong().values())


def judge(evidence: Evidence, scenarios: Mapping[int, Scenario]) -> Findings:
    """Return what is wrong; ``scenarios`` are what the agents do, by issue."""
    runs = {about: one.issue for one in evidence.said if (about := one.about("progress"))}
    stopped = {one.issue for one in evidence.asked if one.stops}
    unfinished = [
        f"{about}, issue {issue} ({scenarios[issue].name}): {problem}"
        for about, issue in runs.items()
        for problem in _problems(evidence, about, scenarios[issue], may_be_stopped=issue in stopped)
    ]
    lost, twice = _accounts(evidence, runs)
    return Findings(
        runs=len(runs),
        moved=sum(
            one.about("progress") is not None and _MOVED in one.body for one in evidence.said
        ),
        finished=len(runs) - len({line.partition(",")[0] for line in unfinished}),
        duplicate_comments=_more_than_once(
            f"issue {one.issue}: {one.marker}" for one in evidence.said
        ),
        duplicate_pull_requests=_pulls(evidence),
        duplicate_agents=[
            again
            for starts in (evidence.starts, evidence.starts_on_dead)
            for again in _more_than_once(map(_try, starts))
        ],
        duplicate_jobs=twice,
        leaked_reservations=[
            *(f"lease {lease} is not released" for lease in evidence.leases),
            *(f"still running on a machine: {process}" for process in evidence.alive),
        ],
        lost_deliveries=lost,
        unfinished=unfinished,
        crashes=list(evidence.ends),
    )


def _problems(
    evidence: Evidence, about: str, scenario: Scenario, *, may_be_stopped: bool
) -> list[str]:
    """Return why a run has not ended as it must."""
    closing = [one.body for one in evidence.said if one.about("closing") == about]
    progress = [one.body for one in evidence.said if one.about("progress") == about]
    # A later run of a job brings its pull request up to date.
    pulls = [pull for pull in evidence.pulls if _job(pull) == about.partition(" ")[0]]
    found: list[str] = []
    if not closing:
        return ["no closing comment"]
    if not any(_LAST_FORM in body for body in progress):
        found.append("its progress comment is not the report")
    if may_be_stopped and _STOPPED in closing[0]:
        return found
    if scenario.says not in closing[0]:
        found.append(f"its closing comment should say {scenario.says!r}: {closing[0]!r}")
    if bool(pulls) is not scenario.opens_pull:
        found.append(f"{len(pulls)} pull requests")
    return found


def _accounts(evidence: Evidence, runs: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Return what was asked for and is lost, and what was begun without being asked for.

    Each command begins one run or gets one answer.
    """
    lost = [
        f"comment {one.comment} under issue {one.issue} was not seen"
        for one in evidence.asked
        if not one.is_seen
    ]
    twice: list[str] = []
    seen = Counter(one.issue for one in evidence.asked if one.is_seen)
    begun = Counter(runs.values())
    answers = {(one.issue, about) for one in evidence.said if (about := one.about("reply"))}
    answered = Counter(issue for issue, _ in answers)
    for issue in seen | begun | answered:
        more = begun[issue] + answered[issue] - seen[issue]
        told = (
            f"issue {issue}: {seen[issue]} commands seen, {begun[issue]} runs and "
            f"{answered[issue]} answers"
        )
        if more < 0:
            lost.append(told)
        if more > 0:
            twice.append(told)
    return lost, twice


def _pulls(evidence: Evidence) -> list[str]:
    """Return the pull requests that are too many, and branches that nobody asked to have."""
    jobs = (_job(pull) for pull in evidence.pulls)
    heads = {pull.branch for pull in evidence.pulls}
    return [
        *_more_than_once(jobs),
        *_more_than_once(f"branch {pull.branch}" for pull in evidence.pulls),
        *(
            f"branch {name} without a pull request"
            for name in evidence.branches
            if name not in heads
        ),
    ]


def _job(pull: Opened) -> str:
    """Return ``job=…`` of a pull request; its whole text when it names none."""
    return (Said(pull.number, pull.body).about("pull") or pull.body).partition(" ")[0]


def _try(start: str) -> str:
    found = _RUN.fullmatch(start)
    return f"job {found[1]}, run {found[2]}, try {found[3]}" if found else start


def _more_than_once(things: Iterable[str]) -> list[str]:
    """Return each that is there again, once for each time too many."""
    return [thing for thing, times in Counter(things).items() for _ in range(times - 1)]
