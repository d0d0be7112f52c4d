"""What the gateway does not let through, and what it tells of errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from bot.gateway.tokens import Tokens
from tests.fakes.gateway_client import (
    CONVERSATION,
    JOB,
    KEY,
    SECRET,
    error_of,
    later,
    serving,
    through_gateway,
)
from tests.fakes.model import ScriptedModel
from tests.fakes.model_script import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bot.models import JobId


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """The bot's session, and the machine's."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


SPOILT: dict[str, Callable[[str], str]] = {
    "none": lambda _: "",
    "empty": lambda _: "ptq-model-",
    "key": lambda _: KEY,
    "cut": lambda token: token[:-2],
    "changed": lambda token: token.replace("ptq-model-W", "ptq-model-X"),
    "longer": lambda token: token + "A",
    "long": lambda _: "x" * 5000,
    "foreign": lambda _: Tokens(b"another deployment").issue(JOB, until=later()),
    "ended": lambda _: Tokens(SECRET).issue(JOB, until=datetime.now(UTC)),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
async def test_wrong_token(http: aiohttp.ClientSession, spoil: Callable[[str], str]) -> None:
    """Without a good token nothing reaches the model, and Claude Code is told not to repeat."""
    async with ScriptedModel() as model, through_gateway(http, model.url) as machine:
        assert spoil(machine.token) != machine.token
        machine.token = spoil(machine.token)
        answer = await machine.ask()

        assert (await error_of(answer))[:2] == (401, "authentication_error")
        assert answer.headers["x-should-retry"] == "false"
        assert model.requests == []


async def test_job_that_ended(http: aiohttp.ClientSession) -> None:
    """The token of a job that is over is not good any more."""
    live = {JOB}

    async def is_live(job_id: JobId) -> bool:
        return job_id in live

    async with (
        ScriptedModel() as model,
        through_gateway(http, model.url, is_live=is_live) as machine,
    ):
        assert (await machine.ask()).status == 200
        live.clear()
        assert (await machine.ask()).status == 401


@pytest.mark.parametrize("key", [None, ""])
async def test_no_key(http: aiohttp.ClientSession, key: str | None) -> None:
    """Without a key the agent's error names the setting that is missing."""
    async with ScriptedModel() as model, through_gateway(http, model.url, key=key) as machine:
        status, kind, message = await error_of(await machine.ask())

        assert (status, kind) == (401, "authentication_error")
        assert "PTQ_MODEL__API_KEY" in message
        assert model.requests == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/messages"),
        ("GET", "/v1/models"),
        ("POST", "/v1/messages/batches"),
        ("POST", "/v1/files"),
        ("POST", "/v1/messages/../files"),
        ("POST", "/v1//messages"),
        ("DELETE", "/v1/messages"),
        ("GET", "/v1/organizations/me"),
    ],
)
async def test_nothing_else_is_passed_on(
    http: aiohttp.ClientSession, method: str, path: str
) -> None:
    """With a good token too, only messages and their count reach the model."""
    async with ScriptedModel() as model, through_gateway(http, model.url) as machine:
        headers = {"authorization": f"Bearer {machine.token}"}
        answer = await http.request(method, machine.url + path, headers=headers)

        assert (await error_of(answer))[:2] == (404, "not_found_error")
        assert model.requests == []


async def test_errors_of_the_model(http: aiohttp.ClientSession) -> None:
    """The model's errors arrive as they are, without its other headers and without the key."""
    headers = {"retry-after": "7", "set-cookie": "a=b", "anthropic-organization-id": "org"}
    faults = [
        Fault(529, "overloaded_error", "Overloaded", headers),
        Fault(400, "invalid_request_error", f"what is {KEY}?"),
    ]
    async with ScriptedModel(faults) as model, through_gateway(http, model.url) as machine:
        overloaded = await machine.ask(CONVERSATION)
        quoting = await machine.ask(CONVERSATION)

        assert await error_of(overloaded) == (529, "overloaded_error", "Overloaded")
        assert overloaded.headers["retry-after"] == "7"
        assert not {"set-cookie", "anthropic-organization-id"} & {
            name.lower() for name in overloaded.headers
        }
        assert await error_of(quoting) == (400, "invalid_request_error", "what is …?")


async def test_errors_of_something_between(http: aiohttp.ClientSession) -> None:
    """A page of HTML from something between is told as an error of the API."""

    async def bad_gateway(_: web.Request) -> web.Response:
        return web.Response(status=503, text="<html>nginx</html>", content_type="text/html")

    async with serving(bad_gateway) as url, through_gateway(http, url) as machine:
        answer = await machine.ask()

        assert await error_of(answer) == (503, "api_error", "the model's API answered 503")


async def test_redirect_is_not_followed(http: aiohttp.ClientSession) -> None:
    """The key goes to the configured host and to no other."""
    async with ScriptedModel() as elsewhere:

        async def redirect(_: web.Request) -> web.Response:
            return web.Response(status=307, headers={"location": f"{elsewhere.url}/v1/messages"})

        async with serving(redirect) as url, through_gateway(http, url) as machine:
            assert (await error_of(await machine.ask()))[:2] == (502, "api_error")
            assert elsewhere.requests == []


async def test_model_that_cannot_be_reached(
    http: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    """No connection to the model is an error that Claude Code tries again."""
    async with through_gateway(http, f"http://127.0.0.1:{unused_tcp_port}") as machine:
        answer = await machine.ask()

        assert (await error_of(answer))[:2] == (502, "api_error")
        assert "x-should-retry" not in answer.headers
