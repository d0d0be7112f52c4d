"""Writes down what GitHub saw, beside the logs, for whoever looks for a cause."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.fakes.github import FakeGitHub


def write_down(github: FakeGitHub, directory: Path) -> None:
    """Write the deliveries and the calls, a line of JSON each, oldest first; it blocks."""
    _write(directory / "deliveries.jsonl", _deliveries(github))
    _write(directory / "requests.jsonl", _requests(github))


def _deliveries(github: FakeGitHub) -> Iterator[dict[str, Any]]:
    for delivery in github.deliveries:
        payload = delivery.payload
        yield {
            "at": delivery.at.isoformat(),
            "guid": delivery.guid,
            "action": payload.get("action"),
            "issue": payload["issue"]["number"],
            "comment": payload.get("comment", {}).get("id"),
            "sender": payload["sender"]["login"],
            "again": delivery.redelivery,
            "status": delivery.status,
            "reason": delivery.reason,
            "seconds": round(delivery.seconds, 2),
        }


def _requests(github: FakeGitHub) -> Iterator[dict[str, Any]]:
    for request in github.requests:
        yield {
            "method": request.method,
            "path": request.path,
            "status": request.status,
            "account": request.account,
        }


def _write(path: Path, things: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(thing) + "\n" for thing in things)
