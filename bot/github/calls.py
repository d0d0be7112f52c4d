"""The way to GitHub's API: gidgethub, and what it leaves to its caller.

Added here: a time limit, a bound on concurrent requests, waits on both kinds of rate limit, retries
where they are safe, one replay with a new token after a 401, and errors that say whose fault it is.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, cast

import aiohttp
import structlog
from gidgethub import GitHubException, abc as gidgethub_abc

from bot.errors import GitHubError, GitHubNotFound, GitHubRejected, GitHubUnavailable
from bot.fence import Fence
from bot.github import limits
from bot.github.explanation import explanation, reason
from bot.github.limits import CallFailed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from bot.settings import GitHubSettings

GITHUB_LIMITED = "github_limited"
GITHUB_RETRIED = "github_retried"
GITHUB_TOKEN_REFUSED = "github_token_refused"  # noqa: S105 -- an event, no token

MAX_CONCURRENT = 20
"""Requests at once; GitHub's own limit is 100, for all programs of an App together."""
MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""An answer that is longer is none of those that we ask for."""
PER_PAGE = 100
"""GitHub's longest page."""

_ACCEPT = "application/vnd.github+json"
_API_VERSION = "2022-11-28"
_REQUESTER = "ptq-bot"
_UNAUTHORIZED = 401
_GONE = (404, 410)
_FIRST_FAILURE = 300
_READING = frozenset({"GET", "HEAD"})
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
_CHUNK_BYTES = 64 * 1024

_log = structlog.stdlib.get_logger(__name__)


class Bearer(Protocol):
    """Who speaks: the App itself, one of its installations, or a person."""

    @property
    def account(self) -> str:
        """Whose rate limit counts."""
        ...

    async def token(self) -> str:
        """Return a token that is good for some minutes; empty for nobody."""
        ...

    def forget(self, token: str) -> bool:
        """GitHub refused this token; return whether another one is worth a try."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the API. ``url`` is a template (RFC 6570), which is also its name in the log."""

    method: str
    url: str
    bearer: Bearer
    fields: Mapping[str, str | int] = field(default_factory=dict[str, str | int])
    """What the template's variables stand for."""
    data: Any = b""
    """The JSON body."""
    repeatable: bool = False
    """Whether a POST may be sent twice: what it makes is the same, or is harmless when unused."""
    passes_fence: bool = False
    """Whether it is right at any time: it makes nothing, or takes back what was made twice."""


