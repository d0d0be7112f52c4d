"""What the words around a block of code say about it: the repro, or something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.workspace.repro.blocks import BlockKind

if TYPE_CHECKING:
    from bot.workspace.repro.blocks import Block

_GOOD = re.compile(
    r"repro|minimal|minified|minimum|self[- ]contained|stand-?alone|\bscripts?\b|test ?case"
    r"|\bMW?E\b|\bMRE\b|actual behaviou?r"
    r"|following code|code snippet|sample code|example code|run this|code to\s+\w"
    r"|save (?:this|the)",
    re.IGNORECASE,
)
_BAD = re.compile(
    r"work[- ]?around|expected (?:behaviou?r|output|result)|solution|propos|suggest|alternativ"
    r"|instead(?! of (?:\w+ ){0,3}(?:error|exception|failure))"
    r"|fix(?:es|ed)? (?:it|this|the|by|with)"
    r"|works? (?:fine|well|correctly|normally|as expected|if|when|for me|now)"
    r"|(?:acts?|behaves?|runs?) (?:correctly|properly|as expected)"
    r"|(?:returns?|gives?|produces?|yields?|outputs?|results?) (?:in )?(?:the |an? )?"
    r"(?:correct|right|expected)"
    r" (?!error|exception|failure)"
    r"|no (?:error|problem|issue)s? (?:when|if|with)"
    r"|\bno (?:crash|hang|leak|segfault|nan)"
    r"|(?:does not|doesn't|cannot|can't|not) reproduce|\bno(?:t|n)?[- ](?:a |the )?repro\b"
    r"|(?:code|it|this|which|script) (?:succeeds|passes|runs (?:fine|normally|smoothly))"
    r"|without (?:any )?error|(?:does|did)(?:n't| not) (?:fail|crash|break)\b"
    r"|(?:does|did)(?:n't| not) cause (?:(?:an?|any|the|this|such) )?(?:error|problem|issue|crash)"
    r"|way to (?:make|get) (?:it|this|that) work"
    r"|(?:make|get) [^.\n]{1,40} ['\"`\u201c]work['\"`\u201d]"
    r"|(?:error|warning|problem|issue|crash|it) (?:disappear|goes away|went away|is gone|vanish)"
    r"|(?:please|can you|could you)(?: please)? (?:try|run|give|provide|share)|output of"
    r"|\b(?:solved|hack|monkey-?patch|never ?mind)\b|found (?:it|the (?:answer|way))"
    r"|in the meantime|to avoid (?:it|this|the)|be avoided|had to (?:write|change|use|do)"
    r"|you (?:should|can|could|may|might|need to|have to) (?:\w+ )?(?:do|use|write|call)\b"
    r"|(?:right|correct|usual|proper) way|here(?:'s| is) (?:the|my) (?:output|result)"
    r"|seems? to (?:be )?(?:match|work|pass|fine|ok)"
    r"|generated code|output[_ ]code|source code of|implementation (?:of|in)|should (?:be|look)",
    re.IGNORECASE,
)
_BAD_END = re.compile(
    r"\b(?:works|(?:will|would) work|passes|succeeds"
    r"|(?:is|are|runs) (?:fine|okay|ok|correct|good|right))\W*$"
    r"|^\W*(?:good|ok|okay|fine|correct)\W*$"
    r"|\b(?:it|this|that|code|which) works (?:on|in|with|under)"
    r"(?: (?!(?:but|while)\b)[\w.]+){1,4}:?\s*$",
    re.IGNORECASE,
)
"""A sentence that ends so right before a block."""
_BAD_HEADING = re.compile(
    r"^\W*(?:versions?|environment|error logs?|logs?|expected|stack ?trace|traceback"
    r"|alternatives|work-?arounds?)\b",
    re.IGNORECASE,
)
_NEVER = re.compile(
    r"^\W*(?:expected (?:behaviou?r|output|results?)|alternatives)\b", re.IGNORECASE
)
"""Headings under which stands what would be right."""
_FAILS = re.compile(
    r"^\W*bad\W*$|\b(?:fails?|crash(?:es)?|raises?|hangs?|errors?|repro\w*|wrong|incorrect|unexpected"
    r"|inconsistent|not (?:right|correct|expected|detected|found|recogni[sz]ed))\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:\bnot|n['\u2019]t|\bnever|\bno longer)(?: always| even| really)?(?: seems? to)?"
    r" (?:work|act|behave|run|return|give|produce|yield|output|pass|succeed|match)\b(?: \w+)?",
    re.IGNORECASE,
)
"""What is said not to work; ``works correctly`` would say that it does."""
_ASKED_TO_REPRODUCE = re.compile(
    r"(?:please|can you|could you)(?: please)? (?:try|run)(?=[^.\n]{0,80}\brepro)", re.IGNORECASE
)
"""Who is asked to run something to see the failure gets no remedy to try."""
_MACHINE = re.compile(r"^\W*(?:versions?|environment|system info\w*)\b", re.IGNORECASE)
_REPRO = re.compile(r"\brepro", re.IGNORECASE)
_TURN = re.compile(r"\W*(?:however|but|whereas|yet|while)\W*", re.IGNORECASE)
"""The only words between what works as it should and what does not."""
_ALSO = re.compile(
    r"\b(?:also|alike|similar(?:ly)?|likewise|the same (?:error|issue|problem|thing|way))\b",
    re.IGNORECASE,
)
_GENERATED = re.compile(r"^(?:# AOT ID: |async_compile = AsyncCompile\(\))", re.MULTILINE)
"""Code that Inductor wrote."""
_REMARK = re.compile(r"#[^\n]*\b\w*(?:Error|Exception)\b")
"""A remark in code about the error that comes."""
_NEAR = 200
_WORKS_AFTER = re.compile(
    r"\W*(?:as expected,|(?:(?:and|but|so|now|then|this|that|it|the|above|code|script|example"
    r"|snippet|everything)\s+)*(?:there (?:is|are|was|were) no (?:more )?"
    r"(?:error|problem|issue|crash|failure)s?"
    r"|(?:works?|passes|succeeds|runs|all is|all goes)"
    r" (?:well|fine|okay|ok|correctly|as expected|without))\b)",
    re.IGNORECASE,
)
"""Words after a block which say that it is what does not fail."""
_SENTENCE = re.compile(r"[.!?]\s+")
_KIND_SCORE = {
    BlockKind.FENCE: 3,
    BlockKind.INDENTED: 2,
    BlockKind.PROSE: 1,
    BlockKind.INLINE: 0,
}


def score(block: Block) -> int:
    """How much a block's surroundings say that it is the repro."""
    lead = block.lead.rpartition("\n\n")[2][-_NEAR:]
    total = _KIND_SCORE[block.kind]
    if _say_else(lead):
        total -= 6
    elif _ALSO.search(_SENTENCE.split(lead)[-1]):
        pass  # of what shows the same, the first is taken
    elif _TURN.fullmatch(lead):
        total += 5
    elif _GOOD.search(lead) or _GOOD.search(block.heading):
        total += 4
    elif _FAILS.search(_SENTENCE.split(lead)[-1]):
        total += 3
    if _REMARK.search(block.text):
        total += 1
    if _GENERATED.search(block.text):
        total -= 6
    if _WORKS_AFTER.match(block.trail):
        total -= 3
    if _BAD_HEADING.search(block.heading):
        total -= 8
    return total


