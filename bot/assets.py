"""Where the prompts and skills lie: inside the wheel, or at the root of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def directory(name: str) -> Path:
    """Return the folder ``prompts`` or ``skills``."""
    packed = _PACKAGE / "_assets" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


def text(*parts: str) -> str:
    """Return the text of one file, for example ``text("prompts", "investigate.md")``."""
    return directory(parts[0]).joinpath(*parts[1:]).read_text()
