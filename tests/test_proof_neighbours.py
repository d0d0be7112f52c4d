"""The tests near a patch: only what passed without it and fails with it is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from bot.models import Verdict
from bot.proof.sources import Source
from bot.proof.test_files import rank
from tests.fakes.proof import IN_PLACE, MEND, MENDED, REPRO, SEQUENCE, TESTS, fenced, ground

if TYPE_CHECKING:
    from bot.models import Proof
    from tests.fakes.proof import Edits, Ground

__all__ = ["ground"]

BREAKING = (IN_PLACE, "        padded = [row[::-1] for row in transpose(padded)]\n")
MAIN = '\nif __name__ == "__main__":\n'
OLD_TEST_ENDS = "            self.assertEqual(unpadded, sequences)\n"


def rows(proof: Proof) -> list[tuple[str, bool, str, str, tuple[str, ...]]]:
    """Return what is told of each test file."""
    return [(one.reason, one.is_new, one.base, one.patched, one.broken) for one in proof.neighbours]


async def test_a_fix_that_breaks_a_neighbour(ground: Ground) -> None:
    """The repro passes, and a test that passed fails."""
    proof = await ground.prove(fenced(REPRO), edits={SEQUENCE: BREAKING})
    assert proof.verdict is Verdict.BROKE_OTHERS
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it passes, but a test that passes without the patch fails with it."
    )
    assert rows(proof) == snapshot(
        [
            (
                "It is named for a file that the patch changes.",
                False,
                "passed",
                "failed",
                ("test_sequence.TestSequence.test_round_trip",),
            )
        ]
    )


async def test_a_fix_that_deletes_the_test_it_breaks(ground: Ground) -> None:
    """A test file is run as it was before the patch: taking a test away hides nothing."""
    deleted = await ground.prove(fenced(REPRO), edits={SEQUENCE: BREAKING, TESTS: None})
    assert deleted.verdict is Verdict.BROKE_OTHERS
    assert rows(deleted) == snapshot(
        [
            (
                "The patch changes it. It takes tests away that pass without it.",
                False,
                "passed",
                "failed",
                ("test_sequence.TestSequence.test_round_trip",),
            )
        ]
    )
    loosened: Edits = {SEQUENCE: BREAKING, TESTS: (OLD_TEST_ENDS, "            del unpadded\n")}
    assert (await ground.prove(fenced(REPRO), edits=loosened)).verdict is Verdict.BROKE_OTHERS


async def test_a_good_fix_that_deletes_a_test(ground: Ground) -> None:
    """A test that passes is not taken away."""
    proof = await ground.prove(fenced(REPRO), edits={**MEND, TESTS: None})
    assert proof.verdict is Verdict.BROKE_OTHERS
    assert rows(proof) == snapshot(
        [
            (
                "The patch changes it. It takes tests away that pass without it.",
                False,
                "passed",
                "passed",
                ("test_sequence.TestSequence.test_round_trip",),
            )
        ]
    )


async def test_a_new_test_that_shows_nothing(ground: Ground) -> None:
    """A test that passes without the change too is told."""
    test = "\n    def test_nothing(self) -> None:\n        self.assertTrue(True)\n\n"
    proof = await ground.prove(fenced(REPRO), edits={**MEND, TESTS: (MAIN, test + MAIN)})
    assert proof.verdict is Verdict.FIXED
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it passes in all 3 runs, and the tests near the change pass as before. The test that it adds passes without the change too."
    )
    assert rows(proof) == snapshot(
        [
            ("The patch changes it.", False, "passed", "passed", ()),
            (
                "The tests that the patch adds or changes; they pass without the change too.",
                True,
                "passed",
                "passed",
                (),
            ),
        ]
    )


async def test_a_new_test_that_fails(ground: Ground) -> None:
    """A patch whose own test fails is not published."""
    test = "\n    def test_more(self) -> None:\n        self.assertTrue(False)\n\n"
    proof = await ground.prove(fenced(REPRO), edits={**MEND, TESTS: (MAIN, test + MAIN)})
    assert proof.verdict is Verdict.NOT_FIXED
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it passes, but the tests that the patch itself adds fail."
    )
    assert rows(proof) == snapshot(
        [
            ("The patch changes it.", False, "passed", "passed", ()),
            (
                "The tests that the patch adds or changes; they fail with the change.",
                True,
                "failed",
                "failed",
                (),
            ),
        ]
    )


async def test_a_new_test_file(ground: Ground) -> None:
    """A new file needs no old side; the tests that the source has are run beside it."""
    text = (
        "import unittest\n\nimport tinytorch\n\n\nclass TestUnpad(unittest.TestCase):\n"
        "    def test_batch(self) -> None:\n        padded = [[1.0, 2.0]]\n"
        "        tinytorch.unpad_sequence(padded, [1, 1])\n"
        "        self.assertEqual(padded, [[1.0, 2.0]])\n"
    )
    proof = await ground.prove(fenced(REPRO), edits={**MEND, "test/test_unpad.py": text})
    assert proof.verdict is Verdict.FIXED
    assert rows(proof) == snapshot(
        [
            ("The tests that the patch adds or changes.", True, "failed", "passed", ()),
            ("It is named for a file that the patch changes.", False, "passed", "passed", ()),
        ]
    )


async def test_a_test_that_fails_now_and_then(ground: Ground) -> None:
    """A test that fails once with the patch and passes again is flaky, not broken."""
    mark = ground.home / "was-here"
    mark.unlink(missing_ok=True)
    flaky = f"""\
        import pathlib
        mark = pathlib.Path({str(mark)!r})
        if __import__("sys").modules["__main__"].__file__.endswith("test_driver.py"):
            if not mark.exists():
                mark.touch()
                raise ValueError("the first time")
