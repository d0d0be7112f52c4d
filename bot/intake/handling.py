"""The durable workflow of a delivery: each of its commands is carried out once, and answered once.

A command is known by its comment and its place in it, so the same comment under two deliveries, or
a step that runs twice, does nothing twice: reactions are idempotent on GitHub, answers carry a
hidden marker and are looked for first, a job is accepted in one transaction.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, assert_never

import structlog

from bot.commands import (
    Help,
    Investigate,
    Mistake,
    NotYet,
    commands_added,
    parse_comment,
)
from bot.durable import ONCE, WITH_GITHUB
from bot.errors import GitHubNotFound, PtqError, Refusal
from bot.github import webhook
from bot.github.webhook import IssueCommentCreated, IssueCommentEdited
from bot.intake.asking import Asking, required
from bot.models import DeliveryId

if TYPE_CHECKING:
    from bot.commands import Command
    from bot.durable import Engine
    from bot.intake.investigate import InvestigateHandler
    from bot.intake.replies import Replies
    from bot.store import Deliveries

COMMAND_HANDLED = "command_handled"
DELIVERY_FAILED = "delivery_failed"

EDITED = -1
"""The place of the one answer to an edited comment."""

_log = structlog.stdlib.get_logger(__name__)


class Handling:
    """Carries out the commands of a recorded delivery."""

    def __init__(
        self,
        engine: Engine,
        deliveries: Deliveries,
        replies: Replies,
        investigate: InvestigateHandler,
    ) -> None:
        """Answer through ``replies``; hand jobs on to ``investigate``."""
        self._engine = engine
        self._deliveries = deliveries
        self._replies = replies
        self._investigate = investigate

    async def run(self, argument: str) -> None:
        """Handle the delivery with this id, from wherever it was."""
        delivery_id = DeliveryId(argument)
        with structlog.contextvars.bound_contextvars(delivery=delivery_id):
            problem = ""
            try:
                places = await self._engine.step(
                    "read", lambda: self._places(delivery_id), returns=list[int]
                )
                for place in places:
                    await self._engine.step(
                        "handle",
                        lambda place=place: self._handle(delivery_id, place),
                        returns=str,
                        patience=WITH_GITHUB,
                    )
            except PtqError as error:
                problem = f"{type(error).__name__}: {error}"
                _log.error(DELIVERY_FAILED, reason=problem)
            await self._engine.step(
                "close", lambda: self._close(delivery_id, problem), returns=bool, patience=ONCE
            )

    async def _places(self, delivery_id: DeliveryId) -> list[int]:
        delivered = await self._read(delivery_id)
        if isinstance(delivered, IssueCommentEdited):
            return [EDITED]
        return list(range(len(parse_comment(delivered.comment.body))))

    async def _close(self, delivery_id: DeliveryId, problem: str) -> bool:
        await self._deliveries.close(delivery_id, problem or None)
        return True

    async def _read(self, delivery_id: DeliveryId) -> IssueCommentCreated | IssueCommentEdited:
        delivery = await self._deliveries.read(delivery_id)
        delivered = webhook.parse(delivery.event, json.dumps(delivery.payload).encode())
        if not isinstance(delivered, IssueCommentCreated | IssueCommentEdited):
            message = f"delivery {delivery_id} holds no comment"
            raise TypeError(message)
        return delivered

    async def _handle(self, delivery_id: DeliveryId, place: int) -> str:
        delivered = await self._read(delivery_id)
        asking = Asking.of(delivered, delivery_id=delivery_id, place=place)
        before = await self._deliveries.handled(asking.repository, asking.comment_id, place)
        try:
            outcome = await self._carry_out(asking, _command(delivered, place))
        except Refusal as error:
            outcome = await self._replies.refused(asking, error)
        except GitHubNotFound:
            # The issue, its comment or our access to them is gone: there is nobody to tell.
            outcome = "gone"
        _log.info(COMMAND_HANDLED, outcome=outcome, again=before is not None)
        return outcome

    async def _carry_out(self, asking: Asking, command: Command | Mistake | None) -> str:
        permission = await self._replies.permission(asking)
        needed = required(command)
        if not permission.covers(needed) and not (
            asking.is_issue_author and needed is not required(Investigate())
        ):
            return await self._replies.without_right(asking, permission, needed)
        match command:
            case None:
                return await self._replies.edited(asking)
            case Mistake():
                return await self._replies.mistake(asking, command)
            case Help():
                return await self._replies.help(asking, command)
            case NotYet():
                return await self._replies.not_yet(asking, command)
            case Investigate():
                return await self._investigate.handle(asking, command)
            case _:
                assert_never(command)


def _command(
    delivered: IssueCommentCreated | IssueCommentEdited, place: int
) -> Command | Mistake | None:
    """Return the command at its place; None stands for one that an edit put in."""
    match delivered:
        case IssueCommentCreated():
            return parse_comment(delivered.comment.body)[place]
        case IssueCommentEdited():
            added = commands_added(delivered.old_body or "", delivered.comment.body)
            return None if added else Mistake("the edit added no command")
        case _:
            assert_never(delivered)
