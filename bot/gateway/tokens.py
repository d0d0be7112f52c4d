"""Short-lived tokens for the gateway: who may speak to the model, and until when.

A token is ``ptq-model-<job id and expiry>.<HMAC-SHA256 of them>``. Nothing is kept: whoever knows
the secret can check it, so tokens outlive a restart of the bot and hold on every host of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.models import JobId

MIN_SECRET_BYTES = 16
PREFIX = "ptq-model-"
"""How every token begins, so that people and secret scanners know one when they see it."""

_PURPOSE = b"ptq: tokens of the model's gateway, 1"
_MAX_LENGTH = 1024


class Tokens:
    """Makes tokens and checks them."""

    def __init__(
        self, secret: bytes, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Derive this purpose's own key from the deployment's ``secret``."""
        if len(secret) < MIN_SECRET_BYTES:
            message = f"the gateway's secret has fewer than {MIN_SECRET_BYTES} bytes"
            raise ValueError(message)
        self._key = hmac.digest(secret, _PURPOSE, hashlib.sha256)
        self._now = now

    def issue(self, job_id: JobId, *, until: datetime) -> str:
        """Return a token for one job's agent that ends at ``until``."""
        claim = json.dumps([job_id, int(until.timestamp())]).encode()
        signed = PREFIX + _encode(claim)
        return f"{signed}.{self._signature(signed)}"

    def check(self, token: str) -> JobId | None:
        """Return whose token it is; None when it is not ours or has ended."""
        if len(token) > _MAX_LENGTH:
            return None
        signed, _, signature = token.rpartition(".")
        expected = self._signature(signed)
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            return None
        job_id, until = _claim(signed)
        return job_id if self._now().timestamp() < until else None

    def _signature(self, signed: str) -> str:
        text = signed.encode(errors="replace")
        return _encode(hmac.digest(self._key, text, hashlib.sha256))


def _claim(signed: str) -> tuple[JobId, int]:
    """Read what we wrote and signed ourselves."""
    text = signed.removeprefix(PREFIX)
    padded = text + "=" * (-len(text) % 4)
    return cast("tuple[JobId, int]", tuple(json.loads(base64.urlsafe_b64decode(padded))))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
