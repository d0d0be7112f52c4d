"""GitHub, spoken to as an App: its API, and the webhooks that it delivers."""

from __future__ import annotations

from bot.github.answers import (
    GHOST,
    AppIdentity,
    Comment,
    CommitAuthor,
    CommitInfo,
    DeliveryAttempt,
    Issue,
    Pull,
    TreeEntry,
)
from bot.github.client import GitHub
from bot.github.comments import Comments, ReadComment
from bot.github.hook import Hook
from bot.github.repository import Reaction, Repository
from bot.github.session import open_session
from bot.github.webhook import (
    Actor,
    Delivered,
    Ignored,
    IssueCommentCreated,
    IssueCommentEdited,
    IssueLabeled,
    parse,
    verify,
)

__all__ = [
    "GHOST",
    "Actor",
    "AppIdentity",
    "Comment",
    "Comments",
    "CommitAuthor",
    "CommitInfo",
    "Delivered",
    "DeliveryAttempt",
    "GitHub",
    "Hook",
    "Ignored",
    "Issue",
    "IssueCommentCreated",
    "IssueCommentEdited",
    "IssueLabeled",
    "Pull",
    "Reaction",
    "ReadComment",
    "Repository",
    "TreeEntry",
    "open_session",
    "parse",
    "verify",
]
