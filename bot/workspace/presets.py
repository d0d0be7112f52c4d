"""Presets: what an agent is told in one word. Those of the modes, and the operator's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import assets
from bot.errors import ConfigurationError
from bot.models import Mode

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 20_000
"""Characters of a preset."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A named text for the agent."""

    name: str
    text: str
    mode: Mode | None
    """The mode that it stands for; None for one of the operator's own, which is guidance."""

    @property
    def about(self) -> str:
        """The first sentence of it, or the first line."""
        line = " ".join(self.text.split())
        sentence, dot, _ = line.partition(". ")
        return f"{sentence}." if dot else line


def presets(directory: Path | None) -> dict[str, Preset]:
    """Return every preset by its name; raise ConfigurationError for a directory without any.

    One of the operator's own is ``<name>.md``; it cannot take the name of a mode.
    """
    known = {
        mode.value: Preset(mode.value, assets.text("prompts", "presets", f"{mode}.md"), mode)
        for mode in Mode
    }
    if directory is None:
        return known
    files = sorted(directory.expanduser().glob("*.md"))
    if not files:
        raise ConfigurationError(f"PTQ_PRESETS: there is no NAME.md in {directory}")
    for file in files:
        if file.stem in known:
            raise ConfigurationError(
                f"PTQ_PRESETS: {file.stem} is the name of a mode: rename {file}"
            )
        known[file.stem] = Preset(file.stem, _read(file), None)
    return known


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"PTQ_PRESETS: {file}: {error}") from error
    if not text or len(text) > _LONGEST:
        raise ConfigurationError(f"PTQ_PRESETS: {file} is empty or over {_LONGEST} characters")
    return text
