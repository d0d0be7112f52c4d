"""The way from an agent's machine to the model."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from typing import TYPE_CHECKING

import aiohttp
import pytest
import structlog.testing

from bot.gateway import Gateway
from bot.gateway.server import MAX_CONCURRENT, MAX_REQUEST_BYTES
from bot.settings import ModelSettings
from tests.fakes.gateway_client import (
    CONVERSATION,
    JOB,
    KEY,
    QUESTION,
    SECRET,
    error_of,
    later,
    through_gateway,
)
from tests.fakes.model import ScriptedModel
from tests.fakes.model_script import Cut, Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """The bot's session, and the machine's."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


async def test_the_key_is_put_in_on_the_way(http: aiohttp.ClientSession) -> None:
    """The model sees the key and Claude Code's own headers, and nothing else of the machine."""
    async with ScriptedModel(key=KEY) as model, through_gateway(http, model.url + "/") as machine:
        answer = await machine.ask(
            path="/v1/messages?beta=true",
            **{"anthropic-version": "2023-06-01", "cookie": "a=b", "x-forwarded-for": "10.0.0.1"},
        )

        assert (await answer.json())["content"][0]["text"] == "{}"
        asked = model.requests[0]
        assert asked.path == "/v1/messages?beta=true"
        assert asked.body == QUESTION
        assert asked.headers["x-api-key"] == KEY
        assert asked.headers["anthropic-version"] == "2023-06-01"
        assert not {"authorization", "cookie", "x-forwarded-for"} & set(asked.headers)
        assert machine.token not in str(asked)


async def test_token_may_come_as_a_key(http: aiohttp.ClientSession) -> None:
    """An agent that sends its token as ``x-api-key`` is served too, and tokens are counted."""
    async with ScriptedModel(key=KEY) as model, through_gateway(http, model.url) as machine:
        url = machine.url + "/v1/messages/count_tokens"
        answer = await http.post(url, json=QUESTION, headers={"x-api-key": machine.token})

        assert (await answer.json())["input_tokens"] > 0


async def test_stream_comes_piece_by_piece(http: aiohttp.ClientSession) -> None:
    """The first event of an answer is there before the model has thought of the rest."""
    thought = asyncio.Event()
    turn = Turn("at last", after=thought)
    async with ScriptedModel([turn]) as model, through_gateway(http, model.url) as machine:
        answer = await machine.ask(CONVERSATION)
        first = await answer.content.readuntil(b"\n\n")
        thought.set()
        rest = await answer.content.read()

        assert answer.content_type == "text/event-stream"
        assert answer.headers["request-id"] == "req_scripted"
        assert first.startswith(b"event: message_start")
        assert b"at last" in rest
        assert rest.endswith(b'{"type": "message_stop"}\n\n')


async def test_token_holds_after_a_restart(http: aiohttp.ClientSession) -> None:
    """A token made before the bot was restarted is good after it."""
    before = Gateway(ModelSettings(), SECRET, http).token(JOB, later())
    async with ScriptedModel() as model, through_gateway(http, model.url) as machine:
        machine.token = before

        assert (await machine.ask()).status == 200


async def test_somebody_is_there(http: aiohttp.ClientSession) -> None:
    """Claude Code's first question, without a token, is answered with nothing."""
    async with through_gateway(http, "http://127.0.0.1:9") as machine:
        answer = await http.head(machine.url + "/")

        assert (answer.status, await answer.read()) == (200, b"")


async def test_large_requests(http: aiohttp.ClientSession) -> None:
    """A long conversation is passed on; a request over the API's own limit is not."""
    async with ScriptedModel() as model, through_gateway(http, model.url) as machine:
        long = json.dumps({**QUESTION, "system": "x" * 5_000_000}).encode()
        passed = await machine.send(BytesIO(long))
        refused = await machine.send(BytesIO(b" " * (MAX_REQUEST_BYTES + 1)))

        assert passed.status == 200
        assert [len(asked.body["system"]) for asked in model.requests] == [5_000_000]
        assert (await error_of(refused))[:2] == (413, "request_too_large")


async def test_half_an_answer_stays_half(http: aiohttp.ClientSession) -> None:
    """An answer that is lost in the middle does not look like a whole one."""
    async with ScriptedModel([Cut()]) as model, through_gateway(http, model.url) as machine:
        answer = await machine.ask(CONVERSATION)

        with pytest.raises(aiohttp.ClientError):
            await answer.read()


async def test_agent_that_hangs_up(http: aiohttp.ClientSession) -> None:
    """The model stops answering an agent that was ended."""
    turn = Turn("late", after=asyncio.Event())
    async with ScriptedModel([turn]) as model, through_gateway(http, model.url) as machine:
        answer = await machine.ask(CONVERSATION)
        await answer.content.readuntil(b"\n\n")
        answer.close()

        await model.hung_up.wait()


async def test_one_job_has_its_share(http: aiohttp.ClientSession) -> None:
    """One job's requests at once are bounded; the next one is served when one is answered."""
    thought = asyncio.Event()
    turns = [Turn(after=thought)] * MAX_CONCURRENT
    async with ScriptedModel(turns) as model, through_gateway(http, model.url) as machine:
        under_way = [await machine.ask(CONVERSATION) for _ in turns]
        refused = await machine.ask(CONVERSATION)
        thought.set()
        for answer in under_way:
            await answer.read()

        assert (await error_of(refused))[:2] == (429, "rate_limit_error")
        assert (await machine.ask(CONVERSATION)).status == 200


async def test_what_is_logged(http: aiohttp.ClientSession) -> None:
    """A log line has counts and durations: no token, no key, no word of what was said."""
    async with ScriptedModel([Turn("hush")]) as model, through_gateway(http, model.url) as machine:
        with structlog.testing.capture_logs() as lines:
            await (await machine.ask(CONVERSATION)).read()
            machine.token += "x"
            await machine.ask(CONVERSATION)

        assert [line["event"] for line in lines] == ["model_answered", "model_token_refused"]
        assert set(lines[0]) == {
            *("event", "log_level", "job_id", "path", "status", "received", "sent", "seconds")
        }
        assert lines[0]["sent"] > 100
        assert not any(word in str(lines) for word in (KEY, machine.token[:40], "hush", "Bash"))


async def test_port_that_is_taken(http: aiohttp.ClientSession) -> None:
    """A port that is taken is told at the start, and close may be called at any time."""
    async with through_gateway(http, "http://127.0.0.1:9") as machine:
        other = Gateway(ModelSettings(), SECRET, http)

        with pytest.raises(OSError, match="address already in use"):
            await other.start(int(machine.url.rpartition(":")[2]))
        await other.close()
