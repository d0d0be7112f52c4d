"""What a job wrote: the answers to ``peek`` and ``results``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.code import code
from bot.models import JobState
from bot.render.evidence import evidence
from bot.render.phrases import count
from bot.render.proof import proof_table
from bot.render.proof_words import by_agent, joined, verdict_by_proof
from bot.render.report import DISCLOSURE, details, fits, with_files
from bot.render.sanitise import code_block, markdown
from bot.render.verdicts import verdict_sentence

if TYPE_CHECKING:
    from bot.redaction import Redactor
    from bot.render.views import Job, PeekView, ResultsView

_ENDED = {
    JobState.FINISHED: "has finished",
    JobState.FAILED: "has failed",
    JobState.CANCELLED: "was cancelled",
    JobState.TIMED_OUT: "ran out of time",
    JobState.REFUSED: "was refused",
}
_WORKLOG = 20_000
"""Characters of the end of a worklog."""


def peek(view: PeekView, *, redactor: Redactor) -> str:
    """Show the worklog and the last lines of the log; of those as many as a comment holds."""
    lines = view.log
    while not fits(text := _peek(view, lines, redactor)) and lines:
        lines = lines[len(lines) // 4 + 1 :]
    return text


def results(view: ResultsView, *, redactor: Redactor) -> str:
    """Show what a job found: what the bot saw, and the files of its agent."""
    head = "\n\n".join(part for part in _head(view, redactor) if part)
    checked = ""
    if view.proof is not None:
        checked = evidence(view.proof, repro=view.texts.repro, redactor=redactor)
    return with_files(head, view.texts, checked=checked, redactor=redactor, whole_url=None)


def _peek(view: PeekView, lines: tuple[str, ...], redactor: Redactor) -> str:
    parts = [_peeked(view)]
    if view.is_silent:
        machine = code(view.machine) if view.machine else "its machine"
        parts.append(f"**{machine} does not answer**, so this is what I knew before.")
    worklog = markdown(view.worklog[-_WORKLOG:], redactor=redactor)
    if worklog.strip():
        parts.append(details(f"Worklog of the agent ({DISCLOSURE})", worklog))
    if lines:
        block = code_block("\n".join(lines), redactor=redactor)
        parts.append(f"The last {count(len(lines), 'line')} of its log:\n\n{block}")
    if not worklog.strip() and not lines and not view.is_silent:
        parts.append("The agent has written nothing yet.")
    return "\n\n".join(parts)


def _peeked(view: PeekView) -> str:
    if view.state.is_end:
        return f"Job {_named(view.job)} {_ENDED[view.state]}. This is what its agent wrote."
    where = f" on {code(view.machine)}" if view.machine else ""
    return f"Job {_named(view.job)} is running{where}. This is what its agent wrote so far."


def _named(job: Job) -> str:
    return code(job.id, limit=128) + (f", run {job.run}," if job.run > 1 else "")


def _head(view: ResultsView, redactor: Redactor) -> list[str]:
    outcome, options = view.outcome, view.job.options
    said = [f"**Job {_named(view.job)} {_ENDED[outcome.state]}.**"]
    if view.proof is not None:
        said.append(verdict_by_proof(view.proof, redactor=redactor))
        said.append(by_agent(view.proof, outcome.claim, options))
    elif outcome.verdict is not None:
        said.append(verdict_sentence(outcome.verdict, options))
    said.append(outcome.problem)
    if outcome.pull is not None:
        said.append(f"Draft pull request: [#{outcome.pull.number}]({outcome.pull.url}).")
    elif outcome.no_pull_reason:
        said.append(f"No pull request was opened. {outcome.no_pull_reason}")
    table = "" if view.proof is None else proof_table(view.proof, redactor=redactor)
    return [joined(*said), table]
