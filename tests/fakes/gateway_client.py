"""The machine's side of the gateway: what an agent sends, and what it gets."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from aiohttp import test_utils, web
from pydantic import SecretStr

from bot.gateway import Gateway
from bot.models import JobId
from bot.settings import ModelSettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    import aiohttp

KEY = "sk-ant-the-real-key"
SECRET = b"a secret of the deployment"
JOB = JobId("20260102-pytorch-7")
QUESTION = {"model": "opus", "max_tokens": 9, "messages": [{"role": "user", "content": "go"}]}
TOOLS = [{"name": "Bash", "input_schema": {"type": "object"}}]
CONVERSATION = {**QUESTION, "tools": TOOLS, "stream": True}


class Machine:
    """What runs on the machine: a client of the gateway with a token."""

    def __init__(self, port: int, token: str, http: aiohttp.ClientSession) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.token = token
        self.http = http

    async def ask(
        self, body: object = QUESTION, path: str = "/v1/messages", **headers: str
    ) -> aiohttp.ClientResponse:
        """Ask the model as Claude Code does."""
        return await self.send(BytesIO(json.dumps(body).encode()), path, **headers)

    async def send(
        self, body: BytesIO, path: str = "/v1/messages", **headers: str
    ) -> aiohttp.ClientResponse:
        """Send the bytes of a request."""
        sent = {"authorization": f"Bearer {self.token}", **headers}
        return await self.http.post(self.url + path, data=body, headers=sent)


def later() -> datetime:
    """When a fresh token ends."""
    return datetime.now(UTC) + timedelta(hours=1)


@asynccontextmanager
async def through_gateway(
    http: aiohttp.ClientSession,
    upstream: str,
    *,
    key: str | None = KEY,
    is_live: Callable[[JobId], Awaitable[bool]] | None = None,
) -> AsyncGenerator[Machine]:
    """A gateway in front of ``upstream``, and a machine with a good token."""
    settings = ModelSettings(base_url=upstream, api_key=None if key is None else SecretStr(key))
    gateway = Gateway(settings, SECRET, http, is_live=is_live)
    port = await gateway.start()
    try:
        yield Machine(port, gateway.token(JOB, later()), http)
    finally:
        await gateway.close()


@asynccontextmanager
async def serving(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncGenerator[str]:
    """Something that answers every request so; its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with test_utils.TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def error_of(response: aiohttp.ClientResponse) -> tuple[int, str, str]:
    """Status, kind and message of an error, which has Anthropic's shape."""
    body: dict[str, Any] = await response.json()
    assert set(body) == {"type", "error"}
    assert body["type"] == "error"
    return response.status, body["error"]["type"], body["error"]["message"]
