"""Names of files in a patch: which are refused whatever the operator allows, and glob patterns."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from bot.errors import PatchRefused

_LONGEST_PATH = 1024
_LONGEST_NAME = 255
_SHOWN = 120

_GIT_NAMES = frozenset({".git", "git~1", ".gitmodules", ".gitattributes", ".gitconfig"})
"""Git's own names, and what ``.git`` is called on file systems with short names
(https://git-scm.com/docs/git-config, core.protectNTFS)."""

_RUN_BY_OTHERS = frozenset(
    {".github", ".githooks", ".husky", ".pre-commit-config.yaml", ".pre-commit-hooks.yaml"}
)
"""At the top of a repository these hold workflows and hooks, which run with its owner's rights."""


def check_path(path: str) -> None:
    """Raise PatchRefused for a path that no patch may hold."""
    reason = _problem(path)
    if reason:
        raise PatchRefused(f"{shown(path)}: {reason}")


def shown(path: str) -> str:
    """Return a hostile path fit for a message: one line, ASCII, of bounded length."""
    text = ascii(path)[1:-1]
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def matches(path: str, pattern: str, *, ignore_case: bool = False) -> bool:
    """Whether a glob pattern fits the whole path; ``**`` crosses directories, ``*`` does not."""
    return _compiled(pattern, ignore_case=ignore_case).fullmatch(path) is not None


def _problem(path: str) -> str:
    parts = path.split("/")
    categories = {unicodedata.category(character) for character in path}
    whole = {
        "a file without a name": not path,
        "a quoted file name is not taken": path.startswith('"') or "\\" in path,
        "the file name holds control or invisible characters": any(
            category[0] == "C" or category in {"Zl", "Zp"} for category in categories
        ),
        "the file name is too long": len(path.encode()) > _LONGEST_PATH,
        "the path is not a plain relative path": not all(parts) or parts[0].endswith(":"),
        "workflows and hooks are never changed": parts[0].casefold() in _RUN_BY_OTHERS,
    }
    reason = next((reason for reason, applies in whole.items() if applies), "")
    return reason or next((p for part in parts if (p := _part_problem(part))), "")


def _part_problem(part: str) -> str:
    if part in {".", ".."}:
        return "the path leaves the repository"
    if len(part.encode()) > _LONGEST_NAME:
        return "the file name is too long"
    if part != part.strip() or part.endswith("."):
        return "a name in the path begins or ends with a space or ends with a dot"
    if part.casefold() in _GIT_NAMES:
        return "git's own files are never changed"
    return ""


@lru_cache(maxsize=256)
def _compiled(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    expression = "".join(_WILDCARDS.get(piece, re.escape(piece)) for piece in pieces)
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
