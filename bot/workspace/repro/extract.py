"""Chooses the repro of an issue: whose text, which program, started how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.workspace.repro import (
    candidates,
    commanded,
    cpp,
    data_files,
    disabled,
    needs,
    pieces,
    processes,
    python,
    surroundings,
    tested,
    texts,
    versions,
    wishes,
)
from bot.workspace.repro.model import Repro, ReproComment, ReproIssue, ReproKind
from bot.workspace.repro.texts import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import IssueSnapshot
    from bot.workspace.repro.candidates import Candidate
    from bot.workspace.repro.command import Command
    from bot.workspace.repro.pieces import Piece

_LINK = re.compile(
    r"https?://(?:gist\.github|colab\.research|github\.com/[\w.-]+/[\w.-]+(?:\s|$|\)))"
)
_CPP_ISSUE = re.compile(r"\bC\+\+|\blibtorch\b|\b(?:torch|at|c10)::\w", re.IGNORECASE)
_MYPY = re.compile(r"\bmypy\b", re.IGNORECASE)
_OF_PYTORCH = ("torch", "functorch", "caffe2", "fbgemm_gpu", "executorch", "tensordict")
"""Packages of PyTorch's own repositories begin so."""
_BUILDS_CPP = re.compile(r"\bload_inline\(|cpp_extension(?:\.load\(| import [^\n]*\bload\b)")


def extract(issue: ReproIssue) -> Repro:
    """Return the repro of an issue, or one of kind ``none`` that says why there is none.

    The reporter's newest whole program wins; then the newest of an owner, member or collaborator.
    No text makes it raise; its time is linear in the length of the texts.
    """
    test = disabled.find(issue.title, issue.body)
    if test is not None:
        return tested.of_disabled(test, issue)
    own, others = texts.of(issue)
    if wishes.are_all(issue.title, own[-1]) and not wishes.show_failure(issue.body):
        return _none("The issue asks for a feature or a change of the documentation.")
    for text in (*own, *others):
        found = _of_text(text, own, issue)
        if found is not None:
            return found
    found = (
        _of_pieces_together(own, issue)
        or tested.of_named_test(issue, own)
        or commanded.of_build(issue, own)
        or commanded.of_sentences(issue, own)
    )
    return found if found is not None else _none(_why_nothing(issue, own))


def from_snapshot(snapshot: IssueSnapshot) -> Repro:
    """Extract the repro of a frozen issue."""
    return extract(
        ReproIssue(
            title=snapshot.title,
            body=snapshot.body,
            labels=snapshot.labels,
            author=snapshot.author.login,
            comments=tuple(
                ReproComment(
                    author=comment.author.login,
                    association=comment.association,
                    body=comment.body,
                )
                for comment in snapshot.comments
            ),
        )
    )


def _of_text(text: Text, own: Sequence[Text], issue: ReproIssue) -> Repro | None:
    """Return the best program of one text."""
    code = pieces.read(text.blocks)
    files = {**cpp.files(text.blocks), **data_files.find(text.blocks)}
    programs = candidates.whole(code, files)
    if "git clone" not in issue.body:
        programs = [program for program in programs if not program.is_of_project]
    if programs and programs[0].score < 0:
        test = tested.of_test(text, issue)
        if test is not None:
            return test
    if not text.is_body:
        programs = [
            program
            for program in programs
            if program.score > 0 and text.counts(text.blocks[program.place])
        ]
    in_cpp = cpp.find(text.blocks)
    if in_cpp is not None and not (programs and _is_for_python(programs[0], in_cpp, issue)):
        return _of_cpp(in_cpp, text, issue)
    if programs:
        return _of_program(candidates.fitting(programs, issue.title), text, own, issue)
    found = commanded.of_text(text, issue, [piece.name for piece in code if piece.name])
    return found or _of_import(text, code, issue) or _of_question(text, code, issue)


def _of_pieces_together(own: Sequence[Text], issue: ReproIssue) -> Repro | None:
    """Try what the reporter wrote in several texts as one."""
    if len(own) == 1:
        return None
    for texts_in_order in (own[::-1], own):
        blocks = [block for text in texts_in_order for block in text.blocks if text.counts(block)]
        together = Text(source="body and comments", blocks=blocks, is_body=False)
        programs = [
            program for program in candidates.whole(pieces.read(blocks), {}) if program.score > 0
        ]
        if programs:
            return _of_program(programs, together, own, issue)
    return None


def _of_program(
    programs: Sequence[Candidate], text: Text, own: Sequence[Text], issue: ReproIssue
) -> Repro:
    """Take the best of the programs, and find out how it is started."""
    program = programs[0]
    command = _command(programs, [text, *(other for other in own if other is not text)])
    is_distributed = command is not None and command.is_distributed
    reason = f"The {'launched ' if is_distributed else ''}Python program in {text.place}."
    launcher = command.launcher_for(program.text) if command is not None else "python"
    if command is None and processes.expects_rank(program.text):
        is_distributed = True
        launcher = "torchrun --nproc_per_node 2"
        reason += " It expects to be launched with a rank; the issue does not say how, so with two."
    elif program.program.has_tests and not program.program.acts and "pytest" not in launcher:
        launcher = "python -m pytest"
    modules = program.program.asks_for
    if launcher == "python" and _is_about_types(issue):
        launcher = "python -m mypy"
        modules |= {"mypy"}
        reason += " The issue is about what mypy says of it."
    if program.program.lacks:
        reason += (
            f" Imports that it leaves out were added: {', '.join(sorted(program.program.lacks))}."
        )
    reason += _what_was_changed(program)
    return Repro(
        kind=ReproKind.TORCHRUN if is_distributed else ReproKind.PYTHON,
        text=program.text.rstrip() + "\n",
        launcher=launcher,
        source=text.source,
        needs=needs.of_program(
            program.text,
            launcher=launcher,
            labels=issue.labels,
            title=issue.title,
            modules=modules,
        ),
        reason=reason,
    )


