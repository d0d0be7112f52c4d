"""The Git Data API: blobs, trees, commits and branches."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, cast

from tests.fakes.github.git import Entry, GitFailed, Signature
from tests.fakes.github.replies import Refused, Reply, Route, as_list
from tests.fakes.github.shapes import Json, node_id, stamp

if TYPE_CHECKING:
    from tests.fakes.github.git import Commit
    from tests.fakes.github.memory import Project
    from tests.fakes.github.replies import Incoming
    from tests.fakes.github.world import World

_HEADS = "refs/heads/"


async def create_blob(world: World, call: Incoming) -> Reply:
    """``POST /repos/{owner}/{repo}/git/blobs``."""
    content = call.text("content").encode()
    if call.body.get("encoding", "utf-8") == "base64":
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error as error:
            raise Refused(422, "content is not valid Base64") from error
    sha = await call.project.git.write_blob(content)
    return Reply(201, {"sha": sha, "url": _url(world, call.project, "blobs", sha)})


async def create_tree(world: World, call: Incoming) -> Reply:
    """``POST /repos/{owner}/{repo}/git/trees``."""
    git = call.project.git
    base = call.body.get("base_tree")
    if base is not None and await git.kind(str(base)) not in {"tree", "commit"}:
        raise Refused(422, "base_tree is not a valid tree")
    entries = [_entry(item) for item in as_list(call.body.get("tree"))]
    for entry in entries:
        if entry.sha is not None and await git.kind(entry.sha) != entry.type:
            raise Refused(422, f"tree.sha {entry.sha} is not a valid {entry.type}")
    try:
        sha = await git.write_tree(base, entries)
    except GitFailed as error:
        raise Refused(422, "tree contains an invalid path or entry") from error
    return Reply(201, await _tree(world, call.project, sha))


async def _tree(world: World, project: Project, sha: str) -> Json:
    listed: list[Json] = [
        {"path": entry.path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
        | ({} if entry.size is None else {"size": entry.size})
        | {"url": _url(world, project, f"{entry.type}s", str(entry.sha))}
        for entry in await project.git.entries(sha)
    ]
    url = _url(world, project, "trees", sha)
    return {"sha": sha, "url": url, "tree": listed, "truncated": False}


async def get_tree(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/git/trees/{tree_sha}``: one directory."""
    git, sha = call.project.git, call.path["tree_sha"]
    if await git.kind(sha) != "tree":
        raise Refused(404, "Not Found")
    return Reply(200, await _tree(world, call.project, sha))


