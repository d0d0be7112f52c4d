"""Where the jobs of a benchmark lie on its machine."""

from __future__ import annotations

from bot.models import JobPaths

MACHINE = "bench"


def paths_of(home: str, job_id: str) -> JobPaths:
    """Return a job's paths under the login's home."""
    directory = f"{home}/jobs/{job_id}"
    return JobPaths(
        directory=directory, worktree=f"{directory}/pytorch", environment=f"{home}/environment"
    )