def _is_about_types(issue: ReproIssue) -> bool:
    """Whether a checker of types, not a run, shows what the issue is about."""
    told = _MYPY.search(issue.title) or ("module: typing" in issue.labels)
    return bool(told) and _MYPY.search(f"{issue.title}\n{issue.body}") is not None


def _what_was_changed(program: Candidate) -> str:
    told = ""
    if program.program.collects:
        made = ", ".join(sorted(program.program.collects))
        told += f" What it fills and does not make was added: {made}."
    if program.program.uncalled:
        told += f" A call of {program.program.uncalled} was added, which it only defines."
    if program.is_mended:
        told += " It could not run as it stands there: slips in a few lines were mended."
    return told


def _command(programs: Sequence[Candidate], texts: Sequence[Text]) -> Command | None:
    """Find the line that starts the first program: several processes first, then its own name."""
    program, *others = programs
    is_alone = not processes.is_distributed(program.text) and any(
        processes.is_distributed(other.text) for other in others
    )
    for text in texts:
        found = [command for command in tested.commands(text) if not command.is_test]
        if is_alone:
            found = [command for command in found if not command.is_distributed]
        named = [one for one in found if program.name and one.script.endswith(program.name)]
        for command in (*(one for one in found if one.is_distributed), *named):
            return command
        own = [one for one in found if one.script and "/" not in one.script.removeprefix("./")]
        if own:
            return own[0]
        coded = [one for one in found if one.code and one.code.strip() in program.text]
        if coded:
            return coded[0]
    return None


def _of_import(text: Text, code: Sequence[Piece], issue: ReproIssue) -> Repro | None:
    """Return an import that fails where it stands: it is its own repro."""
    shows_failure = [wishes.show_failure(block.text) for block in text.blocks]
    for piece in pieces.imports(code):
        is_about_torch = any(name.startswith(_OF_PYTORCH) for name in piece.program.modules)
        is_all = len(code) == 1 and surroundings.complain_before(text.blocks[piece.place])
        if not (is_about_torch and (is_all or shows_failure[piece.place])):
            continue
        return Repro(
            kind=ReproKind.PYTHON,
            text=piece.program.text.rstrip() + "\n",
            launcher="python",
            source=text.source,
            needs=_needs(piece.program.text, issue),
            reason=f"The import that fails in {text.place}.",
        )
    return None


def _of_question(text: Text, code: Sequence[Piece], issue: ReproIssue) -> Repro | None:
    """Return a program that asks what is there, where the issue is about just that."""
    for piece in code:
        asked = piece.program.text
        if piece.score < 0 or not versions.are_asked(asked):
            continue
        if piece.program.acts and versions.are_meant(asked, issue.title):
            return Repro(
                kind=ReproKind.PYTHON,
                text=python.with_prelude(piece.program).rstrip() + "\n",
                launcher="python",
                source=text.source,
                needs=_needs(asked, issue),
                reason=f"The title is about what the program in {text.place} asks.",
            )
    return None


def _is_for_python(program: Candidate, code: str, issue: ReproIssue) -> bool:
    """Whether a program in Python is the repro where there is code in C++ too."""
    if any(file in code for file in program.program.saved):
        return False  # it only makes the file that the other one loads
    is_about_cpp = "module: cpp" in issue.labels or _CPP_ISSUE.search(issue.title)
    return not is_about_cpp or _BUILDS_CPP.search(program.text) is not None


def _of_cpp(code: str, text: Text, issue: ReproIssue) -> Repro:
    return Repro(
        kind=ReproKind.CPP,
        text=code.rstrip() + "\n",
        source=text.source,
        needs=_needs(code, issue),
        reason=f"The C++ code in {text.place}; it has to be built against libtorch.",
    )


def _needs(text: str, issue: ReproIssue) -> tuple[str, ...]:
    return needs.of_program(text, launcher="", labels=issue.labels, title=issue.title)


def _why_nothing(issue: ReproIssue, own: Sequence[Text]) -> str:
    if any(pieces.read(text.blocks) for text in own):
        return (
            "The issue has Python code, but none that is whole: it uses names that nothing defines."
        )
    if _LINK.search(issue.body):
        return "The repro is behind a link, and links are not fetched."
    if wishes.show_failure(issue.body):
        return "The issue shows an error, but no code that leads to it."
    return "The issue holds no code that could be run."


def _none(reason: str) -> Repro:
    return Repro(kind=ReproKind.NONE, reason=reason)
