"""Where the demonstration writes: a terminal with colours and links, or plain lines."""

from __future__ import annotations

import io
import os
import re
import sys

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

WIDEST = 110
"""Columns: longer lines are tiring to read."""
PLAIN = 100
"""Columns where nobody says how many there are."""

_THEME = Theme({"markdown.code": "cyan", "markdown.code_block": "none"})
"""Without backgrounds: nobody knows whether the terminal is dark."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def console() -> Console:
    """Return the console of standard output; plain where it is no terminal, or a dumb one.

    A plain console writes no control character.
    """
    output: object = sys.stdout
    if isinstance(output, io.TextIOWrapper):
        output.reconfigure(errors="replace")
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return Console(
            force_terminal=False, color_system=None, no_color=True, width=PLAIN, emoji=False
        )
    screen = Console(highlight=False, emoji=False, theme=_THEME)
    screen.width = min(screen.width, WIDEST)
    return screen


def printable(text: str) -> str:
    """Return a text of others without what would move the cursor or colour the screen."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def say(console: Console, text: str) -> None:
    """Write one sentence of ours; it is not wrapped, so that what it names can be copied."""
    console.print(Text(text, "bold"), soft_wrap=True)
