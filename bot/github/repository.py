"""One repository on GitHub: the calls that the bot makes there."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bot.errors import GitHubNotFound, GitHubRejected
from bot.github.answers import (
    Blob,
    Collaborator,
    Comment,
    CommitInfo,
    Issue,
    Made,
    Project,
    Pull,
    Ref,
    Tree,
    read,
)
from bot.github.calls import PER_PAGE, Call
from bot.github.graphql import minimize_comment
from bot.github.snapshot import take_snapshot
from bot.models import Permission, Person

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.github.answers import CommitAuthor, TreeEntry, TreeItem
    from bot.github.calls import Bearer, Calls
    from bot.models import IssueSnapshot, RepositoryName

Reaction: TypeAlias = Literal["+1", "-1", "confused", "eyes", "hooray", "rocket"]

MAX_COMMENTS = 1000
"""How far into a thread we read: ten pages."""
NOBODY = 0
"""The id of a login that no account has."""

_COMMENT = "/issues/comments/{id}"
_PAGED = f"?per_page={PER_PAGE}"


class Repository:
    """One repository. Every method raises GitHubError; what makes a thing is not sent twice."""

    def __init__(self, name: RepositoryName, calls: Calls, bearer: Bearer) -> None:
        """Speak as ``bearer``, whose token's permissions decide what may be done."""
        self.name = name
        self._calls = calls
        self._bearer = bearer

    # People

    async def permission(self, login: str) -> tuple[Person, Permission]:
        """Return who has this login now, and what they may do; with id 0 when nobody has it."""
        path = "/collaborators/{login}/permission"
        try:
            answer = read(Collaborator, await self._ask("GET", path, login=login))
        except GitHubNotFound:
            return Person(login=login, id=NOBODY), Permission.NONE
        for name in (answer.role_name, answer.permission):
            # A role that the organization made up is told as the standard one it is based on.
            if name in set(Permission):
                return answer.user, Permission(name)
        return answer.user, Permission.NONE

    # Threads

    async def issue(self, number: int) -> Issue:
        """Return an issue, or the conversation of a pull request."""
        return read(Issue, await self._ask("GET", "/issues/{number}", number=number))

    async def comments(
        self, number: int, *, since: datetime | None = None, limit: int = MAX_COMMENTS
    ) -> list[Comment]:
        """Return the first comments of a thread, oldest first; ``since`` their last change."""
        path = f"/issues/{{number}}/comments{_PAGED}{{&since}}"
        fields: dict[str, str | int] = {"number": number}
        if since is not None:
            fields["since"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return [read(Comment, item) for item in await self._list(path, limit, **fields)]

    async def issue_snapshot(
        self,
        number: int,
        *,
        frozen_at: datetime,
        command_comment_id: int | None,
        asks_permissions: bool = True,
    ) -> IssueSnapshot:
        """Return the issue and its comments as they were when the command was given."""
        return await take_snapshot(
            self,
            number,
            frozen_at=frozen_at,
            command_comment_id=command_comment_id,
            asks_permissions=asks_permissions,
        )

    async def comment(self, number: int, body: str) -> Comment:
        """Write a comment; it is not sent again when the answer is lost (see ``bot.posting``)."""
        path = "/issues/{number}/comments"
        return read(Comment, await self._ask("POST", path, data={"body": body}, number=number))

    async def edit_comment(self, comment_id: int, body: str) -> Comment:
        """Replace a comment's text; nobody is notified."""
        data = {"body": body}
        return read(Comment, await self._ask("PATCH", _COMMENT, data=data, id=comment_id))

    async def get_comment(self, comment_id: int) -> Comment:
        """Return one comment."""
        return read(Comment, await self._ask("GET", _COMMENT, id=comment_id))

    async def delete_comment(self, comment_id: int) -> None:
        """Take back a comment that was written twice; it may be gone already."""
        try:
            await self._ask("DELETE", _COMMENT, passes_fence=True, id=comment_id)
        except GitHubNotFound:
            return

    async def minimize(self, comment: Comment) -> None:
        """Hide a comment as outdated: people can still open it. A second time changes nothing."""
        await minimize_comment(self._calls, self._bearer, comment.node_id)

    async def react(self, comment_id: int, reaction: Reaction) -> None:
        """React to a comment; a second time changes nothing."""
        path = "/issues/comments/{id}/reactions"
        await self._ask("POST", path, data={"content": reaction}, repeatable=True, id=comment_id)

    async def react_to_issue(self, number: int, reaction: Reaction) -> None:
        """React to an issue's own text; a second time changes nothing."""
        path = "/issues/{number}/reactions"
        await self._ask("POST", path, data={"content": reaction}, repeatable=True, number=number)

    async def add_labels(self, number: int, names: Sequence[str]) -> None:
        """Put labels on an issue; the repository gets those that it does not have yet."""
        path = "/issues/{number}/labels"
        await self._ask("POST", path, data={"labels": [*names]}, repeatable=True, number=number)

    async def remove_label(self, number: int, name: str) -> None:
        """Take a label off an issue; it may be off already."""
        try:
            await self._ask("DELETE", "/issues/{number}/labels/{name}", number=number, name=name)
        except GitHubNotFound:
            return

    # Git data

    async def default_branch(self) -> str:
        """Return the name of the default branch."""
        return read(Project, await self._ask("GET", "")).default_branch

    async def branch(self, name: str) -> str | None:
        """Return the commit that a branch points to; None when there is no such branch."""
        try:
            return read(Ref, await self._ask("GET", "/git/ref/heads/{name}", name=name)).sha
        except GitHubNotFound:
            return None

    async def create_branch(self, name: str, sha: str) -> None:
        """Make a branch; raise GitHubRejected when there is one (see ``branch``)."""
        await self._ask("POST", "/git/refs", data={"ref": f"refs/heads/{name}", "sha": sha})

    async def update_branch(self, name: str, sha: str, *, force: bool) -> None:
        """Point a branch to another commit; without ``force`` only forwards."""
        data = {"sha": sha, "force": force}
        await self._ask("PATCH", "/git/refs/heads/{name}", data=data, name=name)

    async def commit(self, sha: str) -> CommitInfo:
        """Return a commit; raise GitHubNotFound when the repository does not have it."""
        return read(CommitInfo, await self._ask("GET", "/git/commits/{sha}", sha=sha))

    async def tree(self, sha: str) -> tuple[TreeItem, ...]:
        """Return what lies in a directory; its own directories are trees of their own."""
        found = read(Tree, await self._ask("GET", "/git/trees/{sha}", sha=sha))
        if found.truncated:
            message = f"GitHub shows only a part of the directory {sha}"
            raise GitHubRejected(message)
        return found.tree

    async def blob(self, sha: str) -> bytes:
        """Return the content of a file, up to 100 MB (GitHub's limit)."""
        return read(Blob, await self._ask("GET", "/git/blobs/{sha}", sha=sha)).data

    async def create_blob(self, content: bytes) -> str:
        """Store a file's content and return its sha."""
        data = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
        return await self._make("/git/blobs", data)

    async def create_tree(self, base_tree: str, entries: Sequence[TreeEntry]) -> str:
        """Store a tree, which is the base with these files put in or taken out; return its sha."""
        listed = [{"type": "blob", **entry.model_dump()} for entry in entries]
        return await self._make("/git/trees", {"base_tree": base_tree, "tree": listed})

    async def create_commit(
        self,
        message: str,
        *,
        tree: str,
        parents: Sequence[str],
        author: CommitAuthor | None = None,
    ) -> str:
        """Store a commit and return its sha: the same again when ``author`` (with date) is given.

        Without ``author`` it is the App's and signed by GitHub.
        """
        data: dict[str, Any] = {"message": message, "tree": tree, "parents": list(parents)}
        if author is not None:
            data["author"] = data["committer"] = author.model_dump(mode="json")
        return await self._make("/git/commits", data)

    # Pull requests

    async def pull(self, number: int) -> Pull:
        """Return a pull request."""
        return read(Pull, await self._ask("GET", "/pulls/{number}", number=number))

    async def find_pull(self, branch: str, *, base: str | None = None) -> Pull | None:
        """Return the pull request from this repository's ``branch``: an open one, else the newest.

        A fork's branch of the same name is not it.
        """
        path = f"/pulls{_PAGED}&state=all&sort=created&direction=desc{{&head,base}}"
        fields = {"head": f"{self.name.owner}:{branch}"} | ({"base": base} if base else {})
        found = [read(Pull, item) for item in await self._list(path, PER_PAGE, **fields)]
        ours = [pull for pull in found if self._is_from(pull, branch)]
        return next((pull for pull in ours if pull.state == "open"), ours[0] if ours else None)

    async def create_pull(
        self, title: str, body: str, *, head: str, base: str, draft: bool = True
    ) -> Pull:
        """Open a pull request; raise GitHubRejected when the branch has one (see ``find_pull``)."""
        data = {"title": title, "body": body, "head": head, "base": base, "draft": draft}
        return read(Pull, await self._ask("POST", "/pulls", data=data))

    async def edit_pull(self, number: int, *, title: str, body: str) -> Pull:
        """Replace a pull request's title and text."""
        data = {"title": title, "body": body}
        return read(Pull, await self._ask("PATCH", "/pulls/{number}", data=data, number=number))

    def _is_from(self, pull: Pull, branch: str) -> bool:
        home = (pull.head_repository or "").lower()
        return pull.head_branch == branch and home == str(self.name).lower()

    async def _make(self, path: str, data: dict[str, Any]) -> str:
        """Store a git object: made twice it is the same one, or one that nothing points to."""
        return read(Made, await self._ask("POST", path, data=data, repeatable=True)).sha

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        data: object = b"",
        repeatable: bool = False,
        passes_fence: bool = False,
        **fields: str | int,
    ) -> object:
        call = self._call(method, path, data=data, repeatable=repeatable, fields=fields)
        return await self._calls.send(replace(call, passes_fence=passes_fence))

    async def _list(self, path: str, limit: int, **fields: str | int) -> list[object]:
        call = self._call("GET", path, data=b"", repeatable=True, fields=fields)
        return await self._calls.pages(call, limit=limit)

    def _call(
        self,
        method: str,
        path: str,
        *,
        data: object,
        repeatable: bool,
        fields: dict[str, str | int],
    ) -> Call:
        return Call(
            method=method,
            url=f"/repos/{{owner}}/{{repo}}{path}",
            fields={"owner": self.name.owner, "repo": self.name.name, **fields},
            data=data,
            repeatable=repeatable,
            bearer=self._bearer,
        )
