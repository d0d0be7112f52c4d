"""The closing comment about a bug that did not show, word for word."""

from __future__ import annotations

from inline_snapshot import snapshot

from bot.models import Verdict
from tests import proof_messages as messages, proofs
from tests.proofs import GREEN, OTHER, before_the_change


def test_closing_what_does_not_reproduce() -> None:
    """It says what was tried, on which hardware and version, and what exactly is missing."""
    shown = before_the_change(Verdict.NOT_REPRODUCED, GREEN, GREEN, GREEN)
    outcome = messages.outcome(
        Verdict.NOT_REPRODUCED, summary="It passes with float32 and float64."
    )
    asked = "- Which shape has the batch?\n- @alice which GPU is it? Fixes #7\n\n<b>x</b>\n"
    assert messages.closing(shown, outcome, missing=asked) == snapshot("""\
@alice I ran the repro myself: it passes at base in 3 of 3 runs. So I could not reproduce the bug here.

What I tried: `python repro.py`, 3 times, at base, on `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`. I looked for `AssertionError: the caller's batch was changed`, as the issue says.

What the agent found missing in the issue:
> - Which shape has the batch?
> - `@alice` which GPU is it? Fixes `#7`
> - &lt;b>x&lt;/b>

In the agent's words:
> It passes with float32 and float64.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_what_the_issue_has_no_program_for() -> None:
    """What the bot itself finds missing is told beside the agent's questions."""
    shown = before_the_change(
        Verdict.NOT_REPRODUCED,
        GREEN,
        gpu=None,
        driver=None,
        cuda=None,
        repro_source="agent",
        signature=proofs.SIGNATURE.model_copy(update={"source": "agent"}),
    )
    outcome = messages.outcome(Verdict.NOT_REPRODUCED, summary="")
    assert messages.closing(shown, outcome, missing="The shape of the batch.") == snapshot("""\
@alice I ran the agent's repro myself, as the issue has none that I can run: it passes at base in 1 of 1 run. So I could not reproduce the bug here.

What I tried: `python repro.py`, once, at base, on a machine without a GPU, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`. I looked for `AssertionError: the caller's batch was changed`, by the agent's word.

What is missing in the issue:
- a whole program that shows the bug when it is run as it stands (I ran one that the agent wrote from its text)
- what it prints when it fails: the exception with its traceback, or the values

What the agent found missing in the issue:
> The shape of the batch.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")
    nothing = before_the_change(
        Verdict.NOT_REPRODUCED,
        red=None,
        repro_source="none",
        signature=None,
        why="The issue holds no program, and the agent wrote none.",
    )
    assert messages.closing(nothing, outcome) == snapshot("""\
@alice The issue holds no program, and the agent wrote none. So I could not reproduce the bug here.

What I tried: nothing, as there is no program to run. What I had: `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`.

What is missing in the issue:
- a whole program that shows the bug when it is run as it stands (there is none that I could run)
- what it prints when it fails: the exception with its traceback, or the values

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")
    printing = before_the_change(
        Verdict.NOT_REPRODUCED, GREEN, repro_source="agent", repro_diff="+assert x\n"
    )
    assert messages.closing(printing, outcome).split("\n\n")[2] == snapshot("""\
What is missing in the issue:
- what the right values are: the program only prints, so I ran it as the agent completed it\
""")
    whole = before_the_change(Verdict.NOT_REPRODUCED, OTHER)
    assert messages.closing(whole, outcome) == snapshot("""\
@alice I ran the repro myself: it fails at base in another way in 1 of 1 run: `ModuleNotFoundError: No module named 'triton'`. So I could not reproduce the bug here.

What I tried: `python repro.py`, once, at base, on `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`. I looked for `AssertionError: the caller's batch was changed`, as the issue says.

Neither I nor the agent can name what is missing in the issue. If it still happens for you, please add the whole output, the version of PyTorch and the hardware.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_an_agent_that_claims_a_failure() -> None:
    """A claim of `reproduced` for a program that passes is told as such."""
    shown = before_the_change(Verdict.NOT_REPRODUCED, GREEN, GREEN, GREEN)
    outcome = messages.outcome(Verdict.REPRODUCED, summary="It fails for me.")
    assert messages.closing(shown, outcome, missing="Nothing.") == snapshot("""\
@alice I ran the repro myself: it passes at base in 3 of 3 runs. So I could not reproduce the bug here. The agent claimed `reproduced`; I saw `not_reproduced`.

What I tried: `python repro.py`, 3 times, at base, on `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`. I looked for `AssertionError: the caller's batch was changed`, as the issue says.

What the agent found missing in the issue:
> Nothing.

The agent's own account, which is not what I saw:
> It fails for me.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_an_issue_without_a_program() -> None:
    """A job that had nothing to run says that a program is missing, and what it had."""
    shown = before_the_change(
        Verdict.NOT_REPRODUCED,
        red=None,
        is_proved=False,
        repro_source="none",
        repro_sha256=None,
        signature=None,
        why="There is no program that could be run.",
    )
    assert messages.closing(shown, messages.outcome(None, summary="")) == snapshot("""\
@alice The agent ended without a verdict. I could not prove this here. There is no program that could be run.

What I tried: nothing, as there is no program to run. What I had: `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9`.

What is missing in the issue:
- a whole program that shows the bug when it is run as it stands (there is none that I could run)
- what it prints when it fails: the exception with its traceback, or the values

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2).\
""")
    assert messages.report(shown, messages.outcome(None)).partition("It took 46 min.")[
        2
    ] == snapshot("""\


<details><summary>How this was checked</summary>

There is no program that could be run.

- The base is commit `0123456789abcdef0123456789abcdef01234567`.
- All of it took 5 min.

</details>\
""")
