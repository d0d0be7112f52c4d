"""The verdict, from everything that was seen. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, assert_never

from bot.models import FailureKind, Mode, Verdict
from bot.workspace.repro import ReproKind

if TYPE_CHECKING:
    from bot.models import AgentVerdict, Neighbour, Trials
    from bot.proof.green import Green
    from bot.proof.oracle import Oracle
    from bot.proof.red import Red

_ADMISSION = "But the agent itself does not call it fixed."
_ADMITTED = frozenset({Verdict.NOT_FIXED, Verdict.BROKE_OTHERS})


class Judgement(NamedTuple):
    """A verdict and its reason."""

    verdict: Verdict
    why: str
    """Sentences of ours."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged."""

    claim: AgentVerdict | None
    mode: Mode
    has_patch: bool
    oracle: Oracle
    is_repro_edited: bool = False
    """Whether the agent changed the repro's file in its own directory."""

    @property
    def claimed(self) -> Verdict | None:
        """The agent's own verdict."""
        return None if self.claim is None else self.claim.verdict

    @property
    def wants_green(self) -> bool:
        """Whether a patch is to be proved, given that the repro fails."""
        is_given_up = self.claimed is Verdict.NOT_REPRODUCED
        return self.mode is Mode.FIX and self.has_patch and not is_given_up


def unproved(case: Case, reason: str) -> Judgement:
    """Judge what the machine cannot show: the agent's word, and why it is no more than that."""
    is_none = case.oracle.repro.kind is ReproKind.NONE
    otherwise = Verdict.NOT_REPRODUCED if is_none else Verdict.ENVIRONMENT
    return Judgement(case.claimed or otherwise, reason)


def without_patch(case: Case, red: Red) -> Judgement:
    """Judge what the repro does at the base commit."""
    verdict, why = _of_red(case, red)
    if red.state != "reproduced":
        return Judgement(verdict, _with_notes(case, red, why, contradicts=verdict))
    if case.mode is Mode.FIX and case.claimed is Verdict.FIXED and not case.has_patch:
        why = f"{why} The agent says that it is fixed, but it changed nothing."
        return Judgement(Verdict.NOT_FIXED, _with_notes(case, red, why))
    return Judgement(verdict, _with_notes(case, red, why, contradicts=verdict))


def refused(case: Case, red: Red, reason: str) -> Judgement:
    """Judge a patch that cannot be applied as it would be published."""
    why = f"{_failing(red)} Its patch cannot be tried: {reason}."
    return Judgement(Verdict.NOT_FIXED, _with_notes(case, red, why))


def with_patch(case: Case, red: Red, green: Green, neighbours: tuple[Neighbour, ...]) -> Judgement:
    """Judge a patch by what the repro and the tests near it do."""
    verdict, why = (
        _of_green(red, green) or _of_tests(neighbours) or _of_fix(case, green, neighbours)
    )
    return Judgement(verdict, _with_notes(case, red, f"{_failing(red)} {why}"))


def is_green(green: Green) -> bool:
    """Whether the repro passes with the patch, every time and honestly."""
    return green.trials.passed == green.trials.count and not (green.hides or green.is_cut_short)


def _of_red(case: Case, red: Red) -> Judgement:
    runs = red.trials
    match red.state:
        case "reproduced":
            return Judgement(Verdict.REPRODUCED, _failing(red))
        case "environment":
            why = "A trivial program on an untouched tree fails here too."
            return Judgement(Verdict.ENVIRONMENT, red.lacks or why)
        case "other":
            why = f"The repro fails in {_of(runs.count - runs.passed, runs)}, but not as reported."
            if red.signature is None:
                why = (
                    f"The repro fails in {_of(runs.count - runs.passed, runs)}, and nothing says "
                    "that this is what is reported."
                )
            return Judgement(Verdict.NOT_REPRODUCED, why)
        case "passing":
            why = f"The repro passes in {_of(runs.passed, runs)}."
            if case.oracle.decides and case.claimed is not Verdict.NOT_REPRODUCED:
                return Judgement(Verdict.ALREADY_PASSING, why)
            if not (case.oracle.script.has_oracle or case.oracle.signatures):
                why += " It only prints, and nothing says what would be wrong."
            return Judgement(Verdict.NOT_REPRODUCED, why)
        case _:
            assert_never(red.state)


