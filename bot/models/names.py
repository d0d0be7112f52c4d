"""Ids and names: of people, repositories, jobs."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import NewType

from pydantic import BaseModel, ConfigDict

JobId = NewType("JobId", str)
"""``YYYYMMDD-<repo>-<issue>`` in UTC (or ``-adhoc-<hash>``), made unique with a suffix."""

LeaseId = NewType("LeaseId", str)
"""Our own id of a reservation, chosen before the provider is asked."""

DeliveryId = NewType("DeliveryId", str)
"""GitHub's ``X-GitHub-Delivery`` GUID; a redelivery keeps it."""


class Frozen(BaseModel):
    """A value that does not change and holds no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RepositoryName(Frozen):
    """``owner/name`` of a repository on GitHub."""

    owner: str
    name: str

    @classmethod
    def parse(cls, full_name: str) -> RepositoryName:
        """Read ``owner/name``; raise ValueError for anything else."""
        owner, slash, name = full_name.partition("/")
        if not (owner and slash and name) or "/" in name:
            message = f"not owner/name: {full_name!r}"
            raise ValueError(message)
        return cls(owner=owner, name=name)

    def __str__(self) -> str:
        """Return ``owner/name``."""
        return f"{self.owner}/{self.name}"


class Person(Frozen):
    """A GitHub account; the numeric id is what identifies it, a login can be renamed."""

    login: str
    id: int


class Permission(StrEnum):
    """What a person may do on a repository, weakest first (GitHub's ``role_name``)."""

    NONE = "none"
    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"

    def covers(self, other: Permission) -> bool:
        """Whether this permission is at least the other one."""
        order = list(Permission)
        return order.index(self) >= order.index(other)


def new_job_id(
    repository: RepositoryName, issue_number: int | None, *, task: str, asked_at: datetime
) -> JobId:
    """Return ``YYYYMMDD-<repo>-<issue>`` in UTC, or ``…-adhoc-<hash>`` for a task without an issue.

    The store makes it unique.
    """
    day = asked_at.astimezone(UTC).strftime("%Y%m%d")
    name = re.sub(r"[^A-Za-z0-9._-]", "-", repository.name)[:64]
    if issue_number is None:
        return JobId(f"{day}-{name}-adhoc-{hashlib.sha256(task.encode()).hexdigest()[:8]}")
    return JobId(f"{day}-{name}-{issue_number}")


def utc(text: str) -> datetime:
    """Read GitHub's ISO 8601 timestamps (``2026-01-02T03:04:05Z``) as aware datetimes."""
    return datetime.fromisoformat(text)
