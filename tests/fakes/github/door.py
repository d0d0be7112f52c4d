"""The door of the fake GitHub's API: who calls, with what right, and what becomes of it."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from tests.fakes.github import (
    api_app,
    api_git,
    api_graphql,
    api_hook,
    api_pulls,
    api_threads,
    people,
)
from tests.fakes.github.replies import Incoming, Refused, Reply, Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.fakes.github.apps import Token
    from tests.fakes.github.faults import Fault, Faults
    from tests.fakes.github.memory import Project
    from tests.fakes.github.world import World

API = "/api/v3"
"""Where the API is, as on a GitHub Enterprise server."""
GRAPHQL = "/api/graphql"
ROUTES = (
    *api_app.ROUTES,
    *api_hook.ROUTES,
    *api_threads.ROUTES,
    *api_git.ROUTES,
    *api_pulls.ROUTES,
    *people.ROUTES,
)
RATE = 5000
"""Calls an hour, of each account."""

_REST_OF_PATH = ("{ref}",)
"""Variables that may hold a slash."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call, as it was answered."""

    method: str
    path: str
    """Below the API's address, with its query."""
    route: str
    """The template of GitHub's description."""
    account: str
    """``app``, ``installation N``, a login or ``anonymous``."""
    status: int | None
    """None when the connection ended without an answer."""
    body: Any = None
    """What was sent, decoded."""


