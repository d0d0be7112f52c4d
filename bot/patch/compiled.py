"""Files that are compiled: a change of one is live only after a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.patch.paths import matches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.settings import PatchSettings

_SUFFIXES = (
    *(".c", ".cc", ".cpp", ".cxx", ".cu", ".cuh", ".h", ".hpp", ".mm", ".metal"),
    *(".hip", ".cmake", ".inl"),
)
_NAMES = ("CMakeLists.txt", "native_functions.yaml", "derivatives.yaml")
"""Of PyTorch's own, these make code that is compiled."""


def is_compiled(path: str) -> bool:
    """Whether a change of this file shows itself only in a build."""
    name = path.rpartition("/")[2]
    return name in _NAMES or name.endswith(_SUFFIXES)


def needs_build(paths: Iterable[str]) -> bool:
    """Whether any of these does."""
    return any(map(is_compiled, paths))


def may_hold_compiled(settings: PatchSettings) -> bool:
    """Whether the rules let a patch change compiled code."""
    names = {pattern.rpartition("/")[2] for pattern in settings.allow}
    return any(
        name.endswith(_SUFFIXES) or matches(f"x{suffix}", name)
        for name in names
        for suffix in _SUFFIXES
    )
