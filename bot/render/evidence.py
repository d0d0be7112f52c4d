"""How a proof was made: what it takes to make it again, and what was printed."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.render.phrases import count, duration
from bot.render.proof_words import why
from bot.render.sanitise import code_block, code_line, inline
from bot.render.trials import named, status, took

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.models import Neighbour, Proof, Signature, Trial
    from bot.redaction import Redactor

TITLE = "How this was checked"

_COMMAND = 200
_FILES = 12
"""Test files that are listed; the others are counted."""
_OUTPUT = 1_500
"""Characters of the end of an output."""
_PROGRAM = 6_000
"""Characters of the beginning of a program or of a diff."""
_READ = 50_000
_LONGEST = 86_400.0
"""Seconds: no reservation is longer."""
_KINDS = {
    "exception": "an exception",
    "wrong_result": "an assertion of the repro",
    "crash": "a crash",
    "hang": "that it does not end",
    "test": "a test that fails",
}
_ENDS = {"passed": "passed", "failed": "failed", "flaky": "flaky", "not_run": "not run"}


def evidence(proof: Proof, *, repro: str = "", redactor: Redactor) -> str:
    """Return everything that was run, with the ends of outputs and what the agent wrote of a repro.

    ``repro`` is the agent's program, shown where the issue has none.
    """
    parts = [
        why(proof, redactor=redactor),
        programs(proof, redactor=redactor),
        _tests(proof.neighbours, redactor),
        *_outputs(proof, redactor),
        *_by_agent(proof, repro, redactor),
    ]
    return "\n\n".join(part for part in parts if part)


def programs(proof: Proof, *, redactor: Redactor) -> str:
    """Return commands, exit statuses, durations, what counted as the failure, and the hashes."""
    rows = "\n".join(
        f"| {_command(command, redactor)} | {where} | {_statuses(trials)} | {_durations(trials)} |"
        for command, where, trials in _ran(proof)
    )
    table = f"| command | where | exit status | each took |\n|---|---|---|---|\n{rows}"
    facts = "\n".join(f"- {fact}" for fact in _facts(proof, redactor))
    return f"{table}\n\n{facts}" if rows else facts


def _ran(proof: Proof) -> Iterator[tuple[Sequence[str], str, Sequence[Trial]]]:
    if proof.red is not None and proof.red.count:
        yield proof.red.command, "at base", proof.red.trials
    if proof.green is not None and proof.green.count:
        yield proof.green.command, "with the change", proof.green.trials
    if proof.sanity is not None:
        yield (), "on an untouched tree", [proof.sanity]


def _command(command: Sequence[str], redactor: Redactor) -> str:
    shown = code_line(shlex.join(command), redactor=redactor, limit=_COMMAND)
    return shown or "a trivial program"


def _statuses(trials: Sequence[Trial]) -> str:
    """Return each exit status once, with how often it was seen."""
    counted: dict[str, int] = {}
    for trial in trials:
        said = status(trial).removeprefix("exit status ")
        counted[said] = counted.get(said, 0) + 1
    return ", ".join(
        said if number == len(trials) == 1 else f"{said} ({_times(number)})"
        for said, number in counted.items()
    )


def _durations(trials: Sequence[Trial]) -> str:
    shortest = took(min(trial.seconds for trial in trials))
    longest = took(max(trial.seconds for trial in trials))
    return shortest if shortest == longest else f"{shortest} to {longest}"


def _facts(proof: Proof, redactor: Redactor) -> Iterator[str]:
    def code(text: str) -> str:
        return code_line(text, redactor=redactor)

    if proof.signature is not None and proof.red is not None:
        yield f"Looked for: {_looked_for(proof.signature, redactor)}."
    if proof.repro_source != "none":
        sha = f": SHA-256 {code(proof.repro_sha256)}" if proof.repro_sha256 else ""
        yield f"The repro, {_whose(proof)}{sha}."
    if proof.patch_sha256:
        yield f"The change, as it is shown here: SHA-256 {code(proof.patch_sha256)}."
    clean = "" if proof.red is None else " Nothing ran in the agent's own worktree."
    yield f"The base is commit {code(proof.commit)}.{clean}"
    if proof.seconds:
        yield f"All of it took {duration(timedelta(seconds=min(proof.seconds, _LONGEST)))}."


def _whose(proof: Proof) -> str:
    if proof.repro_diff.strip():
        return "from the issue, completed by the agent"
    return "from the issue" if proof.repro_source == "issue" else "written by the agent"


def _looked_for(signature: Signature, redactor: Redactor) -> str:
    whose = "as the issue says" if signature.source == "issue" else "by the agent's word"
    kind = _KINDS[signature.kind]
    words = named(signature, redactor=redactor)
    return f"{words} ({kind}), {whose}" if words else f"{kind}, {whose}"


def _tests(neighbours: Sequence[Neighbour], redactor: Redactor) -> str:
    if not neighbours:
        return ""
    rows = [
        f"| {code_line(each.path, redactor=redactor, limit=80)} "
        f"| {_reason(each, redactor)} | {_ENDS[each.base]} | {_ENDS[each.patched]} |"
        for each in neighbours[:_FILES]
    ]
    head = "| test file | why this one | at base | with the change |\n|---|---|---|---|"
    more = len(neighbours) - _FILES
    text = "\n".join([head, *rows])
    return f"{text}\n\nAnd {count(more, 'more file')}." if more > 0 else text


def _reason(test: Neighbour, redactor: Redactor) -> str:
    # A bar would cut the table's cells, also inside code.
    return inline(test.reason.replace("|", "\u00a6"), redactor=redactor, limit=120)


def _outputs(proof: Proof, redactor: Redactor) -> Iterator[str]:
    """Yield the end of what was printed by one run of each kind that did not end well."""
    red = proof.red.trials if proof.red else ()
    green = proof.green.trials if proof.green else ()
    sanity = (proof.sanity,) if proof.sanity else ()
    for trials, where in (
        (red, "at base"),
        (green, "with the change"),
        (sanity, "of the trivial program"),
    ):
        ordered = sorted(trials, key=lambda trial: not trial.matches)
        shown = next((trial for trial in ordered if trial.is_failure), None)
        if shown is not None and shown.output.strip():
            # Cut after it is redacted: half a secret would not be known as one.
            last = redactor.redact(shown.output[-_READ:])[-_OUTPUT:]
            block = code_block(last, redactor=redactor)
            yield f"The end of the output {where}:\n\n{block}"


def _by_agent(proof: Proof, repro: str, redactor: Redactor) -> Iterator[str]:
    """Yield what the agent wrote of the repro, so that a reader can judge it."""
    if proof.repro_diff.strip():
        shown = _beginning(proof.repro_diff, "diff", redactor)
        yield f"What the agent changed in the issue's repro (AI-generated):\n\n{shown}"
    elif proof.repro_source == "agent" and repro.strip():
        shown = _beginning(repro, "python", redactor)
        label = "The agent's repro, as the issue has none that I can run (AI-generated)"
        yield f"{label}:\n\n{shown}"


def _beginning(text: str, language: str, redactor: Redactor) -> str:
    redacted = redactor.redact(text[:_READ])
    shown = code_block(redacted[:_PROGRAM], language, redactor=redactor)
    more = len(text) - _PROGRAM
    return f"{shown}\n\n*[… {more:,} more characters …]*" if more > 0 else shown


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"
