"""The HTTP session, in which a check can stand immediately before a request is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from types import SimpleNamespace


def open_session() -> aiohttp.ClientSession:
    """Return a session without limits of its own: GitHub's calls and the model's have theirs.

    A request's ``trace_request_ctx`` may be a function: it is called when the connection stands and
    nothing is written yet, and what it raises ends the request.
    """
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_before_writing)
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trace_configs=[trace])


async def _before_writing(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _request: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    if context.trace_request_ctx is not None:
        context.trace_request_ctx()
