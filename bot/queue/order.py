"""The fair order: by priority, and within one a job of each person in turn.

A person's next job counts the person's jobs that run, and waits since it was asked for or since
the person last had a machine, whichever is later. So the first job of somebody stands before the
second one of everybody, and nobody who came later stands before whoever waits: every job that
waits comes to the front, since those that run end.
"""

from __future__ import annotations

import heapq
import math
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from bot.queue.model import Waiting

OVERDUE = timedelta(hours=12)
"""Who waited so long stands with the highest priority: a lower one is no sentence."""

_Place = tuple[float, int, "datetime", int, int]


class FairOrder:
    """The waiting jobs, one after the other; whoever takes one says whether it goes.

    ``running`` is how many jobs each person has, ``last`` when each had a machine lately.
    """

    def __init__(
        self,
        waiting: Iterable[Waiting],
        *,
        running: Mapping[int, int],
        last: Mapping[int, datetime],
        now: datetime,
    ) -> None:
        """Sort them; nothing is taken yet."""
        self._running = dict(running)
        self._last = dict(last)
        self._now = now
        self._lists: list[list[Waiting]] = []
        groups: dict[tuple[float, int], list[Waiting]] = {}
        for job in waiting:
            groups.setdefault((self._urgency(job), job.person), []).append(job)
        self._heap: list[_Place] = []
        for (urgency, _), jobs in groups.items():
            jobs.sort(key=lambda job: (not job.is_again, job.since, job.lease_id), reverse=True)
            self._lists.append(jobs)
            self._push(urgency, len(self._lists) - 1)

    def __iter__(self) -> Iterator[Waiting]:
        """Yield each job once; ``went`` tells of the last one that it goes."""
        while self._heap:
            _, running, since, _, number = heapq.heappop(self._heap)
            jobs = self._lists[number]
            job = jobs[-1]
            if (running, since) != self._turn(job):
                # Another job of the same person went meanwhile, with another priority.
                self._push(self._urgency(job), number)
                continue
            jobs.pop()
            yield job
            if jobs:
                self._push(self._urgency(jobs[-1]), number)

    def went(self, job: Waiting) -> None:
        """Count the job as one that runs: its person's next one comes later."""
        self._running[job.person] = self._running.get(job.person, 0) + 1
        self._last[job.person] = self._now

    def _push(self, urgency: float, number: int) -> None:
        job = self._lists[number][-1]
        heapq.heappush(self._heap, (-urgency, *self._turn(job), job.person, number))

    def _turn(self, job: Waiting) -> tuple[int, datetime]:
        since = max(job.since, self._last.get(job.person, job.since))
        return self._running.get(job.person, 0), since

    def _urgency(self, job: Waiting) -> float:
        return math.inf if self._now - job.since >= OVERDUE else job.priority
