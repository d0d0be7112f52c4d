"""Pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.github.memory import Pull
from tests.fakes.github.replies import Refused, Reply, Route, paged
from tests.fakes.github.thread_shapes import PullSize

if TYPE_CHECKING:
    from tests.fakes.github.memory import Issue, Project
    from tests.fakes.github.replies import Incoming
    from tests.fakes.github.shapes import Json
    from tests.fakes.github.world import World


async def list_pulls(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/pulls``; a ``head`` that is not ``owner:branch`` is no filter."""
    query = call.query
    wanted, (owner, colon, branch) = (
        query.get("state", "open"),
        query.get("head", "").partition(":"),
    )
    found: list[tuple[Issue, Pull]] = []
    for issue in call.project.issues.values():
        pull = issue.pull
        if pull is None or wanted not in {"all", issue.state}:
            continue
        if colon and (owner.lower(), branch) != (call.project.owner.login.lower(), pull.head):
            continue
        if query.get("base") in {None, "", pull.base}:
            found.append((issue, pull))
    found.sort(key=lambda pair: pair[0].number, reverse=query.get("direction", "desc") == "desc")
    page, headers = paged(call, found)
    shaped = [world.threads.simple_pull(call.project, issue, pull) for issue, pull in page]
    return Reply(200, shaped, headers)


async def create_pull(world: World, call: Incoming) -> Reply:
    """``POST /repos/{owner}/{repo}/pulls``: from a branch of the same repository."""
    project, git = call.project, call.project.git
    head, base = call.text("head").removeprefix(f"{call.project.owner.login}:"), call.text("base")
    head_sha, base_sha = await git.branch(head), await git.branch(base)
    for field, sha in (("head", head_sha), ("base", base_sha)):
        if sha is None:
            error = {"resource": "PullRequest", "field": field, "code": "invalid"}
            raise Refused(422, "Validation Failed", errors=[error])
    if any(_is_open(issue, head, base) for issue in project.issues.values()):
        message = f"A pull request already exists for {project.owner.login}:{head}."
        raise _refused(message)
    if await git.count(base, head) == 0:
        raise _refused(f"No commits between {base} and {head}")
    issue = world.add_issue(
        project,
        title=call.text("title"),
        body=call.body.get("body"),
        author=call.actor,
        pull=Pull(
            id=world.next_id(),
            head=head,
            base=base,
            base_sha=str(base_sha),
            draft=bool(call.body.get("draft", False)),
            head_sha=str(head_sha),
        ),
    )
    await world.tell("pull", project, text=issue.body or "", number=issue.number)
    return Reply(201, await _shaped(world, project, issue))


async def get_pull(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/pulls/{pull_number}``."""
    issue = world.issue(call.project, call.number("pull_number"))
    return Reply(200, await _shaped(world, call.project, issue))


async def update_pull(world: World, call: Incoming) -> Reply:
    """``PATCH /repos/{owner}/{repo}/pulls/{pull_number}``."""
    issue = world.issue(call.project, call.number("pull_number"))
    shaped = await _shaped(world, call.project, issue)
    world.rewrite(issue, title=call.body.get("title"), body=call.body.get("body"))
    await world.tell("pull_edited", call.project, text=issue.body or "", number=issue.number)
    return Reply(200, shaped | {"title": issue.title, "body": issue.body})


async def _shaped(world: World, project: Project, issue: Issue) -> Json:
    pull = issue.pull
    if pull is None:
        raise Refused(404, "Not Found")
    sizes = await project.git.sizes(pull.base_sha, pull.head_sha)
    size = PullSize(
        commits=await project.git.count(pull.base_sha, pull.head_sha),
        files=len(sizes),
        added=sum(added for added, _ in sizes.values()),
        removed=sum(removed for _, removed in sizes.values()),
    )
    return world.threads.pull(project, issue, pull, size)


def _is_open(issue: Issue, head: str, base: str) -> bool:
    pull = issue.pull
    return pull is not None and issue.state == "open" and (pull.head, pull.base) == (head, base)


def _refused(message: str) -> Refused:
    error = {"resource": "PullRequest", "code": "custom", "message": message}
    return Refused(422, "Validation Failed", errors=[error])


_PULLS = "/repos/{owner}/{repo}/pulls"

ROUTES = (
    Route("GET", _PULLS, list_pulls, "pull_requests"),
    Route("POST", _PULLS, create_pull, "pull_requests", "write"),
    Route("GET", f"{_PULLS}/{{pull_number}}", get_pull, "pull_requests"),
    Route("PATCH", f"{_PULLS}/{{pull_number}}", update_pull, "pull_requests", "write"),
)
