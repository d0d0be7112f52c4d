"""What the gateway answers itself, in the shapes of Anthropic's API.

See https://docs.anthropic.com/en/api/errors.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_MESSAGE = 2000
"""Characters kept of an error's message."""

_KINDS: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_SENT_ON = ("request-id", "retry-after", "retry-after-ms", "x-should-retry")
"""Headers of an answer that an agent has a use for; every other one is dropped."""


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an error of ours."""
    return _error(status, _KINDS.get(status, "api_error"), message, headers)


def final(status: int, message: str) -> web.Response:
    """Return an error that the same request will get again, and say so."""
    return error(status, message, {"x-should-retry": "false"})


def sent_on(headers: Mapping[str, str]) -> dict[str, str]:
    """Return those of the model's headers that the machine may see."""
    return {name: headers[name] for name in _SENT_ON if name in headers}


def upstream_error(
    status: int, body: bytes, headers: Mapping[str, str], *, key: str
) -> web.Response:
    """Return the model's error in its shape, whatever stood between it and us wrote.

    The ``key`` is cut out, should it be quoted there.
    """
    kind, message = _read(body)
    return _error(
        status,
        kind or _KINDS.get(status, "api_error"),
        message.replace(key, "…")[:MAX_MESSAGE] or f"the model's API answered {status}",
        sent_on(headers),
    )


def _error(status: int, kind: str, message: str, headers: Mapping[str, str] | None) -> web.Response:
    body = {"type": "error", "error": {"type": kind, "message": message}}
    return web.json_response(body, status=status, headers=headers)


def _read(body: bytes) -> tuple[str, str]:
    """Return kind and message of an error as Anthropic writes it; empty texts for another."""
    try:
        data = cast("object", json.loads(body))
    except (ValueError, RecursionError):
        return "", ""
    match data:
        case {"error": {"type": str(kind), "message": str(message)}}:
            return kind, message
        case _:
            return "", ""