class Door:
    """Answers the API's calls."""

    def __init__(self, world: World, faults: Faults, *, check_openapi: bool) -> None:
        """Check what is asked and answered only where ``check_openapi`` says so."""
        self._world = world
        self._faults = faults
        self._openapi = (
            importlib.import_module("tests.fakes.github.openapi") if check_openapi else None
        )
        self.requests: list[Request] = []
        self.problems: list[str] = []
        """Where a call or its answer is not as GitHub describes it."""
        self.remaining: dict[str, int] = {}
        """What is left of each account's hour; set it to 0 to try the limit."""
        self.on_done: Callable[[Route, Incoming, Reply], Awaitable[None]] | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return what an aiohttp application serves."""
        served = [web.get(f"{API}/rate_limit", self._rate_limit)]
        for route in ROUTES:
            path = API + route.template
            for variable in _REST_OF_PATH:
                path = path.replace(variable, variable[:-1] + ":.+}")
            served.append(web.route(route.method, path, self._served(route)))
        served.append(web.post(GRAPHQL, self._served(api_graphql.ROUTE)))
        return served

    def load(self) -> None:
        """Read the OpenAPI description, which blocks."""
        if self._openapi is not None:
            self._openapi.load()

    def _served(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve(route, request)

        return serve

    async def _serve(self, route: Route, request: web.Request) -> web.StreamResponse:
        sent = _decoded(await request.read())
        path = request.rel_url.path.removeprefix(API)
        account = _account_name(self._world, request)
        fault = self._faults.take(request.method, path, route.template)
        if fault is not None:
            await self._faults.wait(fault)
        answer: web.Response | None = None
        if fault is None or fault.is_done or fault.is_slow:
            answer = await self._answer(route, request, sent, account)
        if fault is not None and not fault.is_slow:
            answer = _failed(fault)
        status = None if answer is None else answer.status
        full_path = request.raw_path.removeprefix(API)
        self.requests.append(
            Request(request.method, full_path, route.template, account, status, sent)
        )
        await self._world.notify()
        return answer if answer is not None else _dropped(request)

    async def _answer(
        self, route: Route, request: web.Request, sent: object, account: str
    ) -> web.Response:
        self._check_request(route, request, sent)
        try:
            self._count(account)
            call = self._authorized(route, request, sent)
            reply = await route.handler(self._world, call)
            if self.on_done is not None:
                await self.on_done(route, call, reply)
        except Refused as refused:
            reply = Reply(refused.status, refused.body, refused.headers)
        self._check_answer(route, reply)
        headers = {**self._rate_headers(account), **reply.headers}
        if reply.data is None:
            return web.Response(status=reply.status, headers=headers)
        return web.json_response(reply.data, status=reply.status, headers=headers)

    # Who calls

    def _authorized(self, route: Route, request: web.Request, sent: object) -> Incoming:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in {"", "bearer", "token"} or (not text and route.permission is None):
            raise Refused(401, "Requires authentication")
        if not request.headers.get("User-Agent"):
            raise Refused(403, "Request forbidden by administrative rules.")
        if sent is not None and not isinstance(sent, dict):
            raise Refused(400, "Problems parsing JSON")
        path = dict(request.match_info)
        token: Token | None = None
        person = self._world.personal.get(text)
        if person is not None or not text:
            people.check_visit(route, self._project(path, None), person)
        elif route.permission is None:
            self._world.app.check_jwt(text, now=self._world.now())
        else:
            token = self._world.app.holder(text, now=self._world.now())
        here = self._project(path, token)
        if route.permission is not None and token is not None:
            _check_permission(route, token)
        return Incoming(
            path=path,
            query=request.query,
            body=cast("dict[str, Any]", sent or {}),
            url=str(request.url.with_query(None)),
            actor=person or self._world.app.bot,
            token=token,
            here=here,
        )

    def _project(self, path: dict[str, str], token: Token | None) -> Project | None:
        if "owner" not in path:
            return None
        project = self._world.project(f"{path['owner']}/{path['repo']}")
        if token is not None and project.full_name.lower() not in token.repositories:
            raise Refused(404, "Not Found")
        return project

    # Rate limit

    def _count(self, account: str) -> None:
        left = self.remaining.setdefault(account, RATE)
        if left <= 0:
            message = f"API rate limit exceeded for {account}."
            raise Refused(403, message)
        self.remaining[account] = left - 1

    def _rate_headers(self, account: str) -> dict[str, str]:
        rate = self._rate(account)
        return {f"X-RateLimit-{name.title()}": str(number) for name, number in rate.items()} | {
            "X-RateLimit-Resource": "core"
        }

    def _rate(self, account: str) -> dict[str, int]:
        left = self.remaining.get(account, RATE)
        reset = (int(self._world.now().timestamp()) // 3600 + 1) * 3600
        return {"limit": RATE, "remaining": left, "reset": reset, "used": RATE - left}

    async def _rate_limit(self, request: web.Request) -> web.Response:
        """``GET /rate_limit``, which does not count."""
        rate = self._rate(_account_name(self._world, request))
        return web.json_response({"resources": {"core": rate, "search": rate}, "rate": rate})

    # GitHub's description

    def _is_described(self, route: Route) -> bool:
        """Whether it is one of the REST API, which alone has an OpenAPI description."""
        return route is not api_graphql.ROUTE

    def _check_request(self, route: Route, request: web.Request, sent: object) -> None:
        if self._is_described(route) and self._openapi is not None:
            query = dict(request.query)
            self.problems += self._openapi.request_problems(
                route.method, route.template, query=query, body=sent
            )

    def _check_answer(self, route: Route, reply: Reply) -> None:
        if self._is_described(route) and self._openapi is not None:
            self.problems += self._openapi.answer_problems(
                route.method, route.template, status=reply.status, body=reply.data
            )


def _check_permission(route: Route, token: Token) -> None:
    wanted = [str(route.permission)]
    if route.permission == "issues":
        # https://docs.github.com/rest/issues/comments: either will do.
        wanted.append("pull_requests")
    if not any(token.grants(permission, route.level) for permission in wanted):
        accepted = "; ".join(f"{permission}={route.level}" for permission in wanted)
        raise Refused(
            403,
            "Resource not accessible by integration",
            headers={"X-Accepted-GitHub-Permissions": accepted},
        )


def _account_name(world: World, request: web.Request) -> str:
    text = request.headers.get("Authorization", "").partition(" ")[2]
    token = world.app.tokens.get(text)
    if text in world.personal:
        return world.personal[text].login
    if token is not None:
        return f"installation {token.installation.id}"
    # A JWT has three parts.
    return "app" if text.count(".") == 2 else people.NOBODY


def _decoded(body: bytes) -> object:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _failed(fault: Fault) -> web.Response | None:
    if fault.status is None:
        return None
    if isinstance(fault.body, bytes):
        return web.Response(status=fault.status, headers=fault.headers, body=fault.body)
    return web.json_response(
        fault.body if fault.body is not None else {"message": "made to order"},
        status=fault.status,
        headers=fault.headers,
    )


def _dropped(request: web.Request) -> web.Response:
    """End the connection; what is returned is not sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
