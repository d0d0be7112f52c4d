"""Everything the bot says, as Markdown: a pure function for each message.

Each takes what it tells as a view (``views``) and, where text of others is in it, the redactor that
knows our secrets. What comes out fits in one comment of GitHub.
"""

from __future__ import annotations

from bot.render.closing import closing
from bot.render.looking import peek, results
from bot.render.markers import (
    Marker,
    carries,
    closing_marker,
    marked,
    progress_marker,
    pull_marker,
    reply_marker,
)
from bot.render.problems import died_twice, problem
from bot.render.progress import progress
from bot.render.proof import proof_table
from bot.render.proof_words import verdict_by_proof
from bot.render.pull_request import commit_message, pull_request
from bot.render.replies import (
    already_running,
    cleaned,
    edited_comment,
    extended,
    help_text,
    mistake,
    pull_opened,
    refused,
    stopping,
)
from bot.render.standing import job_list, status
from bot.render.views import (
    ClosingView,
    Job,
    PeekView,
    ProgressView,
    PullRequestView,
    ResultsView,
    StandingView,
    Texts,
)

__all__ = [
    "ClosingView",
    "Job",
    "Marker",
    "PeekView",
    "ProgressView",
    "PullRequestView",
    "ResultsView",
    "StandingView",
    "Texts",
    "already_running",
    "carries",
    "cleaned",
    "closing",
    "closing_marker",
    "commit_message",
    "died_twice",
    "edited_comment",
    "extended",
    "help_text",
    "job_list",
    "marked",
    "mistake",
    "peek",
    "problem",
    "progress",
    "progress_marker",
    "proof_table",
    "pull_marker",
    "pull_opened",
    "pull_request",
    "refused",
    "reply_marker",
    "results",
    "status",
    "stopping",
    "verdict_by_proof",
]
