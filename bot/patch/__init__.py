"""Patches: read as data, judged by the operator's rules, applied to the files they touch.

A patch comes from a hostile machine. It is taken only in the shape in which ``git diff`` writes
changes of text files; whatever else git or a reader of patches might understand is refused.
"""

from __future__ import annotations

from bot.patch import checkout
from bot.patch.applying import apply
from bot.patch.compiled import may_hold_compiled, needs_build
from bot.patch.judging import judge
from bot.patch.reading import Change, FileChange, Patch, decode, read_patch

__all__ = [
    "Change",
    "FileChange",
    "Patch",
    "apply",
    "checkout",
    "decode",
    "judge",
    "may_hold_compiled",
    "needs_build",
    "read_patch",
]
