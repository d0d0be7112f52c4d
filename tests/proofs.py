"""Proofs of every kind, for the tests of what is said about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.models import FailureKind, Neighbour, Proof, Signature, Trial, Trials, Verdict

if TYPE_CHECKING:
    from bot.models import TestEnd

MESSAGE = "the caller's batch was changed"
OUTPUT = (
    "Traceback (most recent call last):\n"
    '  File "repro.py", line 7, in <module>\n'
    f"AssertionError: {MESSAGE}: [[1.0, 4.0]] became [[1.0, 2.0]]\n"
)
SIGNATURE = Signature(
    kind=FailureKind.WRONG_RESULT, exception="AssertionError", message=MESSAGE, source="issue"
)
RED = Trial(exit_status=1, seconds=2.1, output=OUTPUT, is_failure=True, matches=True)
GREEN = Trial(exit_status=0, seconds=2.2, output="done\n", is_failure=False, matches=False)
OTHER = Trial(
    exit_status=1,
    seconds=0.4,
    output="ModuleNotFoundError: No module named 'triton'\n",
    is_failure=True,
    matches=False,
)
HANG = Trial(exit_status=None, timed_out=True, seconds=120.04, is_failure=True, matches=True)
CRASH = Trial(exit_status=139, seconds=1.4, output="boom\n", is_failure=True, matches=True)


def ran(*trials: Trial) -> Trials:
    """Run `python repro.py` as often as there are trials."""
    return Trials(command=("python", "repro.py"), trials=trials)


def near(
    path: str,
    base: TestEnd = "passed",
    patched: TestEnd = "passed",
    **fields: Any,  # noqa: ANN401 -- of a model
) -> Neighbour:
    """Run a test file."""
    return Neighbour(
        path=path,
        reason="It is named for `torch/nn/utils/rnn.py`.",
        base=base,
        patched=patched,
        **fields,
    )


def proof(verdict: Verdict = Verdict.FIXED, **fields: Any) -> Proof:  # noqa: ANN401 -- of a model
    """Return a whole proof; by default of a fix that holds."""
    known: dict[str, Any] = {
        "why": "It fails without the change and passes with it.",
        "repro_source": "issue",
        "repro_sha256": "5" * 64,
        "signature": SIGNATURE,
        "red": ran(RED, RED, RED),
        "green": ran(GREEN, GREEN, GREEN),
        "neighbours": (
            near("test/nn/test_packed_sequence.py", "failed", "passed", is_new=True),
            near("test/test_nn.py"),
            near("test/test_jit.py"),
        ),
        "patch_sha256": "a" * 64,
        "torch_version": "2.13.0+cu130",
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "cuda": "13.0",
        "gpu": "NVIDIA H100 80GB HBM3",
        "driver": "580.65",
        "python": "3.12.9",
        "seconds": 312.0,
    }
    return Proof(verdict=verdict, **(known | fields))


def before_the_change(verdict: Verdict, *trials: Trial, **fields: Any) -> Proof:  # noqa: ANN401 -- as above
    """Return a proof that ended at the base commit."""
    return proof(
        verdict,
        **{"red": ran(*trials), "green": None, "neighbours": (), "patch_sha256": None} | fields,
    )
