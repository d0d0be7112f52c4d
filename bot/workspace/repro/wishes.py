"""Issues that ask for something, told from those that report a failure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.workspace.repro import sessions, surroundings
from bot.workspace.repro.blocks import BlockKind

if TYPE_CHECKING:
    from bot.workspace.repro.blocks import Block
    from bot.workspace.repro.texts import Text

_HEADING = re.compile(
    r"^\W*(?:the feature, motivation|feature\b|motivation\b|proposal\b|pitch\b|the doc issue"
    r"|documentation\b|questions? and help)",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(r"^\W*(?:the doc issue|documentation\b)", re.IGNORECASE)
_BEHAVIOR = re.compile(
    r"\bunexpected behaviou?r|\bdoes(?: not|n't) work\b|\b(?:raises?|throws?|fails?)\b"
    r"|\bERROR:",
    re.IGNORECASE,
)
_QUOTES = re.compile(r"\b(?:says?|reads?|states?|examples?)\b", re.IGNORECASE)
_QUESTION = re.compile(r"^\W*questions? and help", re.IGNORECASE)
_COMPLAINT = re.compile(
    r"\b(?:unexpected(?:ly)?|wrong|incorrect|bug|we?ie?rd|strange|inconsistent|crash(?:es|ed)?|hangs?"
    r"|leaks?|mismatch|(?:does not|doesn't|not) (?:work|match))\b",
    re.IGNORECASE,
)
"""What a question says that is a report."""
_TITLE = re.compile(
    r"^\W*(?:feature[ -]request|feature\b|proposal\b|RFC\b|documentation:)", re.IGNORECASE
)
_TRACKER = re.compile(r"^\W*(?:tracker\b|umbrella\b)|\btracking issue\b", re.IGNORECASE)
"""Lists of other issues."""
_MARKED_TITLE = re.compile(r"^\W*feature[ -]request\W", re.IGNORECASE)
"""Who writes so means it, in whatever form."""
_REPORT = re.compile(r"^\W*(?:\w+ )?(?:bug|repro|to reproduce)", re.IGNORECASE)
_BUG = re.compile(r"^\W*(?:\w+ )?(?:bug|describe|issue|repro|to reproduce|summary)", re.IGNORECASE)
_FAILURE = re.compile(
    r"Traceback \(most recent|\b\w*(?:Error|Exception):|Segmentation fault|core dumped"
    r"|Illegal instruction|Bus error|\bexc\.\w+: |^[ \t]*ERROR: [A-Z]"
    r"|Killed$|\bOut of memory: Kill|\bld returned 1 exit status|^make(?:\[\d+\])?: \*\*\* ",
    re.MULTILINE,
)


def are_all(title: str, body: Text) -> bool:
    """Whether an issue asks for a feature or other documentation, by its form or title."""
    heading = next((block.heading for block in body.blocks if block.heading), "")
    if _QUESTION.match(heading) and any(_COMPLAINT.search(one.text) for one in body.blocks):
        return False
    if any(one.kind is BlockKind.FENCE and surroundings.introduce(one) for one in body.blocks):
        return False
    if _DOCUMENT.match(heading) and any(map(_shows_behavior, body.blocks)):
        return False
    if _HEADING.match(heading) or _TRACKER.search(title):
        return True
    is_report = (_REPORT if _MARKED_TITLE.match(title) else _BUG).match(heading) is not None
    return _TITLE.match(title) is not None and not is_report


def _shows_behavior(block: Block) -> bool:
    """Whether a block says what happens, or shows it at a prompt."""
    if block.kind is BlockKind.FENCE:
        return sessions.is_session(block.text) and not _QUOTES.search(block.lead)
    return _BEHAVIOR.search(block.text) is not None


def show_failure(text: str) -> bool:
    """Whether a text shows an error all the same."""
    return _FAILURE.search(text) is not None
