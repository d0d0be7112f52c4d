"""What an agent is told in the same session when the bot saw that its change does not stand."""

from __future__ import annotations

import shlex
from string import Template
from typing import TYPE_CHECKING

from bot import assets
from bot.hidden_text import strip_invisible
from bot.render.fences import fenced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.models import Neighbour, Proof, Trial, Trials

MAX_OUTPUT = 6_000
"""Characters of the end of one output."""
_REASON = 1_000
_TESTS = 40
_NAME = 200
_READ = 50_000
"""Characters of any text that are looked at."""


def retry_prompt(proof: Proof, *, is_last: bool = True) -> str:
    """Return the message for the next try: what was seen, as data, and what to do.

    It reads a file of ours: call it in a thread. What programs printed is capped and fenced.
    """
    return Template(assets.text("prompts", "retry.md")).substitute(
        verdict=proof.verdict.value,
        reason=f"> {' '.join(_visible(proof.why[:_READ]).split())[:_REASON]}".rstrip(),
        seen="\n\n".join(_seen(proof)),
        tries="This is your last try." if is_last else "You have few tries.",
    )


def _seen(proof: Proof) -> Iterator[str]:
    if proof.red is not None:
        yield _ran(proof.red, "at base")
    if proof.green is None:
        yield "The repro was not run with your change."
    else:
        yield _ran(proof.green, "with your change")
        failed = next((trial for trial in proof.green.trials if trial.is_failure), None)
        if failed is not None:
            yield f"The end of its output with your change:\n\n{_output(failed)}"
    for head, names in _tests(proof.neighbours):
        if names:
            yield f"{head}\n\n{_names(names)}"


def _tests(neighbours: Sequence[Neighbour]) -> Iterator[tuple[str, list[str]]]:
    """Yield what is wrong with tests, and which they are."""
    own = [each for each in neighbours if each.is_new]
    others = [each for each in neighbours if not each.is_new]
    broken = [f"{each.path}: {test}" for each in neighbours for test in each.broken]
    whole = [each.path for each in others if each.base == "passed" and each.patched == "failed"]
    named = {each.path for each in neighbours if each.broken}
    yield (
        "These tests pass at base and fail with your change, also when they are run again:",
        [*broken, *(path for path in whole if path not in named)],
    )
    yield (
        "The new or changed tests of these files fail with your change:",
        [each.path for each in own if each.patched in {"failed", "flaky"}],
    )
    yield (
        "The new or changed tests of these files pass at base too, so they do not show the bug:",
        [each.path for each in own if each.base == each.patched == "passed"],
    )


def _names(names: Sequence[str]) -> str:
    more = len(names) - _TESTS
    shown = [" ".join(_visible(name[:_READ]).split())[:_NAME] for name in names[:_TESTS]]
    shown += [f"(… {more} more …)"] if more > 0 else []
    return fenced("\n".join(shown))


def _ran(trials: Trials, where: str) -> str:
    ends = ", ".join(_end(trial) for trial in trials.trials)
    command = _visible(shlex.join(trials.command)[:_READ])[:_NAME]
    passed = f"passed {trials.passed} of {trials.count} times"
    return f"The repro {where} {passed} ({ends}):\n\n{fenced(command)}"


def _end(trial: Trial) -> str:
    if trial.timed_out or trial.exit_status is None:
        return f"ended at its time limit after {trial.seconds:.0f} s"
    early = " before its end" if trial.exit_status == 0 and trial.is_failure else ""
    return f"exit status {trial.exit_status}{early}"


def _output(trial: Trial) -> str:
    text = _visible(trial.output[-_READ:])
    more = len(text) - MAX_OUTPUT
    shown = text if more <= 0 else f"(… {more} characters before this …)\n{text[-MAX_OUTPUT:]}"
    return fenced(shown if shown.strip() else "(nothing)")


def _visible(text: str) -> str:
    return strip_invisible(text).strip()
