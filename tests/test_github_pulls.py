"""Draft pull requests on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.errors import GitHubRejected
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


async def test_a_patch_becomes_a_draft_pull_request(talk: Talk) -> None:
    """Blob, tree, commit, branch, pull request: it changes these files and nothing else."""
    await talk.push("ptq/1")

    pull = await talk.publishing.create_pull("Fix nn", "Fixes it.", head="ptq/1", base="main")

    assert pull.draft
    assert (pull.head_branch, pull.base_branch, pull.state) == ("ptq/1", "main", "open")
    assert await talk.github.diff(REPOSITORY, pull.number) == snapshot("""\
diff --git a/README.md b/README.md
deleted file mode 100644
index 7d633c9..0000000
--- a/README.md
+++ /dev/null
@@ -1 +0,0 @@
-# Tensors
diff --git a/torch/new.py b/torch/new.py
new file mode 100644
index 0000000..013dd7b
--- /dev/null
+++ b/torch/new.py
@@ -0,0 +1 @@
+y = 3
diff --git a/torch/nn.py b/torch/nn.py
index 7d4290a..407de30 100644
--- a/torch/nn.py
+++ b/torch/nn.py
@@ -1 +1 @@
-x = 1
+x = 2
""")
    assert await talk.repository.pull(pull.number) == pull
    assert (await talk.repository.issue(pull.number)).is_pull_request


async def test_our_pull_request_is_found_again(talk: Talk) -> None:
    """By branch and base, an open one before a closed one."""
    assert await talk.repository.find_pull("ptq/1") is None
    await talk.push("ptq/1")
    await talk.push("other")
    await talk.publishing.create_pull("Other", "", head="other", base="main")
    first = await talk.publishing.create_pull("Fix", "", head="ptq/1", base="main")
    with pytest.raises(GitHubRejected, match="already exists"):
        await talk.publishing.create_pull("Fix", "", head="ptq/1", base="main")

    assert await talk.repository.find_pull("ptq/1", base="main") == first
    assert await talk.repository.find_pull("ptq/1", base="release") is None

    talk.github.issue(REPOSITORY, first.number).state = "closed"
    closed = await talk.repository.find_pull("ptq/1")
    assert closed is not None
    assert (closed.number, closed.state) == (first.number, "closed")

    second = await talk.publishing.create_pull("Fix", "", head="ptq/1", base="main")
    talk.github.issue(REPOSITORY, first.number).state = "open"
    talk.github.issue(REPOSITORY, second.number).state = "closed"
    found = await talk.repository.find_pull("ptq/1")
    assert found is not None
    assert found.number == first.number


async def test_a_forks_branch_of_our_name_is_not_ours(talk: Talk) -> None:
    """Anybody can open a pull request from a branch named like ours in a fork."""
    await talk.push("ptq/1")
    pull = await talk.publishing.create_pull("Fix", "", head="ptq/1", base="main")
    shaped = {
        "number": pull.number,
        "title": "Evil",
        "state": "open",
        "user": None,
        "html_url": pull.url,
        "head": {"ref": "ptq/1", "sha": "0" * 40, "repo": {"full_name": "evil/pytorch"}},
        "base": {"ref": "main"},
    }
    gone = shaped | {"head": {"ref": "ptq/1", "sha": "0" * 40, "repo": None}}
    talk.github.fail_next("GET", "*/pulls", status=200, body=[shaped, gone])

    assert await talk.repository.find_pull("ptq/1") is None


async def test_a_pull_request_is_edited(talk: Talk) -> None:
    """Title and text; it stays a draft."""
    await talk.push("ptq/1")
    pull = await talk.publishing.create_pull("Fix", "", head="ptq/1", base="main")

    edited = await talk.publishing.edit_pull(pull.number, title="Mend", body="Better.")

    assert (edited.title, edited.body, edited.draft) == ("Mend", "Better.", True)
    async with talk.session.get(pull.url) as answer:
        page = await answer.text()
    assert '<span class="state draft">Draft</span>' in page
    assert '<tr class="added"><td></td><td>1</td><td>+x = 2</td></tr>' in page


async def test_a_pull_request_without_commits_is_rejected(talk: Talk) -> None:
    """GitHub opens none for a branch that adds nothing, nor for one that is not there."""
    await talk.publishing.create_branch("ptq/1", await talk.base())

    with pytest.raises(GitHubRejected, match="No commits between main and ptq/1"):
        await talk.publishing.create_pull("Fix", "", head="ptq/1", base="main")
    with pytest.raises(GitHubRejected, match="head invalid"):
        await talk.publishing.create_pull("Fix", "", head="ptq/2", base="main")
