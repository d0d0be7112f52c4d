"""The decision: who has a machine now, who waits, and why."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.queue.model import (
    BiggerFirst,
    GpuTypeIsFull,
    NoFreeMachine,
    PersonIsFull,
    Placed,
    Plan,
    RepositoryIsFull,
    Standing,
)
from bot.queue.order import FairOrder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.models import JobId, Offer
    from bot.queue.model import Reason, Rules, Running, Waiting

PASSING = timedelta(minutes=30)
"""How long small jobs may pass a big one that the limit of its kind of GPU keeps waiting. Later
they wait with it, until as many GPUs are given back as it needs."""

_Kinds = frozenset[str]
_Wish = tuple[str, int, str | None, frozenset[str], str | None]


def decide(
    waiting: Sequence[Waiting],
    running: Sequence[Running],
    *,
    rules: Rules,
    last: Mapping[int, datetime],
    suspects: frozenset[str] = frozenset(),
    now: datetime,
) -> Plan:
    """Return who goes now, in the fair order, and where the others stand.

    A job that cannot go blocks none that can. ``last`` is when each person lately had a machine;
    ``suspects`` are machines that stopped answering a moment ago, lent only where no other fits.
    """
    ground = _Ground(running, rules, suspects, now=now)
    order = FairOrder(waiting, running=ground.by_person, last=last, now=now)
    placed: list[Placed] = []
    reasons: dict[JobId, Reason] = {}
    for job in order:
        found = ground.place(job)
        if isinstance(found, Placed):
            placed.append(found)
            order.went(job)
        else:
            reasons[job.job_id] = found
    left = [job for job in waiting if job.job_id in reasons]
    then = {job.person: now for job in waiting if job.job_id not in reasons}
    behind = FairOrder(left, running=ground.by_person, last={**last, **then}, now=now)
    return Plan(tuple(placed), _standings(behind, reasons, ground))


def _standings(
    order: FairOrder, reasons: Mapping[JobId, Reason], ground: _Ground
) -> dict[JobId, Standing]:
    """Count before each job those that wait for one of the same machines."""
    before: Counter[_Kinds] = Counter()
    standings: dict[JobId, Standing] = {}
    for job in order:
        order.went(job)
        kinds = ground.kinds(job)
        position = 1 + sum(count for others, count in before.items() if others & kinds)
        standings[job.job_id] = Standing(position, reasons[job.job_id])
        before[kinds] += 1
    return standings


class _Ground:
    """What is taken and what is free, as jobs are placed one after the other."""

    def __init__(
        self,
        running: Sequence[Running],
        rules: Rules,
        suspects: frozenset[str],
        *,
        now: datetime,
    ) -> None:
        self._rules = rules
        self._suspects = suspects
        self._now = now
        self._held: set[str] = set()
        self._fitting: dict[_Wish, list[Offer]] = {}
        self.by_person: Counter[int] = Counter(job.person for job in running)
        self._by_repository: Counter[str] = Counter(job.repository for job in running)
        self._by_both: Counter[tuple[int, str]] = Counter(
            (job.person, job.repository) for job in running
        )
        self._gpus: Counter[str] = Counter()
        self._taken: dict[str, set[int]] = {}
        for job in running:
            self._gpus[job.gpu_type.casefold()] += job.gpus
            if job.machine is not None and job.slot is not None:
                self._taken.setdefault(job.machine, set()).add(job.slot)

    def place(self, job: Waiting) -> Placed | Reason:
        """Give the job its place, or say why it has none."""
        if (reason := self._over_its_limits(job)) is not None:
            return reason
        if self._rules.machines is None:
            gpu_type, gpus = job.request.gpu_type.casefold(), job.request.gpus
            return self._type_is_full(job, gpu_type, gpus) or self._take(job, gpu_type, gpus)
        full: Reason | None = None
        for offer in self._offers(job):
            slot = self._free_slot(offer)
            if slot is None:
                continue
            gpu_type, gpus = offer.gpu_type.casefold(), max(offer.gpus, job.request.gpus)
            full = self._type_is_full(job, gpu_type, gpus)
            if full is None:
                self._taken.setdefault(offer.machine, set()).add(slot)
                return self._take(job, gpu_type, gpus, machine=offer.machine, slot=slot)
        return full or NoFreeMachine(job.request.machine)

    def kinds(self, job: Waiting) -> _Kinds:
        """Return what the job waits for: the names of machines, or a kind of GPU."""
        if self._rules.machines is None:
            return frozenset({job.request.gpu_type.casefold()})
        return frozenset(offer.machine for offer in self._offers(job))

    def _over_its_limits(self, job: Waiting) -> Reason | None:
        rules = self._rules
        running = self._by_repository[job.repository]
        limit = _smallest(rules.jobs_per_repository, job.repository_limit)
        if limit and running >= limit:
            return RepositoryIsFull(running, limit)
        running, limit = self.by_person[job.person], rules.jobs_per_person
        if limit and running >= limit:
            return PersonIsFull(running, limit, is_here=False)
        running, limit = self._by_both[job.person, job.repository], job.person_limit or 0
        if limit and running >= limit:
            return PersonIsFull(running, limit, is_here=True)
        return None

    def _type_is_full(self, job: Waiting, gpu_type: str, gpus: int) -> Reason | None:
        limit, running = self._rules.gpu_types.get(gpu_type, 0), self._gpus[gpu_type]
        if not limit:
            return None
        if gpu_type in self._held:
            return BiggerFirst(gpu_type)
        if running + gpus <= limit:
            return None
        if gpus <= limit and self._now - job.since >= PASSING:
            self._held.add(gpu_type)
        return GpuTypeIsFull(gpu_type, running, limit)

    def _take(
        self,
        job: Waiting,
        gpu_type: str,
        gpus: int,
        *,
        machine: str | None = None,
        slot: int | None = None,
    ) -> Placed:
        self.by_person[job.person] += 1
        self._by_repository[job.repository] += 1
        self._by_both[job.person, job.repository] += 1
        self._gpus[gpu_type] += gpus
        return Placed(job.lease_id, machine, slot)

    def _offers(self, job: Waiting) -> list[Offer]:
        """Return the machines that fit: the last run's, the smallest first; lost ones at need."""
        request = job.request
        key = (request.gpu_type, request.gpus, request.machine, job.avoid, job.prefers)
        if key not in self._fitting:
            fitting = [offer for offer in self._rules.machines or () if offer.fits(request)]
            avoided = job.avoid | self._suspects
            good = [offer for offer in fitting if offer.machine not in avoided]
            self._fitting[key] = sorted(
                good or fitting, key=lambda offer: (offer.machine != job.prefers, offer.gpus)
            )
        return self._fitting[key]

    def _free_slot(self, offer: Offer) -> int | None:
        taken = self._taken.get(offer.machine, set())
        return next((slot for slot in range(offer.slots) if slot not in taken), None)


def _smallest(operators: int, own: int | None) -> int:
    return min((limit for limit in (operators, own) if limit), default=0)
