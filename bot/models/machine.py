"""A machine that is reserved, and what is prepared on it."""

from __future__ import annotations

from datetime import timedelta

from pydantic import AwareDatetime, Field

from bot.models.names import Frozen, LeaseId

_NO_GPU = "cpu"


class GpuRequest(Frozen):
    """What a job asks a provider for."""

    gpu_type: str
    gpus: int
    duration: timedelta
    machine: str | None = None


class Offer(Frozen):
    """A machine that can be lent."""

    machine: str
    gpu_type: str
    gpus: int
    """GPUs of one slot."""
    slots: int
    workspace: str

    def fits(self, request: GpuRequest) -> bool:
        """Whether a slot is enough.

        Who names a machine takes its kind of GPU; a machine without GPUs is not asked for their
        number, since nobody asks for none.
        """
        if request.machine is not None and request.machine != self.machine:
            return False
        own_type = self.gpu_type.casefold()
        if request.machine is None and request.gpu_type.casefold() != own_type:
            return False
        return own_type == _NO_GPU or self.gpus >= request.gpus

    def __str__(self) -> str:
        return f"{self.machine} ({self.gpus} × {self.gpu_type})"  # noqa: RUF001 -- as people write it


class Reservation(Frozen):
    """A machine that is ours for a while."""

    lease_id: LeaseId
    provider: str
    machine: str
    """The machine's name, as the provider and people call it."""
    gpu_type: str
    gpus: int
    expires_at: AwareDatetime
    workspace: str
    """Directory of the workspace on the machine; ``~`` is the login's home."""
    slot: int = Field(default=0, ge=0)
    """Which share of the machine: its GPUs are ``slot * gpus`` and the following ones."""


class TorchBuild(Frozen):
    """What the workspace runs."""

    version: str
    wheel_commit: str
    """``torch.version.git_version``."""
    base_commit: str
    """The commit in the source that patches are made against; the wheel's, or for a nightly the
    commit of main that the nightly names."""
    cuda: str | None = None
    python: str
    gpu: str | None = None
    driver: str | None = None


class JobPaths(Frozen):
    """Absolute paths on the machine of one job."""

    directory: str
    worktree: str
    environment: str
    """The job's own virtual environment."""
