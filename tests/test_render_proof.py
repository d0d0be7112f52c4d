"""A proof as a table and as a sentence, word for word."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from inline_snapshot import snapshot
from markdown_it import MarkdownIt

from bot import render
from bot.models import FailureKind, Neighbour, Proof, Signature, TestEnd, Trials, Verdict
from bot.redaction import Redactor
from bot.render.evidence import evidence
from tests import proofs
from tests.proofs import CRASH, GREEN, HANG, OTHER, RED, before_the_change, proof, ran

REDACTOR = Redactor(["hunter2hunter2"])
HEAD = "| what I ran | what I saw |\n|---|---|\n"


def _table(shown: Proof) -> str:
    return render.proof_table(shown, redactor=REDACTOR)


def _row(shown: Proof, label: str) -> str:
    lines = _table(shown).removeprefix(HEAD).split("\n")
    rows = dict(line.strip("| ").split(" | ", 1) for line in lines)
    return rows.get(label, "")


def _said(shown: Proof) -> str:
    return render.verdict_by_proof(shown, redactor=REDACTOR)


def test_the_table_of_a_fix() -> None:
    """It is read in ten seconds: red, green, the tests, where."""
    assert _table(proof()) == snapshot("""\
| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| the repro with the change | **passes** 3 of 3 |
| the tests of the change | fail at base, **pass** with the change |
| the tests next to it | 2 files: none broke |
| where | `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9` |\
""")


def test_the_table_of_a_change_that_breaks_others() -> None:
    """Three tests are named, the others counted; what says nothing about the change is apart."""
    broken = tuple(f"TestNN.test_{n}" for n in range(5))
    shown = proof(
        Verdict.BROKE_OTHERS,
        slowdown=1.34,
        neighbours=(
            proofs.near("test/test_nn.py", "passed", "failed", broken=broken),
            proofs.near("test/test_old.py", "failed", "not_run"),
            proofs.near("test/test_flaky.py", "flaky", "passed"),
            proofs.near("test/test_long.py", "not_run", "not_run"),
        ),
    )
    assert _table(shown) == snapshot("""\
| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| the repro with the change | **passes** 3 of 3 |
| the tests next to it | 4 files: **5 broke**: `TestNN.test_0`, `TestNN.test_1`, `TestNN.test_2` and 2 more; 1 failed at base already; 1 flaky; 1 not run |
| speed of the repro | **34 % slower** with the change |
| where | `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9` |\
""")


def test_runs_in_the_table() -> None:
    """What failed, how often, and with what: the signature, a signal, a limit, or other words."""
    signature = {"signature": None}
    rows = {
        name: _row(before_the_change(Verdict.REPRODUCED, *trials, **fields), "the repro at base")
        for name, trials, fields in (
            ("always", [RED, RED, RED], {}),
            ("sometimes", [RED, GREEN, RED, GREEN, GREEN], {}),
            ("mixed", [RED, OTHER, GREEN], {}),
            ("otherwise", [OTHER, OTHER, OTHER], {}),
            ("never", [GREEN, GREEN, GREEN], {}),
            ("not", [], {}),
            ("no signature", [OTHER], signature),
            ("silent", [OTHER.model_copy(update={"output": ""})], signature),
            ("hang", [HANG], {"signature": Signature(kind=FailureKind.HANG)}),
            ("crash", [CRASH], {"signature": Signature(kind=FailureKind.CRASH)}),
            (
                "agent",
                [RED],
                {"signature": proofs.SIGNATURE.model_copy(update={"source": "agent"})},
            ),
            (
                "test",
                [OTHER.model_copy(update={"matches": True})],
                {"signature": Signature(kind=FailureKind.TEST, message="FAILED test_x")},
            ),
            (
                "cut short",
                [OTHER.model_copy(update={"exit_status": 0})],
                {},
            ),
            (
                "status 255 is no signal",
                [OTHER.model_copy(update={"output": " \n", "exit_status": 255})],
                {},
            ),
        )
    }
    assert rows == snapshot(
        {
            "always": "**fails** 3 of 3: `AssertionError: the caller's batch was changed`",
            "sometimes": "**fails** 2 of 5: `AssertionError: the caller's batch was changed`; **passes** 3 of 5",
            "mixed": "**fails** 1 of 3: `AssertionError: the caller's batch was changed`; **fails** in another way 1 of 3: `ModuleNotFoundError: No module named 'triton'`; **passes** 1 of 3",
            "otherwise": "**fails** in another way 3 of 3: `ModuleNotFoundError: No module named 'triton'`",
            "never": "**passes** 3 of 3",
            "not": "was not run",
            "no signature": "**fails** 1 of 1: `ModuleNotFoundError: No module named 'triton'`",
            "silent": "**fails** 1 of 1: exit status 1",
            "hang": "**fails** 1 of 1: no end within 120 s",
            "crash": "**fails** 1 of 1: signal 11 (SIGSEGV)",
            "agent": "**fails** 1 of 1: `AssertionError: the caller's batch was changed` (the failure by the agent's word: the issue quotes none)",
            "test": "**fails** 1 of 1: `FAILED test_x`",
            "cut short": "**fails** in another way 1 of 1: exit status 0 before its end",
            "status 255 is no signal": "**fails** in another way 1 of 1: exit status 255",
        }
    )


def test_the_tests_of_the_change_in_the_table() -> None:
    """A test that passes without the change too does not show the bug, and that is said."""
    ends: tuple[tuple[TestEnd, TestEnd], ...] = (
        ("failed", "passed"),
        ("passed", "passed"),
        ("flaky", "passed"),
        ("not_run", "passed"),
        ("failed", "failed"),
        ("failed", "flaky"),
        ("not_run", "not_run"),
    )
    rows = {
        (base, patched): _row(
            proof(neighbours=(proofs.near("test/t.py", base, patched, is_new=True),)),
            "the tests of the change",
        )
        for base, patched in ends
    }
    assert rows == snapshot(
        {
            ("failed", "passed"): "fail at base, **pass** with the change",
            ("passed", "passed"): "**pass at base too**, so they do not show the bug",
            ("flaky", "passed"): "fail only sometimes at base, **pass** with the change",
            ("not_run", "passed"): "**pass** with the change, not run at base",
            ("failed", "failed"): "**fail** with the change",
            ("failed", "flaky"): "**sometimes fail** with the change",
            ("not_run", "not_run"): "not run",
        }
    )
    both = proof(
        neighbours=(
            proofs.near("test/a.py", "failed", "passed", is_new=True),
            proofs.near("test/b.py", "passed", "passed", is_new=True),
        )
    )
    assert _row(both, "the tests of the change") == snapshot(
        "fail at base, **pass** with the change: `test/a.py`; **pass at base too**, so they do not show the bug: `test/b.py`"
    )


def test_tests_in_the_table() -> None:
    """That nothing was found, or that nothing could be run, is told too."""
    assert _row(proof(neighbours=()), "the tests next to it") == snapshot("none found")
    unrun = proof(neighbours=(proofs.near("test/t.py", "passed", "not_run"),))
    assert _row(unrun, "the tests next to it") == snapshot("1 file: 1 not run")
    unnamed = proof(neighbours=(proofs.near("test/t.py", "passed", "failed"),))
    assert _row(unnamed, "the tests next to it") == snapshot("1 file: **1 broke**: `test/t.py`")


@pytest.mark.parametrize(
    ("slowdown", "row"),
    [
        (None, snapshot("")),
        (1.1, snapshot("")),
        (1.11, snapshot("**11 % slower** with the change")),
        (3.4, snapshot("takes **3.4 times as long** with the change")),
        (float("inf"), snapshot("")),
        (float("nan"), snapshot("")),
    ],
)
def test_speed_is_told_when_it_is_lost(slowdown: float | None, row: str) -> None:
    """A slow-down over 10 % is told, and nothing else."""
    assert _row(proof(slowdown=slowdown), "speed of the repro") == row


def test_where_it_was_seen() -> None:
    """Hardware and version stand in every table; a machine without a GPU is called that."""
    shown = proof(gpu=None, driver=None, cuda=None, red=None, green=None, neighbours=())
    assert _table(shown) == snapshot("""\
