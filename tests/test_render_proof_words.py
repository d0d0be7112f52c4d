"""A proof as a sentence, word for word."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot import render
from bot.models import Proof, Verdict
from bot.redaction import Redactor
from tests import proofs
from tests.proofs import GREEN, OTHER, RED, before_the_change, proof, ran

REDACTOR = Redactor(["hunter2hunter2"])


def _said(shown: Proof) -> str:
    return render.verdict_by_proof(shown, redactor=REDACTOR)


def test_a_sentence_for_every_verdict() -> None:
    """The bot tells what it saw itself, with counts."""
    nothing = "The change is empty."
    caught = "It fails as reported. The patch hides the failure: it catches the exception"
    said = {
        name: _said(shown)
        for name, shown in {
            "reproduced": before_the_change(Verdict.REPRODUCED, RED, RED, RED),
            "not_reproduced": before_the_change(Verdict.NOT_REPRODUCED, GREEN, GREEN, GREEN),
            "not_reproduced, otherwise": before_the_change(
                Verdict.NOT_REPRODUCED, OTHER, OTHER, OTHER
            ),
            "not_reproduced, only printing": before_the_change(
                Verdict.NOT_REPRODUCED, GREEN, GREEN, GREEN, signature=None
            ),
            "not_reproduced, no repro": before_the_change(
                Verdict.NOT_REPRODUCED, red=None, why="There is no program that shows the bug."
            ),
            "fixed": proof(),
            "not_fixed": proof(Verdict.NOT_FIXED, green=ran(RED, RED, RED)),
            "not_fixed, sometimes": proof(
                Verdict.NOT_FIXED, green=ran(RED, GREEN, GREEN, GREEN, GREEN)
            ),
            "not_fixed, otherwise": proof(Verdict.NOT_FIXED, green=ran(OTHER, OTHER, OTHER)),
            "not_fixed, hidden": proof(Verdict.NOT_FIXED, why=caught),
            "not_fixed, unseen": proof(Verdict.NOT_FIXED, red=None, why=nothing),
            "not_fixed, nothing": proof(Verdict.NOT_FIXED, green=None, why=nothing),
            "broke_others": proof(
                Verdict.BROKE_OTHERS,
                neighbours=(proofs.near("t.py", "passed", "failed", broken=("T.test_a",)),),
            ),
            "broke_others, unnamed": proof(
                Verdict.BROKE_OTHERS, why="The change deletes a test that passed."
            ),
            "already_passing": before_the_change(Verdict.ALREADY_PASSING, GREEN, GREEN, GREEN),
            "environment": before_the_change(
                Verdict.ENVIRONMENT, OTHER, OTHER, OTHER, sanity=OTHER
            ),
            "environment, lacking": before_the_change(
                Verdict.ENVIRONMENT, OTHER, sanity=GREEN, why="It needs the package `triton`."
            ),
            "environment, unseen": before_the_change(
                Verdict.ENVIRONMENT, red=None, why="It needs Apple's MPS."
            ),
            "error": before_the_change(Verdict.ERROR, red=None, why="The worktree was gone."),
        }.items()
    }
    assert said == snapshot(
        {
            "reproduced": "I ran the repro myself: it fails at base in 3 of 3 runs.",
            "not_reproduced": "I ran the repro myself: it passes at base in 3 of 3 runs. So I could not reproduce the bug here.",
            "not_reproduced, otherwise": "I ran the repro myself: it fails at base in another way in 3 of 3 runs: `ModuleNotFoundError: No module named 'triton'`. So I could not reproduce the bug here.",
            "not_reproduced, only printing": "I ran the repro myself: it passes at base in 3 of 3 runs. Nothing in the issue says what counts as the bug. So I could not reproduce the bug here.",
            "not_reproduced, no repro": "There is no program that shows the bug. So I could not reproduce the bug here.",
            "fixed": "I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3.",
            "not_fixed": "I ran the repro myself: it fails at base in 3 of 3 runs, and with the change it still fails in 3 of 3.",
            "not_fixed, sometimes": "I ran the repro myself: it fails at base in 3 of 3 runs, and with the change it still fails in 1 of 5.",
            "not_fixed, otherwise": "I ran the repro myself: it fails at base in 3 of 3 runs, and with the change it fails in another way in 3 of 3.",
            "not_fixed, hidden": "I ran the repro myself, 3 times at base and 3 times with the change. It fails as reported. The patch hides the failure: it catches the exception.",
            "not_fixed, unseen": "I ran the repro myself, 3 times with the change. The change is empty.",
            "not_fixed, nothing": "I ran the repro myself, 3 times at base. The change is empty.",
            "broke_others": "I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. But 1 test that passed at base fails with the change: `T.test_a`.",
            "broke_others, unnamed": "I ran the repro myself, 3 times at base and 3 times with the change. The change deletes a test that passed.",
            "already_passing": "I ran the repro myself: it passes at base in 3 of 3 runs. The bug seems to be mended in this build already; that it was there in the reported version is the agent's word.",
            "environment": "I ran the repro myself: it fails at base in another way in 3 of 3 runs, and a trivial program on an untouched tree fails too. So this machine cannot show the bug.",
            "environment, lacking": "I ran the repro myself: it fails at base in another way in 1 of 1 run. This machine cannot show the bug. It needs the package `triton`.",
            "environment, unseen": "This machine cannot show the bug. It needs Apple's MPS.",
            "error": "I could not tell. The worktree was gone.",
        }
    )
    assert {name.partition(",")[0] for name in said} == {verdict.value for verdict in Verdict}


def test_sentences_about_a_bug_that_shows_sometimes() -> None:
    """Counts tell how often; a fix of such a bug is told with its doubt."""
    mixed = (RED, GREEN, RED, GREEN, OTHER)
    assert [
        _said(before_the_change(Verdict.REPRODUCED, *mixed)),
        _said(before_the_change(Verdict.REPRODUCED, RED, GREEN)),
        _said(proof(red=ran(*mixed), green=ran(*[GREEN] * 5))),
    ] == snapshot(
        [
            "I ran the repro myself: it fails at base only sometimes, in 2 of 5 runs (2 passed, 1 failed in another way).",
            "I ran the repro myself: it fails at base only sometimes, in 1 of 2 runs (1 passed).",
            "I ran the repro myself: it fails at base only sometimes, in 2 of 5 runs, and passes with the change in 5 of 5. What fails only sometimes can also stay away by chance.",
        ]
    )


def test_sentences_say_whose_repro_it_was() -> None:
    """A repro that the agent wrote or completed is never told as the issue's."""
    diff = "--- a/repro.py\n+++ b/repro.py\n+assert x\n"
    assert [
        _said(proof(repro_source="agent")),
        _said(proof(repro_source="agent", repro_diff=diff)),
        _said(before_the_change(Verdict.ENVIRONMENT, OTHER, repro_source="agent", sanity=OTHER)),
    ] == snapshot(
        [
            "I ran the agent's repro myself, as the issue has none that I can run: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3.",
            "I ran the issue's repro myself, as the agent completed it: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3.",
            "I ran the agent's repro myself, as the issue has none that I can run: it fails at base in another way in 1 of 1 run, and a trivial program on an untouched tree fails too. So this machine cannot show the bug.",
        ]
    )


def test_sentences_about_a_second_try() -> None:
    """A second try of the agent is told."""
    assert [
        _said(proof(retried=True)),
        _said(proof(Verdict.NOT_FIXED, green=ran(RED), retried=True)),
    ] == snapshot(
        [
            "I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. It took the agent a second try.",
            "I ran the repro myself: it fails at base in 3 of 3 runs, and with the change it still fails in 1 of 1. The agent had a second try, with what I saw in the first.",
        ]
    )


@pytest.mark.parametrize("verdict", Verdict)
def test_what_cannot_be_proved_is_told_with_its_reason(verdict: Verdict) -> None:
    """One line says what is missing here."""
    shown = before_the_change(
        verdict, red=None, is_proved=False, why="It needs eight GPUs, this machine has one."
    )
    assert _said(shown) == (
        "I could not prove this here. It needs eight GPUs, this machine has one."
    )
