"""The issue's thread and the pull request on the screen, as a reader of GitHub sees them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

from demo.comment_text import CODE_THEME, shown
from demo.screen import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from tests.fakes.github import Account, Comment, Issue
    from tests.fakes.github.memory import Reaction

_EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "hooray": "🎉",
    "confused": "😕",
    "heart": "❤",
    "rocket": "🚀",
    "eyes": "👀",
}


def show_issue(console: Console, issue: Issue) -> None:
    """Show the issue and every comment under it."""
    console.print(Text())
    console.print(Rule("The thread", style="cyan"))
    _heading(console, issue, kind=issue.state.capitalize())
    console.print(_entry(issue.author, issue.body or "", issue.association, issue.reactions))
    for comment in issue.comments:
        console.print(_comment(comment))


def show_pull(console: Console, pull: Issue, *, diff: str) -> None:
    """Show a pull request with what it changes."""
    console.print(Text())
    console.print(Rule("The pull request", style="cyan"))
    kind = "Draft" if pull.pull is not None and pull.pull.draft else pull.state.capitalize()
    _heading(console, pull, kind=kind)
    if pull.pull is not None:
        branches = f"wants to merge {pull.pull.head} into {pull.pull.base}"
        console.print(Text(printable(f"{_login(pull.author)} {branches}"), "dim"))
    console.print(_entry(pull.author, pull.body or "", pull.association, pull.reactions))
    console.print(Rule("Its changes", style="cyan"))
    console.print(
        Syntax(
            printable(diff).rstrip("\n"),
            "diff",
            theme=CODE_THEME,
            background_color="default",
            word_wrap=True,
        )
    )


def _heading(console: Console, issue: Issue, *, kind: str) -> None:
    title = Text.assemble((printable(issue.title), "bold"), (f"  #{issue.number}", "dim"))
    labels = "".join(f"  [{label.name}]" for label in issue.labels)
    console.print(title)
    console.print(Text.assemble((kind, "green"), (printable(labels), "dim")))


def _comment(comment: Comment) -> Panel:
    return _entry(
        comment.author,
        comment.body,
        comment.association,
        comment.reactions,
        edited=bool(comment.earlier),
    )


def _entry(
    author: Account | None,
    body: str,
    association: str,
    reactions: Sequence[Reaction],
    *,
    edited: bool = False,
) -> Panel:
    is_bot = author is not None and author.type == "Bot"
    badge = "bot" if is_bot else "" if association == "NONE" else association.capitalize()
    notes = [note for note in (badge, "edited" if edited else "") if note]
    title = Text.assemble((_login(author), "bold"), *(f" · {note}" for note in notes))
    content: list[RenderableType] = [shown(body)]
    if reactions:
        content += [Text(), _reactions(reactions)]
    return Panel(
        Group(*content),
        title=title,
        title_align="left",
        border_style="blue" if is_bot else "dim",
        padding=(0, 1),
    )


def _reactions(reactions: Sequence[Reaction]) -> Text:
    counts = Counter(reaction.content for reaction in reactions)
    return Text("  ".join(f"{_EMOJI.get(name, name)} {count}" for name, count in counts.items()))


def _login(account: Account | None) -> str:
    return "ghost" if account is None else account.login.removesuffix("[bot]")
