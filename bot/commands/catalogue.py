"""The one table of commands and options: parsing, help, usage and the manual come from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from annotated_types import Ge, Gt, Le

from bot.models import IncludeComments, JobOptions, Mode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

MOST_LOG_LINES = 200
"""Lines of a log that ``peek`` shows."""

_NAME = "a name of lower-case letters, digits, `-` and `_`"


@dataclass(frozen=True, slots=True)
class OptionEntry:
    """An option of a job: one name, one default and one meaning, in comments and terminals."""

    name: str
    """With its dashes: ``--gpu-type``."""
    does: str
    field: str | None = None
    """The field of JobOptions that it sets; None for guidance and for the terminal's own."""
    value: str | None = None
    """What stands for the value in a usage line; None when it takes none."""
    short: str | None = None
    takes: str = ""
    """What a right value is, where the field's own limits do not say it."""
    kind: Literal["job", "guidance", "command", "terminal"] = "job"
    """``command``: an option of one command, and of no job."""
    pattern: re.Pattern[str] | None = None
    """What a value must be besides what the field asks."""

    @property
    def usage(self) -> str:
        """Name and value, as in ``--gpus N``."""
        return self.name if self.value is None else f"{self.name} {self.value}"

    @property
    def allowed(self) -> str:
        """What a right value is, for people."""
        return self.takes or _limits(self.field)

    @property
    def default(self) -> str:
        """The default as a comment would write it, or nothing where there is none to show."""
        if self.field is None or self.value is None:
            return ""
        value = JobOptions.model_fields[self.field].default
        return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command: how it is written in a comment and what it does."""

    name: str
    usage: str
    does: str
    aliases: tuple[str, ...] = ()
    options: tuple[OptionEntry, ...] = ()
    """Those that it takes, in the order in which the help shows them."""
    takes_job: bool = False
    """Whether a job may be named, by its id or by its issue's number."""


def _choices(kind: type[StrEnum]) -> str:
    values = [f"`{member.value}`" for member in kind]
    return ", ".join(values[:-1]) + f" or {values[-1]}"


def _limits(field: str | None) -> str:
    """Say a numeric field's limits in words."""
    if field is None:
        return "a value"
    information = JobOptions.model_fields[field]
    low = high = above = None
    for limit in information.metadata:
        match limit:
            case Ge(ge=value):
                low = value
            case Gt(gt=value):
                above = value
            case Le(le=value):
                high = value
            case _:
                continue
    if above is not None:
        return f"a number above {above} and up to {high}"
    return f"a whole number from {low} to {high}"


OPTIONS: tuple[OptionEntry, ...] = (
    OptionEntry(
        "--gpu-type",
        "the kind of GPU",
        field="gpu_type",
        value="TYPE",
        takes=f"{_NAME}, such as `h100`",
    ),
    OptionEntry("--gpus", "how many GPUs", field="gpus", value="N"),
    OptionEntry("--hours", "the most hours the machine is kept", field="hours", value="H"),
    OptionEntry(
        "--agent",
        "the coding agent",
        field="agent",
        value="NAME",
        takes=f"{_NAME}, such as `claude`",
    ),
    OptionEntry(
        "--model",
        "the agent's model",
        field="model",
        value="NAME",
        takes="a model's name, such as `opus`",
    ),
    OptionEntry("--max-turns", "the most turns of the agent", field="max_turns", value="N"),
    OptionEntry(
        "--max-usd", "the most US dollars spent on the model", field="max_usd", value="USD"
    ),
    OptionEntry(
        "--mode",
        "how far to go: `reproduce` the bug, `diagnose` its cause, or `fix` it",
        field="mode",
        value="MODE",
        takes=_choices(Mode),
    ),
    OptionEntry("--no-pr", "show the patch, and open no draft pull request", field="pr"),
    OptionEntry(
        "--machine",
        "one machine, by its name",
        field="machine",
        value="NAME",
        takes="a machine's name: letters, digits, `.`, `_` and `-`",
    ),
    OptionEntry(
        "--dockerfile",
        "the Dockerfile of the machine's image, by its path in the repository",
        field="dockerfile",
        value="PATH",
        takes="a path in the repository: letters, digits, `.`, `_`, `-` and `/`",
        pattern=re.compile(r"(?!.*\.\.)[A-Za-z0-9._-][A-Za-z0-9._/-]{0,199}"),
    ),
    OptionEntry(
        "--include-comments",
        "which comments the agent reads: `all`, `none`, or those of the issue's author and of "
        "people with the right to triage (`trusted`)",
        field="include_comments",
        value="WHOSE",
        takes=_choices(IncludeComments),
    ),
    OptionEntry(
        "--prompt",
        "guidance for the agent; the lines under the command are guidance too",
        value="TEXT",
        short="-p",
        kind="guidance",
        takes="text; put it in quotes",
    ),
    OptionEntry(
        "--message",
        "the same as `--prompt`",
        value="TEXT",
        short="-m",
        kind="guidance",
        takes="text; put it in quotes",
    ),
    OptionEntry("--input", "guidance from a file", value="FILE", short="-i", kind="terminal"),
    OptionEntry("--follow", "show the agent's log as it grows", kind="terminal"),
    OptionEntry("--no-follow", "come back at once", kind="terminal"),
)
"""Every option of a job, in the order in which the help shows them."""