async def get_blob(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/git/blobs/{file_sha}``."""
    git, sha = call.project.git, call.path["file_sha"]
    if await git.kind(sha) != "blob":
        raise Refused(404, "Not Found")
    content = await git.read_blob(sha)
    told: Json = {
        "sha": sha,
        "node_id": node_id("Blob", int(sha[:12], 16)),
        "size": len(content),
        "url": _url(world, call.project, "blobs", sha),
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }
    return Reply(200, told)


def _entry(item: object) -> Entry:
    if not isinstance(item, dict):
        raise Refused(422, "tree must be a list of objects")
    told = cast("dict[str, Any]", item)
    if told.get("mode") not in {"100644", "100755", "040000", "160000", "120000"}:
        raise Refused(422, "tree.mode must be one of 100644, 100755, 040000, 160000, 120000")
    return Entry(str(told.get("path")), told["mode"], str(told.get("type")), told.get("sha"))


async def create_commit(world: World, call: Incoming) -> Reply:
    """``POST /repos/{owner}/{repo}/git/commits``."""
    git = call.project.git
    tree = call.text("tree")
    if await git.kind(tree) != "tree":
        raise Refused(422, "Tree SHA does not exist")
    parents = [str(parent) for parent in as_list(call.body.get("parents", []))]
    for parent in parents:
        if await git.kind(parent) != "commit":
            raise Refused(422, "Parent SHA does not exist or is not a commit object")
    bot = call.actor
    email = f"{bot.id}+{bot.login}@users.noreply.github.com"
    ours = Signature(bot.login, email, stamp(world.now()))
    author = _signature(call.body.get("author"), default=ours)
    sha = await git.write_commit(
        call.text("message"),
        tree=tree,
        parents=parents,
        author=author,
        committer=_signature(call.body.get("committer"), default=author),
    )
    return Reply(201, _commit(world, call.project, await git.commit(sha)))


def _signature(given: object, *, default: Signature) -> Signature:
    if not isinstance(given, dict):
        return default
    who = cast("dict[str, Any]", given)
    if not (who.get("name") and who.get("email")):
        raise Refused(422, "Invalid request.\n\nname and email are required.")
    return Signature(who["name"], who["email"], str(who.get("date") or default.date))


async def get_commit(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/git/commits/{commit_sha}``."""
    git, sha = call.project.git, call.path["commit_sha"]
    if await git.kind(sha) != "commit":
        raise Refused(404, "Not Found")
    return Reply(200, _commit(world, call.project, await git.commit(sha)))


async def get_ref(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/git/ref/{ref}``: this one, not those that begin so."""
    name = _branch(call.path["ref"])
    sha = await call.project.git.branch(name)
    if sha is None:
        raise Refused(404, "Not Found")
    return Reply(200, _ref(world, call.project, name, sha))


async def create_ref(world: World, call: Incoming) -> Reply:
    """``POST /repos/{owner}/{repo}/git/refs``."""
    git, sha, ref = call.project.git, call.text("sha"), call.text("ref")
    if not ref.startswith(_HEADS):
        raise Refused(422, "Reference name must start with 'refs/heads/'")
    name = ref.removeprefix(_HEADS)
    if await git.branch(name) is not None:
        raise Refused(422, "Reference already exists")
    if await git.kind(sha) != "commit":
        raise Refused(422, "Object does not exist")
    try:
        await git.set_branch(name, sha)
    except GitFailed as error:
        raise Refused(422, f"{ref} is not a valid ref name.") from error
    await world.tell("branch", call.project, text=name)
    return Reply(201, _ref(world, call.project, name, sha))


async def update_ref(world: World, call: Incoming) -> Reply:
    """``PATCH /repos/{owner}/{repo}/git/refs/{ref}``."""
    git, sha, name = call.project.git, call.text("sha"), _branch(call.path["ref"])
    old = await git.branch(name)
    if old is None:
        raise Refused(422, "Reference does not exist")
    if await git.kind(sha) != "commit":
        raise Refused(422, "Object does not exist")
    if not call.body.get("force", False) and not await git.is_ancestor(old, sha):
        raise Refused(422, "Update is not a fast forward")
    await git.set_branch(name, sha)
    for issue in call.project.issues.values():
        if issue.pull is not None and issue.pull.head == name and issue.state == "open":
            issue.pull.head_sha = sha
    await world.tell("branch", call.project, text=name)
    return Reply(200, _ref(world, call.project, name, sha))


def _branch(ref: str) -> str:
    if not ref.startswith("heads/"):
        raise Refused(404, "Not Found")
    return ref.removeprefix("heads/")


def _url(world: World, project: Project, kind: str, sha: str) -> str:
    return f"{world.shapes.project_api(project)}/git/{kind}/{sha}"


def _ref(world: World, project: Project, name: str, sha: str) -> Json:
    return {
        "ref": f"{_HEADS}{name}",
        "node_id": node_id("Ref", project.id),
        "url": _url(world, project, "refs/heads", name),
        "object": {"sha": sha, "type": "commit", "url": _url(world, project, "commits", sha)},
    }


def _commit(world: World, project: Project, commit: Commit) -> Json:
    page = f"{world.shapes.site}/{project.full_name}/commit"
    unsigned = {
        "verified": False,
        "reason": "unsigned",
        "signature": None,
        "payload": None,
        "verified_at": None,
    }
    return {
        "sha": commit.sha,
        "node_id": node_id("Commit", project.id),
        "url": _url(world, project, "commits", commit.sha),
        "html_url": f"{page}/{commit.sha}",
        "author": _who(commit.author),
        "committer": _who(commit.committer),
        "tree": {"sha": commit.tree, "url": _url(world, project, "trees", commit.tree)},
        "message": commit.message,
        "parents": [
            {
                "sha": parent,
                "url": _url(world, project, "commits", parent),
                "html_url": f"{page}/{parent}",
            }
            for parent in commit.parents
        ],
        "verification": unsigned,
    }


def _who(signature: Signature) -> Json:
    return {"name": signature.name, "email": signature.email, "date": signature.date}


_GIT = "/repos/{owner}/{repo}/git"

ROUTES = (
    Route("POST", f"{_GIT}/blobs", create_blob, "contents", "write"),
    Route("GET", f"{_GIT}/blobs/{{file_sha}}", get_blob, "contents"),
    Route("GET", f"{_GIT}/trees/{{tree_sha}}", get_tree, "contents"),
    Route("POST", f"{_GIT}/trees", create_tree, "contents", "write"),
    Route("POST", f"{_GIT}/commits", create_commit, "contents", "write"),
    Route("GET", f"{_GIT}/commits/{{commit_sha}}", get_commit, "contents"),
    Route("GET", f"{_GIT}/ref/{{ref}}", get_ref, "contents"),
    Route("POST", f"{_GIT}/refs", create_ref, "contents", "write"),
    Route("PATCH", f"{_GIT}/refs/{{ref}}", update_ref, "contents", "write"),
)
