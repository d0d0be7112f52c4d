"""A proof in sentences: what the bot saw, and where the agent says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from bot.commands.code import code
from bot.models import Mode, Verdict
from bot.render.phrases import count
from bot.render.proof import broken_count, broken_tests
from bot.render.sanitise import inline
from bot.render.trials import end, of_runs

if TYPE_CHECKING:
    from bot.models import JobOptions, Proof, Trials
    from bot.redaction import Redactor

_WHY = 600
"""Characters of the proof's reason."""


def verdict_by_proof(proof: Proof, *, redactor: Redactor) -> str:
    """Return what the bot saw when it ran the repro itself, as Markdown on one line.

    What could not be run here is told with its reason; then the verdict is the agent's word, which
    ``by_agent`` tells.
    """
    if not proof.is_proved:
        return joined("I could not prove this here.", why(proof, redactor=redactor))
    return joined(_sentences(proof, redactor), _second_try(proof))


def why(proof: Proof, *, redactor: Redactor) -> str:
    """Return the proof's reason as a whole sentence; empty without one."""
    text = inline(proof.why, redactor=redactor, limit=_WHY)
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def by_agent(proof: Proof, claim: Verdict | None, options: JobOptions) -> str:
    """Say what the agent adds to it, or that it claims something else than was seen."""
    if claim is None:
        return ""
    if not proof.is_proved:
        return f"{code(claim)} is the agent's word."
    if claim is proof.verdict:
        return _unfixed(options.mode) if claim is Verdict.REPRODUCED else ""
    if proof.verdict in {Verdict.ENVIRONMENT, Verdict.ERROR}:
        return f"The agent claimed {code(claim)}; I could not confirm it."
    return f"The agent claimed {code(claim)}; I saw {code(proof.verdict)}."


def disagrees(proof: Proof, claim: Verdict | None) -> bool:
    """Whether the agent claims something else than was seen."""
    return proof.is_proved and claim is not None and claim is not proof.verdict


def joined(*sentences: str) -> str:
    """Return the sentences that there are, one after the other."""
    return " ".join(sentence for sentence in sentences if sentence)


def _unfixed(mode: Mode) -> str:
    match mode:
        case Mode.REPRODUCE:
            return ""
        case Mode.DIAGNOSE:
            return "The agent looked for its cause."
        case Mode.FIX:
            return "The agent has no fix for it."
        case _:
            assert_never(mode)


def _sentences(proof: Proof, redactor: Redactor) -> str:
    match proof.verdict:
        case Verdict.FIXED | Verdict.NOT_FIXED | Verdict.BROKE_OTHERS:
            return _of_change(proof, redactor)
        case Verdict.REPRODUCED:
            return _at_base(proof, redactor)
        case Verdict.NOT_REPRODUCED:
            return joined(_at_base(proof, redactor), "So I could not reproduce the bug here.")
        case Verdict.ALREADY_PASSING:
            return joined(
                _at_base(proof, redactor),
                "The bug seems to be mended in this build already; that it was there in the "
                "reported version is the agent's word.",
            )
        case Verdict.ENVIRONMENT:
            return _environment(proof, redactor)
        case Verdict.ERROR:
            return joined("I could not tell.", why(proof, redactor=redactor))
        case _:
            assert_never(proof.verdict)


def _at_base(proof: Proof, redactor: Redactor) -> str:
    red = proof.red
    if not red or not red.count:
        return why(proof, redactor=redactor)
    said = f"{_ran(proof)}: it {_red(proof, red)}"
    if 0 < red.matching < red.count:
        said = f"{said} ({_otherwise(red)})"
    other = next((trial for trial in red.trials if trial.is_failure and not trial.matches), None)
    if red.matching == 0 and other is not None:
        said = f"{said}: {end(other, redactor=redactor)}"
    if proof.signature is None:
        return f"{said}. Nothing in the issue says what counts as the bug."
    return f"{said}."


def _of_change(proof: Proof, redactor: Redactor) -> str:
    """Say what the repro did without and with the change, and what the change broke."""
    red, green = proof.red, proof.green
    broke = _broke(proof, redactor) if proof.verdict is Verdict.BROKE_OTHERS else ""
    is_plain = proof.verdict is Verdict.FIXED or broke or (green and green.passed < green.count)
    if not red or not green or not red.count or not is_plain:
        return _by_reason(proof, redactor)
    said = f"{_ran(proof)}: it {_red(proof, red)}, and {_green(green)}."
    if proof.verdict is Verdict.FIXED and red.matching < red.count:
        return joined(said, "What fails only sometimes can also stay away by chance.")
    return joined(said, broke)


def _by_reason(proof: Proof, redactor: Redactor) -> str:
    """Say what the counts do not tell: a failure that is hidden, a patch that does not apply."""
    runs = [
        f"{count(trials.count, 'time')} {where}"
        for trials, where in ((proof.red, "at base"), (proof.green, "with the change"))
        if trials and trials.count
    ]
    ran = f"{_ran(proof)}, {' and '.join(runs)}." if runs else "I checked the change."
    return joined(ran, why(proof, redactor=redactor))


def _broke(proof: Proof, redactor: Redactor) -> str:
    number = broken_count(proof)
    if not number:
        return ""
    verb = "fails" if number == 1 else "fail"
    tests = broken_tests(proof, redactor=redactor)
    return f"But {count(number, 'test')} that passed at base {verb} with the change: {tests}."


def _environment(proof: Proof, redactor: Redactor) -> str:
    if proof.red and proof.red.count and proof.sanity is not None and proof.sanity.is_failure:
        return (
            f"{_ran(proof)}: it {_red(proof, proof.red)}, and a trivial program on an untouched "
            "tree fails too. So this machine cannot show the bug."
        )
    ran = f"{_ran(proof)}: it {_red(proof, proof.red)}." if proof.red and proof.red.count else ""
    return joined(ran, "This machine cannot show the bug.", why(proof, redactor=redactor))


def _ran(proof: Proof) -> str:
    if proof.repro_diff.strip():
        return "I ran the issue's repro myself, as the agent completed it"
    if proof.repro_source == "agent":
        return "I ran the agent's repro myself, as the issue has none that I can run"
    return "I ran the repro myself"


def _red(proof: Proof, red: Trials) -> str:
    if red.matching == red.count:
        return f"fails at base in {of_runs(red.count, red)}"
    if red.matching:
        return f"fails at base only sometimes, in {of_runs(red.matching, red)}"
    if red.passed == red.count:
        return f"passes at base in {of_runs(red.count, red)}"
    fails = "fails at base in another way" if proof.signature else "fails at base"
    return f"{fails} in {of_runs(red.count - red.passed, red)}"


def _otherwise(red: Trials) -> str:
    """Say what it did where it did not fail with the signature."""
    others = red.count - red.matching - red.passed
    parts = [f"{red.passed} passed"] if red.passed else []
    if others:
        parts.append(f"{others} failed in another way")
    return ", ".join(parts)


def _green(green: Trials) -> str:
    failed = green.count - green.passed
    if not failed:
        return f"passes with the change in {green.passed} of {green.count}"
    if green.matching == 0:
        return f"with the change it fails in another way in {failed} of {green.count}"
    return f"with the change it still fails in {failed} of {green.count}"


def _second_try(proof: Proof) -> str:
    if not proof.retried:
        return ""
    if proof.verdict is Verdict.FIXED:
        return "It took the agent a second try."
    return "The agent had a second try, with what I saw in the first."
