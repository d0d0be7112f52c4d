"""Webhook deliveries of the fake GitHub: signed, posted, remembered.

https://docs.github.com/webhooks/webhook-events-and-payloads#delivery-headers
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.fakes.github.shapes import node_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.github.memory import Account, Comment, Issue, Label, Project
    from tests.fakes.github.world import World

HOOK_ID = 424_242
TIME_LIMIT = 10
"""Seconds that GitHub waits for an answer."""


@dataclass(slots=True, eq=False)
class Delivery:
    """One attempt to deliver an event."""

    id: int
    guid: str
    event: str
    headers: Mapping[str, str]
    body: bytes
    redelivery: bool = False
    status: int | None = None
    """None when the bot did not answer."""
    reply: str = ""

    @property
    def payload(self) -> Any:  # noqa: ANN401 -- JSON holds anything
        """What was sent, decoded."""
        return json.loads(self.body)


@dataclass(slots=True)
class Hook:
    """The App's webhook."""

    world: World
    secret: str
    url: str | None = None
    """Where the bot listens; without it nothing is sent."""
    deliveries: list[Delivery] = field(default_factory=list[Delivery])
    session: aiohttp.ClientSession | None = None

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
            return
        if self.session is None:
            self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIME_LIMIT))
        try:
            async with self.session.post(
                self.url, data=io.BytesIO(delivery.body), headers=delivery.headers
            ) as response:
                delivery.reply = await response.text(errors="replace")
                delivery.status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            delivery.reply = str(error) or type(error).__name__

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
