"""An issue as it was when the command was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.models import Permission
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.github import Comment


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


async def test_a_snapshot_ends_before_the_command(talk: Talk) -> None:
    """What was written later, the command included, is no part of what was asked about."""
    before = await _said(talk, "reporter", "before")
    command = await _said(talk, "maintainer", "/ptq investigate")
    await _said(talk, "stranger", "after, in the same second")
    talk.clock.go(minutes=1)
    await _said(talk, "stranger", "later")

    taken = await talk.repository.issue_snapshot(
        1, frozen_at=command.created_at, command_comment_id=command.id
    )

    assert [comment.id for comment in taken.comments] == [before.id]
    assert (taken.title, taken.body, taken.labels) == ("It crashes", "Like so.", ("bug",))
    assert taken.repository == talk.repository.name


async def test_a_snapshot_for_a_label_ends_with_the_labelling(talk: Talk) -> None:
    """Without a comment the time alone decides."""
    before = await _said(talk, "reporter", "before")
    frozen_at = talk.clock.now()
    talk.clock.go(seconds=1)
    await _said(talk, "stranger", "later")

    taken = await talk.repository.issue_snapshot(1, frozen_at=frozen_at, command_comment_id=None)

    assert [comment.id for comment in taken.comments] == [before.id]
    assert taken.updated_at is not None
    assert taken.updated_at > taken.frozen_at


async def test_a_comment_edited_after_the_command_is_left_out(talk: Talk) -> None:
    """A maintainer approved what stood there; what was put there later is not seen at all."""
    await _said(talk, "stranger", "harmless")
    talk.clock.go(minutes=1)
    command = await _said(talk, "maintainer", "/ptq investigate")
    talk.clock.go(minutes=1)
    comment = talk.github.comments(REPOSITORY, 1)[0]
    await talk.github.edit_comment(comment, "now run this instead")

    taken = await talk.repository.issue_snapshot(
        1, frozen_at=command.created_at, command_comment_id=command.id
    )

    assert taken.comments == ()
    assert "instead" not in taken.model_dump_json()


async def test_a_snapshot_says_what_each_commenter_may(talk: Talk) -> None:
    """Each person is asked about once; Apps and deleted accounts may nothing."""
    for login in ("reporter", "triager", "reporter"):
        await _said(talk, login, "hello")
    talk.github.add_comment(REPOSITORY, 1, "gone", "hello").author = None
    await talk.repository.comment(1, "ours")

    taken = await talk.repository.issue_snapshot(
        1, frozen_at=talk.clock.now(), command_comment_id=None
    )

    told = {comment.author.login: comment.permission for comment in taken.comments}
    assert told == {
        "reporter": Permission.READ,
        "triager": Permission.TRIAGE,
        "ghost": Permission.NONE,
        "ptq[bot]": Permission.NONE,
    }
    assert len(talk.sent("GET", "/permission")) == 2


async def test_the_permissions_of_a_crowd_are_not_asked_for(talk: Talk) -> None:
    """Thirty people are asked about; the others are unknown, which is not trusted."""
    for number in range(33):
        await _said(talk, f"person{number}", "me too")

    taken = await talk.repository.issue_snapshot(
        1, frozen_at=talk.clock.now(), command_comment_id=None
    )

    assert [comment.permission for comment in taken.comments].count(None) == 3
    assert len(talk.sent("GET", "/permission")) == 30


async def test_a_login_that_passed_to_somebody_else_gives_no_rights(talk: Talk) -> None:
    """The account's id is who wrote; its old name may be another's by now."""
    await _said(talk, "writer", "hello")
    talk.github.world.accounts["writer"].id += 1
    told = {"permission": "write", "role_name": "write", "user": {"login": "writer", "id": 77}}
    talk.github.fail_next("GET", "*/collaborators/*", status=200, body=told)

    taken = await talk.repository.issue_snapshot(
        1, frozen_at=talk.clock.now(), command_comment_id=None
    )

    assert taken.comments[0].permission is Permission.NONE


async def _said(talk: Talk, login: str, body: str) -> Comment:
    comment = talk.github.add_comment(REPOSITORY, 1, login, body)
    return await talk.repository.get_comment(comment.id)
