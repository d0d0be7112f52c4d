"""The durable workflow of a delivery: each of its commands is carried out once, and answered once.

A command is known by its comment and its place in it, so the same comment under two deliveries, or
a step that runs twice, does nothing twice: reactions are idempotent on GitHub, answers carry a
hidden marker and are looked for first, a job is accepted in one transaction. A label's command is
known by its delivery, whose id GitHub keeps.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, assert_never

import structlog

from bot.commands import Mistake, commands_added, parse_comment
from bot.configuration import label_command
from bot.durable import ONCE, WITH_GITHUB
from bot.errors import GitHubNotFound, PtqError, Refusal
from bot.github import webhook
from bot.github.webhook import IssueCommentCreated, IssueCommentEdited, IssueLabeled
from bot.intake.asking import Asking, changes_a_job
from bot.models import DeliveryId, Permission

if TYPE_CHECKING:
    from bot.commands import Command
    from bot.configuration import Configurations, InForce
    from bot.durable import Engine
    from bot.intake.handlers import Handlers
    from bot.intake.queueing import Queueing
    from bot.intake.replies import Replies
    from bot.store import Deliveries

COMMAND_HANDLED = "command_handled"
DELIVERY_FAILED = "delivery_failed"

EDITED = -1
"""The place of the one answer to an edited comment."""

Carrying = IssueCommentCreated | IssueCommentEdited | IssueLabeled
"""The deliveries that can carry a command."""

_log = structlog.stdlib.get_logger(__name__)


class Handling:
    """Carries out the commands of a recorded delivery."""

    def __init__(
        self,
        engine: Engine,
        deliveries: Deliveries,
        queueing: Queueing,
        replies: Replies,
        handlers: Handlers,
        configurations: Configurations,
    ) -> None:
        """Answer through ``replies``; hand commands on to ``handlers``."""
        self._engine = engine
        self._deliveries = deliveries
        self._queueing = queueing
        self._replies = replies
        self._handlers = handlers
        self._configurations = configurations

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
        match delivered:
            case IssueCommentCreated():
                return list(range(len(parse_comment(delivered.comment.body))))
            case IssueCommentEdited():
                return [EDITED]
            case IssueLabeled():
                return [0]
            case _:
                assert_never(delivered)

    async def _close(self, delivery_id: DeliveryId, problem: str) -> bool:
        await self._deliveries.close(delivery_id, problem or None)
        self._queueing.look()
        return True

    async def _read(self, delivery_id: DeliveryId) -> Carrying:
        delivery = await self._deliveries.read(delivery_id)
        delivered = webhook.parse(delivery.event, json.dumps(delivery.payload).encode())
        if not isinstance(delivered, Carrying):
            message = f"delivery {delivery_id} carries no command"
            raise TypeError(message)
        return delivered

    async def _handle(self, delivery_id: DeliveryId, place: int) -> str:
        delivered = await self._read(delivery_id)
        asking = _asking(delivered, delivery_id=delivery_id, place=place)
        before = await self._deliveries.handled(
            asking.repository, asking.comment_id, place, delivery_id=delivery_id
        )
        if before is not None and before.delivery_id != delivery_id:
            _log.info(COMMAND_HANDLED, outcome="known", again=True)
            return "known"
        try:
            outcome = await self._act(asking, delivered)
        except GitHubNotFound:
            # The issue, its comment or our access to them is gone: there is nobody to tell.
            outcome = "gone"
        _log.info(COMMAND_HANDLED, outcome=outcome, again=before is not None)
        return outcome

    async def _act(self, asking: Asking, delivered: Carrying) -> str:
        in_force = await self._configurations.of(await self._replies.repository(asking))
        if isinstance(delivered, IssueLabeled):
            text = in_force.configuration.command_of(delivered.label)
            if text is None:
                return "no_command"
            command = label_command(text)
        else:
            command = _command(delivered, asking.place)
        try:
            outcome = await self._carry_out(asking, command, in_force)
        except Refusal as error:
            outcome = await self._replies.refused(asking, error, in_force)
        await self._replies.take_label(asking)
        return outcome

    async def _carry_out(
        self, asking: Asking, command: Command | Mistake | None, in_force: InForce
    ) -> str:
        permission = await self._replies.permission(asking)
        configuration = in_force.configuration
        if not configuration.enabled:
            return await self._replies.switched_off(asking, permission)
        is_change = changes_a_job(command)
        needed = configuration.permission if is_change else Permission.TRIAGE
        is_author = asking.is_issue_author and not is_change
        may = permission.covers(needed) or is_author
        if not may and not await self._handlers.is_allowed_to_everybody(asking, command):
            return await self._replies.without_right(asking, permission, needed)
        return await self._handlers.answer(asking, command, in_force)


def _asking(delivered: Carrying, *, delivery_id: DeliveryId, place: int) -> Asking:
    if isinstance(delivered, IssueLabeled):
        return Asking.of_label(delivered, delivery_id=delivery_id)
    return Asking.of(delivered, delivery_id=delivery_id, place=place)


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
