"""One handler for each command: what it does, and the one answer that it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from bot.commands import (
    Clean,
    Extend,
    Help,
    Investigate,
    Kill,
    ListJobs,
    Mistake,
    Peek,
    Publish,
    Rerun,
    Results,
    Run,
    Status,
)
from bot.intake.handlers.clean import clean
from bot.intake.handlers.extend import extend
from bot.intake.handlers.kill import is_own, kill
from bot.intake.handlers.listing import list_jobs
from bot.intake.handlers.peek import peek
from bot.intake.handlers.publish import publish
from bot.intake.handlers.results import results
from bot.intake.handlers.status import status

if TYPE_CHECKING:
    from bot.commands import Command
    from bot.configuration import InForce
    from bot.intake.asking import Asking
    from bot.intake.desk import Desk
    from bot.intake.investigate import InvestigateHandler


@dataclass(frozen=True, slots=True)
class Handlers:
    """Carries out commands of people who may give them."""

    desk: Desk
    jobs: InvestigateHandler

    async def answer(  # noqa: C901, PLR0911, PLR0912 -- a line for each command
        self, asking: Asking, command: Command | Mistake | None, in_force: InForce
    ) -> str:
        """Carry out a command and answer it, and return the outcome; raise Refusal.

        None stands for a command that an edit put into a comment.
        """
        desk, replies = self.desk, self.desk.replies
        match command:
            case None:
                return await replies.edited(asking)
            case Mistake():
                return await replies.mistake(asking, command)
            case Help():
                return await replies.help(asking, command)
            case Investigate():
                return await self.jobs.investigate(asking, command, in_force)
            case Run():
                return await self.jobs.run(asking, command, in_force)
            case Rerun():
                return await self.jobs.rerun(asking, command, in_force)
            case Status():
                return await status(desk, asking, command)
            case Peek():
                return await peek(desk, asking, command)
            case Results():
                return await results(desk, asking, command)
            case ListJobs():
                return await list_jobs(desk, asking)
            case Kill():
                return await kill(desk, asking, command)
            case Publish():
                return await publish(desk, asking, command)
            case Clean():
                return await clean(desk, asking, command)
            case Extend():
                return await extend(desk, asking, command)
            case _:
                assert_never(command)

    async def is_allowed_to_everybody(
        self, asking: Asking, command: Command | Mistake | None
    ) -> bool:
        """Whether this person may give a command that changes a job without any permission."""
        return isinstance(command, Kill) and await is_own(self.desk, asking, command)
