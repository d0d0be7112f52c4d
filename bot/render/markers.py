"""Hidden first lines by which the bot finds its own comments and pull requests again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from bot.models import DeliveryId, JobId

Marker = NewType("Marker", str)
"""An HTML comment, the first line of what the bot posted."""


def progress_marker(job_id: JobId, *, run: int = 1) -> Marker:
    """Mark the one progress comment of a run."""
    return Marker(f"<!-- ptq:progress job={job_id} run={run} -->")


def closing_marker(job_id: JobId, *, run: int = 1) -> Marker:
    """Mark the one closing comment of a run."""
    return Marker(f"<!-- ptq:closing job={job_id} run={run} -->")


def pull_marker(job_id: JobId, *, run: int = 1) -> Marker:
    """Mark the draft pull request of a run."""
    return Marker(f"<!-- ptq:pull job={job_id} run={run} -->")


def reply_marker(comment_id: int, *, ordinal: int = 1) -> Marker:
    """Mark the answer to the ``ordinal``-th command of a comment, counted from 1.

    0 is for an answer to the comment as a whole.
    """
    return Marker(f"<!-- ptq:reply comment={comment_id} command={ordinal} -->")


def label_reply_marker(delivery_id: DeliveryId) -> Marker:
    """Mark the answer to a command that a label gave."""
    return Marker(f"<!-- ptq:reply delivery={delivery_id} -->")


def kind_marker(kind: str) -> Marker:
    """Mark an answer's kind (``status``), on its first line: a newer one makes it outdated."""
    return Marker(f"<!-- ptq:kind {kind} -->")


def is_of_kind(body: str, kind: str) -> bool:
    """Whether a body is an answer of this kind; that the bot wrote it has to be checked besides."""
    first = body.lstrip().partition("\n")[0]
    return first.startswith("<!-- ptq:reply ") and first.endswith(kind_marker(kind))


def carries(body: str, marker: Marker) -> bool:
    """Whether a body begins with the marker: one further down may be quoted, and means nothing.

    That the bot itself wrote the body has to be checked besides: anybody can copy a marker.
    """
    return body.lstrip().startswith(marker)


def marked(marker: Marker | None, text: str) -> str:
    """Put a marker before a text."""
    return text if marker is None else f"{marker}\n{text}"
