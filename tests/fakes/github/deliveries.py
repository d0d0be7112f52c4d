"""Webhook deliveries of the fake GitHub: signed, posted, remembered.

https://docs.github.com/webhooks/webhook-events-and-payloads#delivery-headers
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.fakes.github.shapes import node_id, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tests.fakes.github.memory import Account, Comment, Issue, Label, Project
    from tests.fakes.github.world import World

HOOK_ID = 424_242
TIME_LIMIT = 10
"""Seconds that GitHub waits for an answer."""
NOT_CONNECTED = "failed to connect to host"
TIMED_OUT = "timed out"


@dataclass(slots=True, eq=False)
class Delivery:
    """One attempt to deliver an event."""

    id: int
    guid: str
    event: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    redelivery: bool = False
    status: int | None = None
    """None when the bot did not answer."""
    reply: str = ""
    reason: str = ""
    """GitHub's words for a try without an answer."""
    seconds: float = 0.0

    @property
    def payload(self) -> Any:  # noqa: ANN401 -- JSON holds anything
        """What was sent, decoded."""
        return json.loads(self.body)

    @property
    def is_over(self) -> bool:
        """Whether the bot has answered, or will not."""
        return self.status is not None or bool(self.reason)

    def shape(self) -> dict[str, Any]:
        """Shape a ``hook-delivery-item``."""
        status, code = self._outcome()
        return {
            "id": self.id,
            "guid": self.guid,
            "delivered_at": stamp(self.at),
            "redelivery": self.redelivery,
            "duration": round(self.seconds, 2),
            "status": status,
            "status_code": code,
            "event": self.event,
            "action": self._told("action"),
            "installation_id": self._told("installation", "id"),
            "repository_id": self._told("repository", "id"),
            "throttled_at": None,
        }

    def _outcome(self) -> tuple[str, int]:
        if self.status is None:
            # As GitHub tells it, with a status of its own.
            return self.reason, 504 if self.reason == TIMED_OUT else 502
        good = self.status < 400
        return "OK" if good else f"Invalid HTTP Response: {self.status}", self.status

    def _told(self, *names: str) -> Any:  # noqa: ANN401 -- JSON holds anything
        try:
            value = self.payload
        except ValueError:
            return None
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] -- JSON
        return value  # pyright: ignore[reportUnknownVariableType] -- JSON


@dataclass(slots=True)
class Hook:
    """The App's webhook."""

    world: World
    secret: str
    url: str | None = None
    """Where the bot listens; without it nothing is sent."""
    session: aiohttp.ClientSession | None = None

    @property
    def deliveries(self) -> list[Delivery]:
        """Every try, oldest first."""
        return self.world.deliveries

    async def deliver(
        self,
        event: str,
        payload: Mapping[str, Any] | bytes,
        *,
        guid: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        redelivery: bool = False,
    ) -> Delivery:
        """Post an event and return what became of it.

        ``headers`` changes GitHub's own; None takes one away. Bytes are sent as they are.
        """
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        chosen = guid or str(uuid.uuid4())
        given = self._headers(event, chosen, body) | dict(headers or {})
        kept = {name: value for name, value in given.items() if value is not None}
        delivery = Delivery(
            id=self.world.next_id(),
            guid=chosen,
            event=event,
            headers=kept,
            body=body,
            at=self.world.now(),
            redelivery=redelivery,
        )
        self.deliveries.append(delivery)
        await self._post(delivery)
        await self.world.notify()
        return delivery

    async def redeliver(self, delivery_id: int) -> Delivery:
        """Send a delivery once more, with its GUID; raise StopIteration when it is unknown."""
        old = next(each for each in self.deliveries if each.id == delivery_id)
        return await self.deliver(old.event, old.body, guid=old.guid, redelivery=True)

    async def close(self) -> None:
        """Give back the connections."""
        if self.session is not None:
            await self.session.close()

    async def _post(self, delivery: Delivery) -> None:
        if self.url is None:
            delivery.reason = NOT_CONNECTED
            return
        began = time.monotonic()
        if self.session is None:
            self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIME_LIMIT))
        try:
            async with self.session.post(
                self.url, data=io.BytesIO(delivery.body), headers=delivery.headers
            ) as response:
                delivery.reply = await response.text(errors="replace")
                delivery.status = response.status
        except TimeoutError:
            delivery.reason = TIMED_OUT
        except aiohttp.ClientError:
            delivery.reason = NOT_CONNECTED
        delivery.seconds = time.monotonic() - began

    def _headers(self, event: str, guid: str, body: bytes) -> dict[str, str | None]:
        sha1 = hmac.new(self.secret.encode(), body, hashlib.sha1).hexdigest()
        sha256 = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Delivery": guid,
            "X-GitHub-Event": event,
            "X-GitHub-Hook-ID": str(HOOK_ID),
            "X-GitHub-Hook-Installation-Target-ID": str(self.world.app.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature": f"sha1={sha1}",
            "X-Hub-Signature-256": f"sha256={sha256}",
        }

    # Payloads

    def comment_payload(
        self,
        action: str,
        project: Project,
        issue: Issue,
        comment: Comment,
        *,
        sender: Account,
        old_body: str | None = None,
    ) -> dict[str, Any]:
        """Return the payload of ``issue_comment``."""
        changes = {} if old_body is None else {"changes": {"body": {"from": old_body}}}
        shaped = {"comment": self.world.threads.comment(project, comment)}
        return {"action": action, **changes} | self._about(project, issue, sender) | shaped

    def label_payload(
        self, action: str, project: Project, issue: Issue, label: Label, *, sender: Account
    ) -> dict[str, Any]:
        """Return the payload of ``issues`` where it is about a label."""
        shaped = {"label": self.world.threads.label(project, label)}
        return {"action": action} | self._about(project, issue, sender) | shaped

    def _about(self, project: Project, issue: Issue, sender: Account) -> dict[str, Any]:
        world = self.world
        about: dict[str, Any] = {
            "issue": world.threads.issue(project, issue) | {"draft": _draft(issue)},
            "repository": world.shapes.project(project),
            "sender": world.shapes.account(sender),
        }
        if project.installation_id is not None:
            about["installation"] = {
                "id": project.installation_id,
                "node_id": node_id("Integration", project.installation_id),
            }
        return about


def _draft(issue: Issue) -> bool:
    return issue.pull is not None and issue.pull.draft
