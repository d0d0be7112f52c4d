"""The handler of `/ptq results`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render, told
from bot.commands.code import code
from bot.errors import Refusal

if TYPE_CHECKING:
    from bot.commands import Results
    from bot.intake.asking import Asking
    from bot.intake.desk import Desk


async def results(desk: Desk, asking: Asking, command: Results) -> str:
    """Show what a job found; raise Refusal while it runs."""
    job, parts = await desk.job(asking, command.job), desk.parts
    if not job.state.is_end:
        raise Refusal(
            f"job {code(job.id, limit=128)} has not ended: `/ptq peek` shows what there is so far."
        )
    documents = await parts.documents.read_all(job.id, job.request.run)
    view = render.ResultsView(
        job=told.job_view(job),
        outcome=told.outcome_of(job),
        proof=told.proof_of(documents),
        texts=told.texts_of(job, documents, agents=parts.agents),
    )
    text = render.results(view, redactor=parts.redactor)
    return await desk.replies.told(asking, text, kind="results")
