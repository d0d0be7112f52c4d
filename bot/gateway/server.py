"""The gateway: a reverse proxy on loopback that puts the model's key in on the way.

An agent's machine reaches it through a forwarded port, with a token that is good for one job and
some hours. Anthropic's two calls are let through and OpenAI's one, each with the key of its own
provider, and nothing is kept of what they say.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from bot.gateway import answers
from bot.gateway.tokens import Tokens
from bot.gateway.upstream import API_KEY, BEARER, Upstream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    import aiohttp

    from bot.models import JobId
    from bot.settings import ModelSettings

MODEL_ANSWERED = "model_answered"
TOKEN_REFUSED = "model_token_refused"  # noqa: S105 -- an event, no token

ANTHROPIC_PATHS = ("/v1/messages", "/v1/messages/count_tokens")
OPENAI_PATHS = ("/v1/responses",)
PATHS = (*ANTHROPIC_PATHS, *OPENAI_PATHS)
MAX_REQUEST_BYTES = 32 * 1024 * 1024
"""The Messages API's own limit (https://docs.anthropic.com/en/api/errors)."""
MAX_CONCURRENT = 16
"""Requests of one job at once: an agent, its subagents, and their questions on the side."""
REQUEST_LIMIT = timedelta(minutes=2)
"""For the machine to send a request."""

_log = structlog.stdlib.get_logger(__name__)


class Gateway:
    """Serves the calls in ``PATHS`` on 127.0.0.1 to whoever has a token."""

    def __init__(
        self,
        settings: ModelSettings,
        secret: bytes,
        session: aiohttp.ClientSession,
        *,
        is_live: Callable[[JobId], Awaitable[bool]] | None = None,
    ) -> None:
        """Make and check tokens with ``secret``, the same after a restart and on every host.

        It has 16 bytes or more. With ``is_live``, the token of a job that is not live is refused
        before its time.
        """
        anthropic, openai = settings.api_key, settings.openai_api_key
        self._upstreams: dict[str, Upstream] = {}
        if anthropic is not None and (key := anthropic.get_secret_value()):
            upstream = Upstream(settings.base_url, key, session, key_header=API_KEY)
            self._upstreams |= dict.fromkeys(ANTHROPIC_PATHS, upstream)
        if openai is not None and (key := openai.get_secret_value()):
            upstream = Upstream(settings.openai_base_url, key, session, key_header=BEARER)
            self._upstreams |= dict.fromkeys(OPENAI_PATHS, upstream)
        self._tokens = Tokens(secret)
        self._is_live = is_live
        self._under_way: Counter[JobId] = Counter()
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1 and return the port; raise OSError when it is taken."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.router.add_get("/", _alive)
        for path in PATHS:
            app.router.add_post(path, self._take)
        app.router.add_route("*", "/{path:.*}", _nothing_here)
        # An agent that hangs up ends its request at the model.
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0
        )
        await runner.setup()
        self._runner = runner
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError:
            await self.close()
            raise
        return self.port

    @property
    def port(self) -> int:
        """The port on 127.0.0.1; raise RuntimeError when it does not listen."""
        if self._runner is None or not self._runner.addresses:
            message = "the gateway is not started"
            raise RuntimeError(message)
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening; requests under way are ended."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def token(self, job_id: JobId, until: datetime) -> str:
        """Return a token with which one job's agent may use the model until then."""
        return self._tokens.issue(job_id, until=until)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        """Check who asks, before the body is read."""
        job_id = self._tokens.check(_presented(request))
        if job_id is None or not await self._may_ask(job_id):
            _log.warning(TOKEN_REFUSED, job_id=job_id)
            return answers.final(401, "the token is wrong, or not good any more")
        upstream = self._upstreams.get(request.path)
        if upstream is None:
            setting = "OPENAI_API_KEY" if request.path in OPENAI_PATHS else "API_KEY"
            message = f"the operator of ptq has set no key of the model (PTQ_MODEL__{setting})"
            return answers.final(401, message)
        if self._under_way[job_id] >= MAX_CONCURRENT:
            return answers.error(429, f"more than {MAX_CONCURRENT} requests of one job at once")
        self._under_way[job_id] += 1
        try:
            return await _relay(request, upstream, job_id)
        finally:
            self._under_way -= Counter({job_id: 1})

    async def _may_ask(self, job_id: JobId) -> bool:
        return self._is_live is None or await self._is_live(job_id)


async def _relay(request: web.Request, upstream: Upstream, job_id: JobId) -> web.StreamResponse:
    begun = time.monotonic()
    try:
        async with asyncio.timeout(REQUEST_LIMIT.total_seconds()):
            body = await request.read()
    except TimeoutError:
        return answers.error(408, "the request took too long to arrive")
    except web.HTTPRequestEntityTooLarge:
        return answers.final(413, f"a request has at most {MAX_REQUEST_BYTES} bytes")
    answer, sent = await upstream.relay(request, body)
    _log.info(
        MODEL_ANSWERED,
        job_id=job_id,
        path=request.path,
        status=answer.status,
        received=len(body),
        sent=sent,
        seconds=round(time.monotonic() - begun, 3),
    )
    return answer


async def _alive(_: web.Request) -> web.Response:
    """Answer Claude Code's question (``HEAD /``) whether anybody is there."""
    return web.Response()


async def _nothing_here(_: web.Request) -> web.Response:
    return answers.error(404, f"only POST {', '.join(PATHS)} are passed on")


def _presented(request: web.Request) -> str:
    """Return the token, in either of the two headers that an agent may use."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
