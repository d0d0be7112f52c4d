"""What is true of every job that ended with a fix, however it came there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import AgentEnd, FailureKind, JobState, Outcome, Verdict
from tests.e2e.deployment import KEY, REPOSITORY
from tests.e2e.investigator import REPRO

if TYPE_CHECKING:
    from bot.models import Proof
    from bot.store import Job
    from tests.e2e.bugs import Bug
    from tests.e2e.deployment import Deployment


async def is_fixed(world: Deployment, job: Job) -> None:
    """Check what is true of every job that ended with a fix, however it came there."""
    bug = world.bug
    outcome = Outcome.model_validate(job.outcome)
    assert (job.state, outcome.verdict) == (JobState.FINISHED, Verdict.FIXED)
    assert outcome.agent_end is AgentEnd.SUCCESS

    # The program's own tools did it, once, and saw what they must have seen.
    log = world.log()
    (start,) = log.starts
    assert {"verify-fix", "make-pr"} <= set(start["skills"])
    before, after = log.results("Bash", command=REPRO)
    assert before.endswith(f"{bug.failure}\nexit status 1")
    assert after.endswith("exit status 0")
    assert bug.failure not in after
    tests = log.results("Bash", command=bug.run_neighbours)
    assert ["\nOK\nexit status 0" in run for run in tests] == [True, True]
    for change in bug.changes:
        assert len(log.results("Edit", old_string=change.old, new_string=change.new)) == 1

    # Two comments and one draft pull request with the fix and nothing else.
    progress, closing = world.thread()
    (pull,) = world.github.pulls(REPOSITORY)
    assert pull.pull is not None
    assert pull.pull.draft
    assert (pull.pull.head, pull.pull.base) == (f"ptq/{world.issue.number}", "main")
    assert pull.title == bug.pull_title
    link = f"{world.github.url}/{REPOSITORY}/pull/{pull.number}"
    assert link in progress.body
    assert link in closing.body
    assert job.progress_comment_url is not None
    assert job.progress_comment_url in closing.body
    changed = [
        line
        for line in (await world.github.diff(REPOSITORY, pull.number)).splitlines(keepends=True)
        if line.startswith(("+", "-"))
    ]
    assert changed == bug.lines

    # The machine is free, nothing runs on it, and it never had the key.
    assert await world.lent() == []
    assert await world.running() == set()
    assert world.files_with(KEY) == []
    assert {request.headers["x-api-key"] for request in world.model.requests} == {KEY}


def is_shown(bug: Bug, proof: Proof) -> None:
    """Check what the bot itself saw: red, green, and the tests near the fix."""
    assert (proof.verdict, proof.is_proved, proof.retried) == (Verdict.FIXED, True, False)
    assert proof.repro_source == "issue"
    assert proof.signature is not None
    assert proof.signature.source == "issue"
    kind = FailureKind.WRONG_RESULT if "assert " in bug.repro else FailureKind.EXCEPTION
    assert proof.signature.kind is kind
    assert proof.red is not None
    assert (proof.red.count, proof.red.matching) == (3, 3)
    assert all(bug.failure in trial.output for trial in proof.red.trials)
    assert proof.green is not None
    assert (proof.green.count, proof.green.passed, proof.green.matching) == (3, 3, 0)
    assert [trial.exit_status for trial in proof.green.trials] == [0, 0, 0]
    assert bug.neighbours in {each.path for each in proof.neighbours if not each.is_new}
    assert [each.broken for each in proof.neighbours] == [()] * len(proof.neighbours)
    assert {each.patched for each in proof.neighbours} == {"passed"}
