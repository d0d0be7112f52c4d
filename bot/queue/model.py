"""What the queue knows of jobs, machines and limits, and what it says of each job."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.models import GpuRequest, JobId, LeaseId, Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A job that waits for a machine."""

    lease_id: LeaseId
    job_id: JobId
    person: int
    """GitHub's numeric id of who asked."""
    repository: str
    request: GpuRequest
    since: datetime
    priority: int = 0
    """A higher one goes first."""
    is_again: bool = False
    """Whether its machine died under it: it goes before the other jobs of its person."""
    avoid: frozenset[str] = frozenset()
    """Machines that it had and lost: lent to it again only where no other one fits."""
    prefers: str | None = None
    """The machine that its last run had: lent to it first, where it is free."""
    repository_limit: int | None = None
    """Jobs at once, as the repository's own configuration says; the operator's holds beside it."""
    person_limit: int | None = None
    """The same for the jobs of one person in this repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A job that has a machine, or has one asked for."""

    lease_id: LeaseId
    person: int
    repository: str
    gpu_type: str
    gpus: int
    machine: str | None = None
    slot: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The operator's limits, and the machines there are; 0 is no limit."""

    machines: Sequence[Offer] | None
    """None for a provider that has a queue of its own: only the limits are kept then."""
    jobs_per_repository: int = 0
    jobs_per_person: int = 0
    gpu_types: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Kind of GPU, in lower case → how many at once."""


@dataclass(frozen=True, slots=True)
class NoFreeMachine:
    """Every machine that fits is busy."""

    machine: str | None
    """The one machine that was asked for by name."""


@dataclass(frozen=True, slots=True)
class RepositoryIsFull:
    """The repository has as many jobs running as it may."""

    running: int
    limit: int


@dataclass(frozen=True, slots=True)
class PersonIsFull:
    """The person has as many jobs running as one may."""

    running: int
    limit: int
    is_here: bool
    """Whether only this repository's jobs count."""


@dataclass(frozen=True, slots=True)
class GpuTypeIsFull:
    """As many GPUs of this kind are lent as may be at once, or too many for this job."""

    gpu_type: str
    running: int
    limit: int


@dataclass(frozen=True, slots=True)
class BiggerFirst:
    """A job that needs more GPUs of this kind has waited so long that no other one passes it."""

    gpu_type: str


Reason = NoFreeMachine | RepositoryIsFull | PersonIsFull | GpuTypeIsFull | BiggerFirst


@dataclass(frozen=True, slots=True)
class Placed:
    """A job whose turn it is."""

    lease_id: LeaseId
    machine: str | None
    """None where the provider chooses it."""
    slot: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a waiting job stands."""

    position: int
    """1 is next, among those that wait for the same machines."""
    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """Who goes now, and where the others stand."""

    placed: tuple[Placed, ...]
    standings: Mapping[JobId, Standing]
