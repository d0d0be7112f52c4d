"""A word of somebody else's as a Markdown code span that it cannot break out of."""

from __future__ import annotations

import re

SHOWN = 60
"""Characters of a word that are shown back; what is longer ends in ``…``."""
_BACKTICKS = re.compile("`+")


def code(text: str, *, limit: int = SHOWN) -> str:
    """Return one line of ``text`` as a code span: nothing in it is Markdown, link or mention.

    Control, zero-width and bidi characters are left out, white space becomes single spaces, and
    what is longer than ``limit`` characters is cut.
    """
    head = text[: limit * 8]
    line = " ".join("".join(c if c.isprintable() else " " for c in head).split())
    if len(line) > limit or len(text) > len(head):
        line = line[:limit].rstrip() + "…"
    if not line:
        return "` `"
    longest = max((len(run) for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"
