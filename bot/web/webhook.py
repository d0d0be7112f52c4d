"""``POST /webhook``: verified, recorded, 202. GitHub waits ten seconds at most for the answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from bot.errors import ContentTypeError, Paused, PayloadError, SignatureError
from bot.github import webhook
from bot.models import DeliveryId

if TYPE_CHECKING:
    from bot.intake import Receiving

DELIVERY_RECEIVED = "delivery_received"
DELIVERY_REJECTED = "delivery_rejected"

MAX_BODY = 25 * 1024 * 1024
"""GitHub's own cap on a payload: https://docs.github.com/webhooks/webhook-events-and-payloads."""

_DELIVERY_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_EVENT = re.compile(r"[a-z0-9_]{1,64}")
_log = structlog.stdlib.get_logger(__name__)


class Webhook:
    """Takes GitHub's deliveries."""

    def __init__(self, secret: str, receiving: Receiving) -> None:
        """Trust what is signed with the secret."""
        self._secret = secret
        self._receiving = receiving

    async def post(self, request: web.Request) -> web.Response:
        """Answer 202 for what is recorded, 4xx for what is not taken, 503 when it cannot be now."""
        try:
            body = await request.read()
            webhook.verify(self._secret, request.headers, body)
            delivery_id, event = _names(request)
            receipt = await self._receiving.receive(delivery_id, event, body)
        except web.HTTPRequestEntityTooLarge:
            return _rejected(request, 413, f"the body is over {MAX_BODY} bytes")
        except SignatureError as error:
            return _rejected(request, 401, str(error))
        except ContentTypeError as error:
            return _rejected(request, 415, str(error))
        except PayloadError as error:
            return _rejected(request, 400, str(error))
        except Paused as error:
            # GitHub keeps it, and is asked to deliver it again.
            return _rejected(request, 503, str(error))
        _log.info(DELIVERY_RECEIVED, delivery=delivery_id, event_name=event, receipt=receipt)
        return web.json_response({"receipt": receipt}, status=202)


def _names(request: web.Request) -> tuple[DeliveryId, str]:
    if request.content_type != "application/json":
        raise ContentTypeError("set the webhook's content type to application/json")
    delivery_id = request.headers.get("X-GitHub-Delivery", "")
    if not _DELIVERY_ID.fullmatch(delivery_id):
        raise PayloadError("the header X-GitHub-Delivery is missing or wrong")
    event = request.headers.get("X-GitHub-Event", "")
    if not _EVENT.fullmatch(event):
        raise PayloadError("the header X-GitHub-Event is missing or wrong")
    return DeliveryId(delivery_id), event


def _rejected(request: web.Request, status: int, reason: str) -> web.Response:
    delivery_id = request.headers.get("X-GitHub-Delivery", "")
    _log.warning(
        DELIVERY_REJECTED,
        status=status,
        reason=reason,
        delivery=delivery_id if _DELIVERY_ID.fullmatch(delivery_id) else None,
    )
    return web.json_response({"error": reason}, status=status)
