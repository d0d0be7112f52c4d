"""Repros that are tests of PyTorch: started by a line, named in words, in a title, in a log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.workspace.repro import disabled, launch, named_tests, needs, picked, pieces
from bot.workspace.repro.blocks import BlockKind, read
from bot.workspace.repro.model import Repro, ReproIssue, ReproKind
from bot.workspace.repro.texts import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.workspace.repro.command import Command

_FEW = 4
"""Files of tests that are started together."""


def commands(text: Text) -> Iterator[Command]:
    """Return the Python programs that the lines of a text start, in its order."""
    for block in text.blocks:
        if not (pieces.may_hold_commands(block) and text.counts(block)):
            continue
        if block.kind is not BlockKind.PROSE:
            yield from launch.commands(block.text)
        yield from launch.in_prose(block.text)


def of_test(text: Text, issue: ReproIssue) -> Repro | None:
    """Return the test of PyTorch that a line of a text starts."""
    started = [command for command in commands(text) if command.is_test]
    if not started:
        return None
    reason = f"A test of PyTorch that is named in {text.place}."
    line = _together(started) or started[0].line
    return _of_test(line, issue, source=text.source, reason=reason)


def _together(started: Sequence[Command]) -> str | None:
    """Return one line for several files of tests that are started alike, and whole."""
    first = started[0]
    is_alike = len({(one.variables, one.arguments) for one in started}) == 1
    is_whole = all(argument in {"-v", "--verbose"} for argument in first.arguments)
    files = list(dict.fromkeys(one.script.removeprefix("./") for one in started))
    if not (is_alike and is_whole and 1 < len(files) <= _FEW):
        return None
    arguments = (*files[1:], *first.arguments)
    return replace(first, words=("python", "-m", "pytest"), arguments=arguments).line


def of_named_test(issue: ReproIssue, own: Sequence[Text]) -> Repro | None:
    """Return the one test of PyTorch that the issue says fails, or that it starts in ``test/``."""
    test = named_tests.only_one(issue.body)
    if test is not None:
        reason = "A test of PyTorch that fails, as the body says."
        return _of_test(f"python -m pytest {test}", issue, source="body", reason=reason)
    found = _of_bare_file(issue, own) or _of_title(issue) or _of_all_tests(issue, own)
    return found or _of_name_in_title(issue) or _of_names(issue, own)


def _of_name_in_title(issue: ReproIssue) -> Repro | None:
    test_id = named_tests.id_in_title(issue.title)
    if test_id is not None:
        reason = "The test of PyTorch that the title says fails."
        line = f"python -m pytest {test_id}"
        return _of_test(line, issue, source="title", reason=reason)
    inside = named_tests.in_module(issue.title)
    if inside is not None:
        module, test = inside
        file = named_tests.file_called(module, issue.body) or f"test/{module}.py"
        reason = "The title names a test of PyTorch that fails, and its file."
        return _of_test(picked.in_files([file], test), issue, source="title", reason=reason)
    file = named_tests.file_in_title(issue.title)
    if file is not None:
        reason = "The tests of PyTorch that the title says fail."
        return _of_test(f"python {file}", issue, source="title", reason=reason)
    named = named_tests.in_title(issue.title)
    if named is not None:
        group, test = named
        group = group or named_tests.group_in_log(issue.body, test)
        words = " and ".join(filter(None, (group, test)))
        logged = named_tests.file_called(test, issue.body)
        if logged:
            reason = "The title names tests of PyTorch that fail, by their file."
            return _of_test(f"python {logged}", issue, source="title", reason=reason)
        logged = named_tests.file_in_log(issue.body, test)
        if not logged and group:
            logged = "".join(named_tests.files(issue.body)[:1])
        told = "the log its file" if logged else "not its file: it is looked for"
        reason = f"The title names a test of PyTorch that fails, and {told}."
        line = picked.of([logged] if logged else [], [(group, test)], words)
        return _of_test(line, issue, source="title", reason=reason)
    return None


def _of_names(issue: ReproIssue, own: Sequence[Text]) -> Repro | None:
    prose = [block.text for block in own[-1].blocks if block.kind is BlockKind.PROSE]
    several = named_tests.in_classes("\n\n".join(prose))
    if several:
        words = " or ".join(f"({group} and {test})" for group, test in several)
        reason = "The tests of PyTorch that the body names, and says that they fail."
        files = named_tests.files("\n\n".join([issue.title, *prose]))
        line = picked.of(files, several, words)
        return _of_test(line, issue, source="body", reason=reason)
    told = named_tests.are_told_to_fail("\n".join([issue.title, *prose]))
    has_code = any(pieces.read(text.blocks) for text in own)
    code = _code(own)
    logged = named_tests.in_log(code) if told and not has_code else None
    if logged is not None:
        file, group, test = logged
        reason = "The test of PyTorch that the log in the body says fails."
        file = named_tests.file_in_log(code, test) or file
        line = picked.of([file] if file else [], [(group, test)], f"{group} and {test}")
        return _of_test(line, issue, source="body", reason=reason)
    file, test = named_tests.in_prose("\n\n".join(prose)) or ("", "")
    if not test:
        return None
    reason = "The one test of PyTorch that the body names, and says that it fails."
    file = file or named_tests.file_in_log(code, test)
    line = picked.of([file] if file else [], [("", test)], test)
    return _of_test(line, issue, source="body", reason=reason)


def _code(own: Sequence[Text]) -> str:
    code = [one.text for one in own[-1].blocks if one.kind in {BlockKind.FENCE, BlockKind.INDENTED}]
    return "\n".join(code)


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
    where = "" if test.file else " The issue does not name its file: it is looked for."
    return Repro(
        kind=ReproKind.TEST,
        text=line + "\n",
        launcher=line,
        source="title",
        needs=test.needs,
        reason=f"The issue stands for the test {test.group}.{test.test}.{where}",
    )
