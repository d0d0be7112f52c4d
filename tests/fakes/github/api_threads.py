"""Issues, comments, reactions and labels."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tests.fakes.github.replies import Refused, Reply, Route, as_list, invalid, paged
from tests.fakes.github.thread_shapes import REACTIONS

if TYPE_CHECKING:
    from tests.fakes.github.memory import Reaction
    from tests.fakes.github.replies import Incoming
    from tests.fakes.github.world import World

MAX_LABEL = 50
"""Characters of a label's name."""


async def get_issue(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/issues/{issue_number}``."""
    issue = world.issue(call.project, call.number("issue_number"))
    return Reply(200, world.threads.issue(call.project, issue))


async def list_comments(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/issues/{issue_number}/comments``: oldest first."""
    issue = world.issue(call.project, call.number("issue_number"))
    since = datetime.fromisoformat(call.query.get("since", "2000-01-01T00:00:00Z"))
    page, headers = paged(call, [each for each in issue.comments if each.updated_at >= since])
    shaped = [world.threads.comment(call.project, comment) for comment in page]
    return Reply(200, shaped, headers)


async def list_all_comments(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/issues/comments``: of every thread, since a change."""
    order = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    since = datetime.fromisoformat(call.query.get("since", "2000-01-01T00:00:00Z"))
    there = [each for issue in call.project.issues.values() for each in issue.comments]
    wanted = [each for each in there if each.updated_at >= since]
    descending = call.query.get("direction") == "desc"
    wanted.sort(key=lambda each: (getattr(each, order), each.id), reverse=descending)
    page, headers = paged(call, wanted)
    shaped = [world.threads.comment(call.project, comment) for comment in page]
    return Reply(200, shaped, headers)


async def create_comment(world: World, call: Incoming) -> Reply:
    """``POST /repos/{owner}/{repo}/issues/{issue_number}/comments``."""
    number = call.number("issue_number")
    body = call.text("body")
    comment = world.add_comment(call.project, number, author=call.actor, body=body)
    await world.tell("comment", call.project, text=body, number=number, comment_id=comment.id)
    return Reply(201, world.threads.comment(call.project, comment))


async def get_comment(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/issues/comments/{comment_id}``."""
    comment = world.comment(call.project, call.number("comment_id"))
    return Reply(200, world.threads.comment(call.project, comment))


async def update_comment(world: World, call: Incoming) -> Reply:
    """``PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}``: an App's own only."""
    comment = world.comment(call.project, call.number("comment_id"))
    if comment.author is not call.actor:
        raise Refused(403, "Resource not accessible by integration")
    body = call.text("body")
    world.edit_comment(comment, body)
    await world.tell(
        "comment_edited", call.project, text=body, number=comment.number, comment_id=comment.id
    )
    return Reply(200, world.threads.comment(call.project, comment))


async def delete_comment(world: World, call: Incoming) -> Reply:
    """``DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}``: an App's own only."""
    comment = world.comment(call.project, call.number("comment_id"))
    if comment.author is not call.actor:
        raise Refused(403, "Resource not accessible by integration")
    world.issue(call.project, comment.number).comments.remove(comment)
    return Reply(204)


async def react_to_comment(world: World, call: Incoming) -> Reply:
    """``POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions``."""
    comment = world.comment(call.project, call.number("comment_id"))
    reply, is_new = _react(world, call, comment.reactions)
    if is_new:
        content = call.text("content")
        await world.tell(
            "comment_reaction",
            call.project,
            text=content,
            number=comment.number,
            comment_id=comment.id,
        )
    return reply


async def react_to_issue(world: World, call: Incoming) -> Reply:
    """``POST /repos/{owner}/{repo}/issues/{issue_number}/reactions``."""
    issue = world.issue(call.project, call.number("issue_number"))
    reply, is_new = _react(world, call, issue.reactions)
    if is_new:
        content = call.text("content")
        await world.tell("issue_reaction", call.project, text=content, number=issue.number)
    return reply


def _react(world: World, call: Incoming, reactions: list[Reaction]) -> tuple[Reply, bool]:
    content = call.text("content")
    if content not in REACTIONS:
        raise Refused(422, "Validation Failed", errors=["content is not a reaction"])
    reaction, is_new = world.react(reactions, content, call.actor)
    return Reply(201 if is_new else 200, world.threads.reaction(reaction)), is_new


async def add_labels(world: World, call: Incoming) -> Reply:
    """``POST /repos/{owner}/{repo}/issues/{issue_number}/labels``: new ones are made."""
    issue = world.issue(call.project, call.number("issue_number"))
    for name in as_list(call.body.get("labels")):
        if not isinstance(name, str) or not 0 < len(name) <= MAX_LABEL:
            raise invalid("Label", "name", f"name is too long (maximum is {MAX_LABEL} characters)")
        label = world.label(call.project, name)
        if label in issue.labels:
            continue
        issue.labels.append(label)
        issue.updated_at = world.now()
        await world.tell("label_added", call.project, text=label.name, number=issue.number)
    return Reply(200, [world.threads.label(call.project, label) for label in issue.labels])


async def remove_label(world: World, call: Incoming) -> Reply:
    """``DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}``."""
    issue = world.issue(call.project, call.number("issue_number"))
    name = call.path["name"].lower()
    kept = [label for label in issue.labels if label.name.lower() != name]
    if len(kept) == len(issue.labels):
        raise Refused(404, "Label does not exist")
    issue.labels = kept
    issue.updated_at = world.now()
    await world.tell("label_removed", call.project, text=call.path["name"], number=issue.number)
    return Reply(200, [world.threads.label(call.project, label) for label in kept])


_ISSUES = "/repos/{owner}/{repo}/issues"
_COMMENT = f"{_ISSUES}/comments/{{comment_id}}"
_ISSUE = f"{_ISSUES}/{{issue_number}}"

ROUTES = (
    Route("GET", f"{_ISSUES}/comments", list_all_comments, "issues"),
    Route("GET", _COMMENT, get_comment, "issues"),
    Route("PATCH", _COMMENT, update_comment, "issues", "write"),
    Route("DELETE", _COMMENT, delete_comment, "issues", "write"),
    Route("POST", f"{_COMMENT}/reactions", react_to_comment, "issues", "write"),
    Route("GET", _ISSUE, get_issue, "issues"),
    Route("GET", f"{_ISSUE}/comments", list_comments, "issues"),
    Route("POST", f"{_ISSUE}/comments", create_comment, "issues", "write"),
    Route("POST", f"{_ISSUE}/reactions", react_to_issue, "issues", "write"),
    Route("POST", f"{_ISSUE}/labels", add_labels, "issues", "write"),
    Route("DELETE", f"{_ISSUE}/labels/{{name}}", remove_label, "issues", "write"),
)
