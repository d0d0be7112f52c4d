"""Short answers to a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands import COMMANDS
from bot.commands.code import code
from bot.render.phrases import mention, moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.commands import CommandEntry, Mistake, OptionEntry
    from bot.models import PullRequest


def refused(login: str, why: str) -> str:
    """Say that a right command is not carried out; ``why`` is Markdown of ours."""
    return f"{mention(login)} I cannot do that: {why}"


def mistake(login: str, wrong: Mistake) -> str:
    """Say what was wrong with a command, and how it is written."""
    return f"{mention(login)} {wrong.text}"


def already_running(login: str, *, job_id: str, progress_url: str | None) -> str:
    """Say that this issue has a job that has not ended."""
    job = code(job_id) if progress_url is None else f"[{code(job_id)}]({progress_url})"
    return (
        f"{mention(login)} This issue is being investigated already, in job {job}. "
        "Please ask again when it has ended."
    )


def stopping(login: str, *, job_id: str, machine: str | None) -> str:
    """Say that a job is being stopped, and what follows."""
    job = code(job_id, limit=128)
    if machine is None:
        return f"{mention(login)} I am stopping job {job}. It has no machine yet."
    return (
        f"{mention(login)} I am stopping job {job}: its agent ends, what it wrote is kept and "
        f"shown, and {code(machine)} is given back. A closing comment follows."
    )


def pull_opened(login: str, *, job_id: str, pull: PullRequest) -> str:
    """Say where a job's draft pull request is."""
    link = f"[draft pull request #{pull.number}]({pull.url})"
    return f"{mention(login)} The fix of job {code(job_id, limit=128)} is in {link}."


def extended(login: str, *, job_id: str, until: datetime) -> str:
    """Say until when a job has its machine now."""
    job = code(job_id, limit=128)
    return f"{mention(login)} Job {job} has its machine until {moment(until)} now."


def cleaned(
    login: str,
    *,
    job_id: str,
    removed: Sequence[str],
    silent: Sequence[str],
    gone: Sequence[str],
) -> str:
    """Say on which machines a job's files were removed, and on which they were not."""
    job = code(job_id, limit=128)
    said: list[str] = []
    if removed:
        said.append(f"I removed the files of job {job} from {_listed(removed)}.")
    if silent:
        said.append(
            f"**{_listed(silent)} did not answer in time**, so the files of job {job} may still be "
            "there: ask again later."
        )
    if gone:
        said.append(f"{_listed(gone)} is no machine of mine any more: nothing was removed there.")
    if not said:
        said.append(f"Job {job} was on no machine, so there is nothing to remove.")
    return f"{mention(login)} {' '.join(said)} Its report and its patch are kept."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(code(name) for name in names)


def edited_comment(login: str) -> str:
    """Say that a command which an edit added is not carried out."""
    return (
        f"{mention(login)} I read commands in new comments only, so the one that was just added to "
        "this comment is not carried out. Please write it in a new comment."
    )


def help_text(topic: str | None = None) -> str:
    """Explain all commands, or one of them with its options."""
    entry = next((entry for entry in COMMANDS if entry.name == topic), None)
    return _overview() if entry is None or topic == "help" else _command(entry)


def _overview() -> str:
    commands = "\n".join(f"- {code(entry.usage)}: {entry.does}." for entry in COMMANDS)
    return (
        "I investigate issues of this repository on a GPU machine, with a coding agent.\n\n"
        f"{commands}\n\n"
        "A command is a line of its own that begins with `/ptq`, in a new comment. The lines under "
        "it are guidance for the agent."
    )


def _command(entry: CommandEntry) -> str:
    names = "".join(f", also {code(f'/ptq {alias}')}" for alias in entry.aliases)
    parts = [f"{code(entry.usage)}{names}: {entry.does}."]
    if entry.options:
        parts.append(_options(entry))
    if entry.takes_job:
        parts.append(
            "A job is named by its id or by its issue's number, which means the newest one; "
            "without a name it is the newest job of this thread."
        )
    if any(option.kind == "job" for option in entry.options):
        parts.append(_guidance(entry.name))
    return "\n\n".join(parts)


def _options(entry: CommandEntry) -> str:
    rows = [
        f"| {_option(option)} | {_sentence(option)} |"
        for option in entry.options
        if option.kind != "terminal"
    ]
    if any(option.kind == "job" for option in entry.options):
        rows.append("| `@agent-NAME` | ask one specialist |")
    return "\n".join(["| option | what it does |\n|---|---|", *rows])


def _guidance(command: str) -> str:
    if command == "run":
        return (
            "The task is what `--message` says, or what stands on the lines under the command. For "
            "example:\n\n```\n/ptq run --no-pr\nFind out why `torch.compile` is slow on "
            "this model, and write it down.\n```"
        )
    return (
        "Guidance is what you would tell a colleague: where to look, what you tried. It stands "
        "after the options or on the lines under the command. For example:\n\n"
        f"```\n/ptq {command} --gpus 2 --no-pr\nIt only happens with two processes.\n```"
    )


def _option(option: OptionEntry) -> str:
    names = code(option.usage)
    return names if option.short is None else f"{names}, {code(option.short)}"


def _sentence(option: OptionEntry) -> str:
    parts = [option.does]
    if option.kind == "command" or (
        option.kind == "job" and option.value is not None and not option.takes
    ):
        parts.append(option.allowed)
    text = ": ".join(parts)
    return f"{text} (default {code(option.default)})" if option.default else text
