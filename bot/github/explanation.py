"""What GitHub says of a failed call, in whatever shape it says it."""

from __future__ import annotations

import json
from typing import Any, cast

_MESSAGE_LENGTH = 500


def reason(error: Exception) -> str:
    """Return what an error of the network says."""
    return str(error) or type(error).__name__


def explanation(body: bytes) -> str:
    """Join ``message`` and ``errors`` of an error's body: objects, strings or something else."""
    try:
        answer = json.loads(body)
    except (RecursionError, ValueError):
        return "no reason given"
    if not isinstance(answer, dict):
        return "no reason given"
    told = cast("dict[str, Any]", answer)
    errors: object = told.get("errors") or []
    listed = cast("list[Any]", errors) if isinstance(errors, list) else [errors]
    parts = [str(told.get("message", "no reason given")), *map(_detail, listed)]
    return "; ".join(parts)[:_MESSAGE_LENGTH]


def _detail(error: Any) -> str:  # noqa: ANN401 -- JSON holds anything
    if not isinstance(error, dict):
        return str(error)
    told = cast("dict[str, Any]", error)
    keys = ("resource", "field", "code", "message")
    return " ".join(str(told[key]) for key in keys if told.get(key))
