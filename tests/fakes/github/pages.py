"""The fake GitHub's pages for people: a thread, a pull request with its diff, a list of threads."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

from tests.fakes.github.markdown import render
from tests.fakes.github.patch_page import file_box, files_of
from tests.fakes.github.replies import Refused
from tests.fakes.github.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tests.fakes.github.memory import Account, Comment, Issue, Project, Pull, Reaction
    from tests.fakes.github.world import World

_EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "hooray": "🎉",
    "confused": "😕",
    "heart": "❤️",
    "rocket": "🚀",
    "eyes": "👀",
}
_COLORS = ("#0969da", "#1a7f37", "#9a6700", "#bc4c00", "#8250df", "#bf3989", "#57606a")
_BOT_COLOR = "#24292f"


class Pages:
    """Shows what the world holds."""

    def __init__(self, world: World) -> None:
        """Show this world."""
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """Return what an aiohttp application serves."""
        return [
            web.get("/", self._index),
            web.get("/avatars/{id}", self._avatar),
            web.get("/{owner}/{repo}", self._threads),
            web.get("/{owner}/{repo}/issues/{number:\\d+}", self._thread),
            web.get("/{owner}/{repo}/pull/{number:\\d+}", self._thread),
        ]

    async def _index(self, _request: web.Request) -> web.Response:
        items = [
            f'<li><a href="/{escape(project.full_name)}">{escape(project.full_name)}</a></li>'
            for project in self._world.projects.values()
        ]
        return _page("Repositories", "", f'<ul class="list">{"".join(items)}</ul>')

    async def _threads(self, request: web.Request) -> web.Response:
        project = self._project(request)
        items = [
            f'<li><a href="{escape(issue.url)}">{escape(issue.title)}</a><br><small class="sub">'
            f"#{issue.number} · {_kind(issue)} · {_count(len(issue.comments), 'comment')}"
            f"</small></li>"
            for issue in sorted(project.issues.values(), key=lambda issue: -issue.number)
        ]
        body = f'<ul class="list">{"".join(items)}</ul>'
        return _page(project.full_name, project.full_name, body)

    async def _thread(self, request: web.Request) -> web.Response:
        project = self._project(request)
        issue = project.issues.get(int(request.match_info["number"]))
        if issue is None:
            raise web.HTTPNotFound
        wanted = "pull" if issue.pull else "issues"
        if f"/{wanted}/" not in request.path:
            raise web.HTTPFound(f"/{project.full_name}/{wanted}/{issue.number}")
        entries = [self._opening(project, issue)]
        entries += [self._comment(project, issue, comment) for comment in issue.comments]
        columns = (
            f'<div class="columns"><div>{"".join(entries)}</div><aside>{_labels(issue)}'
            f"{self._participants(issue)}</aside></div>"
        )
        changes = await self._changes(project, issue.pull) if issue.pull else ""
        title = f"{issue.title} · #{issue.number}"
        return _page(title, project.full_name, _head(issue) + columns + changes)

    async def _avatar(self, request: web.Request) -> web.Response:
        accounts = [each for each in self._world.accounts.values() if str(each.id) == _id(request)]
        if not accounts:
            raise web.HTTPNotFound
        account = accounts[0]
        color = _BOT_COLOR if account.type == "Bot" else _COLORS[account.id % len(_COLORS)]
        letters = escape(account.login[:2].upper())
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">'
            f'<circle cx="20" cy="20" r="20" fill="{color}"/><text x="20" y="26" fill="#fff" '
            f'font-family="sans-serif" font-size="16" text-anchor="middle">{letters}</text></svg>'
        )
        return web.Response(text=svg, content_type="image/svg+xml")

    def _project(self, request: web.Request) -> Project:
        path = request.match_info
        try:
            return self._world.project(f"{path['owner']}/{path['repo']}")
        except Refused as error:
            raise web.HTTPNotFound from error

    def _opening(self, project: Project, issue: Issue) -> str:
        return self._entry(
            project,
            issue.author,
            body=issue.body or "",
            when=_time(issue.created_at),
            badges=_badges(issue.author, issue.association),
            reactions=issue.reactions,
            anchor=f"issue-{issue.id}",
            is_asker=True,
        )

    def _comment(self, project: Project, issue: Issue, comment: Comment) -> str:
        edited = " · edited" if comment.earlier else ""
        return self._entry(
            project,
            comment.author,
            body=comment.body,
            when=_time(comment.created_at) + edited,
            badges=_badges(comment.author, comment.association),
            reactions=comment.reactions,
            anchor=f"issuecomment-{comment.id}",
            is_asker=comment.author is issue.author,
        )

    def _entry(
        self,
        project: Project,
        author: Account | None,
        *,
        body: str,
        when: str,
        badges: str,
        reactions: Sequence[Reaction],
        anchor: str,
        is_asker: bool,
    ) -> str:
        login = "ghost" if author is None else author.login
        shown = login.removesuffix("[bot]")
        number = 0 if author is None else author.id
        html = render(body, repository_url=f"/{project.full_name}")
        text = html or '<p class="empty">No description provided.</p>'
        return (
            f'<div class="entry" id="{anchor}"><img class="avatar" src="/avatars/{number}" alt="">'
            f'<article class="box{" asker" if is_asker else ""}"><header><span>'
            f"<b>{escape(shown)}</b> {when}</span><span>{badges}</span></header>"
            f'<div class="body">{text}</div>{_reactions(reactions)}</article></div>'
        )

    async def _changes(self, project: Project, pull: Pull) -> str:
        files = files_of(await project.git.diff(pull.base_sha, pull.head_sha))
        return f"<h2>Files changed <small>{len(files)}</small></h2>" + "".join(map(file_box, files))

    def _participants(self, issue: Issue) -> str:
        people = [issue.author, *(comment.author for comment in issue.comments)]
        logins = dict.fromkeys(person.login for person in people if person is not None)
        shown = ", ".join(escape(login) for login in logins)
        return f"<section><h4>{_count(len(logins), 'participant')}</h4>{shown}</section>"


def _page(title: str, repository: str, body: str) -> web.Response:
    where = ""
    if repository:
        owner, _, name = map(escape, repository.partition("/"))
        where = f'<a href="/{owner}/{name}">{owner} / <b>{name}</b></a>'
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f'<div class="top">{where or "<b>Repositories</b>"}'
        f"<small>a GitHub with a memory, on this machine</small></div><main>{body}</main></body>"
        "</html>"
    )
    policy = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
    headers = {"Content-Security-Policy": policy}
    return web.Response(text=html, content_type="text/html", headers=headers)


def _head(issue: Issue) -> str:
    author = "ghost" if issue.author is None else issue.author.login.removesuffix("[bot]")
    pull = issue.pull
    if pull is None:
        told = f"opened this issue · {_count(len(issue.comments), 'comment')}"
    else:
        told = (
            f'wants to merge <code class="branch">{escape(pull.head)}</code> into '
            f'<code class="branch">{escape(pull.base)}</code>'
        )
    kind = _kind(issue)
    return (
        f'<div class="head"><h1 class="title">{escape(issue.title)} <span>#{issue.number}</span>'
        f'</h1><span class="state {kind.lower()}">{kind}</span>'
        f'<span class="sub"><b>{escape(author)}</b> {told}</span></div>'
    )


def _kind(issue: Issue) -> str:
    if issue.state == "closed":
        return "Closed"
    return "Draft" if issue.pull is not None and issue.pull.draft else "Open"


def _labels(issue: Issue) -> str:
    labels = [f'<span class="label">{escape(label.name)}</span>' for label in issue.labels]
    return f"<section><h4>Labels</h4>{''.join(labels) or 'None yet'}</section>"


def _badges(author: Account | None, association: str) -> str:
    if author is not None and author.type == "Bot":
        return '<span class="badge">bot</span>'
    if association == "NONE":
        return ""
    return f'<span class="badge">{escape(association.capitalize())}</span>'


def _reactions(reactions: Sequence[Reaction]) -> str:
    counts: dict[str, int] = {}
    for reaction in reactions:
        counts[reaction.content] = counts.get(reaction.content, 0) + 1
    pills = [f"<span>{_EMOJI[content]} {count}</span>" for content, count in counts.items()]
    return f'<div class="reactions">{"".join(pills)}</div>' if pills else ""


def _time(time: datetime) -> str:
    return f'<time datetime="{time.isoformat()}">commented {time:%b %d, %Y, %H:%M} UTC</time>'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _id(request: web.Request) -> str:
    return request.match_info["id"]
