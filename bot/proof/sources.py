"""The files that a patch changes, as they are without and with it, and what changed in them."""

from __future__ import annotations

import ast
import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import RemoteFileMissing
from bot.patch import Change
from bot.proof.script import MAX_SOURCE, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.machines.base import Shell
    from bot.patch import Patch
    from bot.proof.places import Place

_TEST_FILE = re.compile(r"(?:^|/)(?:test_[^/]+|[^/]+_test)\.py$")
_TEST_DIRECTORY = re.compile(r"^tests?/")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Source:
    """A Python file of a patch; a text is None where the file is not there."""

    path: str
    before: str | None
    after: str | None

    @property
    def is_test(self) -> bool:
        """Whether it holds tests."""
        return _TEST_FILE.search(self.path) is not None

    @property
    def is_library(self) -> bool:
        """Whether what it holds runs in the reporter's program."""
        return not self.is_test and _TEST_DIRECTORY.match(self.path) is None


async def read(shell: Shell, base: Place, green: Place, patch: Patch) -> list[Source]:
    """Read the Python files of a patch from both places."""
    files = [file for file in patch.files if file.path.endswith(".py")]
    texts = await asyncio.gather(
        *(
            _read(shell, place, file.path, there=file.change is not missing)
            for file in files
            for place, missing in ((base, Change.ADDED), (green, Change.DELETED))
        )
    )
    return [
        Source(path=file.path, before=texts[2 * number], after=texts[2 * number + 1])
        for number, file in enumerate(files)
    ]


async def put(shell: Shell, place: Place, path: str, text: str | None) -> None:
    """Make a file of a place's worktree what is given; None removes it."""
    target = f"{place.paths.worktree}/{path}"
    if text is None:
        await shell.run("rm", "-f", "--", target)
    else:
        await shell.write(target, text)


def changed(source: Source) -> list[str]:
    """Return the names of the functions and classes that a file's change touches or adds."""
    old, new = _definitions(source.before), _definitions(source.after)
    names = [name for name in new if new[name] != old.get(name)]
    inner = [name for name in names if not any(n.startswith(f"{name}.") for n in names)]
    return list(dict.fromkeys(name.rpartition(".")[2] for name in inner))


def new_tests(source: Source) -> list[str]:
    """Return the names of the test functions that a patch adds or changes."""
    old, new = _tests(source.before), _tests(source.after)
    return list(
        dict.fromkeys(name.rpartition(".")[2] for name in new if new[name] != old.get(name))
    )


def removed_tests(source: Source) -> list[str]:
    """Return the names of the test functions that a patch takes away."""
    kept = {name.rpartition(".")[2] for name in _tests(source.after)}
    gone = (name.rpartition(".")[2] for name in _tests(source.before))
    return list(dict.fromkeys(name for name in gone if name not in kept))


async def _read(shell: Shell, place: Place, path: str, *, there: bool) -> str | None:
    if not there:
        return None
    try:
        data = await shell.read(f"{place.paths.worktree}/{path}", limit=4 * MAX_SOURCE)
    except RemoteFileMissing:
        return None
    return data.decode(errors="replace")


def _tests(text: str | None) -> dict[str, str]:
    found = _definitions(text)
    return {
        name: code for name, code in found.items() if name.rpartition(".")[2].startswith("test")
    }


def _definitions(text: str | None) -> dict[str, str]:
    """Return what each definition of a file says, by qualified name."""
    tree = parse(text) if text else None
    return {} if tree is None else {name: ast.dump(node) for name, node in _walk(tree.body, "")}


def _walk(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, Definition]]:
    for node in body:
        if isinstance(node, Definition):
            yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from _walk(node.body, f"{prefix}{node.name}.")
