"""A model with a script: Anthropic's Messages API on loopback, streamed and not.

It answers the conversation (requests that offer tools) from a script, in order, or as a function of
the request; what an agent asks on the side gets a short text.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, Self, assert_never

from aiohttp import web

from tests.fakes import model_events
from tests.fakes.model_script import Answer, Cut, Fault, ModelRequest, Script, Turn

if TYPE_CHECKING:
    from types import TracebackType

MAX_REQUEST_BYTES = 64 * 1024 * 1024


class ScriptedModel:
    """The server; ``requests`` holds everything that was asked, newest last."""

    def __init__(self, script: Script = (), *, last: str = "Done.", key: str | None = None) -> None:
        """Answer with ``script``; when it has run out, with the text ``last``.

        With ``key``, whoever does not send it as ``x-api-key`` gets the 401 of the real API.
        """
        self.url = ""
        """Where it listens, without a slash at the end."""
        self.requests: list[ModelRequest] = []
        self.asked = asyncio.Event()
        """Set when the conversation was asked for the first time."""
        self.hung_up = asyncio.Event()
        """Set when a client left before its answer was complete."""
        self._script = script
        self._last = last
        self._key = key
        self._used = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/messages/count_tokens", self._count_tokens)
        app.router.add_get("/v1/models", self._models)
        app.router.add_route("*", "/{path:.*}", self._elsewhere)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        self._runner = runner
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def conversation(self) -> list[ModelRequest]:
        """The requests of the conversation (subagents included), without questions on the side."""
        return [request for request in self.requests if request.offers_tools]

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        asked = await self._record(request)
        answer = self._answer(asked)
        match answer:
            case Fault():
                return model_events.error(answer)
            case Cut():
                return await self._cut(request, asked)
            case Turn():
                return await self._play(request, asked, answer)
            case _:
                assert_never(answer)

    async def _count_tokens(self, request: web.Request) -> web.Response:
        asked = await self._record(request)
        if (fault := self._fault(asked)) is not None:
            return model_events.error(fault)
        return web.json_response({"input_tokens": len(asked.everything) // 4})

    async def _models(self, request: web.Request) -> web.Response:
        asked = await self._record(request)
        if self._key is not None and asked.headers.get("x-api-key") != self._key:
            return model_events.error(Fault(401, "authentication_error", "invalid x-api-key"))
        kept = {"type": "model", "id": "claude-opus", "display_name": "Opus"}
        return web.json_response({"data": [kept], "has_more": False})

    async def _elsewhere(self, request: web.Request) -> web.Response:
        await self._record(request)
        if request.path == "/" and request.method in {"GET", "HEAD"}:
            return web.Response()
        return model_events.error(Fault(404, "not_found_error", request.path))

    async def _record(self, request: web.Request) -> ModelRequest:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body: dict[str, Any] = {}
        with contextlib.suppress(ValueError):
            body = json.loads(await request.read())
        asked = ModelRequest(request.method, request.path_qs, headers, body)
        self.requests.append(asked)
        if asked.offers_tools:
            self.asked.set()
        return asked

    def _answer(self, asked: ModelRequest) -> Answer:
        if (fault := self._fault(asked)) is not None:
            return fault
        if not asked.offers_tools:
            return Turn("{}")
        if callable(self._script):
            return self._script(asked)
        position, self._used = self._used, self._used + 1
        return self._script[position] if position < len(self._script) else Turn(self._last)

    def _fault(self, asked: ModelRequest) -> Fault | None:
        if self._key is not None and asked.headers.get("x-api-key") != self._key:
            return Fault(401, "authentication_error", "invalid x-api-key")
        if not asked.body.get("messages"):
            return Fault(400, "invalid_request_error", "messages: Field required")
        return None

    async def _play(
        self, request: web.Request, asked: ModelRequest, turn: Turn
    ) -> web.StreamResponse:
        whole = model_events.message(turn, model=str(asked.body.get("model", "")))
        try:
            if not asked.body.get("stream"):
                await _wait(turn)
                return web.json_response(whole)
            response = await _begin(request, model_events.opening(whole))
            await _wait(turn)
            for event in (*model_events.content(whole), *model_events.ending(whole)):
                await response.write(event)
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up.set()
            raise
        return response

    async def _cut(self, request: web.Request, asked: ModelRequest) -> web.StreamResponse:
        half = Turn("Half of a sen")
        whole = model_events.message(half, model=str(asked.body.get("model", "")))
        response = await _begin(request, model_events.opening(whole))
        await response.write(next(model_events.content(whole)))
        if request.transport is not None:
            request.transport.abort()
        return response


async def _begin(request: web.Request, opening: bytes) -> web.StreamResponse:
    headers = {"content-type": "text/event-stream; charset=utf-8", "request-id": "req_scripted"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await response.write(opening)
    return response


async def _wait(turn: Turn) -> None:
    if turn.after is not None:
        await turn.after.wait()
