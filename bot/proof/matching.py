"""Whether a run failed, and whether with the failure that is looked for. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from bot.models import FailureKind, Trial, Trials
from bot.proof import distinctive, reported, tracebacks
from bot.workspace.repro import ReproKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Signature
    from bot.proof.oracle import Oracle
    from bot.proof.tracebacks import Raised
    from bot.proof.trials import Program, Seen

SIGNALLED = 128
_RECORDED = 10_000
"""Characters of an output that the record holds: it is read by people, and kept for ever."""
_REPEATED = 500
"""Of the output of a run that ended as one before it did."""
_SIGNALS = {"SIGILL": 4, "SIGABRT": 6, "SIGBUS": 7, "SIGFPE": 8, "SIGSEGV": 11}
_MEMORY = frozenset({"SIGABRT", "SIGBUS", "SIGSEGV"})
"""Which of these a broken memory ends with is chance."""
_CHECKED = re.compile(
    r"(?:^|/)(?:torch/testing/|numpy/testing/|unittest/|torch/autograd/gradcheck)"
)
_TEST_FAILED = re.compile(
    r"^(?:FAIL|ERROR): (?!setUp|tearDown)(?!.*_FailedTest)|^FAILED \S+::", re.MULTILINE
)
_SAME = ({"RuntimeError", "AcceleratorError"},)
"""Classes of one failure in different versions of PyTorch."""
_ASSERTED = re.compile(r"\bAssertion .{1,2000} failed\b")
_NO_TEST = re.compile(
    r"^Ran 0 tests|^NO TESTS RAN|^OK \(skipped=|\bcollected 0 items|^=*\s*\d+ skipped|"
    r"\bno tests ran\b|^=+ \d+ skipped",
    re.MULTILINE,
)
_PASSED_TEST = re.compile(r"\b\d+ passed\b")
_RAN = re.compile(r"^Ran (?P<ran>\d+) tests?", re.MULTILINE)
_SKIPPED = re.compile(r"^OK \(.*skipped=(?P<skipped>\d+)", re.MULTILINE)


def judged(
    oracle: Oracle, program: Program, seen: Sequence[Seen]
) -> tuple[Signature | None, Trials]:
    """Return the failure that most runs show (else the first that is looked for), and the runs."""
    signature = max(
        oracle.signatures,
        key=lambda one: sum(matches(oracle, one, run) for run in seen),
        default=None,
    )
    if signature is not None:
        signature = _completed(oracle, signature, seen)
    return signature, as_trials(oracle, program, seen, signature)


def as_trials(
    oracle: Oracle, program: Program, seen: Sequence[Seen], signature: Signature | None
) -> Trials:
    """Return the runs as they are recorded: with the output of the first that ended in its way."""
    told: set[tuple[bool, bool]] = set()
    trials: list[Trial] = []
    for run in seen:
        one = trial(program, run, matches=signature is not None and matches(oracle, signature, run))
        way = (one.is_failure, one.matches)
        kept = _REPEATED if way in told else _RECORDED
        told.add(way)
        trials.append(one.model_copy(update={"output": one.output[-kept:]}))
    return Trials(command=program.shown, trials=tuple(trials))


def trial(program: Program, seen: Seen, *, matches: bool) -> Trial:
    """Return one run as it is recorded."""
    return Trial(
        exit_status=seen.exit_status,
        timed_out=seen.timed_out,
        seconds=seen.seconds,
        output=seen.output,
        is_failure=matches or seen.exit_status != 0 or not ran_to_end(program, seen),
        matches=matches,
    )


def ran_to_end(program: Program, seen: Seen) -> bool:
    """Whether each of its processes came to the end of the script, where that can be told."""
    return not program.is_marked or (seen.began > 0 and seen.ended >= seen.began)


def nothing_ran(oracle: Oracle, seen: Seen) -> bool:
    """Whether a test's run ended well without having run the test: it is skipped here."""
    if oracle.repro.kind is not ReproKind.TEST or seen.exit_status not in {0, 5}:
        return False
    ran, skipped = _RAN.search(seen.output), _SKIPPED.search(seen.output)
    if ran is not None:
        return int(ran["ran"]) <= (int(skipped["skipped"]) if skipped else 0)
    return _NO_TEST.search(seen.output) is not None and not _PASSED_TEST.search(seen.output)


