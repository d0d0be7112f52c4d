"""The progress comment around a proof, word for word."""

from __future__ import annotations

from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from bot import render
from bot.models import AgentEnd, JobState, Mode, Outcome
from tests import proof_messages as messages
from tests.proof_messages import REDACTOR


def _running(state: JobState, *, mode: Mode = Mode.FIX, will_prove: bool = True) -> str:
    order = list(messages.TIMES)
    view = render.ProgressView(
        job=messages.job(mode),
        state=state,
        now=messages.START + timedelta(minutes=50),
        times={each: messages.TIMES[each] for each in order[: order.index(state) + 1]},
        will_prove=will_prove,
    )
    return render.progress(view, redactor=REDACTOR)


def test_a_proof_that_is_to_come() -> None:
    """In fix mode the checklist names the proof before it begins, if there will be one."""
    line = "- – Prove the fix"
    assert line in _running(JobState.PREPARING)
    assert line not in _running(JobState.PREPARING, will_prove=False)
    assert "Run the repro" not in _running(JobState.PREPARING, mode=Mode.REPRODUCE)


@pytest.mark.parametrize("mode", Mode)
def test_a_proof_that_runs(mode: Mode) -> None:
    """The checklist and the line under it say what the bot does itself."""
    text = _running(JobState.PROVING, mode=mode, will_prove=False)
    assert (
        text.partition("\n\n")[2]
        == {
            Mode.REPRODUCE: snapshot("""\
- ✓ Reserve a machine: `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: 2 min
- ✓ Investigate: 37 min
- ▶ Run the repro myself: 10 min
- – Give the machine back
- – Check and publish the patch

The agent has ended. I am running the repro myself, at base.

The report will appear in this comment, and a short answer under it. Last update: 2026-01-02 15:54 UTC.\
"""),
            Mode.DIAGNOSE: snapshot("""\
- ✓ Reserve a machine: `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: 2 min
- ✓ Investigate: 37 min
- ▶ Run the repro myself: 10 min
- – Give the machine back
- – Check and publish the patch

The agent has ended. I am running the repro myself, at base.

The report will appear in this comment, and a short answer under it. Last update: 2026-01-02 15:54 UTC.\
"""),
            Mode.FIX: snapshot("""\
- ✓ Reserve a machine: `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: 2 min
- ✓ Investigate: 37 min
- ▶ Prove the fix: 10 min
- – Give the machine back
- – Check and publish the patch

The agent has ended. I am running the repro myself, at base and with its change.

The report will appear in this comment, and a short answer under it. Last update: 2026-01-02 15:54 UTC.\
"""),
        }[mode]
    )


def test_an_agent_with_a_second_try() -> None:
    """What is done again has no time yet."""
    view = render.ProgressView(
        job=messages.JOB,
        state=JobState.INVESTIGATING,
        now=messages.START + timedelta(minutes=50),
        times={state: messages.TIMES[state] for state in list(messages.TIMES)[:4]},
        will_prove=True,
    )
    shown = render.progress(view, redactor=REDACTOR)
    assert [line for line in shown.split("\n") if line.startswith("- ")] == snapshot(
        [
            "- ✓ Reserve a machine: `1 × h100`, 1 min",
            "- ✓ Prepare PyTorch on it: 2 min",
            "- ▶ Investigate: 47 min",
            "- – Prove the fix",
            "- – Give the machine back",
            "- – Check and publish the patch",
        ]
    )


def test_a_proof_that_was_not_made() -> None:
    """A job that ended before a proof has no line for it."""
    times = {state: when for state, when in messages.TIMES.items() if state is not JobState.PROVING}
    view = render.ProgressView(
        job=messages.JOB,
        state=JobState.FINISHED,
        now=messages.START,
        times=times,
        will_prove=True,
        outcome=Outcome(state=JobState.FINISHED),
    )
    assert "Prove" not in render.progress(view, redactor=REDACTOR)


def test_the_report_says_how_the_agent_ended() -> None:
    """The limit that an agent met is told in the report as in the closing comment."""
    early = Outcome(state=JobState.FAILED, partial=True)
    said = {
        end.value: messages.report(None, early, agent_end=end).split("\n\n")[2]
        for end in AgentEnd
        if end is not AgentEnd.SUCCESS
    }
    assert said == snapshot(
        {
            "max_turns": "The agent used up its 100 turns before it was done. The run was cut short, so what there is may be incomplete.",
            "max_usd": "The agent used up its money before it was done. The run was cut short, so what there is may be incomplete.",
            "api_error": "The model behind the agent failed or refused, so the agent ended early. The run was cut short, so what there is may be incomplete.",
            "stopped": "The agent was stopped before it was done. The run was cut short, so what there is may be incomplete.",
            "timed_out": "The time limit (4 hours) ran out before the agent was done. The run was cut short, so what there is may be incomplete.",
            "crashed": "The agent crashed before it was done. The run was cut short, so what there is may be incomplete.",
        }
    )
    cancelled = Outcome(state=JobState.CANCELLED)
    assert "was stopped" not in messages.report(None, cancelled, agent_end=AgentEnd.STOPPED)
