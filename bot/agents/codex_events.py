"""Events of the log that ``codex exec --json`` writes, typed at the door.

What a newer Codex or a hostile machine writes differently becomes an empty field or an event of no
interest, never an error. The shapes: ``ThreadEvent`` in
https://github.com/openai/codex/blob/main/codex-rs/exec/src/exec_events.rs.
"""

from __future__ import annotations

import json
from typing import Annotated, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from bot.agents.events import Text, read_object, read_objects

MOST_TOKENS = 10**15


def _count(value: object) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return min(max(cast("int", value), 0), MOST_TOKENS) if is_count else 0


def _status(value: object) -> int | None:
    is_status = isinstance(value, int) and not isinstance(value, bool)
    return cast("int", value) if is_status and abs(cast("int", value)) < MOST_TOKENS else None


_Count = Annotated[int, BeforeValidator(_count)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Change(_Shape):
    """A file that the agent changed."""

    path: Text = ""
    kind: Text = ""


class Item(_Shape):
    """One thing that was said or done; which fields are filled follows from ``type``."""

    id: Text = ""
    type: Text = ""
    text: Text = ""
    message: Text = ""
    command: Text = ""
    exit_code: Annotated[int | None, BeforeValidator(_status)] = None
    changes: Annotated[tuple[Change, ...], BeforeValidator(read_objects)] = ()
    server: Text = ""
    tool: Text = ""
    query: Text = ""


class Usage(_Shape):
    """Tokens of the whole thread so far; ``input_tokens`` has the cached ones in it."""

    input_tokens: _Count = 0
    output_tokens: _Count = 0


class Failure(_Shape):
    """Why a turn failed."""

    message: Text = ""


class ThreadEvent(_Shape):
    """Any event; which fields are filled follows from ``type``."""

    type: Text = ""
    thread_id: Text = ""
    item: Annotated[Item, BeforeValidator(read_object)] = Item()
    usage: Annotated[Usage, BeforeValidator(read_object)] = Usage()
    error: Annotated[Failure, BeforeValidator(read_object)] = Failure()
    message: Text = ""


def read_event(line: bytes) -> ThreadEvent | None:
    """Return the event that a line holds; None when it is not a JSON object."""
    try:
        loaded: object = json.loads(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(loaded, dict):
        return None
    try:
        return ThreadEvent.model_validate(loaded)
    except ValidationError:  # a key that is no UTF-8, deep inside
        return ThreadEvent()
