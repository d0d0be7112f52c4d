"""Jobs that wait for machines and have their turn, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.models import GpuRequest, JobId, LeaseId, Offer
from bot.queue import (
    Placed,
    Plan,
    Rules,
    Running,
    Waiting,
    decide,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
KINDS: tuple[str, ...] = ("h100", "a100", "cpu")


def offer(machine: str, *, gpu_type: str = "h100", gpus: int = 1, slots: int = 1) -> Offer:
    """Return a machine."""
    return Offer(machine=machine, gpu_type=gpu_type, gpus=gpus, slots=slots, workspace="~/w")


def asked(
    name: str,
    *,
    person: int = 1,
    minutes: float = 1,
    gpu_type: str = "h100",
    gpus: int = 1,
    machine: str | None = None,
    priority: int = 0,
    repository: str = "pytorch/pytorch",
) -> Waiting:
    """Return a job that has waited for some minutes."""
    request = GpuRequest(gpu_type=gpu_type, gpus=gpus, machine=machine, duration=timedelta(hours=4))
    return Waiting(
        lease_id=LeaseId(f"{name}/1"),
        job_id=JobId(name),
        person=person,
        repository=repository,
        request=request,
        since=NOW - timedelta(minutes=minutes),
        priority=priority,
    )


def going(job: Waiting, placed: Placed, rules: Rules) -> Running:
    """Return a job that has just had its turn."""
    there = {offer.machine: offer for offer in rules.machines or ()}
    found = there.get(placed.machine or "")
    return Running(
        lease_id=job.lease_id,
        person=job.person,
        repository=job.repository,
        gpu_type=found.gpu_type if found else job.request.gpu_type,
        gpus=max(found.gpus, job.request.gpus) if found else job.request.gpus,
        machine=placed.machine,
        slot=placed.slot,
    )


class World:
    """Jobs that come, have their turn and end, as time goes by."""

    def __init__(self, rules: Rules) -> None:
        """Begin with nothing."""
        self.rules = rules
        self.now = NOW
        self.waiting: list[Waiting] = []
        self.running: list[Running] = []
        self.last: dict[int, datetime] = {}
        self.order: list[str] = []

    def come(self, *jobs: Waiting) -> None:
        """Have jobs wait."""
        self.waiting.extend(jobs)

    def look(self) -> Plan:
        """Decide, and let those go whose turn it is."""
        plan = decide(self.waiting, self.running, rules=self.rules, last=self.last, now=self.now)
        jobs = {job.lease_id: job for job in self.waiting}
        for placed in plan.placed:
            job = jobs[placed.lease_id]
            self.running.append(going(job, placed, self.rules))
            self.last[job.person] = self.now
            self.order.append(job.job_id)
        gone = {placed.lease_id for placed in plan.placed}
        self.waiting = [job for job in self.waiting if job.lease_id not in gone]
        self.now += timedelta(minutes=1)
        return plan

    def end(self, index: int = 0) -> None:
        """Have a running job end."""
        if self.running:
            self.running.pop(index % len(self.running))


def names(jobs: Iterable[str]) -> str:
    """Return the order as a line."""
    return " ".join(jobs)