def announce(block: Block) -> bool:
    """Whether a block stands under a heading that promises a repro."""
    return _REPRO.search(block.heading) is not None


def is_of_machine(block: Block) -> bool:
    """Whether a block stands under the heading for what is installed."""
    return _MACHINE.match(block.heading) is not None


def introduce(block: Block) -> bool:
    """Whether the words before a block, or its heading, call it the repro."""
    return not _say_else(block.lead[-_NEAR:]) and _promises(block)


def complain_before(block: Block) -> bool:
    """Whether the words before a block call it the repro, or say that it fails."""
    lead = _NEGATED.sub("fails", block.lead[-_NEAR:])
    return introduce(block) or (not _say_else(lead) and _FAILS.search(lead) is not None)


def _promises(block: Block) -> bool:
    return announce(block) or _REPRO.search(block.lead[-_NEAR:]) is not None


def _say_else(lead: str) -> bool:
    """Whether the words before a block make it something else than the repro."""
    lead = _ASKED_TO_REPRODUCE.sub("fails", _NEGATED.sub("fails", lead))
    if not (_BAD.search(lead) or _BAD_END.search(lead)):
        return False
    last = _SENTENCE.split(lead)[-1]
    return bool(_BAD.search(last) or _BAD_END.search(last) or not _FAILS.search(last))


def is_headed_as_right(block: Block) -> bool:
    """Whether a block stands under a heading that says of it that it works."""
    is_right = _BAD.search(block.heading) or _BAD_END.search(block.heading)
    return is_right is not None and _FAILS.search(block.heading) is None


def show_what_is_right(block: Block) -> bool:
    """Whether a block stands under a heading for what would be right."""
    return _NEVER.match(block.heading) is not None
