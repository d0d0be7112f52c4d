"""Repositories with a ``.github/ptq.yml``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.configuration import PATH
from tests.fakes.github.git import Entry

if TYPE_CHECKING:
    from tests.fakes.github.memory import Project


async def configure(
    project: Project, content: str | bytes, *, mode: str = "100644", branch: str | None = None
) -> None:
    """Commit the file on the default branch, or on another one."""
    git, name = project.git, branch or project.default_branch
    parent = await git.branch(name) or await git.branch(project.default_branch)
    assert parent is not None
    data = content.encode() if isinstance(content, str) else content
    entry = Entry(PATH, mode, "blob", await git.write_blob(data))
    tree = await git.write_tree((await git.commit(parent)).tree, [entry])
    await git.set_branch(name, await git.write_commit("Configure ptq", tree=tree, parents=[parent]))


async def unconfigure(project: Project) -> None:
    """Take the file out of the default branch."""
    git, name = project.git, project.default_branch
    parent = await git.branch(name)
    assert parent is not None
    gone = Entry(PATH, "100644", "blob", None)
    tree = await git.write_tree((await git.commit(parent)).tree, [gone])
    await git.set_branch(name, await git.write_commit("Let ptq be", tree=tree, parents=[parent]))