def matches(oracle: Oracle, signature: Signature, seen: Seen) -> bool:
    """Whether a run failed in this way."""
    match signature.kind:
        case FailureKind.HANG:
            return seen.timed_out
        case FailureKind.CRASH:
            return _crashed(signature, seen)
        case FailureKind.TEST:
            return _test_failed(seen)
        case FailureKind.EXCEPTION:
            return _raised(signature, seen)
        case FailureKind.WRONG_RESULT:
            return _judged_wrong(oracle, signature, seen)
        case _:
            assert_never(signature.kind)


def _crashed(signature: Signature, seen: Seen) -> bool:
    if seen.exit_status in {0, None}:
        return False
    wanted = _MEMORY if signature.message in _MEMORY else {signature.message}
    numbers = {SIGNALLED + _SIGNALS[name] for name in wanted if name in _SIGNALS}
    if not signature.message:
        numbers = {SIGNALLED + number for number in _SIGNALS.values()}
    if seen.exit_status in numbers:
        return True
    # A launcher tells the crash of a process that it started in words.
    spoken = reported.crash(seen.output)
    return spoken is not None and (not signature.message or spoken.message in wanted)


def _test_failed(seen: Seen) -> bool:
    if seen.exit_status in {0, None}:
        return False
    crashed = (seen.exit_status or 0) - SIGNALLED in _SIGNALS.values()
    return crashed or _TEST_FAILED.search(seen.output) is not None


def _raised(signature: Signature, seen: Seen) -> bool:
    """An exception counts also where the program catches and prints it, if it says enough."""
    if seen.exit_status is None or (seen.exit_status == 0 and not signature.message):
        return False
    shown = [
        *tracebacks.read(seen.output),
        *tracebacks.named(seen.output),
        *tracebacks.thrown(seen.output),
    ]
    return any(_is(signature, raised) for raised in shown)


def _is(signature: Signature, raised: Raised) -> bool:
    names = {signature.exception, raised.exception}
    is_class = not signature.exception or len(names) == 1 or names in _SAME
    return is_class and signature.message in raised.message


def _judged_wrong(oracle: Oracle, signature: Signature, seen: Seen) -> bool:
    if oracle.repro.kind is ReproKind.CPP:
        return oracle.script.exits and _ended_itself(seen) and signature.message in seen.output
    if seen.exit_status is None or not 0 < seen.exit_status < SIGNALLED:
        return False
    raised = tracebacks.read(seen.output)
    if not raised:
        return oracle.script.exits and 0 < seen.began == seen.ended and not signature.message
    return any(
        signature.message in one.message and _is_check(oracle, one, signature) for one in raised
    )


def _ended_itself(seen: Seen) -> bool:
    """Whether a C++ program returned a failure, or an ``assert`` of it did not hold."""
    if seen.exit_status == SIGNALLED + _SIGNALS["SIGABRT"]:
        return _ASSERTED.search(seen.output) is not None
    return seen.exit_status is not None and 0 < seen.exit_status < SIGNALLED


def _is_check(oracle: Oracle, raised: Raised, signature: Signature) -> bool:
    """Whether it was raised by the repro's own judgement."""
    if not raised.frames:
        return False
    last = raised.frames[-1]
    if last.path == oracle.filename:
        return last.line in oracle.script.checks or bool(signature.message)
    outer = [frame for frame in raised.frames if frame.path == oracle.filename]
    is_called = bool(outer) and outer[-1].line in oracle.script.checks
    return is_called and (
        _CHECKED.search(last.path) is not None or raised.exception == "AssertionError"
    )


def _completed(oracle: Oracle, signature: Signature, seen: Sequence[Seen]) -> Signature:
    """Name the assertion that fails, where each run shows the same."""
    if signature.kind is not FailureKind.WRONG_RESULT or signature.exception:
        return signature
    found: set[tuple[str, str]] = set()
    for run in seen:
        if matches(oracle, signature, run):
            raised = tracebacks.read(run.output)[-1:]
            found.update((one.exception, distinctive.part(one.message)) for one in raised)
    if len(found) != 1:
        return signature
    exception, message = found.pop()
    return signature.model_copy(update={"exception": exception, "message": message})