def _of_green(red: Red, green: Green) -> Judgement | None:
    """Say why the repro is not mended; None when it is."""
    runs = green.trials
    failed = runs.count - runs.passed
    if green.hides:
        return Judgement(Verdict.NOT_FIXED, f"The patch hides the failure: {green.hides}.")
    if green.is_cut_short:
        why = "With the patch the process ends before the repro's end."
        return Judgement(Verdict.NOT_FIXED, why)
    if not failed:
        return None
    if not runs.matching:
        why = f"With the patch it fails in another way in {_of(failed, runs)}."
    elif runs.matching < red.trials.matching and runs.passed:
        why = f"With the patch it still fails in {_of(failed, runs)}."
    else:
        why = f"With the patch it fails as before in {_of(failed, runs)}."
    return Judgement(Verdict.NOT_FIXED, why)


def _of_tests(neighbours: tuple[Neighbour, ...]) -> Judgement | None:
    """Say what is broken near the patch; None when nothing is."""
    broken = [name for one in neighbours for name in one.broken]
    if broken:
        what = "A test that passes" if len(broken) == 1 else f"{len(broken)} tests that pass"
        verb = "fails" if len(broken) == 1 else "fail"
        why = f"With the patch it passes, but {what.lower()} without the patch {verb} with it."
        return Judgement(Verdict.BROKE_OTHERS, why)
    if any(one.is_new and one.patched == "failed" for one in neighbours):
        why = "With the patch it passes, but the tests that the patch itself adds fail."
        return Judgement(Verdict.NOT_FIXED, why)
    return None


def _of_fix(case: Case, green: Green, neighbours: tuple[Neighbour, ...]) -> Judgement:
    why = f"With the patch it passes in {_of(green.trials.passed, green.trials)}"
    ran = [one for one in neighbours if one.patched in {"passed", "flaky"}]
    near = (
        "the tests near the change pass as before" if ran else "no test near the change could run"
    )
    why += f", and {near}."
    if any(one.is_new and one.base == "passed" for one in neighbours):
        why += " The test that it adds passes without the change too."
    if case.claimed in _ADMITTED:
        return Judgement(case.claimed or Verdict.NOT_FIXED, f"{why} {_ADMISSION}")
    return Judgement(Verdict.FIXED, why)


def _failing(red: Red) -> str:
    runs = red.trials
    signature = red.signature
    is_hang = signature is not None and signature.kind is FailureKind.HANG
    fails = "hangs as reported" if is_hang else "fails as reported"
    if runs.matching == runs.count:
        return f"The repro {fails} in {_of(runs.matching, runs)}."
    return f"The repro {fails} only sometimes: in {runs.matching} of {runs.count} runs."


def _with_notes(case: Case, red: Red, why: str, *, contradicts: Verdict | None = None) -> str:
    notes = [why]
    if contradicts is not None and _contradicts(case.claimed, contradicts):
        notes.append("The agent says otherwise.")
    if case.is_repro_edited:
        notes.append("The agent changed the repro's file; it was run as the issue has it.")
    signature = red.signature
    if case.oracle.source == "agent":
        notes.append("The program is the agent's, not the issue's.")
    elif signature is not None and signature.source == "agent" and red.trials.matching:
        notes.append("What counts as the failure is the agent's word: the issue does not say.")
    return " ".join(notes)


def _contradicts(claimed: Verdict | None, verdict: Verdict) -> bool:
    """Whether the agent says that the bug is there and it is not, or the other way round."""
    there = frozenset({Verdict.REPRODUCED, Verdict.FIXED, *_ADMITTED})
    absent = frozenset({Verdict.NOT_REPRODUCED, Verdict.ALREADY_PASSING, Verdict.ENVIRONMENT})
    return (claimed in there and verdict in absent) or (claimed in absent and verdict in there)


def _of(number: int, runs: Trials) -> str:
    if number == runs.count:
        return f"all {number} runs" if number > 1 else "its one run"
    return f"{number} of {runs.count} runs"
