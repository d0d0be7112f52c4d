"""Whose words count: the reporter's, then those of people whom the project trusts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.workspace.repro.blocks import Block, read

if TYPE_CHECKING:
    from bot.workspace.repro.model import ReproIssue

MAX_COMMENTS = 100
"""The newest comments that are looked at."""

_INSIDERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_IS_OF_FAILURE = re.compile(
    r"repro|minimi[sz]|minimal|simpl(?:er|est|ified|ify)|smaller|shorter|fail|crash|assert|raise"
    r"|(?:the|this|same|an|with|get|following) errors?|errors? out"
    r"|wrong|incorrect|hang|deadlock|leak|segfault|\bnan\b|\bbug|bisect|regress|broken|slow"
    r"|mismatch|differ|happens|trigger|issue",
    re.IGNORECASE,
)
"""What an insider's comment says if its code is to show the failure, not how to do a thing."""
_IS_CODE_ALONE = re.compile(r"\s*(?:```|~~~)")


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
        if not is_own and not _shows_failure(comment.body):
            continue
        blocks = [block for block in read(comment.body) if not block.is_quoted]
        source = f"comment {number} by {comment.author}"
        (own if is_own else others).append(Text(source=source, blocks=blocks, is_body=False))
    own.append(Text(source="body", blocks=read(issue.body), is_body=True))
    return own, others


def _shows_failure(comment: str) -> bool:
    return bool(_IS_CODE_ALONE.match(comment) or _IS_OF_FAILURE.search(comment))
