"""What came of the demonstration."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from unidiff.patch import PatchSet

from bot.models import Outcome

if TYPE_CHECKING:
    from bot.store import Job
    from demo.stage import Stage


@dataclass(frozen=True, slots=True)
class Result:
    """The last line of standard output; what is not there is null."""

    job: str | None = None
    verdict: str | None = None
    progress_comment: str | None = None
    """URLs, these three."""
    closing_comment: str | None = None
    pull_request: str | None = None
    draft: bool = False
    files: tuple[str, ...] = ()
    """What the pull request changes."""
    seconds: float = 0.0
    """From the comment to the end of the job."""

    def line(self) -> str:
        """Return one JSON object."""
        return json.dumps(asdict(self))

    def missing(self) -> list[str]:
        """Return what should be there and is not, for people."""
        wanted = {
            "a job": self.job,
            "the progress comment": self.progress_comment,
            "the closing comment": self.closing_comment,
            "a pull request that is a draft": self.pull_request if self.draft else None,
        }
        return [name for name, there in wanted.items() if not there]


async def result_of(stage: Stage, job: Job | None, *, seconds: float) -> Result:
    """Look at what GitHub has: what the bot believes to have made is not enough."""
    there = {comment.id: comment.url for comment in stage.issue.comments if comment.via_app}
    pull = next((pull for pull in stage.pulls if job and pull.number == job.pull_number), None)
    if job is None:
        return Result(seconds=round(seconds, 1))
    return Result(
        job=job.id,
        verdict=outcome.verdict if (outcome := outcome_of(job)) else None,
        progress_comment=there.get(job.progress_comment_id or 0),
        closing_comment=there.get(job.closing_comment_id or 0),
        pull_request=pull.url if pull else None,
        draft=pull is not None and pull.pull is not None and pull.pull.draft,
        files=files_of(await stage.diff(pull.number)) if pull else (),
        seconds=round(seconds, 1),
    )


def outcome_of(job: Job) -> Outcome | None:
    """Return how a job ended, once that is settled."""
    return None if job.outcome is None else Outcome.model_validate(job.outcome)


def files_of(diff: str) -> tuple[str, ...]:
    """Return the paths that a unified diff changes."""
    return tuple(file.path for file in PatchSet(diff))
