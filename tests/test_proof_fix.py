"""What becomes of a fix: the bot runs the repro and the tests near it itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from bot.models import FailureKind, Mode, Verdict
from tests.fakes.proof import IN_PLACE, MEND, RAISING, REPRO, SEQUENCE, TESTS, fenced, ground

if TYPE_CHECKING:
    from tests.fakes.proof import Edits, Ground

__all__ = ["ground"]

END_OF_TESTS = '\nif __name__ == "__main__":\n'
NEW_TEST = (
    "\n    def test_unpad_leaves_the_batch_alone(self) -> None:\n"
    "        padded = tinytorch.pad_sequence([[1.0, 2.0], [3.0]])\n"
    "        before = [list(row) for row in padded]\n"
    "        tinytorch.unpad_sequence(padded, [2, 1])\n"
    "        self.assertEqual(padded, before)\n\n"
)
LOOP = "    longest = max(map(len, sequences), default=0)\n"


async def test_a_fix_is_proved(ground: Ground) -> None:
    """Red without the patch, green with it, its own test fails without it, the others pass."""
    edits: Edits = {**MEND, TESTS: (END_OF_TESTS, NEW_TEST + END_OF_TESTS)}
    proof = await ground.prove(fenced(REPRO), edits=edits)

    assert proof.verdict is Verdict.FIXED
    assert proof.is_proved
    assert proof.red is not None
    assert proof.green is not None
    assert (proof.red.matching, proof.red.count) == (3, 3)
    assert (proof.green.passed, proof.green.count) == (3, 3)
    assert proof.red.command == ("python", "repro.py")
    assert proof.signature is not None
    assert proof.signature.kind is FailureKind.WRONG_RESULT
    assert proof.signature.message == "the batch was changed"
    assert [
        (one.path, one.reason, one.is_new, one.base, one.patched, one.broken)
        for one in proof.neighbours
    ] == snapshot(
        [
            ("test/test_sequence.py", "The patch changes it.", False, "passed", "passed", ()),
            (
                "test/test_sequence.py",
                "The tests that the patch adds or changes.",
                True,
                "failed",
                "passed",
                (),
            ),
        ]
    )
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it passes in all 3 runs, and the tests near the change pass as before."
    )
    assert ground.left() == []


async def test_a_fix_that_does_nothing(ground: Ground) -> None:
    """The agent says fixed; the repro says no."""
    proof = await ground.prove(
        fenced(REPRO), edits={SEQUENCE: (IN_PLACE, f"        # Mended.\n{IN_PLACE}")}
    )
    assert proof.verdict is Verdict.NOT_FIXED
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it fails as before in all 3 runs."
    )
    assert proof.neighbours == ()


async def test_no_change_at_all(ground: Ground) -> None:
    """An agent that says fixed and changes nothing has fixed nothing."""
    proof = await ground.prove(fenced(REPRO))
    assert (proof.verdict, proof.green) == (Verdict.NOT_FIXED, None)
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. The agent says that it is fixed, but it changed nothing."
    )


async def test_a_fix_that_swallows_the_exception(ground: Ground) -> None:
    """A handler around the failing line makes the repro pass, and is no fix."""
    swallowing = (
        LOOP,
        f"    try:\n    {LOOP}    except TypeError:\n        return []\n",
    )
    proof = await ground.prove(
        fenced(RAISING, more="```\nTypeError: object of type 'NoneType' has no len()\n```"),
        edits={SEQUENCE: swallowing},
    )
    assert proof.verdict is Verdict.NOT_FIXED
    assert proof.green is not None
    assert proof.green.passed == 3
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. The patch hides the failure: it catches the exception in `pad_sequence` and goes on."
    )


async def test_a_fix_that_suppresses_the_exception(ground: Ground) -> None:
    """``contextlib.suppress`` is a handler too, wherever it stands on the way of the failure."""
    suppressing = (
        LOOP,
        "    import contextlib\n    longest = 2\n    with contextlib.suppress(Exception):\n    "
        + LOOP,
    )
    proof = await ground.prove(
        fenced(RAISING, more="TypeError: object of type 'NoneType' has no len()"),
        edits={SEQUENCE: suppressing},
    )
    assert proof.verdict is Verdict.NOT_FIXED
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. The patch hides the failure: it catches the exception in `pad_sequence` and goes on."
    )


async def test_a_library_that_ends_the_process(ground: Ground) -> None:
    """An exit status of 0 half-way through the repro is no pass."""
    for ending in ("sys.exit(0)", "os._exit(0)"):
        module = ending.partition(".")[0]
        proof = await ground.prove(
            fenced(REPRO), edits={SEQUENCE: (IN_PLACE, f"        import {module}; {ending}\n")}
        )
        assert proof.verdict is Verdict.NOT_FIXED
        assert proof.why == snapshot(
            "The repro fails as reported in all 3 runs. The patch hides the failure: it makes the library end the process."
        )
        assert proof.green is not None
        assert {one.exit_status for one in proof.green.trials} == {0}
        assert proof.green.passed == 0


async def test_a_library_that_ends_the_process_by_a_back_way(ground: Ground) -> None:
    """That the repro did not run to its end is seen, however the library went about it."""
    hidden = (
        "        import importlib; getattr(importlib.import_module('o' + 's'), '_ex' + 'it')(0)\n"
    )
    proof = await ground.prove(fenced(REPRO), edits={SEQUENCE: (IN_PLACE, hidden)})
    assert proof.verdict is Verdict.NOT_FIXED
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch the process ends before the repro's end."
    )


async def test_an_agent_that_edits_the_repro(ground: Ground) -> None:
    """The repro is run as the issue has it, whatever lies in the agent's directory."""
    await ground.shell.write(f"{ground.job.directory}/repro.py", "print('fine')\n")
    try:
        proof = await ground.prove(
            fenced(REPRO), edits={SEQUENCE: (IN_PLACE, f"        # Mended.\n{IN_PLACE}")}
        )
    finally:
        await ground.shell.run("rm", "-rf", "--", ground.job.directory)
    assert proof.verdict is Verdict.NOT_FIXED
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it fails as before in all 3 runs. The agent changed the repro's file; it was run as the issue has it."
    )