class Calls:
    """Makes calls; all of a process go through one of these."""

    def __init__(
        self,
        settings: GitHubSettings,
        session: aiohttp.ClientSession,
        *,
        fence: Fence,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the address and the limits from the settings; ``sleep`` and ``clock`` for tests."""
        self.api_url = settings.api_url
        url, timeout = settings.api_url, settings.timeout
        self._door = _Door(session, base_url=url, timeout=timeout, fence=fence)
        self._side_door = _Door(session, base_url=url, timeout=timeout, fence=Fence())
        self._max_wait = settings.max_wait
        self._sleep = sleep
        self.now = clock
        self._quiet_until: dict[str, datetime] = {}

    async def send(self, call: Call) -> Any:  # noqa: ANN401 -- JSON holds anything
        """Return the decoded answer; raise GitHubError, or Fenced for a writing."""
        answer, _ = await self._attempt_all(call)
        return answer

    async def pages(self, call: Call, *, limit: int) -> list[Any]:
        """Return the items of a list that GitHub gives in pages, at most ``limit``."""
        items: list[Any] = []
        async with aclosing(self.walk(call)) as pages:
            async for page in pages:
                items += page
                if len(items) >= limit:
                    break
        return items[:limit]

    async def walk(self, call: Call, *, key: str | None = None) -> AsyncGenerator[list[Any]]:
        """Give the pages of a list one by one; under ``key`` where they are objects."""
        following: str | None = ""
        while following is not None:
            page, following = await self._attempt_all(call)
            if key is not None and isinstance(page, dict):
                page = cast("dict[str, Any]", page).get(key)
            yield cast("list[Any]", page) if isinstance(page, list) else []
            if following is not None:
                call = replace(call, url=self._door.own(following), fields={})

    async def _attempt_all(self, call: Call) -> tuple[Any, str | None]:
        tries, replayed, waited = 0, False, timedelta(0)
        while True:
            waited += await self._keep_quiet(call, left=self._max_wait - waited)
            token = await call.bearer.token()
            try:
                door = self._side_door if call.passes_fence else self._door
                return await door.call(call, token)
            except CallFailed as failure:
                if failure.status == _UNAUTHORIZED and not replayed and call.bearer.forget(token):
                    _log.info(GITHUB_TOKEN_REFUSED, account=call.bearer.account)
                    replayed = True
                    continue
                tries += 1
                pause = self._pause(call, failure, tries=tries)
                if pause is None or waited + pause > self._max_wait:
                    raise _translated(call, failure) from failure
                if failure.is_limit:
                    continue
            await self._sleep(pause.total_seconds())
            waited += pause

    def _pause(self, call: Call, failure: CallFailed, *, tries: int) -> timedelta | None:
        now = self.now()
        repeatable = call.repeatable or call.method in _REPEATABLE
        pause = limits.delay(failure, tries=tries, repeatable=repeatable, now=now)
        if pause is not None:
            if failure.is_limit:
                quiet = self._quiet_until.get(call.bearer.account, now)
                self._quiet_until[call.bearer.account] = max(quiet, now + pause)
            _log.warning(
                GITHUB_LIMITED if failure.is_limit else GITHUB_RETRIED,
                method=call.method,
                route=call.url.partition("?")[0],
                status=failure.status,
                tries=tries,
                seconds=round(pause.total_seconds(), 1),
            )
        return pause

    async def _keep_quiet(self, call: Call, *, left: timedelta) -> timedelta:
        """Wait while another call of the same account waits: GitHub bans who goes on asking."""
        quiet_until = self._quiet_until.get(call.bearer.account)
        if quiet_until is None or (pause := quiet_until - self.now()) <= timedelta(0):
            return timedelta(0)
        if pause > left:
            message = f"GitHub's rate limit for {call.bearer.account} lasts until {quiet_until}"
            raise GitHubUnavailable(message)
        await self._sleep(pause.total_seconds())
        return pause


def _translated(call: Call, failure: CallFailed) -> GitHubError:
    route = call.url.partition("?")[0]
    what = "did not answer" if failure.status is None else f"answered {failure.status} to"
    message = f"GitHub {what} {call.method} {route}: {failure}"
    if failure.is_passing:
        return GitHubUnavailable(message, status=failure.status)
    if failure.status in _GONE:
        return GitHubNotFound(message, status=failure.status)
    return GitHubRejected(message, status=failure.status)


class _Door(gidgethub_abc.GitHubAPI):
    """Send one request, within the time limit; errors are CallFailed, and Fenced."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        timeout: timedelta,
        fence: Fence,
    ) -> None:
        super().__init__(_REQUESTER, base_url=base_url)
        self._session = session
        self._fence = fence
        self._timeout = aiohttp.ClientTimeout(total=timeout.total_seconds())
        self._free = asyncio.Semaphore(MAX_CONCURRENT)

    async def call(self, call: Call, token: str) -> tuple[Any, str | None]:
        headers = {"x-github-api-version": _API_VERSION}
        if token:
            headers["authorization"] = f"Bearer {token}"
        fields = dict(call.fields)
        try:
            data, following, _ = await self._make_request(
                call.method, call.url, fields, call.data, _ACCEPT, extra_headers=headers
            )
        except (GitHubException, LookupError, RecursionError, ValueError) as error:
            raise CallFailed(None, "the answer is not JSON") from error
        return data, following

    def own(self, url: str) -> str:
        """Return the address of a following page; raise GitHubUnavailable when it is elsewhere."""
        if not url.startswith(self.base_url.rstrip("/") + "/"):
            message = "GitHub's link to the next page leads elsewhere"
            raise GitHubUnavailable(message)
        return url

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        may_write = None if method in _READING else self._fence.check
        if may_write is not None:
            may_write()
        try:
            async with (
                self._free,
                self._session.request(
                    method,
                    url,
                    headers=headers,
                    data=body,
                    timeout=self._timeout,
                    # A redirected POST would arrive as a GET.
                    allow_redirects=method == "GET",
                    # Once more when the connection stands (see open_session).
                    trace_request_ctx=may_write,
                ) as response,
            ):
                answer = await _body(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise CallFailed(None, reason(error), may_have_arrived=False) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CallFailed(None, reason(error)) from error
        if response.status >= _FIRST_FAILURE:
            # Here and not in gidgethub, which stumbles over bodies that it does not expect.
            raise CallFailed(response.status, explanation(answer), response.headers)
        # Without the rate limit's headers: gidgethub stumbles over those too.
        kept = {name: response.headers.get(name, "") for name in ("content-type", "link")}
        return response.status, kept, answer

    async def sleep(self, seconds: float) -> None:
        """Only an unused hook of gidgethub calls this."""
        await asyncio.sleep(seconds)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise CallFailed(None, f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)
