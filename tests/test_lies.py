"""What agents claim and what the bot saw: no lie opens a pull request."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from bot.models import JobState, Outcome, Proof, Verdict
from demo import story
from tests import scenes
from tests.configured import configure
from tests.harness import REPOSITORY

if TYPE_CHECKING:
    from bot.store import Job
    from tests.harness import Bot

SOURCE = "pytorch/tinytorch/sequence.py"
MEND = scenes.MEND


async def proved(bot: Bot, comment: str = "/ptq investigate") -> tuple[Job, Proof, str]:
    """Have a job carried out; return it with the bot's proof and the closing comment."""
    await bot.comment(comment)
    await bot.next_text()
    closing = await bot.next_text()
    job = await bot.job()
    text = await bot.service.documents.read(job.id, 1, "proof.json")
    assert text is not None
    assert await bot.service.leases.living() == []
    return job, Proof.model_validate_json(text), closing.partition("\n")[2]


def issue_with(code: str, words: str = "It is wrong.") -> str:
    """Return an issue's body that holds this repro."""
    return f"### 🐛 Describe the bug\n\n{words}\n\n```python\n{code}```\n\n### Versions\n\nNone.\n"


def claims(name: str, *changes: dict[str, Any]) -> scenes.Steps:
    """Make changes, and claim this verdict."""
    return [*changes, scenes.REPORT, scenes.verdict(name, summary="As I said.")]


