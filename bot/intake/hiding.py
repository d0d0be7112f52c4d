"""Older answers of the same kind are hidden: a thread shows how it is, and not how it was."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from bot.errors import GitHubError
from bot.render.markers import is_of_kind

if TYPE_CHECKING:
    from bot.github import Repository

ANSWER_NOT_HIDDEN = "answer_not_hidden"

MOST_HIDDEN = 3
"""Comments that are hidden at once: the last one, and those of calls that were lost before."""
_PATIENCE = 30
"""Seconds; a command is not kept waiting for it."""
_log = structlog.stdlib.get_logger(__name__)


async def hide_older(
    repository: Repository, number: int, newest: int, *, kind: str, app_id: int
) -> None:
    """Hide our own older answers of a kind as outdated; a failure is logged and no more."""
    try:
        async with asyncio.timeout(_PATIENCE):
            older = [
                comment
                for comment in await repository.comments(number)
                if comment.id < newest
                and comment.app_id == app_id
                and comment.author_is_bot
                and is_of_kind(comment.body, kind)
            ]
            for comment in older[-MOST_HIDDEN:]:
                await repository.minimize(comment)
    except (GitHubError, TimeoutError) as error:
        _log.warning(ANSWER_NOT_HIDDEN, kind=kind, reason=str(error))
