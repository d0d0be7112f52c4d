"""Events of Claude Code's ``stream-json`` log, typed at the door.

What a newer Claude Code or a hostile machine writes differently becomes an empty field or an event
of no interest, never an error. The shapes: ``SDKMessage`` in the reference of Anthropic's Agent SDK
(https://docs.claude.com/en/api/agent-sdk/typescript).
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

MAX_TEXT = 8000
"""Characters kept of a text."""
MAX_ITEMS = 100
"""Items read of a list."""


def _text(value: object) -> str:
    """Cap a text, and take out what neither UTF-8 nor a database can hold."""
    if not isinstance(value, str):
        return ""
    return value[:MAX_TEXT].replace("\0", "").encode(errors="replace").decode()


def _items(value: object) -> list[object]:
    return cast("list[object]", value)[:MAX_ITEMS] if isinstance(value, list) else []


def read_objects(value: object) -> list[object]:
    """Return the objects of a list."""
    return [item for item in _items(value) if isinstance(item, dict)]


def read_object(value: object) -> object:
    """Return an object, or an empty one."""
    return cast("object", value) if isinstance(value, dict) else {}


def _dollars(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        dollars = float(value)
    except OverflowError:
        return None
    return dollars if math.isfinite(dollars) and dollars >= 0 else None


Text = Annotated[str, BeforeValidator(_text)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Block(_Shape):
    """One piece of an answer: a text or the call of a tool."""

    type: Text = ""
    text: Text = ""
    name: Text = ""
    input: Annotated[dict[str, Any], BeforeValidator(read_object)] = {}


class Message(_Shape):
    """An answer of the model, or the part of it that the event holds."""

    id: Text = ""
    model: Text = ""
    content: Annotated[tuple[Block, ...], BeforeValidator(read_objects)] = ()


class Event(_Shape):
    """Any event; of most kinds no more than this is of interest."""

    session_id: Text = ""


class Assistant(Event):
    """One content block of an answer; the events of one answer have the same message id."""

    parent_tool_use_id: Text = ""
    """Empty in the main conversation, else the call that started the subagent."""
    message: Annotated[Message, BeforeValidator(read_object)] = Message()


class Retry(Event):
    """The model's API failed and is asked again."""

    error: Text = ""


class Result(Event):
    """The end, or the end so far while something still runs in the background."""

    subtype: Text = ""
    is_error: Annotated[bool, BeforeValidator(bool)] = False
    terminal_reason: Text = ""
    result: Text = ""
    errors: Annotated[tuple[Text, ...], BeforeValidator(_items)] = ()
    total_cost_usd: Annotated[float | None, BeforeValidator(_dollars)] = None
    """US dollars, cumulative over the session."""


def read_event(line: bytes) -> Event | None:
    """Return the event that a line holds; None when it is not a JSON object."""
    try:
        loaded: object = json.loads(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(loaded, dict):
        return None
    data = cast("dict[str, object]", loaded)
    match data:
        case {"type": "assistant"}:
            return _read(Assistant, data)
        case {"type": "system", "subtype": "api_retry"}:
            return _read(Retry, data)
        case {"type": "result"}:
            return _read(Result, data)
        case _:
            return _read(Event, data)


_E = TypeVar("_E", bound=Event)


def _read(kind: type[_E], data: dict[str, object]) -> _E:
    try:
        return kind.model_validate(data)
    except ValidationError:  # a key that is no UTF-8, deep inside a tool's input
        return kind()