OPTION_NAMES: Mapping[str, OptionEntry] = MappingProxyType(
    {name: option for option in OPTIONS for name in (option.name, option.short) if name}
)
"""Option by each of its names."""

LOG = OptionEntry(
    "--log",
    "how many lines of the end of the log",
    value="N",
    kind="command",
    takes=f"a whole number from 1 to {MOST_LOG_LINES}",
)
"""The option of ``peek``."""

MORE_HOURS = OptionEntry(
    "--hours",
    "how many hours more",
    value="H",
    kind="command",
    takes="a number above 0 and up to 24",
)
"""The option of ``extend``; for a job it is a cap, and here it is added to what is left."""

TASK = OptionEntry(
    "--message",
    "the task",
    value="TEXT",
    short="-m",
    kind="guidance",
    takes="text; put it in quotes",
)
"""What ``--message`` is for ``run``."""

COMMANDS: tuple[CommandEntry, ...] = (
    CommandEntry(
        "investigate",
        "/ptq investigate [options] [guidance]",
        "reproduce the bug of this issue, find its cause and try to fix it, on a GPU machine",
        options=OPTIONS,
    ),
    CommandEntry(
        "run",
        '/ptq run [options] -m "task"',
        "the same for a free task",
        options=tuple(TASK if option.name == TASK.name else option for option in OPTIONS),
    ),
    CommandEntry(
        "rerun",
        "/ptq rerun [options] [guidance]",
        "the next run of this issue's job, which goes on from the last one",
        options=OPTIONS,
    ),
    CommandEntry(
        "status",
        "/ptq status [JOB]",
        "how far a job is: its state, place in the queue, machine, spend and time left",
        takes_job=True,
    ),
    CommandEntry(
        "peek",
        "/ptq peek [--log N] [JOB]",
        "the worklog, and the end of the agent's log",
        options=(LOG,),
        takes_job=True,
    ),
    CommandEntry(
        "results",
        "/ptq results [JOB]",
        "the verdict, the report, the patch, the worklog and the log",
        takes_job=True,
    ),
    CommandEntry(
        "pr",
        "/ptq pr [JOB]",
        "open the draft pull request of a job that ran with `--no-pr`",
        takes_job=True,
    ),
    CommandEntry("list", "/ptq list", "the jobs of this repository and where they are"),
    CommandEntry(
        "kill",
        "/ptq kill [JOB]",
        "stop the agent, keep what it wrote, give the GPU back",
        aliases=("cancel", "stop"),
        takes_job=True,
    ),
    CommandEntry(
        "extend",
        "/ptq extend --hours H [JOB]",
        "more time on the machine",
        options=(MORE_HOURS,),
        takes_job=True,
    ),
    CommandEntry(
        "clean",
        "/ptq clean [JOB]",
        "remove a job's files from its machine",
        takes_job=True,
    ),
    CommandEntry("help", "/ptq help [COMMAND]", "these commands, or one of them in full"),
)
"""Every command, in the order in which the help shows them."""

COMMAND_NAMES: Mapping[str, CommandEntry] = MappingProxyType(
    {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
)
"""Command by each of its names."""
