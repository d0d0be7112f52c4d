"""The files of a commit on GitHub, as a patch needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import PatchRefused

if TYPE_CHECKING:
    from bot.github.answers import TreeItem
    from bot.github.repository import Repository

_TREE = "040000"
_FILES = ("100644", "100755")


class BaseTree:
    """The files of a commit, read directory by directory: no link is followed."""

    def __init__(self, repository: Repository, tree: str) -> None:
        """Read from the tree with this id; each directory is fetched once."""
        self._repository = repository
        self._root = tree
        self._directories: dict[str, dict[str, TreeItem]] = {}

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
            if found.mode != _TREE:
                raise PatchRefused(f"{path}: {directory} is no directory in the repository")
            tree = found.sha
        found = (await self._entries(tree)).get(name)
        if found is None:
            return None
        if found.mode not in _FILES:
            raise PatchRefused(f"{path}: is no regular file in the repository")
        return found.mode, await self._repository.blob(found.sha)

    async def _entries(self, tree: str) -> dict[str, TreeItem]:
        if tree not in self._directories:
            items = await self._repository.tree(tree)
            self._directories[tree] = {item.path: item for item in items}
        return self._directories[tree]
