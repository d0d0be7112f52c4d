"""Files, commits and branches on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import GitHubNotFound, GitHubRejected, GitHubUnavailable
from tests.fakes.github.talk import Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


async def test_the_same_commit_made_again_is_the_same(talk: Talk) -> None:
    """With author and date given, a step that runs twice leaves one commit."""
    first = await talk.push("ptq/1")
    second = await talk.push("ptq/2")

    assert first == second
    made = await talk.repository.commit(first)
    assert (made.message, len(made.parents)) == ("Fix nn\n\nIn two lines.", 1)


async def test_a_commit_without_author_is_the_apps(talk: Talk) -> None:
    """GitHub signs those itself."""
    base = await talk.base()
    tree = (await talk.repository.commit(base)).tree

    sha = await talk.publishing.create_commit("Nothing", tree=tree, parents=[base])

    assert (await talk.repository.commit(sha)).parents == (base,)


async def test_files_of_any_content_are_kept(talk: Talk) -> None:
    """Bytes that are no text arrive as they are."""
    content = bytes(range(256))
    sha = await talk.publishing.create_blob(content)

    assert sha == "c86626638e0bc8cf47ca49bb1525b40e9737ee64"


async def test_the_files_of_a_commit_are_read(talk: Talk) -> None:
    """Directory by directory, bytes as they are."""
    root = await talk.repository.tree((await talk.repository.commit(await talk.base())).tree)
    assert [(item.path, item.mode) for item in root] == [
        ("README.md", "100644"),
        ("torch", "040000"),
    ]

    (file,) = await talk.repository.tree(root[1].sha)
    content = bytes(range(256)) * 5
    stored = await talk.publishing.create_blob(content)

    assert await talk.repository.blob(file.sha) == b"x = 1\n"
    assert await talk.repository.blob(stored) == content
    with pytest.raises(GitHubNotFound):
        await talk.repository.blob("0" * 40)


@pytest.mark.parametrize(
    "body",
    [
        {"encoding": "base64", "content": "eA"},
        {"encoding": "base64", "content": "ü"},
        {"encoding": "base64", "content": None},
        {"encoding": "rot13", "content": "x"},
    ],
)
async def test_a_garbled_file_is_an_error_of_github(talk: Talk, body: dict[str, str]) -> None:
    """Half a file is never taken for one."""
    talk.github.fail_next("GET", "*/git/blobs/*", status=200, body=body)

    with pytest.raises(GitHubUnavailable):
        await talk.repository.blob("0" * 40)


async def test_a_branch_is_found_and_moved(talk: Talk) -> None:
    """Forwards without force; elsewhere only with it."""
    base = await talk.base()
    assert await talk.repository.branch("ptq/1") is None
    commit = await talk.push("ptq/1")
    assert await talk.repository.branch("ptq/1") == commit
    assert await talk.repository.branch("ptq") is None

    with pytest.raises(GitHubRejected, match="Reference already exists"):
        await talk.publishing.create_branch("ptq/1", base)
    with pytest.raises(GitHubRejected, match="not a fast forward"):
        await talk.publishing.update_branch("ptq/1", base, force=False)
    await talk.publishing.update_branch("ptq/1", base, force=True)
    await talk.publishing.update_branch("ptq/1", commit, force=False)

    assert await talk.repository.branch("ptq/1") == commit


async def test_a_commit_that_the_repository_lacks_is_told_apart(talk: Talk) -> None:
    """A wheel's commit may not be in the repository: that is no failure of GitHub."""
    with pytest.raises(GitHubNotFound):
        await talk.repository.commit("0" * 40)
