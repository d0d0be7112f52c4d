"""What the bot does in a repository on GitHub."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.errors import GitHubNotFound, GitHubRejected, GitHubUnavailable
from bot.github import GHOST, CommitAuthor, TreeEntry
from bot.models import Permission, RepositoryName
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.github import Comment

AUTHOR = CommitAuthor(name="ptq", email="ptq@example.org", date=datetime(2026, 1, 2, tzinfo=UTC))


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


# Installations and people


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


async def test_our_comment_is_found_by_its_marker(talk: Talk) -> None:
    """The marker alone proves nothing: people quote comments, and other Apps exist."""
    marker = "<!-- ptq:progress:20260314-pytorch-1 -->"
    assert await talk.repository.find_comment(1, marker, app_id=talk.github.app_id) is None
    talk.github.add_comment(REPOSITORY, 1, "reporter", f"> {marker}\n\nwhat is this?")
    talk.github.add_comment(REPOSITORY, 1, "ptq", marker)
    for number in range(120):
        talk.github.add_comment(REPOSITORY, 1, "reporter", f"comment {number}")
    assert await talk.repository.find_comment(1, marker, app_id=talk.github.app_id) is None

    ours = await talk.repository.comment(1, f"Working.\n\n{marker}")
    await talk.repository.comment(1, f"Working still.\n\n{marker}")

    found = await talk.repository.find_comment(1, marker, app_id=talk.github.app_id)
    assert found == ours
    assert await talk.repository.find_comment(1, marker, app_id=5) is None


# Snapshots


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


# Git data and pull requests


async def test_a_patch_becomes_a_draft_pull_request(talk: Talk) -> None:
    """Blob, tree, commit, branch, pull request: it changes these files and nothing else."""
    await _push(talk, "ptq/1")

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


async def test_the_same_commit_made_again_is_the_same(talk: Talk) -> None:
    """With author and date given, a step that runs twice leaves one commit."""
    first = await _push(talk, "ptq/1")
    second = await _push(talk, "ptq/2")

    assert first == second
    made = await talk.repository.commit(first)
    assert (made.message, len(made.parents)) == ("Fix nn\n\nIn two lines.", 1)


async def test_a_commit_without_author_is_the_apps(talk: Talk) -> None:
    """GitHub signs those itself."""
    base = await _base(talk)
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
    root = await talk.repository.tree((await talk.repository.commit(await _base(talk))).tree)
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
    base = await _base(talk)
    assert await talk.repository.branch("ptq/1") is None
    commit = await _push(talk, "ptq/1")
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


async def test_our_pull_request_is_found_again(talk: Talk) -> None:
    """By branch and base, an open one before a closed one."""
    assert await talk.repository.find_pull("ptq/1") is None
    await _push(talk, "ptq/1")
    await _push(talk, "other")
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
    await _push(talk, "ptq/1")
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
    await _push(talk, "ptq/1")
    pull = await talk.publishing.create_pull("Fix", "", head="ptq/1", base="main")

    edited = await talk.publishing.edit_pull(pull.number, title="Mend", body="Better.")

    assert (edited.title, edited.body, edited.draft) == ("Mend", "Better.", True)
    async with talk.session.get(pull.url) as answer:
        page = await answer.text()
    assert '<span class="state draft">Draft</span>' in page
    assert '<tr class="added"><td></td><td>1</td><td>+x = 2</td></tr>' in page


async def test_a_pull_request_without_commits_is_rejected(talk: Talk) -> None:
    """GitHub opens none for a branch that adds nothing, nor for one that is not there."""
    await talk.publishing.create_branch("ptq/1", await _base(talk))

    with pytest.raises(GitHubRejected, match="No commits between main and ptq/1"):
        await talk.publishing.create_pull("Fix", "", head="ptq/1", base="main")
    with pytest.raises(GitHubRejected, match="head invalid"):
        await talk.publishing.create_pull("Fix", "", head="ptq/2", base="main")


async def _base(talk: Talk) -> str:
    sha = await talk.repository.branch(await talk.repository.default_branch())
    assert sha is not None
    return sha


async def _push(talk: Talk, branch: str) -> str:
    base = await _base(talk)
    tree = await talk.publishing.create_tree(
        (await talk.repository.commit(base)).tree,
        [
            TreeEntry(path="torch/nn.py", sha=await talk.publishing.create_blob(b"x = 2\n")),
            TreeEntry(path="torch/new.py", sha=await talk.publishing.create_blob(b"y = 3\n")),
            TreeEntry(path="README.md", sha=None),
        ],
    )
    commit = await talk.publishing.create_commit(
        "Fix nn\n\nIn two lines.", tree=tree, parents=[base], author=AUTHOR
    )
    await talk.publishing.create_branch(branch, commit)
    return commit
