"""The judge of `make chaos`: it finds what is lost and what is there twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from chaos.evidence import threads
from chaos.judge import Asked, Evidence, Opened, Said, judge
from chaos.scenarios import Scenario
from demo import story
from tests.fakes.github import FakeGitHub

if TYPE_CHECKING:
    from chaos.judge import Findings

ISSUE = 7
SCENARIO = Scenario("fixes", "", [], [], "It is mended.", opens_pull=True)
RUN = "job=20261127-tinytorch-7 run=1"
PROGRESS = Said(ISSUE, f"<!-- ptq:progress {RUN} -->\n**This investigation has finished**")
CLOSING = Said(ISSUE, f"<!-- ptq:closing {RUN} -->\nIt is mended.")
PULL = Opened(8, "ptq/7", f"<!-- ptq:pull {RUN} -->\nMend it")
START = "20261127-tinytorch-7-1-0a1b2c3d-1"
GOOD = Evidence(
    asked=(Asked(1, ISSUE, is_seen=True),),
    said=(PROGRESS, CLOSING),
    pulls=(PULL,),
    branches=("ptq/7",),
    starts=(START, "20261127-tinytorch-7-1-0a1b2c3d-2"),
)
"""One command, and everything that has to come of it, with a second try of the agent."""


def judged(evidence: Evidence) -> Findings:
    """Judge with one issue, whose agent fixes the bug."""
    return judge(evidence, {ISSUE: SCENARIO})


def wrong(evidence: Evidence) -> dict[str, int]:
    """Return how often what is wrong."""
    return {kind: len(found) for kind, found in judged(evidence).wrong().items() if found}


def test_nothing_is_wrong() -> None:
    """What came of every command once is right."""
    findings = judged(GOOD)
    assert (findings.runs, findings.finished, findings.is_clean) == (1, 1, True)


REPLY = Said(ISSUE, "<!-- ptq:reply comment=2 command=1 -->\nIt runs already.")
UNSEEN = Asked(2, ISSUE, is_seen=False)
SEEN = Asked(2, ISSUE, is_seen=True)
AGAIN = "job=20261127-tinytorch-7-2 run=1"


def test_a_job_that_somebody_stopped() -> None:
    """It ends so, or as its agent does when that came too late."""
    stop = Asked(2, ISSUE, is_seen=True, stops=True)
    stopped = Said(ISSUE, f"<!-- ptq:closing {RUN} -->\nThis job was stopped by ada.")
    evidence = replace(GOOD, asked=(*GOOD.asked, stop), said=(*GOOD.said, REPLY))
    assert judged(evidence).is_clean
    evidence = replace(evidence, said=(PROGRESS, stopped, REPLY), pulls=(), branches=())
    assert judged(evidence).is_clean
    assert wrong(replace(evidence, asked=(*GOOD.asked, SEEN))) == {"unfinished": 2}


def test_a_job_that_was_run_again() -> None:
    """Its second run brings the pull request of the first one up to date, and opens no other."""
    second = "job=20261127-tinytorch-7 run=2"
    said = tuple(replace(one, body=one.body.replace(RUN, second)) for one in GOOD.said)
    updated = replace(PULL, body=PULL.body.replace(RUN, second))
    evidence = replace(GOOD, asked=(*GOOD.asked, SEEN), said=(*GOOD.said, *said), pulls=(updated,))
    assert judged(evidence).is_clean
    another = replace(PULL, number=9, branch="ptq/7-2")
    evidence = replace(evidence, pulls=(updated, another), branches=("ptq/7", "ptq/7-2"))
    assert wrong(evidence) == {"duplicate_pull_requests": 1}


def test_a_machine_that_died_for_good() -> None:
    """Its agents may be started again on another one: once."""
    elsewhere = "20261127-tinytorch-7-1-ffffffff-1"
    moved = replace(
        PROGRESS, body=f"{PROGRESS.body}\nMachine `gpu-2` had stopped answering, so I began again."
    )
    evidence = replace(GOOD, said=(moved, CLOSING), starts=(elsewhere,), starts_on_dead=(START,))
    findings = judged(evidence)
    assert (findings.is_clean, findings.moved) == (True, 1)
    assert wrong(replace(evidence, starts=(elsewhere, elsewhere))) == {"duplicate_agents": 1}
    assert wrong(replace(evidence, starts_on_dead=(START, START))) == {"duplicate_agents": 1}


@pytest.mark.parametrize(
    ("evidence", "found"),
    [
        (replace(GOOD, said=(PROGRESS, CLOSING, CLOSING)), {"duplicate_comments": 1}),
        (replace(GOOD, said=(PROGRESS, PROGRESS, PROGRESS, CLOSING)), {"duplicate_comments": 2}),
        (
            replace(GOOD, asked=(*GOOD.asked, SEEN), said=(PROGRESS, CLOSING, REPLY, REPLY)),
            {"duplicate_comments": 1},
        ),
        (
            replace(GOOD, said=(PROGRESS, CLOSING, Said(ISSUE, "?"), Said(ISSUE, "?"))),
            {"duplicate_comments": 1},
        ),
        (
            replace(GOOD, pulls=(PULL, replace(PULL, number=9, branch="ptq/7-2"))),
            {"duplicate_pull_requests": 1},
        ),
        (replace(GOOD, branches=("ptq/7", "ptq/7-2")), {"duplicate_pull_requests": 1}),
        (replace(GOOD, starts=(START, START)), {"duplicate_agents": 1}),
        (
            replace(GOOD, starts=(START, "20261127-tinytorch-7-1-ffffffff-1")),
            {"duplicate_agents": 1},
        ),
        (replace(GOOD, leases=("20261127-tinytorch-7/1",)), {"leaked_reservations": 1}),
        (replace(GOOD, alive=("42 python agent.py",)), {"leaked_reservations": 1}),
        (replace(GOOD, asked=(*GOOD.asked, UNSEEN)), {"lost_deliveries": 1}),
        (replace(GOOD, asked=(*GOOD.asked, SEEN)), {"lost_deliveries": 1}),
        (
            replace(GOOD, said=(*GOOD.said, Said(ISSUE, f"<!-- ptq:progress {AGAIN} -->\n"))),
            {"duplicate_jobs": 1, "unfinished": 1},
        ),
        (replace(GOOD, said=(PROGRESS,)), {"unfinished": 1}),
        (
            replace(GOOD, said=(Said(ISSUE, f"<!-- ptq:progress {RUN} -->\n"), CLOSING)),
            {"unfinished": 1},
        ),
        (
            replace(GOOD, said=(PROGRESS, Said(ISSUE, f"<!-- ptq:closing {RUN} -->\nIt failed."))),
            {"unfinished": 1},
        ),
        (replace(GOOD, pulls=(), branches=()), {"unfinished": 1}),
        (replace(GOOD, ends=("process-0 ended by itself",)), {"crashes": 1}),
    ],
    ids=[
        "two closing comments",
        "three progress comments",
        "two answers",
        "two comments without a marker",
        "two pull requests of a run",
        "a branch without a pull request",
        "an agent started twice",
        "an agent started on two machines",
        "a lease",
        "a process on the machine",
        "a command that was not seen",
        "a command that was seen and no more",
        "a job that nobody asked for",
        "no closing comment",
        "a progress comment that is no report",
        "another end than the agent's",
        "no pull request",
        "a crash",
    ],
)
def test_what_is_wrong_is_found(evidence: Evidence, found: dict[str, int]) -> None:
    """Each kind of loss and of repetition has its name, and is counted."""
    assert wrong(evidence) == found
    assert not judged(evidence).is_clean


async def test_what_github_remembers() -> None:
    """Who wrote a comment and who reacted is GitHub's word: markers that people copy count not."""
    async with FakeGitHub() as github:
        project = await github.add_repository(story.REPOSITORY)
        issue = github.add_issue(story.REPOSITORY, story.TITLE, "", number=ISSUE)
        app = github.world.app.bot
        asked = github.add_comment(story.REPOSITORY, ISSUE, "ada", "/ptq investigate")
        github.add_comment(story.REPOSITORY, ISSUE, "ada", CLOSING.body)
        for _ in range(2):
            github.world.add_comment(project, ISSUE, author=app, body=CLOSING.body)
        told = threads(github)
        assert told.asked == (Asked(asked.id, ISSUE, is_seen=False),)
        assert told.said == (CLOSING, CLOSING)
        github.world.react(asked.reactions, "eyes", github.world.account("ada"))
        assert not threads(github).asked[0].is_seen
        github.world.react(asked.reactions, "eyes", app)
        assert threads(github).asked[0].is_seen
        assert issue.pull is None
        assert threads(github).pulls == ()
