"""The one progress comment: made before a machine is asked for, edited as the job goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.commands.code import code
from bot.models import JobState, Mode
from bot.render.endings import agent_ended
from bot.render.evidence import evidence
from bot.render.markers import marked, progress_marker
from bot.render.phrases import count, duration, gpus, moment, money, name
from bot.render.proof import proof_table
from bot.render.proof_words import by_agent, verdict_by_proof
from bot.render.queue import queue_place, why_it_waits
from bot.render.report import with_files
from bot.render.sanitise import code_line
from bot.render.verdicts import verdict_sentence

if TYPE_CHECKING:
    from bot.models import Outcome
    from bot.redaction import Redactor
    from bot.render.views import ProgressView

_ORDER = list(JobState)
_DOING = {
    JobState.RESERVING: "Reserve a machine",
    JobState.PREPARING: "Prepare PyTorch on it",
    JobState.INVESTIGATING: "Investigate",
    JobState.RELEASING: "Give the machine back",
    JobState.PUBLISHING: "Check and publish the patch",
}
_PROVING = {
    Mode.REPRODUCE: "Run the repro myself",
    Mode.DIAGNOSE: "Run the repro myself",
    Mode.FIX: "Prove the fix",
}
_ENDED = {
    JobState.FINISHED: "has finished",
    JobState.FAILED: "has failed",
    JobState.CANCELLED: "was cancelled",
    JobState.TIMED_OUT: "ran out of time",
    JobState.REFUSED: "was refused",
}


def progress(view: ProgressView, *, redactor: Redactor) -> str:
    """Return the progress comment as it stands at ``view.now``, with its marker.

    With an ``outcome`` it is the last form: the checklist, the result and the agent's files.
    """
    marker = progress_marker(view.job.id, run=view.job.run)
    checklist = "\n".join(_phase(view, phase) for phase in view.phases if _is_shown(view, phase))
    if view.outcome is None:
        text = "\n\n".join([_opening(view), checklist, *_now(view, redactor)])
        return marked(marker, text)
    head = "\n\n".join([_opening(view), checklist, *_result(view, redactor)])
    checked = ""
    if view.proof is not None:
        checked = evidence(view.proof, repro=view.texts.repro, redactor=redactor)
    return with_files(
        marked(marker, head),
        view.texts,
        checked=checked,
        redactor=redactor,
        whole_url=view.whole_url,
    )


def _opening(view: ProgressView) -> str:
    job = view.job
    run = f", run {job.run}" if job.run > 1 else ""
    asked = "asked for" if job.command_url is None else f"[asked for]({job.command_url})"
    if view.outcome is None:
        doing = "I am waiting for a machine" if _waits(view) else "I am investigating this issue"
    else:
        doing = f"This investigation {_ENDED[view.outcome.state]}"
    return f"**{doing}** (job {code(job.id)}{run}), as {asked} by {name(job.requester)}."


def _waits(view: ProgressView) -> bool:
    return view.state in {JobState.RECEIVED, JobState.QUEUED, JobState.RESERVING}


def _is_shown(view: ProgressView, phase: JobState) -> bool:
    """Whether a phase has its line: that of the proof, when it is entered or is to come."""
    if phase is not JobState.PROVING or phase in view.times or view.state is phase:
        return True
    return view.will_prove and view.job.options.mode is Mode.FIX and not view.state.is_end


def _phase(view: ProgressView, phase: JobState) -> str:
    mark = _mark(view, phase)
    facts = [fact for fact in (_fact(view, phase), _elapsed(view, phase)) if fact]
    more = f": {', '.join(facts)}" if facts else ""
    return f"- {mark} {_doing(view, phase)}{more}"


def _doing(view: ProgressView, phase: JobState) -> str:
    if phase is JobState.PROVING:
        return _PROVING[view.job.options.mode]
    return _DOING.get(phase, phase.value.capitalize())


def _mark(view: ProgressView, phase: JobState) -> str:
    if phase == view.failed_in:
        return "✗"
    if view.state.is_end:
        return "✓" if phase in view.times else "–"  # noqa: RUF001 -- the mark of a skipped line
    if view.state == phase or (phase is JobState.RESERVING and view.state is JobState.QUEUED):
        return "▶"
    is_behind = _ORDER.index(phase) < _ORDER.index(view.state)
    return "✓" if is_behind else "–"  # noqa: RUF001 -- the mark of a line to come


def _fact(view: ProgressView, phase: JobState) -> str:
    if phase is JobState.RESERVING:
        return _machine(view)
    if phase is JobState.PREPARING and view.torch_version:
        return f"torch {code(view.torch_version)}"
    if phase is JobState.INVESTIGATING and view.progress.turns:
        return _turns(view)
    return ""


def _machine(view: ProgressView) -> str:
    wanted = gpus(view.job.options.gpus, view.job.options.gpu_type)
    if view.machine:
        return f"{code(view.machine)}, {wanted}"
    if view.standing is not None and not view.state.is_end:
        return f"{wanted}, {queue_place(view.standing)}"
    return wanted


def _turns(view: ProgressView) -> str:
    options = view.job.options
    turns = f"{view.progress.turns:,} of {count(options.max_turns, 'turn')}"
    if not view.progress.usd:
        # Known at the agent's end only: nothing is not what it costs.
        tokens = view.progress.tokens
        return f"{turns}, {tokens:,} tokens" if tokens else turns
    limit = "" if options.max_usd is None else f" of {money(options.max_usd)}"
    return f"{turns}, {money(view.progress.usd)}{limit}"


def _elapsed(view: ProgressView, phase: JobState) -> str:
    start = view.times.get(phase)
    if phase is JobState.RESERVING:
        start = view.times.get(JobState.QUEUED, start)
    if start is None or _is_ahead(view, phase):
        return ""
    if phase is view.state:
        return _shown(view.now - start)
    own = {JobState.QUEUED, JobState.RESERVING} if phase is JobState.RESERVING else {phase}
    later = [when for state, when in view.times.items() if state not in own and when >= start]
    return _shown(min(later, default=view.now) - start)


def _is_ahead(view: ProgressView, phase: JobState) -> bool:
    """Whether a phase is to come, or to come again: the agent may get a second try."""
    if view.state.is_end or phase is JobState.RESERVING:
        return False
    return _ORDER.index(phase) > _ORDER.index(view.state)


def _shown(took: timedelta) -> str:
    return duration(took) if took >= timedelta(seconds=1) else ""


def _now(view: ProgressView, redactor: Redactor) -> list[str]:
    parts: list[str] = []
    activity = code_line(view.progress.last_activity, redactor=redactor)
    if activity and view.state is JobState.INVESTIGATING:
        parts.append(f"The agent's latest step: {activity}")
    if view.state is JobState.PROVING:
        parts.append(_proving(view))
    if view.lost_machine:
        parts.append(f"Machine {code(view.lost_machine)} stopped answering, so I begin again.")
    if view.standing is not None:
        parts.append(why_it_waits(view.standing.reason, requester=view.job.requester))
    ending = "The report will appear in this comment, and a short answer under it."
    if view.can_be_killed:
        ending += " To stop the job, write `/ptq kill`."
    parts.append(f"{ending} Last update: {moment(view.now)}.")
    return parts


def _proving(view: ProgressView) -> str:
    change = " and with its change" if view.job.options.mode is Mode.FIX else ""
    return f"The agent has ended. I am running the repro myself, at base{change}."


def _result(view: ProgressView, redactor: Redactor) -> list[str]:
    outcome = view.outcome
    if outcome is None:
        return []
    parts: list[str] = []
    if outcome.state is not JobState.CANCELLED:
        parts.append(agent_ended(view.agent_end, view.job.options))
    parts.extend(_verdict(view, outcome, redactor))
    if outcome.problem:
        parts.append(outcome.problem)
    if outcome.pull is not None:
        parts.append(f"Draft pull request: [#{outcome.pull.number}]({outcome.pull.url}).")
    elif outcome.no_pull_reason:
        parts.append(f"No pull request was opened. {outcome.no_pull_reason}")
    if view.lost_machine:
        parts.append(f"Machine {code(view.lost_machine)} had stopped answering, so I began again.")
    if outcome.partial:
        parts.append("The run was cut short, so what there is may be incomplete.")
    table = "" if view.proof is None else proof_table(view.proof, redactor=redactor)
    said = " ".join(part for part in parts if part)
    return [part for part in (said, table, _when(view)) if part]


def _verdict(view: ProgressView, outcome: Outcome, redactor: Redactor) -> list[str]:
    options = view.job.options
    if view.proof is not None:
        return [
            verdict_by_proof(view.proof, redactor=redactor),
            by_agent(view.proof, outcome.claim, options),
        ]
    return [] if outcome.verdict is None else [verdict_sentence(outcome.verdict, options)]


def _when(view: ProgressView) -> str:
    started = min(view.times.values(), default=None)
    ended = _ended(view)
    took = "" if started is None else f" It took {duration(ended - started)}."
    return f"Ended {moment(ended)}.{took}"


def _ended(view: ProgressView) -> datetime:
    return next((when for state, when in view.times.items() if state.is_end), view.now)
