"""The way from an agent's machine to OpenAI's model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from bot.gateway import Gateway
from bot.settings import ModelSettings
from tests.fakes.gateway_client import JOB, SECRET, Machine, error_of, later, serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

from contextlib import asynccontextmanager

import pytest

PATH = "/v1/responses"
OPENAI_KEY = "sk-proj-the-real-key"
ASKED: dict[str, object] = {"model": "gpt-5.1", "input": "go", "stream": True}
EVENTS = b'event: response.completed\ndata: {"type": "response.completed"}\n\n'


@pytest.fixture
async def http() -> AsyncGenerator[aiohttp.ClientSession]:
    """The bot's session, and the machine's."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@asynccontextmanager
async def machine_behind(
    http: aiohttp.ClientSession, settings: ModelSettings, *, until: datetime | None = None
) -> AsyncGenerator[Machine]:
    """A machine with a token of a gateway with these settings."""
    gateway = Gateway(settings, SECRET, http)
    port = await gateway.start()
    try:
        yield Machine(port, gateway.token(JOB, until or later()), http)
    finally:
        await gateway.close()


async def test_each_model_gets_its_own_key(http: aiohttp.ClientSession) -> None:
    """Codex's call goes to OpenAI's address with OpenAI's key, Claude's call never does."""
    asked: list[tuple[str, dict[str, str], object]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked.append((request.path, headers, await request.json()))
        return web.Response(body=EVENTS, content_type="text/event-stream")

    async with serving(answer) as openai, serving(answer) as anthropic:
        settings = ModelSettings(
            base_url=anthropic,
            api_key=SecretStr("sk-ant-x"),
            openai_base_url=openai + "/",
            openai_api_key=SecretStr(OPENAI_KEY),
        )
        async with machine_behind(http, settings) as machine:
            sent = {"originator": "codex_exec", "session-id": "s", "cookie": "a=b"}
            answered = await machine.ask(ASKED, PATH, **sent)
            assert await answered.read() == EVENTS
            assert answered.content_type == "text/event-stream"
            await machine.ask()

    (path, headers, body), (other_path, other_headers, _) = asked
    assert (path, body) == (PATH, ASKED)
    assert headers["authorization"] == f"Bearer {OPENAI_KEY}"
    assert headers["originator"] == "codex_exec"
    assert not {"cookie", "session-id", "x-api-key"} & set(headers)
    assert (other_path, other_headers["x-api-key"]) == ("/v1/messages", "sk-ant-x")
    assert "authorization" not in other_headers


async def test_a_key_that_is_not_set(http: aiohttp.ClientSession) -> None:
    """The setting that is missing is named."""
    async with machine_behind(http, ModelSettings(api_key=SecretStr("sk-ant-x"))) as machine:
        status, _, message = await error_of(await machine.ask(ASKED, PATH))
    assert (status, message) == (
        401,
        "the operator of ptq has set no key of the model (PTQ_MODEL__OPENAI_API_KEY)",
    )


async def test_a_token_that_has_ended(http: aiohttp.ClientSession) -> None:
    """It is no better here."""
    settings = ModelSettings(openai_api_key=SecretStr(OPENAI_KEY))
    ended = datetime.now(UTC) - timedelta(seconds=1)
    async with machine_behind(http, settings, until=ended) as machine:
        assert (await error_of(await machine.ask(ASKED, PATH)))[0] == 401


async def test_the_key_is_not_told(http: aiohttp.ClientSession) -> None:
    """An error of OpenAI's that quotes the key arrives without it."""

    async def answer(_: web.Request) -> web.StreamResponse:
        error = {"message": f"Incorrect API key provided: {OPENAI_KEY}", "type": "invalid"}
        return web.json_response({"error": error}, status=401)

    async with serving(answer) as openai:
        settings = ModelSettings(openai_base_url=openai, openai_api_key=SecretStr(OPENAI_KEY))
        async with machine_behind(http, settings) as machine:
            status, _, message = await error_of(await machine.ask(ASKED, PATH))
    assert (status, message) == (401, "Incorrect API key provided: …")
