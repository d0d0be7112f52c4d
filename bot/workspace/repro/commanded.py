"""Repros that are commands: a shell script, steps that sentences name, a build."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.workspace.repro import (
    launch,
    needs,
    shell,
    surroundings,
    tested,
    wishes,
)
from bot.workspace.repro.blocks import BlockKind
from bot.workspace.repro.model import Repro, ReproIssue, ReproKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.workspace.repro.blocks import Block
    from bot.workspace.repro.texts import Text


_BUILDING = re.compile(
    r"\b(?:re)?(?:buil[dt]|compil|complie|install|wheel|conda|pip|cannot import|link(?:er|ing)"
    r"|setup\.py|from source|cmake|nvcc|undefined (?:reference|symbol)|matching distribution"
    r"|satisf(?:y|ies) the requirement|bazel|ninja)",
    re.IGNORECASE,
)
_OWN_CODE = re.compile(r"\bextension|\bmy (?:\w+ )?(?:project|code|program)", re.IGNORECASE)
_WORKS = re.compile(r"\W*(?:works|succeeds|passes|installs (?:fine|correctly))\b", re.IGNORECASE)
_TROUBLE = re.compile(
    r"fail|error|cannot|can.?not|can['\u2019]t|unable|broke|crash|wrong|undefined|not found|illegal"
    r"|stopped|problem|warning|hang|slow",
    re.IGNORECASE,
)
_RUNS = r"(?i:\b(?:when|if|after) (?:I|we|you) (?:run|execute|call|type|use)) *`+ *"
"""Words right before a command between backticks that somebody ran."""
_BUILT_BY = re.compile(r"build command you used|how you installed", re.IGNORECASE)
"""What the form asks of everybody."""


def of_text(text: Text, issue: ReproIssue, files: Sequence[str]) -> Repro | None:
    """Return the test or the shell script that a text names."""
    test = tested.of_test(text, issue)
    if test is not None:
        return test
    is_about_installing = _BUILDING.search(issue.title) is not None
    for place, block in enumerate(text.blocks):
        is_code = block.kind in {BlockKind.FENCE, BlockKind.INDENTED}
        if not is_code or surroundings.score(block) < 0 or not text.counts(block):
            continue
        fails = _fails(text, place)
        introduced = surroundings.introduce(block)
        shown = fails or introduced or wishes.show_failure(block.text)
        script = shell.script(
            block.text,
            files=files,
            fails=fails,
            installs=is_about_installing and shown,
            introduced=introduced,
        )
        if script is None and surroundings.complain_before(block) and not _is_of_own_code(block):
            script = shell.build(block.text, alone=True)
        if script is None and "collect_env" in issue.title:
            script = shell.environment_script(block.text)
        if script is not None:
            more = [one.text for one in text.blocks[place:] if one.kind is BlockKind.INLINE]
            more = [line for line in more if shell.of_same_program(line, script)]
            script = "\n".join([script, *dict.fromkeys(more)])
            reason = f"The commands in {text.place}."
            return _of_script(script, issue, source=text.source, reason=reason)
    return None


def of_sentences(issue: ReproIssue, own: Sequence[Text]) -> Repro | None:
    """Return the commands that steps or sentences name, where they are the repro."""
    installs = _BUILDING.search(issue.title) is not None
    for text in own:
        steps = [line for block in text.blocks for line in _steps(block, installs=installs)]
        fails = wishes.show_failure(issue.body)
        script = "\n".join(dict.fromkeys(steps))
        found = shell.script(script, files=(), fails=fails, installs=installs)
        if found is not None:
            reason = f"The commands that the steps in {text.place} name."
            return _of_script(found, issue, source=text.source, reason=reason)
    return None


def _steps(block: Block, *, installs: bool) -> list[str]:
    """Return the commands of a block: a line between backticks, or lines behind ``>``."""
    if surroundings.is_of_machine(block):
        return []
    if block.kind is BlockKind.PROSE and not block.is_quoted:
        typed = [line for line in block.text.split("\n") if launch.has_prompt(line)]
        return [line for line in launch.lines("\n".join(typed)) if shell.is_command(line)]
    is_quoted = block.kind is BlockKind.PROSE
    told = shell.leading_commands(block.text) if is_quoted and installs else block.text
    lines = [shell.as_command(line.strip()) for line in told.split("\n") if line.strip()]
    if not all(map(shell.is_command, lines)):
        return []
    if block.kind is BlockKind.INLINE:
        if _WORKS.match(block.lead.partition(f"{block.text}`")[2]):
            return []
        told = installs or surroundings.announce(block) or _is_run(block)
        return lines if told or any(map(shell.starts_source, lines)) else []
    return lines if is_quoted and not surroundings.is_headed_as_right(block) else []


def _is_of_own_code(block: Block) -> bool:
    """Whether the words before a block say that something of the reporter's own is built."""
    return _OWN_CODE.search(f"{block.heading}\n{block.lead}") is not None


def _is_run(block: Block) -> bool:
    """Whether a sentence says of what stands between its backticks that somebody ran it."""
    return re.search(_RUNS + re.escape(block.text.strip()), block.lead) is not None


def _of_script(script: str, issue: ReproIssue, *, source: str, reason: str) -> Repro:
    return Repro(
        kind=ReproKind.SHELL,
        text=script.rstrip() + "\n",
        launcher="bash",
        source=source,
        needs=needs.of_program(script, launcher="", labels=issue.labels, title=issue.title),
        reason=reason,
    )


def _typed(block: Block) -> str:
    """Return a block's text without what the form asks of everybody."""
    is_of_machine = surroundings.is_of_machine(block)
    return "\n".join(
        line
        for line in block.text.split("\n")
        if launch.has_prompt(line) or not (is_of_machine or _BUILT_BY.search(line))
    )


def _fails(text: Text, place: int) -> bool:
    """Whether the words after a block, or the block after these, show a failure."""
    after = [block for block in text.blocks[place + 1 : place + 4] if not block.is_quoted]
    shown = next((block.text for block in after if block.kind is BlockKind.FENCE), "")
    return wishes.show_failure(text.blocks[place].trail) or wishes.show_failure(shown)


def of_build(issue: ReproIssue, own: Sequence[Text]) -> Repro | None:
    """Return how PyTorch was built, where the title says that building it is what fails."""
    if not _BUILDING.search(issue.title) or _OWN_CODE.search(issue.title):
        return None
    if not _TROUBLE.search(f"{issue.title}\n{issue.body}"):
        return None
    for text in own:
        found = [script for block in text.blocks if (script := shell.build(_typed(block)))]
        if found:
            line = max(found, key=lambda script: script.count("\n"))
            reason = f"How PyTorch's source is built in {text.place}."
            return _of_script(line, issue, source=text.source, reason=reason)
    return None
