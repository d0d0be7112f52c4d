"""A checked patch on its branch, in a draft pull request."""

from __future__ import annotations

from bot.publisher.earlier import EarlierPull, earlier_pull
from bot.publisher.publisher import PULL_OPENED, PULL_UPDATED, Publisher, Writer
from bot.publisher.words import PullRequestWords

__all__ = [
    "PULL_OPENED",
    "PULL_UPDATED",
    "EarlierPull",
    "Publisher",
    "PullRequestWords",
    "Writer",
    "earlier_pull",
]
