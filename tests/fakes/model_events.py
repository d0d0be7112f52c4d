"""The Messages API's answers as JSON: whole, as server-sent events, as errors.

See https://docs.anthropic.com/en/api/messages-streaming and its page of errors.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.model_script import Fault, Turn

USAGE: Mapping[str, int] = {
    "input_tokens": 1000,
    "cache_creation_input_tokens": 200,
    "cache_read_input_tokens": 3000,
    "output_tokens": 50,
}
"""What each answer costs."""


def message(turn: Turn, *, model: str) -> dict[str, Any]:
    """Return a whole answer."""
    content: list[dict[str, Any]] = []
    if turn.text or not turn.tools:
        content.append({"type": "text", "text": turn.text})
    content.extend(
        {
            "type": "tool_use",
            "id": f"toolu_{uuid.uuid4().hex[:24]}",
            "name": call.name,
            "input": dict(call.input),
        }
        for call in turn.tools
    )
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "tool_use" if turn.tools else "end_turn",
        "stop_sequence": None,
        "usage": dict(USAGE),
    }


def opening(whole: Mapping[str, Any]) -> bytes:
    """Return the first event of a stream, which holds no content."""
    return _event(
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    )


def content(whole: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the events of every content block."""
    for index, block in enumerate(whole["content"]):
        start: dict[str, Any]
        if block["type"] == "text":
            start = {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": block["text"]}
        else:
            start = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield _event({"type": "content_block_start", "index": index, "content_block": start})
        yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})


def ending(whole: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the last events of a stream."""
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": whole["usage"]["output_tokens"]}
    yield _event({"type": "message_delta", "delta": delta, "usage": usage})
    yield _event({"type": "message_stop"})


def error(fault: Fault) -> web.Response:
    """Return an error as Anthropic's API shapes it."""
    body = {"type": "error", "error": {"type": fault.kind, "message": fault.message}}
    return web.json_response(body, status=fault.status, headers=fault.headers)


def _event(event: Mapping[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
