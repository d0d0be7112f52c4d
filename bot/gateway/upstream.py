"""The model's API as the gateway asks it: with the key, and with nothing of the machine's own."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import aiohttp
import structlog
from aiohttp import web

from bot.gateway import answers

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEL_KEY_REFUSED = "model_key_refused"
MODEL_UNREACHABLE = "model_unreachable"

CONNECT_LIMIT = timedelta(seconds=30)
SILENCE_LIMIT = timedelta(minutes=10)
"""Between two pieces of an answer; a stream has pings, and the API itself ends others then."""
ANSWER_LIMIT = timedelta(hours=1)

BEARER = "authorization"
API_KEY = "x-api-key"

_TIMEOUT = aiohttp.ClientTimeout(
    total=ANSWER_LIMIT.total_seconds(),
    sock_connect=CONNECT_LIMIT.total_seconds(),
    sock_read=SILENCE_LIMIT.total_seconds(),
)
_SENT_ON = ("accept", "content-type", "user-agent", "x-app", "originator")
_SENT_ON_PREFIXES = ("anthropic-", "openai-", "x-stainless-")
"""Headers of a request that reach the model: no cookie, no authorization, no address."""
_MAX_ERROR_BYTES = 64 * 1024
_UNAUTHORIZED = 401
_REDIRECTS = range(300, 400)
_FIRST_ERROR = 400

_log = structlog.stdlib.get_logger(__name__)


class Upstream:
    """Sends requests on with the key, and their answers back piece by piece."""

    def __init__(
        self, base_url: str, key: str, session: aiohttp.ClientSession, *, key_header: str
    ) -> None:
        """Send the key as ``x-api-key``, or as a bearer's in ``authorization``."""
        self._key_header = {key_header: f"Bearer {key}" if key_header == BEARER else key}
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._session = session

    async def relay(self, request: web.Request, body: bytes) -> tuple[web.StreamResponse, int]:
        """Answer a request with the model's answer; return that and its size in bytes."""
        try:
            upstream = await self._session.post(
                f"{self._base_url}{request.path}",
                params=request.query,
                data=BytesIO(body),  # aiohttp writes a file in pieces, bytes at one go
                headers=self._headers(request.headers),
                timeout=_TIMEOUT,
                allow_redirects=False,  # the key goes to the configured host alone
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            _log.warning(MODEL_UNREACHABLE, error=type(error).__name__)
            return answers.error(502, "the model's API cannot be reached"), 0
        async with upstream:
            if upstream.status in _REDIRECTS:
                return answers.error(502, "the model's API answered with a redirect"), 0
            if upstream.status >= _FIRST_ERROR:
                return await self._failed(upstream), 0
            return await _send_on(request, upstream)

    def _headers(self, asked: Mapping[str, str]) -> dict[str, str]:
        headers = {
            name.lower(): value
            for name, value in asked.items()
            if name.lower() in _SENT_ON or name.lower().startswith(_SENT_ON_PREFIXES)
        }
        return {**headers, "accept-encoding": "identity", **self._key_header}

    async def _failed(self, upstream: aiohttp.ClientResponse) -> web.Response:
        if upstream.status == _UNAUTHORIZED:
            _log.error(MODEL_KEY_REFUSED)
        body = bytearray()
        while len(body) < _MAX_ERROR_BYTES and (piece := await _next(upstream)):
            body += piece
        return answers.upstream_error(upstream.status, bytes(body), upstream.headers, key=self._key)


async def _send_on(
    request: web.Request, upstream: aiohttp.ClientResponse
) -> tuple[web.StreamResponse, int]:
    headers = answers.sent_on(upstream.headers)
    headers["content-type"] = upstream.headers.get("content-type", "application/json")
    response = web.StreamResponse(status=upstream.status, headers=headers)
    await response.prepare(request)
    sent = 0
    while piece := await _next(upstream):
        await response.write(piece)
        sent += len(piece)
    if piece is None and request.transport is not None:
        # Half an answer must not look like a whole one: the connection is lost here too.
        request.transport.abort()
    return response, sent


async def _next(upstream: aiohttp.ClientResponse) -> bytes | None:
    """Return the next piece of an answer as it came; none at the end, None when it is lost."""
    try:
        return await upstream.content.readany()
    except (aiohttp.ClientError, TimeoutError) as error:
        _log.warning(MODEL_UNREACHABLE, error=type(error).__name__)
        return None