"""
    proof = await ground.prove(fenced(REPRO), edits={SEQUENCE: (IN_PLACE, flaky + MENDED)})
    mark.unlink()
    assert proof.verdict is Verdict.FIXED
    assert rows(proof) == snapshot(
        [("It is named for a file that the patch changes.", False, "passed", "flaky", ())]
    )


async def test_a_library_that_ends_the_tests(ground: Ground) -> None:
    """A test that takes the process with it has failed."""
    ending = "        if lengths == [3, 2]: getattr(__import__('os'), '_ex' + 'it')(0)\n"
    repro = REPRO.replace("[4.0, 5.0]", "[4.0]").replace("[3, 2]", "[3, 1]")
    proof = await ground.prove(fenced(repro), edits={SEQUENCE: (IN_PLACE, ending + MENDED)})
    assert proof.verdict is Verdict.BROKE_OTHERS
    assert rows(proof) == snapshot(
        [
            (
                "It is named for a file that the patch changes.",
                False,
                "passed",
                "failed",
                ("test_sequence.TestSequence.test_round_trip",),
            )
        ]
    )


async def test_no_time_for_tests(ground: Ground) -> None:
    """Tests have a budget; without it a fix is told as untested."""
    proof = await ground.prove(fenced(REPRO), edits=MEND, tests_budget=0)
    assert proof.verdict is Verdict.FIXED
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it passes in all 3 runs, and no test near the change could run."
    )
    assert rows(proof) == snapshot(
        [("It is named for a file that the patch changes.", False, "not_run", "not_run", ())]
    )


def test_the_nearest_files_come_first() -> None:
    """The patch's own tests, those named for a file, PyTorch's own layout, and who uses it."""
    library = Source(
        "torch/nn/utils/rnn.py", "def f():\n    return 1\n", "def f():\n    return 2\n"
    )
    own = Source("test/test_mine.py", None, "def test_x():\n    pass\n")
    files = [
        "test/nn/test_packed_sequence.py",
        "test/test_nn.py",
        "test/test_rnn.py",
        *(f"test/test_{number}.py" for number in range(9)),
    ]
    uses = ["test/test_nn.py", *(f"test/test_{number}.py" for number in range(9))]
    found = rank([own], [library], files=files, uses=uses)
    assert [(one.path, one.reason) for one in found] == snapshot(
        [
            ("test/test_mine.py", "The patch changes it."),
            ("test/test_rnn.py", "It is named for a file that the patch changes."),
            ("test/nn/test_packed_sequence.py", "PyTorch tests `torch/nn/utils/rnn.py` there."),
            ("test/test_nn.py", "PyTorch tests `torch/nn/` there."),
            ("test/test_0.py", "It uses what the patch changes."),
            ("test/test_1.py", "It uses what the patch changes."),
            ("test/test_2.py", "It uses what the patch changes."),
        ]
    )
