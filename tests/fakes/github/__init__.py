"""A GitHub with a memory, on loopback: its API, its webhooks, and its pages for people."""

from __future__ import annotations

from tests.fakes.github.deliveries import Delivery
from tests.fakes.github.door import Request
from tests.fakes.github.memory import Account, Change, Comment, Issue, Label, Project, Pull
from tests.fakes.github.server import FakeGitHub

__all__ = [
    "Account",
    "Change",
    "Comment",
    "Delivery",
    "FakeGitHub",
    "Issue",
    "Label",
    "Project",
    "Pull",
    "Request",
]
