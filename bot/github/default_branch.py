"""Files of a repository's default branch, by its git data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.github.answers import TreeItem
    from bot.github.repository import Repository

_DIRECTORY = "040000"


async def find_file(repository: Repository, path: str) -> TreeItem | None:
    """Return what lies at a path of the default branch, of any kind; no link is followed.

    None when there is nothing, or no branch yet. Raise GitHubError.
    """
    head = await repository.branch(await repository.default_branch())
    if head is None:
        return None
    *directories, name = path.split("/")
    tree = (await repository.commit(head)).tree
    for directory in directories:
        found = await _entry(repository, tree, directory)
        if found is None or found.mode != _DIRECTORY:
            return None
        tree = found.sha
    return await _entry(repository, tree, name)


async def _entry(repository: Repository, tree: str, name: str) -> TreeItem | None:
    return next((item for item in await repository.tree(tree) if item.path == name), None)
