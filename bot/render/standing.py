"""Where jobs are: the answers to ``status`` and ``list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.code import code
from bot.models import JobState
from bot.render.phrases import count, duration, gpus, moment, money, name
from bot.render.proof_words import verdict_by_proof
from bot.render.queue import queue_place, why_it_waits
from bot.render.sanitise import code_line
from bot.render.verdicts import verdict_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.models import Verdict
    from bot.redaction import Redactor
    from bot.render.views import StandingView

_DOING = {
    JobState.RECEIVED: "received",
    JobState.QUEUED: "waiting for a machine",
    JobState.RESERVING: "waiting for its machine to answer",
    JobState.PREPARING: "preparing PyTorch",
    JobState.INVESTIGATING: "investigating",
    JobState.PROVING: "running the repro itself",
    JobState.RELEASING: "giving the machine back",
    JobState.PUBLISHING: "checking and publishing the patch",
    JobState.FINISHED: "finished",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
    JobState.TIMED_OUT: "out of time",
    JobState.REFUSED: "refused",
}


def status(view: StandingView, *, redactor: Redactor) -> str:
    """Say how far a job is."""
    job = view.job
    run = f", run {job.run}" if job.run > 1 else ""
    since = view.times.get(view.state)
    ended = f", {moment(since)}" if since is not None and view.state.is_end else ""
    doing = f"for {duration(view.now - since)}" if since is not None and not ended else ""
    head = f"Job {code(job.id)}{run}: **{_DOING[view.state]}**{ended}"
    head = f"{head} {doing}." if doing else f"{head}."
    if view.is_stopping:
        head += " It was asked to stop."
    rows = "\n".join(f"| {what} | {fact} |" for what, fact in _facts(view, redactor))
    return f"{head}\n\n| | |\n|---|---|\n{rows}"


def job_list(views: Sequence[StandingView], *, total: int) -> str:
    """Show the jobs of a repository; ``total`` is how many there are."""
    if not views:
        return "There is no job in this repository yet: `/ptq investigate` asks for one."
    rows = "\n".join(_row(view) for view in views)
    table = (
        "| state | job | issue | runs | machine | reserved until |\n"
        "|---|---|---|---|---|---|\n"
        f"{rows}"
    )
    more = total - len(views)
    return f"{table}\n\nAnd {count(more, 'older job')}." if more > 0 else table


def _row(view: StandingView) -> str:
    job = view.job
    shown = code(job.id, limit=128)
    linked = shown if view.progress_url is None else f"[{shown}]({view.progress_url})"
    # As code: a bare number would be told in that issue's own thread.
    issue = "" if job.issue_number is None else code(f"#{job.issue_number}")
    state = _DOING[view.state]
    if view.standing is not None:
        state += f", {queue_place(view.standing)}"
    until = "" if view.expires_at is None else moment(view.expires_at)
    machine = code(view.machine) if view.machine else ""
    return f"| {state} | {linked} | {issue} | {job.run} | {machine} | {until} |"


def _facts(view: StandingView, redactor: Redactor) -> Iterator[tuple[str, str]]:
    job, options = view.job, view.job.options
    asked = name(job.requester)
    if job.command_url is not None:
        asked += f" ([the command]({job.command_url}))"
    yield "asked for by", asked
    yield from _place(view)
    yield "agent", f"{code(options.agent)}, model {code(options.model)}, mode {code(options.mode)}"
    yield "turns", f"{view.progress.turns:,} of {options.max_turns:,}"
    yield "spend", _spend(view)
    activity = code_line(view.progress.last_activity, redactor=redactor)
    if activity and view.state is JobState.INVESTIGATING:
        yield "latest step", activity
    if view.verdict is not None:
        yield "verdict", f"{code(view.verdict)}: {_verdict(view, view.verdict, redactor)}"
    if links := ", ".join(_links(view)):
        yield "where to read", links


def _verdict(view: StandingView, verdict: Verdict, redactor: Redactor) -> str:
    if view.proof is None:
        return verdict_sentence(verdict, view.job.options)
    # A bar would cut the table's cells, also inside code.
    return verdict_by_proof(view.proof, redactor=redactor).replace("|", "\u00a6")


def _place(view: StandingView) -> Iterator[tuple[str, str]]:
    options = view.job.options
    if view.standing is not None:
        why = why_it_waits(view.standing.reason, requester=view.job.requester)
        yield "queue", f"{queue_place(view.standing)}. {why}"
    wanted = gpus(options.gpus, options.gpu_type)
    yield "machine", f"{code(view.machine)}, {wanted}" if view.machine else wanted
    if view.expires_at is not None:
        left = duration(view.expires_at - view.now)
        yield "time left", f"{left}, until {moment(view.expires_at)}"


def _spend(view: StandingView) -> str:
    limit = view.job.options.max_usd
    if view.progress.usd:
        return money(view.progress.usd) + ("" if limit is None else f" of {money(limit)}")
    # It is known at the agent's end only: nothing is not what it costs.
    known = "nothing" if view.state.is_end or not view.progress.turns else "not known yet"
    return known if limit is None else f"{known}, {money(limit)} at most"


def _links(view: StandingView) -> Iterator[str]:
    if view.progress_url is not None:
        yield f"[{'the report' if view.state.is_end else 'its progress'}]({view.progress_url})"
    if view.closing_url is not None:
        yield f"[the answer]({view.closing_url})"
    if view.pull_url is not None:
        yield f"[the draft pull request]({view.pull_url})"
