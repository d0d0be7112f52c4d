"""The table of a proof, word for word."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot import render
from bot.models import FailureKind, Proof, Signature, TestEnd, Verdict
from bot.redaction import Redactor
from tests import proofs
from tests.proofs import CRASH, GREEN, HANG, OTHER, RED, before_the_change, proof

REDACTOR = Redactor(["hunter2hunter2"])
HEAD = "| what I ran | what I saw |\n|---|---|\n"


def _table(shown: Proof) -> str:
    return render.proof_table(shown, redactor=REDACTOR)


def _row(shown: Proof, label: str) -> str:
    lines = _table(shown).removeprefix(HEAD).split("\n")
    rows = dict(line.strip("| ").split(" | ", 1) for line in lines)
    return rows.get(label, "")


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
