"""The door: a verified delivery is recorded before GitHub is answered.

Nothing here asks GitHub, and its handling is enqueued later. A delivery without a command of ours
is recorded as ignored, without its content. Which labels are commands is the repository's to say:
where that is not known at the moment, a label's delivery is recorded, and looked at again when it
is handled.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from bot.commands import commands_added, parse_comment
from bot.github import webhook
from bot.github.webhook import Ignored, IssueCommentCreated, IssueCommentEdited, IssueLabeled

if TYPE_CHECKING:
    from bot.configuration import Configurations
    from bot.github.webhook import Delivered
    from bot.intake.queueing import Queueing
    from bot.models import DeliveryId
    from bot.settings import GitHubSettings
    from bot.store import Deliveries

_SMALL = 64 * 1024
"""Bytes that are read in less time than a thread takes to begin."""


class Receipt(StrEnum):
    """What became of a delivery at the door."""

    ACCEPTED = "accepted"
    KNOWN = "known"
    IGNORED = "ignored"


class Receiving:
    """Takes verified deliveries."""

    def __init__(
        self,
        settings: GitHubSettings,
        deliveries: Deliveries,
        queueing: Queueing,
        configurations: Configurations,
    ) -> None:
        """Record in these deliveries, for the repositories that the settings serve."""
        self._settings = settings
        self._deliveries = deliveries
        self._queueing = queueing
        self._configurations = configurations

    async def receive(self, delivery_id: DeliveryId, event: str, body: bytes) -> Receipt:
        """Record a delivery; raise PayloadError when it is not what GitHub documents."""
        if len(body) <= _SMALL:
            wanted = self._holds_a_command(event, body)
        else:
            wanted = await asyncio.to_thread(self._holds_a_command, event, body)
        payload = body.decode() if wanted else None
        is_new = await self._deliveries.record(delivery_id, event, payload)
        if not wanted:
            return Receipt.IGNORED if is_new else Receipt.KNOWN
        self._queueing.look()
        return Receipt.ACCEPTED if is_new else Receipt.KNOWN

    def _holds_a_command(self, event: str, body: bytes) -> bool:
        delivered = webhook.parse(event, body)
        return self._is_served(delivered) and self._has_command(delivered)

    def _is_served(self, delivered: Delivered) -> bool:
        match delivered:
            case Ignored():
                return False
            case IssueCommentCreated() | IssueCommentEdited() | IssueLabeled():
                return self._settings.serves(str(delivered.repository))
            case _:
                assert_never(delivered)

    def _has_command(self, delivered: Delivered) -> bool:
        match delivered:
            case Ignored():
                return False
            case IssueCommentCreated():
                text = delivered.comment.body
                return delivered.sender.is_person and bool(parse_comment(text))
            case IssueCommentEdited():
                old, new = delivered.old_body or "", delivered.comment.body
                return delivered.sender.is_person and bool(commands_added(old, new))
            case IssueLabeled():
                return delivered.sender.is_person and self._may_be_a_command(delivered)
            case _:
                assert_never(delivered)

    def _may_be_a_command(self, delivered: IssueLabeled) -> bool:
        known = self._configurations.known(delivered.repository)
        return known is None or known.configuration.command_of(delivered.label) is not None
