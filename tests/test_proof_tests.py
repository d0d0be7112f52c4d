"""A test as the repro: PyTorch's DISABLED issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.models import FailureKind, Verdict
from bot.workspace.layout import Layout
from bot.workspace.prepare import prepare
from tests.fakes.minitorch import make, shell
from tests.fakes.proof import Ground, git, quiet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.proof import Edits

ADD = "minitorch/ops.py"
TEST = "test/test_ops.py"
TEXT = """\
import unittest

from minitorch.ops import add


class TestOps(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(2, 3), 5)

    def test_zero(self):
        self.assertEqual(add(2, 0), 2)

    @unittest.skip("not here")
    def test_elsewhere(self):
        pass


if __name__ == "__main__":
    unittest.main()
"""
BODY = "Platforms: linux\n\nTest file path: `test/test_ops.py`"
TITLE = "DISABLED test_add (__main__.TestOps)"


@pytest.fixture
async def disabled(tmp_path: Path) -> Ground:
    """A workspace of a package with a test that fails."""
    mini, _ = await make(tmp_path)
    await mini.wheel("1.1", await mini.commit("Add a test", {TEST: TEXT}))
    home = tmp_path / "home"
    home.mkdir()
    machine = shell(home)
    layout = Layout(f"{home}/ptq_workspace")
    torch = mini.settings()
    build = await prepare(machine, layout, torch, tell=quiet)
    commit = (await git(mini.repository, "rev-parse", "HEAD")).strip()
    return Ground(mini.repository, commit, home, machine, layout, build, torch)


async def test_a_disabled_test_is_fixed(disabled: Ground) -> None:
    """The test fails without the patch and passes with it, as often as the settings say."""
    mend: Edits = {ADD: ("a - b", "a + b")}
    proof = await disabled.prove(BODY, title=TITLE, edits=mend)
    assert proof.verdict is Verdict.FIXED
    assert proof.red is not None
    assert proof.green is not None
    assert proof.red.command == ("python", "test/test_ops.py", "TestOps.test_add")
    assert (proof.red.matching, proof.green.passed) == (3, 3)
    assert proof.signature is not None
    assert proof.signature.kind is FailureKind.TEST
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it passes in all 3 runs, and the tests near the change pass as before."
    )


async def test_a_fix_of_the_test_alone(disabled: Ground) -> None:
    """The test that fails is run as it was: a patch that changes only the test mends nothing."""
    loosened: Edits = {TEST: ("add(2, 3), 5", "add(2, 3), -1")}
    proof = await disabled.prove(BODY, title=TITLE, edits=loosened)
    assert proof.verdict is Verdict.NOT_FIXED
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it fails as before in all 3 runs."
    )


async def test_a_skipped_test_shows_nothing(disabled: Ground) -> None:
    """A test that this machine skips neither passes nor fails."""
    proof = await disabled.prove(
        BODY, title="DISABLED test_elsewhere (__main__.TestOps)", claim="reproduced"
    )
    assert proof.verdict is Verdict.ENVIRONMENT
    assert proof.why == snapshot(
        "The test is skipped here, so it shows nothing. The agent says otherwise."
    )


async def test_a_test_that_is_gone(disabled: Ground) -> None:
    """A test that the source does not have any more does not fail as reported."""
    proof = await disabled.prove(
        BODY, title="DISABLED test_of_old (__main__.TestOps)", claim="reproduced"
    )
    assert proof.verdict is Verdict.NOT_REPRODUCED
    assert disabled.left() == []
