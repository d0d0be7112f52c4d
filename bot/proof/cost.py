"""What a patch costs: the time of the repro with it over the time without it. Pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from bot.models import FailureKind
from bot.proof import tracebacks

if TYPE_CHECKING:
    from bot.models import Trial, Trials
    from bot.proof.oracle import Oracle
    from bot.proof.red import Red

SHORTEST = 0.05
"""Seconds: what is shorter says nothing."""
TOLD = 1.10
"""A slow-down beyond this is told."""
_NOISE = 0.25
"""Seconds."""


def slowdown(oracle: Oracle, red: Red, green: Trials) -> float | None:
    """Return the ratio of the medians, where both sides did the same work; None elsewhere.

    A slow-down is told only where no run without the patch was as slow as one with it, and where
    it is more than what starting a process differs by.
    """
    runs = zip(red.trials.trials, red.seen, strict=True)
    before = [one.seconds for one, run in runs if _did_all(oracle, red, one, run.output)]
    after = [one.seconds for one in green.trials if not one.is_failure]
    if not before or not after or min(median(before), median(after)) < SHORTEST:
        return None
    ratio = round(median(after) / median(before), 2)
    is_noise = max(before) >= min(after) or median(after) - median(before) < _NOISE
    return None if ratio > TOLD and is_noise else ratio


def _did_all(oracle: Oracle, red: Red, trial: Trial, output: str) -> bool:
    """Whether a run passed, or failed only in the judgement at the repro's very end."""
    if not trial.is_failure:
        return True
    signature = red.signature
    if not trial.matches or signature is None or signature.kind is not FailureKind.WRONG_RESULT:
        return False
    first, last = oracle.script.last
    frames = [frame for one in tracebacks.read(output)[-1:] for frame in one.frames]
    own = [frame.line for frame in frames if frame.path == oracle.filename]
    return bool(own) and first <= own[0] <= last