| what I ran | what I saw |
|---|---|
| where | no GPU, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9` |\
""")


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


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "@someone fixes #7 | <!-- x -->",
            "</details><img src=x>",
            "| a | b |\n|---|",
            "``` ` ```",
            "hunter2hunter2",
            "/ptq investigate",
        ]
    ),
)


@given(HOSTILE, HOSTILE, HOSTILE)
@settings(max_examples=150, deadline=None)
def test_text_of_others_stays_in_its_cell(one: str, two: str, three: str) -> None:
    """Names, outputs, messages and builds neither leave their cell nor act on GitHub."""
    trial = RED.model_copy(update={"output": three})
    shown = proof(
        Verdict.BROKE_OTHERS,
        why=three,
        signature=Signature(kind=FailureKind.EXCEPTION, exception=one, message=two),
        red=ran(trial, OTHER.model_copy(update={"output": two})),
        neighbours=(proofs.near(one, "passed", "failed", broken=(two, three)),),
        gpu=one,
        torch_version=two,
        python=three,
    )
    table = _table(shown)
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    cells = [token.type for token in tokens if token.type in {"tr_open", "th_open", "td_open"}]
    rows = len(cells) // 3
    assert cells == ["tr_open", *["th_open"] * 2, *["tr_open", "td_open", "td_open"] * (rows - 1)]
    assert tokens[-1].type == "table_close"
    for text in (table, _said(shown)):
        assert "hunter2hunter2" not in text
        assert _html(text) <= {"<code>", "</code>"}
    assert "\n" not in _said(shown)


@given(HOSTILE, HOSTILE)
@settings(max_examples=150, deadline=None)
def test_text_of_others_stays_in_the_evidence(one: str, two: str) -> None:
    """Paths, reasons, commands and hashes keep the tables whole; outputs stay in their fences."""
    trial = OTHER.model_copy(update={"output": f"{one}\n{two}"})
    shown = proof(
        Verdict.NOT_FIXED,
        why=one,
        repro_source="agent",
        repro_diff=two,
        repro_sha256=one,
        patch_sha256=two,
        commit=one,
        red=Trials(command=(one, two), trials=(trial,)),
        neighbours=(Neighbour(path=one, reason=two, base="passed", patched="failed"),),
    )
    text = evidence(shown, repro=one, redactor=REDACTOR)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    cells = [token.type for token in tokens if token.type in {"tr_open", "td_open"}]
    row = ["tr_open", *["td_open"] * 4]
    assert cells == ["tr_open", *row, *row, "tr_open", *row]
    assert "hunter2hunter2" not in text
    assert _html(text) <= {"<code>", "</code>"}


def _html(text: str) -> set[str]:
    """Return the HTML that a text would have on GitHub."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    every = [*tokens, *(child for token in tokens for child in token.children or ())]
    return {token.content for token in every if token.type in {"html_block", "html_inline"}}
