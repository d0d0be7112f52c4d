"""Repros that are commands: a test of PyTorch, a shell script, a test that was disabled."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from bot.workspace.repro import (
    disabled,
    launch,
    named_tests,
    needs,
    pieces,
    shell,
    surroundings,
    wishes,
)
from bot.workspace.repro.blocks import BlockKind, read
from bot.workspace.repro.model import Repro, ReproIssue, ReproKind
from bot.workspace.repro.texts import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.workspace.repro.blocks import Block
    from bot.workspace.repro.command import Command


_BUILDING = re.compile(
    r"\b(?:re)?(?:buil[dt]|compil|complie|install|wheel|conda|pip|cannot import|link(?:er|ing)"
    r"|setup\.py|from source|cmake|nvcc|undefined (?:reference|symbol)|matching distribution"
    r"|satisf(?:y|ies) the requirement)",
    re.IGNORECASE,
)
_OWN_CODE = re.compile(r"\bextension|\bmy (?:\w+ )?(?:project|code|program)", re.IGNORECASE)
_BUILT_BY = re.compile(r"build command you used|how you installed", re.IGNORECASE)
"""What the form asks of everybody."""


def commands(text: Text) -> Iterator[Command]:
    """Return the Python programs that the lines of a text start, in its order."""
    for block in text.blocks:
        if not (pieces.may_hold_commands(block) and text.counts(block)):
            continue
        if block.kind is not BlockKind.PROSE:
            yield from launch.commands(block.text)
        yield from launch.in_prose(block.text)


def of_text(text: Text, issue: ReproIssue, files: Sequence[str]) -> Repro | None:
    """Return the test or the shell script that a text names."""
    test = of_test(text, issue)
    if test is not None:
        return test
    is_about_installing = _BUILDING.search(issue.title) is not None
    for place, block in enumerate(text.blocks):
        is_code = block.kind in {BlockKind.FENCE, BlockKind.INDENTED}
        if not is_code or surroundings.score(block) < 0 or not text.counts(block):
            continue
        fails = _fails(text, place)
        script = shell.script(
            block.text,
            files=files,
            fails=fails,
            installs=is_about_installing and (fails or wishes.show_failure(block.text)),
            introduced=surroundings.introduce(block),
        )
        if script is None and surroundings.complain_before(block):
            script = shell.build(block.text, alone=True)
        if script is not None:
            more = [one.text for one in text.blocks[place:] if one.kind is BlockKind.INLINE]
            more = [line for line in more if shell.of_same_program(line, script)]
            script = "\n".join([script, *dict.fromkeys(more)])
            reason = f"The commands in {text.place}."
            return _of_script(script, issue, source=text.source, reason=reason)
    return None


def of_test(text: Text, issue: ReproIssue) -> Repro | None:
    """Return the test of PyTorch that a line of a text starts."""
    for command in commands(text):
        if command.is_test:
            reason = f"A test of PyTorch that is named in {text.place}."
            return _of_test(command.line, issue, source=text.source, reason=reason)
    return None


def of_sentences(issue: ReproIssue, own: Sequence[Text]) -> Repro | None:
    """Return the commands that steps or sentences name, where they are the repro."""
    installs = _BUILDING.search(issue.title) is not None
    for text in own:
        steps = [line for block in text.blocks for line in _steps(block, installs=installs)]
        fails = wishes.show_failure(issue.body)
        found = shell.script("\n".join(steps), files=(), fails=fails, installs=installs)
        if found is not None:
            reason = f"The commands that the steps in {text.place} name."
            return _of_script(found, issue, source=text.source, reason=reason)
    return None


def _steps(block: Block, *, installs: bool) -> list[str]:
    """Return the commands of a block: a line between backticks, or lines behind ``>``."""
    is_quoted = block.kind is BlockKind.PROSE and block.is_quoted
    told = shell.leading_commands(block.text) if is_quoted and installs else block.text
    lines = [line.strip() for line in told.split("\n") if line.strip()]
    if surroundings.is_of_machine(block) or not all(map(shell.is_command, lines)):
        return []
    if block.kind is BlockKind.INLINE:
        told = installs or surroundings.announce(block) or shell.starts_source(block.text)
        return lines if told else []
    return lines if is_quoted and not surroundings.is_headed_as_right(block) else []


def _of_script(script: str, issue: ReproIssue, *, source: str, reason: str) -> Repro:
    return Repro(
        kind=ReproKind.SHELL,
        text=script.rstrip() + "\n",
        launcher="bash",
        source=source,
        needs=needs.of_program(script, launcher="", labels=issue.labels, title=issue.title),
        reason=reason,
    )


def _fails(text: Text, place: int) -> bool:
    """Whether the words after a block, or the block after these, show a failure."""
    after = [block for block in text.blocks[place + 1 : place + 4] if not block.is_quoted]
    shown = next((block.text for block in after if block.kind is BlockKind.FENCE), "")
    return wishes.show_failure(text.blocks[place].trail) or wishes.show_failure(shown)


def of_named_test(issue: ReproIssue, own: Sequence[Text]) -> Repro | None:
    """Return the one test of PyTorch that the issue says fails, or that it starts in ``test/``."""
    test = named_tests.only_one(issue.body)
    if test is not None:
        reason = "A test of PyTorch that fails, as the body says."
        return _of_test(f"python -m pytest {test}", issue, source="body", reason=reason)
    found = _of_bare_file(issue, own) or _of_title(issue) or _of_all_tests(issue, own)
    return found or _of_name_in_title(issue, own) or _of_names(issue, own)


def _of_name_in_title(issue: ReproIssue, own: Sequence[Text]) -> Repro | None:
    inside = named_tests.in_module(issue.title)
    if inside is not None:
        module, test = inside
        file = named_tests.file_called(module, issue.body) or f"test/{module}.py"
        reason = "The title names a test of PyTorch that fails, and its file."
        return _of_test(_picking(file, words=test), issue, source="title", reason=reason)
    file = named_tests.file_in_title(issue.title)
    if file is not None:
        reason = "The tests of PyTorch that the title says fail."
        return _of_test(f"python {file}", issue, source="title", reason=reason)
    named = named_tests.in_title(issue.title)
    if named is not None:
        words = " and ".join(filter(None, named))
        logged = named_tests.file_called(named[1], issue.body)
        if logged:
            reason = "The title names tests of PyTorch that fail, by their file."
            return _of_test(f"python {logged}", issue, source="title", reason=reason)
        logged = named_tests.file_in_log(_code(own), named[1])
        told = "the log its file" if logged else "not its file"
        reason = f"The title names a test of PyTorch that fails, and {told}."
        return _of_test(
            _picking(logged or "test", words=words), issue, source="title", reason=reason
        )
    return None


def _of_names(issue: ReproIssue, own: Sequence[Text]) -> Repro | None:
    prose = [block.text for block in own[-1].blocks if block.kind is BlockKind.PROSE]
    several = named_tests.in_classes("\n\n".join(prose))
    if several:
        words = " or ".join(f"({group} and {test})" for group, test in several)
        reason = "The tests of PyTorch that the body names, and says that they fail."
        files = named_tests.files("\n\n".join([issue.title, *prose])) or ["test"]
        return _of_test(_picking(*files, words=words), issue, source="body", reason=reason)
    told = named_tests.are_told_to_fail("\n".join([issue.title, *prose]))
    has_code = any(pieces.read(text.blocks) for text in own)
    code = _code(own)
    logged = named_tests.in_log(code) if told and not has_code else None
    if logged is not None:
        file, group, test = logged
        reason = "The test of PyTorch that the log in the body says fails."
        file = named_tests.file_in_log(code, test) or file or "test"
        picked = _picking(file, words=f"{group} and {test}")
        return _of_test(picked, issue, source="body", reason=reason)
    file, test = named_tests.in_prose("\n\n".join(prose)) or ("", "")
    if not test:
        return None
    reason = "The one test of PyTorch that the body names, and says that it fails."
    file = file or named_tests.file_in_log(code, test) or "test"
    return _of_test(_picking(file, words=test), issue, source="body", reason=reason)


def _code(own: Sequence[Text]) -> str:
    code = [one.text for one in own[-1].blocks if one.kind in {BlockKind.FENCE, BlockKind.INDENTED}]
    return "\n".join(code)


def _picking(*places: str, words: str) -> str:
    return shlex.join(["python", "-m", "pytest", *places, "-k", words])


def of_build(issue: ReproIssue, own: Sequence[Text]) -> Repro | None:
    """Return how PyTorch was built, where the title says that building it is what fails."""
    if not _BUILDING.search(issue.title) or _OWN_CODE.search(issue.title):
        return None
    for text in own:
        blocks = [
            block
            for block in text.blocks
            if not (_BUILT_BY.search(block.text) or surroundings.is_of_machine(block))
        ]
        found = [script for block in blocks if (script := shell.build(block.text)) is not None]
        if found:
            line = max(found, key=lambda script: script.count("\n"))
            reason = f"How PyTorch's source is built in {text.place}."
            return _of_script(line, issue, source=text.source, reason=reason)
    return None


def _of_bare_file(issue: ReproIssue, own: Sequence[Text]) -> Repro | None:
    for text in own:
        for command in commands(text):
            if command.in_tests is not None:
                reason = f"A test that is named in {text.place}, taken for one of PyTorch's."
                line = command.in_tests.line
                return _of_test(line, issue, source=text.source, reason=reason)
    return None


def _of_title(issue: ReproIssue) -> Repro | None:
    for command in launch.in_title(issue.title):
        if command.is_test:
            reason = "The tests of PyTorch that the title names."
            return _of_test(command.line, issue, source="title", reason=reason)
    return None


def _of_all_tests(issue: ReproIssue, own: Sequence[Text]) -> Repro | None:
    """Return how a person started all tests; in a fence it may be the log of a CI job."""
    for text in own:
        for block in text.blocks:
            for command in launch.in_prose(block.text):
                if command.is_all_tests and block.kind is BlockKind.PROSE:
                    reason = f"All tests of PyTorch, as they are started in {text.place}."
                    return _of_test(command.line, issue, source=text.source, reason=reason)
    return None


def _of_test(line: str, issue: ReproIssue, *, source: str, reason: str) -> Repro:
    return Repro(
        kind=ReproKind.TEST,
        text=line + "\n",
        launcher=line,
        source=source,
        needs=needs.of_test(line, labels=issue.labels, title=issue.title),
        reason=reason,
    )


def of_disabled(test: disabled.DisabledTest, issue: ReproIssue) -> Repro:
    """Return the line that runs a disabled test: the one that the body gives, else our own."""
    named = (
        command.line
        for command in commands(Text(source="body", blocks=read(issue.body), is_body=True))
        if command.is_test and test.test in command.line
    )
    line = next(named, test.command)
    where = "" if test.file else " The issue does not name its file."
    return Repro(
        kind=ReproKind.TEST,
        text=line + "\n",
        launcher=line,
        source="title",
        needs=test.needs,
        reason=f"The issue stands for the test {test.group}.{test.test}.{where}",
    )
