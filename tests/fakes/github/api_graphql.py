"""The one call of GitHub's GraphQL API that is known: ``minimizeComment``.

https://docs.github.com/graphql/reference/mutations#minimizecomment
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.fakes.github.replies import Refused, Reply, Route
from tests.fakes.github.shapes import node_id

if TYPE_CHECKING:
    from tests.fakes.github.memory import Comment, Project
    from tests.fakes.github.replies import Incoming
    from tests.fakes.github.world import World

_MINIMIZE = re.compile(
    r"mutation\(\$(?P<name>\w+): ID!\) \{ minimizeComment\(input: \{"
    r"subjectId: \$(?P=name), classifier: OUTDATED\}\) "
    r"\{ minimizedComment \{ isMinimized \} \} \}"
)
"""With white space as single spaces: nothing else is understood."""


async def graphql(world: World, call: Incoming) -> Reply:
    """``POST /graphql``: errors of a query come with status 200."""
    query = _MINIMIZE.fullmatch(" ".join(call.text("query").split()))
    variables = call.body.get("variables")
    if query is None or set(call.body) != {"query", "variables"}:
        return _errors("Parse error: the fake knows minimizeComment, and this is not it")
    if not isinstance(variables, dict) or set(variables) != {query["name"]}:  # pyright: ignore[reportUnknownArgumentType] -- JSON
        return _errors(f"Variable ${query['name']} of type ID! was provided invalid value")
    wanted = str(variables[query["name"]])  # pyright: ignore[reportUnknownArgumentType] -- JSON
    found = _comment(world, call, wanted)
    if found is None:
        return _errors(f"Could not resolve to a node with the global id of '{wanted}'")
    project, comment = found
    comment.is_minimized = True
    await world.tell(
        "comment_minimized",
        project,
        text=comment.body,
        number=comment.number,
        comment_id=comment.id,
    )
    return Reply(200, {"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}})


def _comment(world: World, call: Incoming, wanted: str) -> tuple[Project, Comment] | None:
    """Return the comment of this id, where the token reaches its repository."""
    if call.token is None:
        raise Refused(401, "Requires authentication")
    for project in world.projects.values():
        if project.full_name.lower() not in call.token.repositories:
            continue
        for issue in project.issues.values():
            for comment in issue.comments:
                if node_id("IssueComment", comment.id) == wanted:
                    return project, comment
    return None


def _errors(message: str) -> Reply:
    error: dict[str, Any] = {"type": "UNPROCESSABLE", "message": message}
    return Reply(200, {"data": None, "errors": [error]})


ROUTE = Route("POST", "/graphql", graphql, "issues", "write")
