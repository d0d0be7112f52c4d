"""What runs of a program showed, in a few words."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from bot.models import FailureKind
from bot.render.phrases import count
from bot.render.sanitise import code_line

if TYPE_CHECKING:
    from bot.models import Signature, Trial, Trials
    from bot.redaction import Redactor

_SIGNALS = {
    4: "SIGILL",
    5: "SIGTRAP",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    11: "SIGSEGV",
    13: "SIGPIPE",
    15: "SIGTERM",
}
"""Of Linux, where the machines are: https://man7.org/linux/man-pages/man7/signal.7.html"""
_SIGNALLED = 128
"""A shell's exit status for signal N is this and N."""
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]{0,200}(?:Error|Exception|Interrupt|Failure)(?::|\Z)")
_READ = 20_000
"""Characters at the end of an output in which its last words are looked for."""


def failing(trials: Trials, signature: Signature | None, *, redactor: Redactor) -> str:
    """Return how often it failed and passed, and with what: ``fails 3 of 3: …``; Markdown."""
    matching = [trial for trial in trials.trials if trial.matches]
    others = [trial for trial in trials.trials if trial.is_failure and not trial.matches]
    parts: list[str] = []
    if matching:
        said = failure(signature, matching[0], redactor=redactor)
        parts.append(_counted("**fails**", len(matching), trials.count, said))
    if others:
        said = end(others[0], redactor=redactor)
        verb = "**fails** in another way" if signature else "**fails**"
        parts.append(_counted(verb, len(others), trials.count, said))
    if trials.passed:
        parts.append(_counted("**passes**", trials.passed, trials.count))
    return "; ".join(parts) or "was not run"


def failure(signature: Signature | None, trial: Trial, *, redactor: Redactor) -> str:
    """Return the failure that was looked for, as it showed in a run that failed with it."""
    if signature is None or signature.kind in {FailureKind.CRASH, FailureKind.HANG}:
        return end(trial, redactor=redactor)
    return named(signature, redactor=redactor) or end(trial, redactor=redactor)


def named(signature: Signature, *, redactor: Redactor) -> str:
    """Return the exception's class and the part of its message, as code; empty without them."""
    words = ": ".join(part for part in (signature.exception, signature.message) if part.strip())
    return code_line(words, redactor=redactor)


def end(trial: Trial, *, redactor: Redactor) -> str:
    """Return how a run ended: its time limit, a signal, its last words, or its exit status."""
    if trial.timed_out or trial.exit_status is None:
        return status(trial)
    if (trial.exit_status - _SIGNALLED) in _SIGNALS or _is_cut_short(trial):
        return status(trial)
    return code_line(_last_words(trial.output), redactor=redactor) or status(trial)


def status(trial: Trial) -> str:
    """Return the exit status, the signal, or that it was ended at its time limit."""
    if trial.timed_out or trial.exit_status is None:
        return f"no end within {took(trial.seconds)}"
    signal = trial.exit_status - _SIGNALLED
    if signal in _SIGNALS:
        return f"signal {signal} ({_SIGNALS[signal]})"
    early = " before its end" if _is_cut_short(trial) else ""
    return f"exit status {trial.exit_status}{early}"


def took(seconds: float) -> str:
    """Return ``0.3 s``, ``12 s`` or ``4 min``."""
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 9.95:  # noqa: PLR2004 -- what is shown with a tenth
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 -- as above, in minutes


def of_runs(number: int, trials: Trials) -> str:
    """Return ``3 of 3 runs``."""
    return f"{number} of {count(trials.count, 'run')}"


def _is_cut_short(trial: Trial) -> bool:
    """Whether it says that all is well, and did not run to its end."""
    return trial.exit_status == 0 and trial.is_failure and not trial.matches


def _counted(verb: str, number: int, whole: int, said: str = "") -> str:
    return f"{verb} {number} of {whole}{': ' if said else ''}{said}"


def _last_words(output: str) -> str:
    """Return the last line that names an exception, else the last line with anything on it."""
    lines = [line.strip() for line in output[-_READ:].splitlines()]
    raised = next((line for line in reversed(lines) if _EXCEPTION.match(line)), "")
    return raised or next((line for line in reversed(lines) if line), "")
