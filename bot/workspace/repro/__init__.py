"""Finds the program in an issue that shows its bug."""

from __future__ import annotations

from bot.workspace.repro.extract import extract, from_snapshot
from bot.workspace.repro.issue_json import read_issue
from bot.workspace.repro.model import Repro, ReproComment, ReproIssue, ReproKind

__all__ = [
    "Repro",
    "ReproComment",
    "ReproIssue",
    "ReproKind",
    "extract",
    "from_snapshot",
    "read_issue",
]
