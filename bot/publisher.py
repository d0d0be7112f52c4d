"""A patch becomes a branch and a draft pull request, after the bot itself has checked it.

Everything goes through GitHub's Git Data API, with a token that was minted for it; no clone, and no
credential near the agent's machine. Each part is found again if it was made before: the commit's id
follows from its content and date, the branch and the pull request are looked up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot import patch as patches, render
from bot.errors import GitHubNotFound, GitHubRejected, PatchRefused
from bot.github.answers import CommitAuthor, TreeEntry
from bot.models import PullRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.github import GitHub, Pull, Repository
    from bot.models import DiffStat, TorchBuild
    from bot.patch import Patch
    from bot.settings import PatchSettings
    from bot.store import Job

PULL_OPENED = "pull_opened"

MOST_BRANCHES = 20
"""Branches ``ptq/<issue>``, ``ptq/<issue>-2``, … that are tried before giving up."""

_TREE = "040000"
_FILES = ("100644", "100755")
_log = structlog.stdlib.get_logger(__name__)


class Publisher:
    """Opens draft pull requests."""

    def __init__(self, github: GitHub, settings: PatchSettings) -> None:
        """Publish what these settings allow."""
        self._github = github
        self._settings = settings

    async def publish(
        self, job: Job, build: TorchBuild, documents: Mapping[str, str]
    ) -> PullRequest:
        """Check the patch, commit it on its branch, and open the draft pull request.

        Raise PatchRefused when the patch must not be published, GitHubError when GitHub will not.
        """
        text = documents.get("fix.diff", "")
        patch = patches.read_patch(text)
        stat = patches.judge(patch, self._settings)
        request = job.request
        repository = self._github.publishing_repository(
            request.repository, request.installation_id
        )
        commit = await self._commit(repository, job, build, patch, text, documents)
        branch = await _branch(repository, request.issue_number, commit)
        pull = await self._pull(repository, job, branch, documents, stat)
        _log.info(PULL_OPENED, number=pull.number, branch=branch, files=len(stat.files))
        return PullRequest(number=pull.number, url=pull.url, branch=branch, draft=pull.draft)

    async def _commit(
        self,
        repository: Repository,
        job: Job,
        build: TorchBuild,
        patch: Patch,
        text: str,
        documents: Mapping[str, str],
    ) -> str:
        try:
            base = await repository.commit(build.base_commit)
        except GitHubNotFound as error:
            raise PatchRefused(
                f"its base, commit {build.base_commit[:12]}, is not in this repository"
            ) from error
        tree = BaseTree(repository, base.tree)
        files = {change.path: await tree.read(change.path) for change in patch.files}
        for change in patch.files:
            if (found := files[change.path]) is not None and found[0] != change.mode:
                raise PatchRefused(f"{change.path}: its mode in the repository is {found[0]}")
        contents = {path: found and found[1] for path, found in files.items()}
        modes = {change.path: change.mode for change in patch.files}
        entries = [
            TreeEntry.model_validate(
                {
                    "path": path,
                    "mode": modes[path],
                    "sha": None if new is None else await repository.create_blob(new),
                }
            )
            for path, new in (await patches.apply(text, contents)).items()
        ]
        app = await self._github.app()
        return await repository.create_commit(
            render.commit_message(job, documents),
            tree=await repository.create_tree(base.tree, entries),
            parents=[base.sha],
            author=CommitAuthor(
                name=app.login,
                email=f"{app.id}+{app.login}@users.noreply.github.com",
                date=job.request.asked_at,
            ),
        )

    async def _pull(
        self,
        repository: Repository,
        job: Job,
        branch: str,
        documents: Mapping[str, str],
        stat: DiffStat,
    ) -> Pull:
        if (existing := await repository.find_pull(branch)) is not None:
            return existing
        title, body = render.pull_request(job, documents, stat)
        base = await repository.default_branch()
        try:
            return await repository.create_pull(title, body, head=branch, base=base, draft=True)
        except GitHubRejected:
            # It was made, and the answer was lost on an earlier try.
            if (existing := await repository.find_pull(branch)) is not None:
                return existing
            raise


async def _branch(repository: Repository, issue_number: int, commit: str) -> str:
    """Return the job's own branch, made now or before; another job's branch is left alone."""
    first = f"ptq/{issue_number}"
    names = [first, *(f"{first}-{number}" for number in range(2, MOST_BRANCHES + 1))]
    for name in names:
        head = await repository.branch(name)
        if head == commit:
            return name
        if head is None:
            await repository.create_branch(name, commit)
            return name
    raise PatchRefused(f"the branches {first} to {names[-1]} are taken: delete the old ones")


class BaseTree:
    """The files of a commit, read directory by directory: no link is followed."""

    def __init__(self, repository: Repository, tree: str) -> None:
        """Read from the tree with this id; each directory is fetched once."""
        self._repository = repository
        self._root = tree
        self._directories: dict[str, dict[str, tuple[str, str]]] = {}

    async def read(self, path: str) -> tuple[str, bytes] | None:
        """Return a file's mode and content, or None when there is nothing at its path.

        Raise PatchRefused when there is something else than a file.
        """
        *directories, name = path.split("/")
        tree = self._root
        for directory in directories:
            found = (await self._entries(tree)).get(directory)
            if found is None:
                return None
            if found[0] != _TREE:
                raise PatchRefused(f"{path}: {directory} is no directory in the repository")
            tree = found[1]
        found = (await self._entries(tree)).get(name)
        if found is None:
            return None
        if found[0] not in _FILES:
            raise PatchRefused(f"{path}: is no regular file in the repository")
        return found[0], await self._repository.blob(found[1])

    async def _entries(self, tree: str) -> dict[str, tuple[str, str]]:
        if tree not in self._directories:
            self._directories[tree] = await self._repository.tree(tree)
        return self._directories[tree]
