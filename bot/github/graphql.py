"""The one call that only GitHub's GraphQL API has: hiding a comment.

https://docs.github.com/graphql/reference/mutations#minimizecomment
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import GitHubRejected
from bot.github.answers import Answer, read
from bot.github.calls import Call

if TYPE_CHECKING:
    from bot.github.calls import Bearer, Calls

MINIMIZE = (
    "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) "
    "{ minimizedComment { isMinimized } } }"
)

_API = "/api/v3"
"""Where a GitHub Enterprise server has its REST API; GraphQL is beside it."""


class _Problem(Answer):
    message: str = "no reason given"


class _Said(Answer):
    errors: tuple[_Problem, ...] = ()


def graphql_url(api_url: str) -> str:
    """Return the address of the GraphQL API that belongs to a REST API."""
    api = api_url.rstrip("/")
    return f"{api.removesuffix('/v3')}/graphql" if api.endswith(_API) else f"{api}/graphql"


async def minimize_comment(calls: Calls, bearer: Bearer, node_id: str) -> None:
    """Hide a comment as outdated; a second time changes nothing. Raise GitHubError."""
    call = Call(
        method="POST",
        url=graphql_url(calls.api_url),
        data={"query": MINIMIZE, "variables": {"id": node_id}},
        # What it makes is the same.
        repeatable=True,
        bearer=bearer,
    )
    # GraphQL tells of errors with status 200.
    if errors := read(_Said, await calls.send(call)).errors:
        reasons = "; ".join(error.message for error in errors)
        message = f"GitHub did not hide a comment: {reasons[:300]}"
        raise GitHubRejected(message)
