"""What the bot answers to a command at once: a reaction, and one comment where words are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import render
from bot.configuration import PATH
from bot.intake.hiding import hide_older
from bot.models import Permission
from bot.render.configuration import broken_configuration, broken_note, switched_off
from bot.render.markers import kind_marker, label_reply_marker

if TYPE_CHECKING:
    from bot.commands import Help, Mistake
    from bot.configuration import InForce
    from bot.errors import Refusal
    from bot.github import GitHub, Repository
    from bot.intake.asking import Asking
    from bot.posting import Posting
    from bot.store import Deliveries, Job


class Replies:
    """Answers once, whatever runs twice."""

    def __init__(self, github: GitHub, posting: Posting, deliveries: Deliveries) -> None:
        """Answer on this GitHub, and remember it in these deliveries."""
        self._github = github
        self._posting = posting
        self._deliveries = deliveries

    async def repository(self, asking: Asking) -> Repository:
        """Return the repository as the installation that the delivery came from."""
        return self._github.repository(asking.repository, await self.installation_id(asking))

    async def installation_id(self, asking: Asking) -> int:
        """Return the installation; a repository's own webhook does not name it."""
        if asking.installation_id is not None:
            return asking.installation_id
        return await self._github.installation_id(asking.repository)

    async def permission(self, asking: Asking) -> Permission:
        """Return what the person may do now; nothing when the login is somebody else's by now."""
        repository = await self.repository(asking)
        person, permission = await repository.permission(asking.person.login)
        return permission if person.id == asking.person.id else Permission.NONE

    async def without_right(
        self, asking: Asking, permission: Permission, needed: Permission
    ) -> str:
        """Refuse: a reaction, and a line why for those who triage here."""
        why = f"it takes {needed} permission on this repository."
        return await self._turn_away(asking, permission, why)

    async def switched_off(self, asking: Asking, permission: Permission) -> str:
        """Refuse whatever was asked: the repository does not want ptq now."""
        return await self._turn_away(asking, permission, switched_off(PATH))

    async def refused(self, asking: Asking, error: Refusal, in_force: InForce) -> str:
        """Say why a right command is not carried out, and whether its limits are old ones."""
        await self._confused(asking)
        text = render.refused(asking.person.login, str(error))
        if in_force.problems:
            note = broken_note(PATH, _problems(in_force), is_last_right=in_force.is_last_right)
            text = f"{text}\n\n{note}"
        return await self._answer(asking, text, outcome="refused")

    async def broken_configuration(
        self, asking: Asking, in_force: InForce, *, outcome: str
    ) -> None:
        """Say what is wrong with the repository's file, if anything is."""
        if in_force.problems:
            text = broken_configuration(
                asking.person.login,
                PATH,
                _problems(in_force),
                is_last_right=in_force.is_last_right,
            )
            await self._answer(asking, text, outcome=outcome)

    async def seen(self, asking: Asking) -> None:
        """Show that the command was seen: 👀 on its comment, or on the issue that was labelled."""
        repository = await self.repository(asking)
        if asking.comment_id is None:
            await repository.react_to_issue(asking.issue_number, "eyes")
        else:
            await repository.react(asking.comment_id, "eyes")

    async def take_label(self, asking: Asking) -> None:
        """Take off the label that gave the command: put on again, it gives it again."""
        if asking.label is not None:
            repository = await self.repository(asking)
            await repository.remove_label(asking.issue_number, asking.label)

    async def mistake(self, asking: Asking, mistake: Mistake) -> str:
        """Say what is wrong about a command."""
        await self._confused(asking)
        text = render.mistake(asking.person.login, mistake)
        return await self._answer(asking, text, outcome="mistake")

    async def edited(self, asking: Asking) -> str:
        """Say that a command in an edited comment does not count."""
        await self._confused(asking)
        text = render.edited_comment(asking.person.login)
        return await self._answer(asking, text, outcome="mistake")

    async def help(self, asking: Asking, command: Help) -> str:
        """Show the usage."""
        await self.seen(asking)
        return await self._answer(asking, render.help_text(command.topic), outcome="help")

    async def told(self, asking: Asking, text: str, *, kind: str) -> str:
        """Answer a command that only reads, and hide the older answers of its kind."""
        await self.seen(asking)
        return await self._answer(asking, text, outcome=kind, kind=kind)

    async def done(self, asking: Asking, text: str, *, outcome: str) -> str:
        """Say what was done, or what follows now."""
        await self.seen(asking)
        return await self._answer(asking, text, outcome=outcome)

    async def running_already(self, asking: Asking, job: Job) -> str:
        """Point to the unfinished job of the issue."""
        text = render.already_running(
            asking.person.login, job_id=job.id, progress_url=job.progress_comment_url
        )
        return await self._answer(asking, text, outcome="known")

    async def _turn_away(self, asking: Asking, permission: Permission, why: str) -> str:
        """Refuse: a reaction, and a line why for those who triage here."""
        await self._confused(asking)
        if permission.covers(Permission.TRIAGE):
            text = render.refused(asking.person.login, why)
            return await self._answer(asking, text, outcome="refused")
        await self._claim(asking, "refused")
        return "refused"

    async def _confused(self, asking: Asking) -> None:
        """React with 😕 to a comment; under an issue it would be read as said to its author."""
        if asking.comment_id is not None:
            await (await self.repository(asking)).react(asking.comment_id, "confused")

    async def _answer(self, asking: Asking, text: str, *, outcome: str, kind: str = "") -> str:
        if not await self._claim(asking, outcome):
            return "known"
        marker = _marker(asking)
        repository = await self.repository(asking)
        number = asking.issue_number
        first = render.Marker(f"{marker}{kind_marker(kind)}") if kind else marker
        posted = await self._posting.once(repository, number, marker, render.marked(first, text))
        if kind:
            app = await self._github.app()
            await hide_older(repository, number, posted.id, kind=kind, app_id=app.id)
        return outcome

    async def _claim(self, asking: Asking, outcome: str) -> bool:
        return await self._deliveries.claim(
            asking.repository,
            asking.comment_id,
            asking.place,
            delivery_id=asking.delivery_id,
            outcome=outcome,
        )


def _marker(asking: Asking) -> render.Marker:
    if asking.comment_id is None:
        return label_reply_marker(asking.delivery_id)
    return render.reply_marker(asking.comment_id, ordinal=asking.place + 1)


def _problems(in_force: InForce) -> list[str]:
    return [str(problem) for problem in in_force.problems]
