"""Whose words count: the reporter's, then those of people whom the project trusts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.workspace.repro.blocks import Block, read

if TYPE_CHECKING:
    from bot.workspace.repro.model import ReproIssue

MAX_COMMENTS = 100
"""The newest comments that are looked at."""

_INSIDERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


@dataclass(frozen=True, slots=True)
class Text:
    """One text that counts: of the reporter, or of somebody the project trusts."""

    source: str
    """``body``, ``comment 3 by someone``."""
    blocks: list[Block]
    is_body: bool

    @property
    def place(self) -> str:
        """The source as a part of a sentence."""
        return f"the {self.source}" if self.source.startswith("body") else self.source


def of(issue: ReproIssue) -> tuple[list[Text], list[Text]]:
    """Return the reporter's texts, newest first (the body last), and the insiders'."""
    own: list[Text] = []
    others: list[Text] = []
    numbered = list(enumerate(issue.comments, start=1))[-MAX_COMMENTS:]
    for number, comment in reversed(numbered):
        is_own = bool(issue.author) and comment.author == issue.author
        if not is_own and comment.association.upper() not in _INSIDERS:
            continue
        blocks = [block for block in read(comment.body) if not block.is_quoted]
        source = f"comment {number} by {comment.author}"
        (own if is_own else others).append(Text(source=source, blocks=blocks, is_body=False))
    own.append(Text(source="body", blocks=read(issue.body), is_body=True))
    return own, others
