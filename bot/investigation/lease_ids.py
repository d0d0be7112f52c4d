"""Our ids of reservations: what is asked of a provider is found again by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import LeaseId

if TYPE_CHECKING:
    from bot.models import JobId, JobRequest


def lease_of(request: JobRequest, *, place: int = 1) -> LeaseId:
    """Return our id of a run's reservation: the same for every try of the step.

    ``place`` 2 is the one after its first machine died.
    """
    again = "" if place == 1 else f"/{place}"
    return LeaseId(f"{request.lease_id}{again}")


def run_of_lease(lease_id: LeaseId, job_id: JobId) -> int:
    """Return which run of its job a lease was for."""
    return int(lease_id.removeprefix(f"{job_id}/").partition("/")[0])


def place_of(lease_id: LeaseId, job_id: JobId) -> int:
    """Return whether a lease was its run's first one, or the second."""
    return int(lease_id.removeprefix(f"{job_id}/").partition("/")[2] or 1)
