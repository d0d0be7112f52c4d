"""Where things are in a workspace."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.errors import WorkspaceError
from bot.models import JobPaths

_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
_LONGEST_JOB_ID = 128


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one workspace on a machine; all are absolute."""

    root: str
    """From ``await shell.expand(reservation.workspace)``."""

    def __post_init__(self) -> None:
        """Refuse a root that is not a plain absolute path."""
        if not self.root.startswith("/") or self.root == "/" or self.root.endswith("/"):
            raise WorkspaceError(f"the workspace must be an absolute directory, not {self.root!r}")

    @classmethod
    def of(cls, paths: JobPaths) -> Layout:
        """Return the workspace that a job lies in."""
        return cls(paths.directory.rpartition("/")[0].rpartition("/")[0])

    @property
    def environment(self) -> str:
        """The environment that every job's own is a copy of."""
        return f"{self.root}/.venv"

    @property
    def python(self) -> str:
        """The Python of ``environment``."""
        return f"{self.environment}/bin/python"

    @property
    def source(self) -> str:
        """The clone that every worktree belongs to."""
        return f"{self.root}/pytorch"

    @property
    def scripts(self) -> str:
        """Our programs on the machine."""
        return f"{self.root}/scripts"

    @property
    def jobs(self) -> str:
        """One directory per job."""
        return f"{self.root}/jobs"

    @property
    def uv(self) -> str:
        """Holds uv where the machine has none, its cache, and the Pythons it fetched."""
        return f"{self.root}/.uv"

    @property
    def state(self) -> str:
        """What is known of the workspace; no part of any job."""
        return f"{self.root}/.ptq"

    @property
    def lock(self) -> str:
        """Held by whoever changes the workspace."""
        return f"{self.state}/lock"

    @property
    def ready(self) -> str:
        """Written last, when everything is in place."""
        return f"{self.state}/ready.json"

    def marker(self, step: str) -> str:
        """Return the file that says with which inputs a step was done."""
        return f"{self.state}/{step}.done"

    def job(self, job_id: str) -> JobPaths:
        """Return the paths of a job; raise WorkspaceError for an id that is no plain name."""
        if not _JOB_ID.fullmatch(job_id) or len(job_id) > _LONGEST_JOB_ID:
            raise WorkspaceError(f"not a job id: {job_id[:_LONGEST_JOB_ID]!r}")
        directory = f"{self.jobs}/{job_id}"
        return JobPaths(
            directory=directory,
            worktree=f"{directory}/pytorch",
            environment=f"{directory}/.venv",
        )

    def job_state(self, paths: JobPaths) -> str:
        """Return the directory of what is known of a job, outside what its agent works in."""
        return f"{self.state}/jobs/{paths.directory.rpartition('/')[2]}"

    def ignored(self, paths: JobPaths) -> str:
        """Return the file that names what was linked into a job's worktree from the wheel."""
        return f"{self.job_state(paths)}/ignored"