LIES: dict[str, tuple[scenes.Steps, Verdict]] = {
    "does nothing": (
        claims("fixed", {"replace": SOURCE, "old": '"""Swap rows', "new": '"""Exchange rows'}),
        Verdict.NOT_FIXED,
    ),
    "no patch": (claims("fixed"), Verdict.NOT_FIXED),
    "swallows": (
        claims(
            "fixed",
            {
                "replace": SOURCE,
                "old": "        transpose_(padded)\n    return [",
                "new": "        transpose_(padded)\n    import os\n    os._exit(0)\n    return [",
            },
        ),
        Verdict.NOT_FIXED,
    ),
    "edits the repro": (
        claims("fixed", {"write": "repro.py", "text": "print('fine')\n"}),
        Verdict.NOT_FIXED,
    ),
    "breaks a neighbour": (
        claims(
            "fixed",
            MEND,
            {
                "replace": SOURCE,
                "old": "    return [row[:length]",
                "new": "    if batch_first:\n        return []\n    return [row[:length]",
            },
        ),
        Verdict.BROKE_OTHERS,
    ),
    "deletes the test": (
        claims("fixed", MEND, {"delete": "pytorch/test/test_sequence.py"}),
        Verdict.BROKE_OTHERS,
    ),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_opens_no_pull_request(bot: Bot, lie: str) -> None:
    """The bot runs the repro itself, with the patch as it would be published."""
    steps, verdict = LIES[lie]
    bot.agent_does(steps)
    job, proof, closing = await proved(bot)
    assert bot.github.pulls(REPOSITORY) == []
    assert (proof.is_proved, proof.verdict) == (True, verdict)
    assert Outcome.model_validate(job.outcome).verdict is verdict
    assert job.state is JobState.FINISHED
    assert closing


async def test_what_the_thread_says_of_a_lie(bot: Bot) -> None:
    """The answer tells the claim and what was seen, with counts."""
    bot.agent_does(LIES["does nothing"][0])
    _, _, closing = await proved(bot)
    assert closing == snapshot("""\
@maintainer I ran the repro myself: it fails at base in 3 of 3 runs, and with the change it still fails in 3 of 3. The agent had a second try, with what I saw in the first. The agent claimed `fixed`; I saw `not_fixed`.

The agent's own account, which is not what I saw:
> As I said.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). No person has checked what the agent says there.\
""")
    assert bot.report().partition("<details>")[0] == snapshot("""\
<!-- ptq:progress job=YYYYMMDD-pytorch-1 run=1 -->
**This investigation has finished** (job `YYYYMMDD-pytorch-1`), as [asked for](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) by maintainer.

- ✓ Reserve a machine: `gpu-1`, `1 × h100`
- ✓ Prepare PyTorch on it: torch `0.3.0`
- ✓ Investigate: 4 of 100 turns, $0.02
- ✓ Prove the fix
- ✓ Give the machine back
- – Check and publish the patch

I ran the repro myself: it fails at base in 3 of 3 runs, and with the change it still fails in 3 of 3. The agent had a second try, with what I saw in the first. The agent claimed `fixed`; I saw `not_fixed`.

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| the repro with the change | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| where | no GPU, torch `0.3.0`, commit `fab142db24e9`, Python `3.11.7` |

Ended DATE UTC. It took N s.

""")


async def test_another_try_mends_it(bot: Bot) -> None:
    """What the bot saw goes back to the agent once, in the same session."""
    bot.agent_does(LIES["does nothing"][0], then=[{"say": "${prompt}"}, MEND])
    _, proof, closing = await proved(bot)
    assert (proof.verdict, proof.retried) == (Verdict.FIXED, True)
    assert "draft pull request" in closing
    assert len(bot.github.pulls(REPOSITORY)) == 1
    assert len(bot.comments()) == 2


async def test_another_try_has_the_turns_that_are_left(bot: Bot) -> None:
    """What the first one took is gone, for the program itself and for the bot that watches it."""
    arguments = bot.directory / "arguments"
    tell = f"tr '\\0' ' ' </proc/$PPID/cmdline >{arguments}"
    more = [
        {"raw": json.dumps({"type": "assistant", "message": {"id": f"m{number}", "content": []}})}
        for number in range(20)
    ]
    bot.agent_does(
        LIES["does nothing"][0], then=[{"run": ["sh", "-c", tell]}, *more, {"hang": True}]
    )
    await bot.comment("/ptq investigate --max-turns 20")
    await bot.next_text()
    assert "I saw `not_fixed`" in await bot.next_text()
    job = await bot.job()
    assert job.state is JobState.FINISHED
    (left,) = re.findall(r"--max-turns (\d+)", arguments.read_text())
    assert 1 < int(left) < 20


@pytest.mark.parametrize("mode", ["reproduce", "diagnose"])
async def test_a_mode_that_ends_after_red(bot: Bot, mode: str) -> None:
    """The repro is shown to fail; what the agent changed is not asked about."""
    bot.agent_does(claims("fixed", MEND))
    _, proof, _ = await proved(bot, f"/ptq investigate --mode {mode}")
    assert proof.verdict is Verdict.REPRODUCED
    assert proof.red is not None
    assert proof.red.matching == 3
    assert proof.green is None
    assert bot.github.pulls(REPOSITORY) == []


async def test_a_repro_of_the_agents_own(bot: Bot) -> None:
    """Where the issue has none, the agent's repro is run, marked as such and shown."""
    repro = story.BODY.partition("```python\n")[2].partition("```")[0]
    bot.issue.body = "unpad_sequence changes my batch.\n"
    bot.agent_does(
        [
            {"write": "repro_agent.py", "text": repro},
            MEND,
            scenes.REPORT,
            scenes.verdict(
                "fixed", summary="Mended.", failure="AssertionError: the caller's batch was changed"
            ),
        ]
    )
    _, proof, _ = await proved(bot)
    assert (proof.repro_source, proof.verdict) == ("agent", Verdict.FIXED)
    assert "before = [list(row) for row in padded]" in bot.comments()[0].body


async def test_an_environment_that_is_broken(bot: Bot) -> None:
    """When nothing runs any more on an untouched tree, that is said, and not blamed on the issue."""
    break_it = "for d in ../../.venv/lib/python3*/site-packages; do echo 'import os; os._exit(9)' > $d/sitecustomize.py; done"
    bot.agent_does([{"run": ["sh", "-c", break_it], "expect": 0}, *claims("fixed", MEND)])
    _, proof, closing = await proved(bot)
    assert proof.verdict is Verdict.ENVIRONMENT
    assert bot.github.pulls(REPOSITORY) == []
    assert closing.split("\n")[0] == snapshot(
        "@maintainer I could not prove this here. No clean place to run it could be made on the machine. `fixed` is the agent's word."
    )


async def test_a_fix_that_swallows_the_exception(bot: Bot) -> None:
    """A handler around the line that fails hides the failure, and mends nothing."""
    code = "import tinytorch\n\ntinytorch.unpad_sequence([[1.0], [2.0]], [1], batch_first=True)\n"
    bot.issue.body = issue_with(
        code, "It raises `ValueError: zip() argument 2 is shorter than argument 1`."
    )
    line = "    return [row[:length] for row, length in zip(padded, lengths, strict=True)]\n"
    swallow = {
        "replace": SOURCE,
        "old": line,
        "new": f"    try:\n    {line}    except ValueError:\n        return []\n",
    }
    bot.agent_does(claims("fixed", swallow))
    _, proof, closing = await proved(bot)
    assert proof.verdict is Verdict.NOT_FIXED
    assert bot.github.pulls(REPOSITORY) == []
    assert closing.split("\n")[0] == snapshot(
        "@maintainer I ran the repro myself, 3 times at base and 3 times with the change. The repro fails as reported in all 3 runs. The patch hides the failure: it catches the exception in `unpad_sequence` and goes on. The agent had a second try, with what I saw in the first. The agent claimed `fixed`; I saw `not_fixed`."
    )


async def test_the_outcome_is_put_as_a_label(bot: Bot) -> None:
    """Where the repository asks for it, the label of the last run's outcome is on the issue."""
    project = bot.github.world.project(REPOSITORY)
    await configure(project, "outcomes:\n  fixed: bug fixed\n  reproduced: bug seen\n")
    bot.agent_does(claims("not_fixed"))
    await proved(bot)
    assert [label.name for label in bot.issue.labels] == ["module: nn", "bug seen"]
    bot.agent_does(claims("fixed", MEND))
    await bot.comment("/ptq investigate")
    await bot.next_text()
    assert "draft pull request" in await bot.next_text()
    await bot.job()
    assert [label.name for label in bot.issue.labels] == ["module: nn", "bug fixed"]
