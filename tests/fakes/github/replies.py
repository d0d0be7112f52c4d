"""A call of the fake GitHub's API, and what it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.fakes.github.apps import Token
    from tests.fakes.github.memory import Account, Project
    from tests.fakes.github.world import World

DOCUMENTATION = "https://docs.github.com/rest"


class Refused(Exception):
    """The call is answered with an error, in GitHub's shape and words."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[Mapping[str, str] | str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take the HTTP status and what the body says."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        body: dict[str, Any] = {"message": self.message}
        if self.errors:
            body["errors"] = list(self.errors)
        return body | {"documentation_url": DOCUMENTATION, "status": str(self.status)}


def invalid(resource: str, field_name: str, message: str) -> Refused:
    """Return GitHub's 422 about one field."""
    error = {"resource": resource, "code": "custom", "field": field_name, "message": message}
    return Refused(422, "Validation Failed", errors=[error])


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An authorized call."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: dict[str, Any]
    url: str
    """Without its query."""
    actor: Account
    """Who acts: the App's bot."""
    token: Token | None = None
    """None when the App itself calls."""
    here: Project | None = None

    @property
    def project(self) -> Project:
        """The repository in the path."""
        if self.here is None:
            raise Refused(404, "Not Found")
        return self.here

    def number(self, name: str) -> int:
        """Return a number in the path; raise Refused (404) for anything else."""
        text = self.path[name]
        if not text.isdecimal():
            raise Refused(404, "Not Found")
        return int(text)

    def text(self, name: str) -> str:
        """Return a text of the body; raise Refused (422) when there is none."""
        value = self.body.get(name)
        if not isinstance(value, str):
            message = f'Invalid request.\n\n"{name}" wasn\'t supplied.'
            raise Refused(422, message)
        return value


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is no error."""

    status: int
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Handler: TypeAlias = Callable[["World", Incoming], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """A call that the fake knows. ``template`` is as in GitHub's OpenAPI description."""

    method: str
    template: str
    handler: Handler
    permission: str | None = None
    """What the token must have; None: the App itself calls, with its JWT."""
    level: str = "read"


Item = TypeVar("Item")


def paged(call: Incoming, items: Sequence[Item]) -> tuple[Sequence[Item], dict[str, str]]:
    """Return the page that is asked for, and its ``Link`` header."""
    size = min(_positive(call.query.get("per_page"), 30), 100)
    page = _positive(call.query.get("page"), 1)
    last = max(1, -(-len(items) // size))
    links = {
        relation: number
        for relation, number, is_told in (
            ("prev", page - 1, page > 1),
            ("next", page + 1, page < last),
            ("last", last, page < last),
            ("first", 1, page > 1),
        )
        if is_told
    }
    query = {name: value for name, value in call.query.items() if name != "page"}
    told = ", ".join(
        f'<{call.url}?{urlencode(query | {"page": str(number)})}>; rel="{relation}"'
        for relation, number in links.items()
    )
    return items[(page - 1) * size : page * size], {"Link": told} if told else {}


def as_list(value: object) -> list[Any]:
    """Return the value where it is a list; raise Refused (422) where it is not."""
    if not isinstance(value, list):
        raise Refused(422, "Invalid request.\n\nNot a list.")
    return cast("list[Any]", value)


def _positive(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else default
