"""Every error ptq raises on purpose; each says whose fault it is.

PtqError
├── UserError             the person who asked can mend it; its text is posted as written
│   ├── CommandError      the comment's command is wrong (nearest match and usage inside)
│   ├── InputError        an option or a file of a command line is missing or not of its shape
│   └── Refusal           the command is right, but not for this person, issue or limit
├── ConfigurationError    the operator can mend it; stops the start
├── GitHubError           GitHub refused or could not be reached
│   ├── GitHubUnavailable     worth another try later: 5xx, connection lost, rate limit
│   ├── GitHubRejected        final: a 4xx that the same request will get again
│   └── GitHubNotFound        final: 404 or 410
├── DeliveryError         a webhook delivery is not taken: answered with a 4xx, nothing stored
│   ├── SignatureError        not signed, or not with our secret
│   ├── ContentTypeError      signed, but not sent as JSON
│   └── PayloadError          signed, but not of the shape that GitHub documents
├── MachineError          a machine or its provider failed; another machine may do
│   ├── MachineUnreachable    refused, lost, timed out, or the host key is not the pinned one
│   ├── LeaseLost             the reservation is gone under a job that still needs it
│   ├── NoMachine             the provider has nothing that fits, now or ever (``final``)
│   ├── CommandFailed         a command on the machine ended with a non-zero exit status
│   ├── CommandTimedOut       a command on the machine outran its time limit and was ended
│   └── RemoteFileMissing     the file to read is not there
├── WorkspaceError        the workspace cannot be prepared (disk, wheel, source, commit)
├── AgentError            the agent could not be started
├── PatchRefused          the patch must not be published; says which file and why
├── Paused                nobody's fault, and no end: the step waits and is done again
│   ├── DatabaseUnavailable   the database does not answer, or is starting
│   └── Fenced                this process may have been taken over, so it touches nothing
└── StepBroke             a bug of ptq: an error that nobody expected, logged where it happened
"""

from __future__ import annotations


class PtqError(Exception):
    """Base of everything ptq raises on purpose."""


class UserError(PtqError):
    """The person who asked can mend it: ``str(error)`` is Markdown, posted as written."""


class CommandError(UserError):
    """A command in a comment or on a command line is wrong."""


class InputError(UserError):
    """An option of a command line, or a file that it reads, is missing or not of its shape."""


class Refusal(UserError):
    """A right command that is not carried out: permission, limit or an unsuitable issue."""


class ConfigurationError(PtqError):
    """A setting is missing or wrong; the text names the setting and says how to mend it."""


class GitHubError(PtqError):
    """GitHub's API did not do what was asked."""

    status: int | None = None

    def __init__(self, message: str, *, status: int | None = None) -> None:
        """Keep the HTTP ``status`` where there was an answer."""
        super().__init__(message)
        self.status = status


class GitHubUnavailable(GitHubError):
    """Worth another try later: 5xx, no connection, or a rate limit longer than we wait."""


class GitHubRejected(GitHubError):
    """Final: the same request will be rejected again (4xx)."""


class GitHubNotFound(GitHubRejected):
    """The thing does not exist, or the App may not see it (404, 410)."""


class DeliveryError(PtqError):
    """A webhook delivery that is not taken; the text is the reason, without any of its content."""


class SignatureError(DeliveryError):
    """The delivery is not signed with our secret, so it is not known to come from GitHub."""


class ContentTypeError(DeliveryError):
    """The webhook is set up with another content type than ``application/json``."""


class PayloadError(DeliveryError):
    """The payload of an event that we use lacks what GitHub documents for it."""


class MachineError(PtqError):
    """A machine or its provider failed; another machine may do."""


class MachineUnreachable(MachineError):
    """No connection to the machine: refused, lost, timed out or the wrong host key."""


class LeaseLost(MachineError):
    """The reservation is gone under a job that still needs it."""


class NoMachine(MachineError):
    """The provider has no machine for the request; ``final`` when waiting will not help."""

    final: bool = False

    def __init__(self, message: str, *, final: bool = False) -> None:
        """Say whether waiting may help."""
        super().__init__(message)
        self.final = final


class CommandFailed(MachineError):
    """A command on the machine ended with a non-zero exit status."""

    def __init__(self, argv: tuple[str, ...], exit_status: int, stderr: str) -> None:
        """Keep what ran, how it ended and the end of what it said."""
        super().__init__(
            f"{argv[0]} ended with exit status {exit_status}: {stderr[-2000:].strip()}"
        )
        self.argv = argv
        self.exit_status = exit_status
        self.stderr = stderr


class CommandTimedOut(MachineError):
    """A command on the machine outran its time limit and was ended."""


class RemoteFileMissing(MachineError):
    """The file to read is not there."""


class WorkspaceError(PtqError):
    """The workspace cannot be prepared; the text says what is missing and where."""


class AgentError(PtqError):
    """The agent could not be started on the machine."""


class PatchRefused(PtqError):
    """The patch must not be published; the text names the file and the reason."""


class Paused(PtqError):
    """It cannot go on just now: a step that meets this waits, and is done again."""


class DatabaseUnavailable(Paused):
    """The database does not answer: it restarts, fails over, or the network is gone."""


class Fenced(Paused):
    """This process was silent for so long that another may have its work: it writes nothing."""


class StepBroke(PtqError):
    """A bug of ptq: a step ended with an error that nobody expected; the log has its traceback."""
