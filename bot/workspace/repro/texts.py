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
_FAILURE = re.compile(
    r"repro|minimi[sz]|minimal|simpl(?:er|est|ified|ify)|smaller|shorter|fail|crash|assert|raise"
    r"|(?:the|this|same|an|with|get|following) errors?|errors? out|problem|observ|unexpected"
    r"|wrong|incorrect|hang|deadlock|leak|segfault|\bnan\b|\bbug|bisect|regress|broken|slow"
    r"|mismatch|differ|happens|trigger|issue|another (?:\S+ )?example|not supported|unsupported"
    r"|(?:not|n['\u2019]t) (?:work|compile|behave|match)",
    re.IGNORECASE,
)
"""What an insider says about code that shows the failure, not how to do a thing."""
_LINK = re.compile(r"https?://\S+")
_REMARK = re.compile(r"#[^\n]*(?:error|bug|fail|crash|wrong|raise)", re.IGNORECASE)
"""A comment in code about what goes wrong."""
_SOLVED = re.compile(
    r"\b(?:found|figured out|came up with) (?:\S+ ){0,4}(?:solution|work-?around|fix|way|answer)\b"
    r"|\b(?:verified|confirm(?:ed)?) that it (?:is )?work"
    r"|\b(?:is|are|it's) (?:now working|working now|solved|resolved)\b"
    r"|\b(?:solved|resolved|fixed) (?:it|this|the (?:issue|problem)) (?:by|with)\b"
    r"|\b(?:solved|resolved|fixed|answer(?:s|ed)) my (?:issue|problem|question|doubt|case)"
    r"|\b(?:this|that|it) (?:worked|helped|works now)[.!]"
    r"|\b(?:here(?:'s| is)|there(?:'s| is)) (?:a|my|the|one) (?:\S+ )?work-?around\b",
    re.IGNORECASE,
)
"""How a comment begins that shows what helps."""
_IS_OF_REPRO = re.compile(r"repro|minimal|fail|crash|error", re.IGNORECASE)
_BEGINNING = 400
_WORKS = re.compile(
    r"\W*(?:(?:and|but|so|now|then|this|that|it|which|the|above|code|script|example|snippet|all"
    r"|also|just|seems?|to|my)\s+)*(?:works?|pass(?:es)?|succeeds?|runs)"
    r"(?:\s+(?:fine|well|ok|okay|now|for|me|us|correctly|as|expected|too|here|and|successfully"
    r"|without|any|errors?|issues?|problems?|produces?|gives?|a|the|correct|right|graph|results?)\b)*"
    r"\s*(?:[.!?:,\n]|$)",
    re.IGNORECASE,
)
_IS_NOT_REPRODUCED = re.compile(
    r"\W*(?:(?:it|this|that|which|i|we|and|but|still|code|the|script|above|snippet|issue|am)\s+)*"
    r"(?:(?:does|did|could|do) ?(?:not|n['\u2019]t)|can ?not|can['\u2019]t|unable to)\s+repr?o\w*"
    r"(?:\s+(?:for me|for us|here|any ?more|locally|now|on (?:main|master|nightly)))*"
    r"\s*(?:[.!?:,\n]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Text:
    """One text that counts: of the reporter, or of somebody the project trusts."""

    source: str
    """``body``, ``comment 3 by someone``."""
    blocks: list[Block]
    is_body: bool
    is_of_insider: bool = False
    shows_help: bool = False
    """Whether it begins with what helps against the failure."""

    def counts(self, block: Block) -> bool:
        """Whether code at this block may be the repro, by what its writer says around it.

        In the body all may be. In a comment the words after it take it back: ``This works.`` What
        an insider shows counts when he calls it the failure, or says nothing before it.
        """
        if self.is_body:
            return True
        if _WORKS.match(block.trail) or _IS_NOT_REPRODUCED.match(block.trail):
            return False
        if self.shows_help and not _IS_OF_REPRO.search(block.lead[-_BEGINNING:]):
            return False
        return not self.is_of_insider or _shows_failure(block)

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
        text = Text(
            source=source,
            blocks=blocks,
            is_body=False,
            is_of_insider=not is_own,
            shows_help=_SOLVED.search(_own_words(comment.body)[:_BEGINNING]) is not None,
        )
        (own if is_own else others).append(text)
    own.append(Text(source="body", blocks=read(issue.body), is_body=True))
    return own, others


def _own_words(body: str) -> str:
    """Leave out what a comment quotes."""
    return "\n".join(line for line in body.split("\n") if not line.startswith(">"))


def _shows_failure(block: Block) -> bool:
    if not block.lead and not block.heading:
        return True
    words = _LINK.sub(" ", f"{block.heading}\n{block.lead}\n{block.trail}")
    return _FAILURE.search(words) is not None or _REMARK.search(block.text) is not None
