"""Labels that tell how a job ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.configuration import Outcomes
from bot.errors import GitHubRejected
from bot.investigation.labels import apply_outcome
from bot.models import Verdict
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OUTCOMES = Outcomes(
    reproduced="reproduced",
    not_reproduced="not reproduced",
    fixed="fixed",
    needs_information="needs info",
)


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


def seen(talk: Talk) -> list[str]:
    """Return the labels of issue 1."""
    return [label.name for label in talk.github.issue(REPOSITORY, 1).labels]


@pytest.mark.parametrize(
    ("verdict", "is_lacking", "label"),
    [
        (Verdict.REPRODUCED, False, "reproduced"),
        (Verdict.NOT_FIXED, True, "reproduced"),
        (Verdict.BROKE_OTHERS, False, "reproduced"),
        (Verdict.FIXED, False, "fixed"),
        (Verdict.NOT_REPRODUCED, False, "not reproduced"),
        (Verdict.NOT_REPRODUCED, True, "needs info"),
        (Verdict.ALREADY_PASSING, False, "not reproduced"),
    ],
)
async def test_the_label_of_each_verdict(
    talk: Talk, verdict: Verdict, label: str, *, is_lacking: bool
) -> None:
    """It is put on beside those of others, once however often it is asked for."""
    for _ in range(2):
        await apply_outcome(talk.repository, 1, OUTCOMES, verdict, is_lacking=is_lacking)
    assert seen(talk) == ["bug", label]
    assert len(talk.sent("POST", "/labels")) == 1


async def test_the_next_run_replaces_the_label(talk: Talk) -> None:
    """An issue has one outcome; names count in any case, as GitHub has them."""
    issue = talk.github.issue(REPOSITORY, 1)
    project = talk.github.world.project(REPOSITORY)
    issue.labels += [talk.github.world.label(project, name) for name in ("Needs Info", "FIXED")]
    await apply_outcome(talk.repository, 1, OUTCOMES, Verdict.FIXED)
    assert seen(talk) == ["bug", "FIXED"]
    await apply_outcome(talk.repository, 1, OUTCOMES, Verdict.REPRODUCED)
    assert seen(talk) == ["bug", "reproduced"]


@pytest.mark.parametrize("verdict", [None, Verdict.ENVIRONMENT, Verdict.ERROR])
async def test_a_run_that_shows_nothing_leaves_the_label(
    talk: Talk, verdict: Verdict | None
) -> None:
    """What was shown before is as true as it was."""
    await apply_outcome(talk.repository, 1, OUTCOMES, Verdict.REPRODUCED)
    asked = len(talk.github.requests)
    await apply_outcome(talk.repository, 1, OUTCOMES, verdict)
    assert seen(talk) == ["bug", "reproduced"]
    assert len(talk.github.requests) == asked


async def test_without_names_there_are_no_labels(talk: Talk) -> None:
    """A repository that names none is not asked for anything."""
    await apply_outcome(talk.repository, 1, Outcomes(), Verdict.FIXED)
    assert talk.github.requests == []


async def test_what_is_not_named_is_told_by_the_nearest(talk: Talk) -> None:
    """A fix is a reproduction too; what has no name at all takes the old label off."""
    few = Outcomes(reproduced="confirmed", not_reproduced="unconfirmed")
    await apply_outcome(talk.repository, 1, few, Verdict.FIXED)
    assert seen(talk) == ["bug", "confirmed"]
    await apply_outcome(talk.repository, 1, few, Verdict.NOT_REPRODUCED, is_lacking=True)
    assert seen(talk) == ["bug", "unconfirmed"]
    await apply_outcome(talk.repository, 1, Outcomes(not_reproduced="unconfirmed"), Verdict.FIXED)
    assert seen(talk) == ["bug"]


async def test_labels_are_added_beside_those_that_are_there(talk: Talk) -> None:
    """Names may hold anything that people type, up to 50 characters."""
    await talk.repository.add_labels(1, ["module: 🔥/nn? #1 %2F", "BUG"])
    assert seen(talk) == ["bug", "module: 🔥/nn? #1 %2F"]
    assert talk.github.events.get_nowait().kind == "label_added"
    assert talk.github.events.empty()
    with pytest.raises(GitHubRejected, match="too long"):
        await talk.repository.add_labels(1, ["x" * 51])
