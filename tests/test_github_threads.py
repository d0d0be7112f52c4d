"""What the bot reads and writes in GitHub's threads, and about people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import GitHubNotFound, GitHubRejected
from bot.github import GHOST
from bot.github.graphql import graphql_url
from bot.models import Permission, RepositoryName
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


async def test_a_repository_without_the_app_is_told_apart(talk: Talk) -> None:
    """Where the App is not installed there is nothing to do."""
    await talk.github.add_repository("other/thing", installed=False)

    with pytest.raises(GitHubNotFound):
        await talk.client.installation_id(RepositoryName.parse("other/thing"))


@pytest.mark.parametrize(
    ("login", "permission"),
    [
        ("maintainer", Permission.MAINTAIN),
        ("writer", Permission.WRITE),
        ("triager", Permission.TRIAGE),
        ("releaser", Permission.WRITE),
        ("reporter", Permission.READ),
    ],
)
async def test_permissions_are_those_that_github_tells(
    talk: Talk, login: str, permission: Permission
) -> None:
    """Roles count as they are; one that the organization made up counts as its base."""
    talk.github.add_comment(REPOSITORY, 1, login, "hello")

    person, told = await talk.repository.permission(login)

    assert (person.login, told) == (login, permission)
    assert person.id == talk.github.world.account(login).id


async def test_a_login_that_nobody_has_may_nothing(talk: Talk) -> None:
    """An account that was renamed or deleted has no rights under its old name."""
    person, told = await talk.repository.permission("no/body?x#y")

    assert (person.login, person.id, told) == ("no/body?x#y", 0, Permission.NONE)


async def test_a_word_that_is_no_permission_grants_nothing(talk: Talk) -> None:
    """What GitHub may invent later is not a right today."""
    talk.github.fail_next(
        "GET",
        "*/collaborators/*",
        status=200,
        body={"permission": "almighty", "role_name": "", "user": {"login": "x", "id": 3}},
    )

    assert (await talk.repository.permission("x"))[1] is Permission.NONE


# Threads


async def test_an_issue_is_read(talk: Talk) -> None:
    """Title, text, author, labels and state."""
    issue = await talk.repository.issue(1)

    assert (issue.title, issue.body, issue.author.login) == ("It crashes", "Like so.", "reporter")
    assert (issue.labels, issue.state, issue.is_pull_request) == (("bug",), "open", False)
    assert issue.url == f"{talk.github.url}/{REPOSITORY}/issues/1"


async def test_an_empty_issue_of_a_deleted_account_is_read(talk: Talk) -> None:
    """GitHub tells null for both; people see the ghost."""
    talk.github.issue(REPOSITORY, 1).body = None
    talk.github.issue(REPOSITORY, 1).author = None

    issue = await talk.repository.issue(1)

    assert (issue.body, issue.author) == ("", GHOST)


async def test_a_comment_is_written_read_and_edited(talk: Talk) -> None:
    """It is the App's, at an address that people can open."""
    written = await talk.repository.comment(1, "first 🔥")
    edited = await talk.repository.edit_comment(written.id, "second")

    assert await talk.repository.get_comment(written.id) == edited
    assert (edited.body, edited.app_id) == ("second", talk.github.app_id)
    assert edited.author_is_bot
    async with talk.session.get(edited.url) as page:
        assert "second" in await page.text()


async def test_a_comment_that_is_too_long_is_rejected(talk: Talk) -> None:
    """GitHub takes 65,536 characters."""
    await talk.repository.comment(1, "x" * 65_536)

    with pytest.raises(GitHubRejected, match="body is too long"):
        await talk.repository.comment(1, "x" * 65_537)


async def test_other_peoples_comments_are_not_edited(talk: Talk) -> None:
    """GitHub refuses, and so does the fake."""
    comment = talk.github.add_comment(REPOSITORY, 1, "maintainer", "mine")

    with pytest.raises(GitHubRejected, match="not accessible"):
        await talk.repository.edit_comment(comment.id, "yours")


async def test_long_threads_are_read_page_by_page(talk: Talk) -> None:
    """A hundred comments a page, oldest first, and no more pages than needed."""
    for number in range(250):
        talk.github.add_comment(REPOSITORY, 1, "reporter", f"comment {number}")

    comments = await talk.repository.comments(1)
    first = await talk.repository.comments(1, limit=120)

    assert [comment.body for comment in comments] == [f"comment {n}" for n in range(250)]
    assert first == comments[:120]
    assert len(talk.sent("GET", "/comments")) == 3 + 2


async def test_reactions_are_made_once(talk: Talk) -> None:
    """Asked twice, GitHub keeps one, on comments and on issues."""
    comment = talk.github.add_comment(REPOSITORY, 1, "maintainer", "/ptq investigate")
    for _ in range(2):
        await talk.repository.react(comment.id, "eyes")
        await talk.repository.react_to_issue(1, "confused")

    assert [reaction.content for reaction in comment.reactions] == ["eyes"]
    issue = talk.github.issue(REPOSITORY, 1)
    assert [reaction.content for reaction in issue.reactions] == ["confused"]


async def test_a_label_is_removed_even_if_it_is_gone(talk: Talk) -> None:
    """Names may hold anything that people type."""
    name = "module: 🔥/nn? #1 %2F"
    issue = talk.github.add_issue(REPOSITORY, "t", author="reporter", labels=[name, "bug"])

    await talk.repository.remove_label(issue.number, name)
    await talk.repository.remove_label(issue.number, name)

    assert [label.name for label in issue.labels] == ["bug"]


async def test_an_outdated_comment_is_hidden(talk: Talk) -> None:
    """It is done by GraphQL's one call that we use; what GitHub says against it is an error."""
    comment = await talk.repository.comment(1, "How it was.")
    await talk.repository.minimize(comment)
    assert talk.github.comments(REPOSITORY, 1)[-1].is_minimized
    gone = comment.model_copy(update={"node_id": "IC_gone"})
    with pytest.raises(GitHubRejected, match="Could not resolve to a node"):
        await talk.repository.minimize(gone)


def test_where_graphql_is() -> None:
    """It is beside the REST API, on GitHub itself and on a server of one's own."""
    assert graphql_url("https://api.github.com") == "https://api.github.com/graphql"
    assert graphql_url("https://github.example/api/v3/") == "https://github.example/api/graphql"
