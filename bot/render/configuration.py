"""What people are told about their repository's own configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.code import code
from bot.render.phrases import count, mention

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_PROBLEMS = 5
"""Problems of a file that are told; the rest is counted."""


def switched_off(path: str) -> str:
    """Say why nothing is carried out here."""
    return f"{code(path)} switches me off in this repository (`enabled: false`)."


def broken_configuration(
    login: str, path: str, problems: Sequence[str], *, is_last_right: bool
) -> str:
    """Say what is wrong with the file, each a line of Markdown of ours, and what counts instead."""
    return f"{mention(login)} {broken_note(path, problems, is_last_right=is_last_right)}"


def broken_note(path: str, problems: Sequence[str], *, is_last_right: bool) -> str:
    """Say it without calling anybody, for an answer that says more."""
    counts = "what it said before it broke" if is_last_right else "the defaults"
    shown = [f"- {problem}" for problem in problems[:MOST_PROBLEMS]]
    if more := len(problems) - len(shown):
        shown.append(f"- and {count(more, 'problem')} more")
    told = "\n".join(shown)
    return f"I went by {counts}, since {code(path)} on the default branch is broken:\n\n{told}"
