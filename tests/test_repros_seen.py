"""What the bot sees of the repro that an issue holds, whatever the agent claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.models import Verdict
from tests.harness import REPOSITORY
from tests.test_lies import MEND, claims, issue_with, proved

if TYPE_CHECKING:
    from tests.harness import Bot


FLAKY = """\
from pathlib import Path

import tinytorch

count = Path("DIRECTORY/count")
runs = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(runs))
assert tinytorch.pad_sequence([[1.0]]) == [[1.0]] and runs % 2 == 0, "the rows are swapped"
"""

REPROS: dict[str, tuple[str, str, Verdict]] = {
    "passes": (
        "import tinytorch\n\nassert tinytorch.pad_sequence([[1.0]]) == [[1.0]]\n",
        "The assertion fails.",
        Verdict.ALREADY_PASSING,
    ),
    "fails otherwise": (
        "import tinytorch\n\ntinytorch.pad_sequence(None)\n",
        "It raises `KeyError: 'rows'`.",
        Verdict.NOT_REPRODUCED,
    ),
    "flaky": (
        FLAKY,
        "Sometimes it raises `AssertionError: the rows are swapped`.",
        Verdict.REPRODUCED,
    ),
    "hangs": (
        (
            "import tinytorch\n\nrows = tinytorch.pad_sequence([[1.0]])\nwhile rows:\n"
            "    tinytorch.unpad_sequence(rows, [1], batch_first=True)\n"
        ),
        "The program hangs forever.",
        Verdict.REPRODUCED,
    ),
    "crashes": (
        "import ctypes\n\nimport tinytorch\n\nctypes.string_at(tinytorch is None)\n",
        "It ends with `Segmentation fault (core dumped)`.",
        Verdict.REPRODUCED,
    ),
}


@pytest.mark.parametrize("kind", REPROS)
async def test_what_the_bot_sees_of_a_repro(bot: Bot, kind: str) -> None:
    """An agent that claims to have reproduced it is believed only where the bot sees it too."""
    code, words, verdict = REPROS[kind]
    bot.issue.body = issue_with(code.replace("DIRECTORY", str(bot.directory)), words)
    bot.agent_does(claims("reproduced"))
    _, proof, closing = await proved(bot)
    assert (proof.is_proved, proof.verdict) == (True, verdict)
    assert bot.github.pulls(REPOSITORY) == []
    assert closing


async def test_what_cannot_be_proved_here(bot: Bot) -> None:
    """A repro for another device is said in one line, and opens no pull request."""
    code = "import tinytorch\n\ntinytorch.pad_sequence([[1.0]]).to('mps')\n"
    bot.issue.body = issue_with(code, "It fails with `device='mps'`.")
    bot.agent_does(claims("fixed", MEND))
    _, proof, closing = await proved(bot)
    assert not proof.is_proved
    assert bot.github.pulls(REPOSITORY) == []
    assert closing.split("\n")[0] == snapshot(
        "@maintainer I could not prove this here. The repro needs Apple's MPS, which this machine does not have. `fixed` is the agent's word."
    )
