"""A draft pull request and its commit: whose it is, how it was made, what nobody has reviewed.

PyTorch asks for this of contributions made with AI: that it is said, that a named person is
responsible, and that the pull request stays a draft until a person has reviewed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.code import code
from bot.render.evidence import TITLE, programs
from bot.render.markers import marked, pull_marker
from bot.render.phrases import count, mention, money, name
from bot.render.proof import proof_table
from bot.render.proof_words import verdict_by_proof
from bot.render.report import details, fits
from bot.render.sanitise import code_line, markdown, plain, plain_line

if TYPE_CHECKING:
    from bot.models import Proof
    from bot.redaction import Redactor
    from bot.render.views import PullRequestView

TITLE_LENGTH = 100
SUBJECT_LENGTH = 72
_BODY = 20_000
"""Characters of the agent's own text."""
_MESSAGE = 4_000
_TESTS = 10
_COMMIT = 12
"""Characters of a commit's hash."""
_UNREVIEWED = (
    "An AI agent wrote this change and the text above. No person has reviewed the diagnosis, the "
    "change or its tests yet."
)
_PLEASE = ": please review it before you mark it as ready."
_CHECKED = (
    "What ptq itself has checked: the patch applies to that commit, and touches only files that it "
    "may touch. It has not run the tests."
)

_APPLIES = "The patch applies to the base commit, and touches only files that it may touch."


def pull_request(view: PullRequestView, *, redactor: Redactor) -> tuple[str, str]:
    """Return title and body; the issue is named and not closed by it.

    The agent's own text is cut until the whole fits, what ptq says of the change never is.
    """
    title = plain_line(view.title, redactor=redactor, limit=TITLE_LENGTH) or _untitled(view)
    size = _BODY
    while not fits(body := _body(view, size, redactor)) and size > 0:
        size //= 2
    return title, body


def commit_message(view: PullRequestView, *, redactor: Redactor) -> str:
    """Return the message of the commit: plain text, its first line at most 72 characters long."""
    given = view.commit_message[:_MESSAGE].strip() or view.title
    subject, _, rest = given.partition("\n")
    first = plain_line(subject, redactor=redactor, limit=SUBJECT_LENGTH) or _untitled(view)
    body = plain(rest, redactor=redactor).strip()
    parts = [
        first,
        body,
        _signature(view),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _body(view: PullRequestView, size: int, redactor: Redactor) -> str:
    own = markdown(view.body[:size], redactor=redactor, escapes_metadata=True)
    parts = [
        f"{_subject(view)}.",
        own or "The agent wrote no description of its change.",
        f"---\n\n{_origin(view, redactor)}",
    ]
    if view.proof is not None:
        parts.append(_checked(view, view.proof, redactor))
    return marked(pull_marker(view.job.id, run=view.job.run), "\n\n".join(parts))


def _checked(view: PullRequestView, proof: Proof, redactor: Redactor) -> str:
    """Say what ptq ran itself, and where its output is."""
    where = ""
    if view.progress_url is not None:
        where = f" The repro and what it printed are in [the report]({view.progress_url})."
    return "\n\n".join(
        [
            f"### {TITLE}",
            f"{verdict_by_proof(proof, redactor=redactor)} {_APPLIES}{where}",
            proof_table(proof, redactor=redactor),
            details("Commands, exit statuses and hashes", programs(proof, redactor=redactor)),
        ]
    )


def _signature(view: PullRequestView) -> str:
    options = view.job.options
    return (
        f"{_subject(view)}. Written by an AI agent ({options.agent}, model "
        f"{options.model}),\nasked for by {name(view.job.requester)}. Not reviewed by a person yet."
    )


def _subject(view: PullRequestView) -> str:
    number = view.job.issue_number
    return "For a free task" if number is None else f"For #{number}"


def _untitled(view: PullRequestView) -> str:
    number = view.job.issue_number
    return "Proposed change" if number is None else f"Proposed change for issue {number}"


def _origin(view: PullRequestView, redactor: Redactor) -> str:
    asked = "asked for"
    if view.job.command_url is not None:
        asked = f"[asked for]({view.job.command_url})"
    lines = [
        f"**{_UNREVIEWED}**",
        "",
        f"- {mention(view.job.requester)} {asked} it and is responsible for it{_PLEASE}",
        f"- {_made(view)}",
        *_tests(view, redactor),
    ]
    if view.proof is None:
        lines.append(f"- {_CHECKED}")
    if view.progress_url is not None:
        lines.append(f"- [The agent's report]({view.progress_url}) has the details.")
    return "\n".join(lines)


def _made(view: PullRequestView) -> str:
    parts = [f"Made by {_agent(view)}"]
    if view.progress.turns:
        parts.append(f"in {count(view.progress.turns, 'turn')}")
    if view.progress.usd:
        parts.append(f"for {money(view.progress.usd)}")
    text = " ".join(parts)
    if view.torch is None:
        return f"{text}."
    torch = view.torch
    gpu = f"on {code(torch.gpu)}" if torch.gpu else "on a machine without a GPU"
    commit = code(torch.base_commit[:_COMMIT])
    return f"{text}, {gpu}, with torch {code(torch.version)} at commit {commit}."


def _agent(view: PullRequestView) -> str:
    options = view.job.options
    return f"{code(options.agent)} (model {code(options.model)})"


def _tests(view: PullRequestView, redactor: Redactor) -> list[str]:
    if not view.tests:
        return ["- The agent names no test that it ran."]
    commands = [code_line(test, redactor=redactor, limit=200) for test in view.tests[:_TESTS]]
    more = len(view.tests) - _TESTS
    ending = f", and {count(more, 'more command')}" if more > 0 else ""
    shown = ", ".join(command for command in commands if command)
    return [f"- The agent says that it ran {shown}{ending}."]
