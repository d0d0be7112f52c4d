"""The model that other tests speak to behaves as the Messages API does."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.fakes.model import ScriptedModel
from tests.fakes.model_script import Cut, Fault, ModelRequest, Turn, bash

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOOLS = [{"name": "Bash", "input_schema": {"type": "object"}}]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that goes straight to the model."""
    async with aiohttp.ClientSession() as session:
        yield session


def _question(text: str = "go", **more: object) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"model": "opus", "max_tokens": 99, "messages": messages, "tools": TOOLS, **more}


async def test_answers_follow_the_script(http: aiohttp.ClientSession) -> None:
    """A conversation gets the script's answers in order, then the last text for ever."""
    async with ScriptedModel([Turn("One", (bash("ls"),)), Turn("Two")]) as model:
        answers = [
            await (await http.post(f"{model.url}/v1/messages", json=_question())).json()
            for _ in range(3)
        ]

    assert [answer["content"][0]["text"] for answer in answers] == ["One", "Two", "Done."]
    assert [answer["stop_reason"] for answer in answers] == ["tool_use", "end_turn", "end_turn"]
    assert answers[0]["content"][1]["input"]["command"] == "ls"


async def test_question_on_the_side_uses_no_answer(http: aiohttp.ClientSession) -> None:
    """A request without tools gets a short text and leaves the script alone."""
    async with ScriptedModel([Turn("One")]) as model:
        await http.post(f"{model.url}/v1/messages", json=_question(tools=[]))
        answer = await http.post(f"{model.url}/v1/messages", json=_question())

        assert (await answer.json())["content"][0]["text"] == "One"
        assert len(model.requests) == 2
        assert len(model.conversation) == 1


async def test_stream_has_the_documented_events(http: aiohttp.ClientSession) -> None:
    """A streamed answer is the sequence of events of Anthropic's streaming page."""
    async with ScriptedModel([Turn("Hi", (bash("ls"),))]) as model:
        response = await http.post(f"{model.url}/v1/messages", json=_question(stream=True))
        lines = (await response.text()).splitlines()

    events = [json.loads(line.removeprefix("data: ")) for line in lines if line[:5] == "data:"]
    assert response.content_type == "text/event-stream"
    assert [event["type"] for event in events] == [
        "message_start",
        *("content_block_start", "content_block_delta", "content_block_stop") * 2,
        "message_delta",
        "message_stop",
    ]
    assert json.loads(events[5]["delta"]["partial_json"])["command"] == "ls"


async def test_script_may_choose_by_the_request(http: aiohttp.ClientSession) -> None:
    """A script that is a function sees the request and its tools' results."""

    def script(asked: ModelRequest) -> Turn:
        return Turn(f"{asked.prompt}/{asked.last}/{asked.tool_results}")

    result = [{"type": "tool_result", "tool_use_id": "t", "content": [{"text": "out"}]}]
    messages = [{"role": "user", "content": "first"}, {"role": "user", "content": result}]
    async with ScriptedModel(script) as model:
        response = await http.post(f"{model.url}/v1/messages", json=_question(messages=messages))

        assert (await response.json())["content"][0]["text"] == "first/out/['out']"


async def test_faults_have_the_shape_of_the_api(http: aiohttp.ClientSession) -> None:
    """A scripted fault, a wrong key and an unknown path are errors as the API writes them."""
    fault = Fault(529, "overloaded_error", "Overloaded", {"retry-after": "7"})
    async with ScriptedModel([fault], key="sk-real") as model:
        right = {"x-api-key": "sk-real"}
        overloaded = await http.post(f"{model.url}/v1/messages", json=_question(), headers=right)
        stranger = await http.post(f"{model.url}/v1/messages/count_tokens", json=_question())
        nowhere = await http.get(f"{model.url}/v1/nothing")

        assert (overloaded.status, overloaded.headers["retry-after"]) == (529, "7")
        assert (stranger.status, nowhere.status) == (401, 404)
        assert await overloaded.json() == {
            "type": "error",
            "error": {"type": "overloaded_error", "message": "Overloaded"},
        }


async def test_cut_loses_the_connection_in_the_middle(http: aiohttp.ClientSession) -> None:
    """A cut answer begins and is never finished."""
    async with ScriptedModel([Cut()]) as model:
        response = await http.post(f"{model.url}/v1/messages", json=_question(stream=True))

        assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_one_who_leaves_is_noticed(http: aiohttp.ClientSession) -> None:
    """The model knows when a client hung up before its answer was complete."""
    async with ScriptedModel([Turn("late", after=asyncio.Event())]) as model:
        response = await http.post(f"{model.url}/v1/messages", json=_question(stream=True))
        assert b"message_start" in await response.content.readany()
        response.close()

        await model.hung_up.wait()
