"""Verdicts in plain words: the agent's claims, and they say so, until ptq proves them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from bot.models import Mode, Verdict

if TYPE_CHECKING:
    from bot.models import JobOptions


def verdict_sentence(  # noqa: PLR0911 -- a sentence for each verdict
    verdict: Verdict, options: JobOptions
) -> str:
    """Return what the agent claims, as a sentence."""
    match verdict:
        case Verdict.REPRODUCED:
            return _reproduced(options.mode)
        case Verdict.NOT_REPRODUCED:
            return "The agent reports that it could not reproduce the bug."
        case Verdict.FIXED:
            return "The agent reports that it reproduced the bug and fixed it."
        case Verdict.NOT_FIXED:
            return "The agent reports that it reproduced the bug and could not fix it."
        case Verdict.BROKE_OTHERS:
            return "The agent reports that its change mends the bug and breaks other tests."
        case Verdict.ALREADY_PASSING:
            return (
                "The agent reports that the bug does not happen in the build of PyTorch that it "
                "used: it may be fixed already."
            )
        case Verdict.ENVIRONMENT:
            return "The agent reports that the bug could not be tried in the environment it had."
        case Verdict.ERROR:
            return "The agent reports that it ran into an error before it could tell."
        case _:
            assert_never(verdict)


def _reproduced(mode: Mode) -> str:
    match mode:
        case Mode.REPRODUCE:
            return "The agent reports that it reproduced the bug."
        case Mode.DIAGNOSE:
            return "The agent reports that it reproduced the bug and looked for its cause."
        case Mode.FIX:
            return "The agent reports that it reproduced the bug, and it has no fix for it."
        case _:
            assert_never(mode)
