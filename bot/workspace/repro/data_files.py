"""Files of settings that a text gives beside its program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.workspace.repro.blocks import BlockKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.workspace.repro.blocks import Block

SUFFIXES = ("json", "yaml", "yml", "toml")
_LABELS = frozenset({"", "text", "txt", *SUFFIXES})
_FILE = re.compile(rf"(?<![\w-])([\w-]+\.(?:{'|'.join(SUFFIXES)}))\b")
_NEAR = 120


def find(blocks: Sequence[Block]) -> dict[str, str]:
    """Return what stands in a fence, by the name of the file that the words before it tell."""
    found: dict[str, str] = {}
    for block in blocks:
        if block.kind is not BlockKind.FENCE:
            continue
        label, _, rest = block.label.partition(" ")
        told = [*_FILE.findall(block.lead[-_NEAR:]), *_FILE.findall(rest)]
        if told and label in _LABELS:
            found.setdefault(told[-1], block.text)
    return found
