"""The git side of a pull request: what it is made on, its tree and its branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import patch as patches
from bot.errors import GitHubNotFound, GitHubRejected, PatchRefused
from bot.github.answers import TreeEntry
from bot.github.base_tree import BaseTree

if TYPE_CHECKING:
    from bot.configuration import RepositoryConfiguration
    from bot.github import Repository
    from bot.github.answers import CommitInfo
    from bot.models import JobRequest, PullRequest, TorchBuild
    from bot.patch import Patch

MOST_BRANCHES = 20
"""Branches ``ptq/<issue>``, ``ptq/<issue>-2``, … that are tried before giving up."""


async def base_branch(repository: Repository, configuration: RepositoryConfiguration) -> str:
    """Return the branch that a pull request goes into; raise PatchRefused when there is none."""
    name = configuration.base_branch
    if name is None:
        return await repository.default_branch()
    if await repository.branch(name) is None:
        raise PatchRefused(f"the branch {name}, which the repository wants it against, is missing")
    return name


async def base_commit(repository: Repository, build: TorchBuild) -> CommitInfo:
    """Return the commit that a patch is made on; raise PatchRefused when it is not there."""
    try:
        return await repository.commit(build.base_commit)
    except GitHubNotFound as error:
        raise PatchRefused(
            f"its base, commit {build.base_commit[:12]}, is not in this repository"
        ) from error


async def entries_of(
    repository: Repository, base: CommitInfo, patch: Patch, text: str
) -> list[TreeEntry]:
    """Apply the patch to the files of the base commit, and store the new contents."""
    tree = BaseTree(repository, base.tree)
    files = {change.path: await tree.read(change.path) for change in patch.files}
    for change in patch.files:
        if (found := files[change.path]) is not None and found[0] != change.mode:
            raise PatchRefused(f"{change.path}: its mode in the repository is {found[0]}")
    modes = {change.path: change.mode for change in patch.files}
    contents = {path: found and found[1] for path, found in files.items()}
    return [
        TreeEntry.model_validate(
            {
                "path": path,
                "mode": modes[path],
                "sha": None if new is None else await repository.create_blob(new),
            }
        )
        for path, new in (await patches.apply(text, contents)).items()
    ]


async def moved_forward(repository: Repository, pull: PullRequest, commit: str) -> bool:
    """Point an earlier pull request's branch to a commit that follows the one it was left at.

    False, and nothing is changed, when it is no open draft any more, or when somebody else pushed.
    """
    head = await repository.branch(pull.branch)
    found = await repository.find_pull(pull.branch) if head in {pull.commit, commit} else None
    if found is None or found.number != pull.number or found.state != "open" or not found.draft:
        return False
    if head == commit:
        return True
    try:
        await repository.update_branch(pull.branch, commit, force=False)
    except GitHubRejected:
        # Somebody pushed in this moment; or it was moved, and the answer was lost.
        return await repository.branch(pull.branch) == commit
    return True


async def own_branch(repository: Repository, request: JobRequest, commit: str) -> str:
    """Return the job's own branch, made now or before; another job's branch is left alone."""
    first = f"ptq/{request.issue_number or request.job_id}"
    names = [first, *(f"{first}-{number}" for number in range(2, MOST_BRANCHES + 1))]
    for name in names:
        head = await repository.branch(name)
        if head == commit:
            return name
        if head is None and await _made(repository, name, commit):
            return name
    raise PatchRefused(f"the branches {first} to {names[-1]} are taken: delete the old ones")


async def _made(repository: Repository, name: str, commit: str) -> bool:
    """Make the branch; False when another one was made under this name a moment before."""
    try:
        await repository.create_branch(name, commit)
    except GitHubRejected:
        head = await repository.branch(name)
        if head is None:
            raise
        return head == commit
    return True