async def test_a_fix_that_looks_for_the_repro(ground: Ground) -> None:
    """No special treatment of the program of the issue."""
    special = "        import sys\n        if 'repro.py' not in sys.argv[0]:\n    " + IN_PLACE
    proof = await ground.prove(fenced(REPRO), edits={SEQUENCE: (IN_PLACE, special)})
    assert proof.verdict is Verdict.NOT_FIXED
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. The patch hides the failure: it makes the library look for the repro."
    )


async def test_a_fix_that_returns_early(ground: Ground) -> None:
    """A function that returns before the failing line mends nothing."""
    proof = await ground.prove(
        fenced(RAISING, more="TypeError: object of type 'NoneType' has no len()"),
        edits={SEQUENCE: (LOOP, "    return []\n" + LOOP)},
    )
    assert proof.verdict is Verdict.NOT_FIXED
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. The patch hides the failure: it makes `pad_sequence` return before the line that fails."
    )


async def test_a_patch_that_does_not_apply(ground: Ground) -> None:
    """What is proved is the patch as it would be published."""
    patch = (await ground.patch(MEND)).replace("transpose_(padded)", "transposed(padded)")
    proof = await ground.prove(fenced(REPRO), patch=patch)
    assert (proof.verdict, proof.green) == (Verdict.NOT_FIXED, None)
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. Its patch cannot be tried: the patch does not apply to the base commit: patch failed: tinytorch/sequence.py:25."
    )
    assert ground.left() == []


async def test_a_hostile_patch(ground: Ground) -> None:
    """A patch that no one may publish is not tried."""
    patch = (await ground.patch(MEND)).replace(SEQUENCE, "../../../x.py")
    proof = await ground.prove(fenced(REPRO), patch=patch)
    assert (proof.verdict, proof.green) == (Verdict.NOT_FIXED, None)
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. Its patch cannot be tried: ../../../x.py: the path leaves the repository."
    )


async def test_the_agent_itself_says_no(ground: Ground) -> None:
    """Where the agent does not claim a fix, the bot does not either."""
    proof = await ground.prove(fenced(REPRO), edits=MEND, claim="not_fixed")
    assert proof.verdict is Verdict.NOT_FIXED
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it passes in all 3 runs, and the tests near the change pass as before. But the agent itself does not call it fixed."
    )


async def test_only_a_fix_is_proved_green(ground: Ground) -> None:
    """The other modes end after red."""
    for mode in (Mode.REPRODUCE, Mode.DIAGNOSE):
        proof = await ground.prove(fenced(REPRO), edits=MEND, mode=mode, claim="reproduced")
        assert (proof.verdict, proof.green) == (Verdict.REPRODUCED, None)
        assert proof.why == snapshot("The repro fails as reported in all 3 runs.")


async def test_without_a_word_of_the_agent(ground: Ground) -> None:
    """A patch that an agent left without a verdict is proved as any other."""
    proof = await ground.prove(fenced(REPRO), edits=MEND, claim=None)
    assert proof.verdict is Verdict.FIXED
