"""What went wrong, as a sentence for people: without addresses, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import (
    AgentError,
    CommandFailed,
    CommandTimedOut,
    GitHubError,
    GitHubUnavailable,
    LeaseLost,
    MachineError,
    MachineUnreachable,
    NoMachine,
    PatchRefused,
    PtqError,
    UserError,
    WorkspaceError,
)
from bot.render.sanitise import inline

if TYPE_CHECKING:
    from bot.redaction import Redactor

_LONGEST = 600


# The first that fits counts: a kind of error stands before the kind that it belongs to.
_SENTENCES: tuple[tuple[type[PtqError], str], ...] = (
    (MachineUnreachable, "The connection to the machine was lost, or never made."),
    (CommandTimedOut, "A command on the machine ran past its time limit."),
    (CommandFailed, "A command on the machine failed."),
    (LeaseLost, "The reservation of the machine was gone before the work was done."),
    (MachineError, "The machine, or the service that lends it, failed."),
    (AgentError, "The agent could not be started on the machine."),
    (GitHubUnavailable, "GitHub could not be reached for too long."),
    (GitHubError, "GitHub refused a request."),
)
_OTHER = "Something went wrong inside ptq; its operator can see what in the log."


def problem(error: PtqError, *, redactor: Redactor) -> str:
    """Return what a job's ``Outcome.problem`` says of an error, as Markdown on one line."""
    match error:
        case UserError():
            return str(error)
        case NoMachine():
            return f"There is no machine for it: {_said(error, redactor)}"
        case WorkspaceError():
            return f"The PyTorch workspace could not be prepared: {_said(error, redactor)}"
        case PatchRefused():
            return f"The patch may not be published: {_said(error, redactor)}"
        case _:
            return next((text for kind, text in _SENTENCES if isinstance(error, kind)), _OTHER)


def died_twice() -> str:
    """Return what is said when a job had two tries, and its machine died in both."""
    return (
        "The connection to its machine was lost, or never made. I began again, and lost the second "
        "one too. It has nothing to do with the issue: ask again later."
    )


def _said(error: PtqError, redactor: Redactor) -> str:
    text = inline(str(error), redactor=redactor, limit=_LONGEST)
    return text if text.endswith((".", "!", "?")) else f"{text}."
