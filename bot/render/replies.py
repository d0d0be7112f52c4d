"""Short answers to a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands import COMMANDS, OPTIONS
from bot.commands.code import code
from bot.render.phrases import mention

if TYPE_CHECKING:
    from bot.commands import Mistake, OptionEntry


def refused(login: str, why: str) -> str:
    """Say that a right command is not carried out; ``why`` is Markdown of ours."""
    return f"{mention(login)} I cannot do that: {why}"


def mistake(login: str, wrong: Mistake) -> str:
    """Say what was wrong with a command, and how it is written."""
    return f"{mention(login)} {wrong.text}"


def not_yet(login: str, command: str) -> str:
    """Say that a command of the manual cannot be used yet."""
    built = ", ".join(code(f"/ptq {entry.name}") for entry in COMMANDS if entry.is_built)
    return (
        f"{mention(login)} {code(f'/ptq {command}')} is planned and not built yet. "
        f"What I understand today: {built}."
    )


def already_running(login: str, *, job_id: str, progress_url: str | None) -> str:
    """Say that this issue has a job that has not ended."""
    job = code(job_id) if progress_url is None else f"[{code(job_id)}]({progress_url})"
    return (
        f"{mention(login)} This issue is being investigated already, in job {job}. "
        "Please ask again when it has ended."
    )


def edited_comment(login: str) -> str:
    """Say that a command which an edit added is not carried out."""
    return (
        f"{mention(login)} I read commands in new comments only, so the one that was just added to "
        "this comment is not carried out. Please write it in a new comment."
    )


def help_text(topic: str | None = None) -> str:
    """Explain all commands, or one of them with its options."""
    return _investigate() if topic == "investigate" else _overview()


def _overview() -> str:
    commands = "\n".join(
        f"- {code(entry.usage)}: {entry.does}." for entry in COMMANDS if entry.is_built
    )
    return (
        "I investigate issues of this repository on a GPU machine, with a coding agent.\n\n"
        f"{commands}\n\n"
        "A command is a line of its own that begins with `/ptq`, in a new comment. The lines under "
        "it are guidance for the agent."
    )


def _investigate() -> str:
    entry = next(entry for entry in COMMANDS if entry.name == "investigate")
    rows = "\n".join(
        f"| {_option(option)} | {_sentence(option)} |"
        for option in OPTIONS
        if option.kind != "terminal"
    )
    return (
        f"{code(entry.usage)}: {entry.does}.\n\n"
        "| option | what it does |\n|---|---|\n"
        f"{rows}\n"
        "| `@agent-NAME` | ask one specialist |\n\n"
        "Guidance is what you would tell a colleague: where to look, what you tried. It stands "
        "after the options or on the lines under the command. For example:\n\n"
        "```\n/ptq investigate --gpus 2 --no-pr\nIt only happens with two processes.\n```"
    )


def _option(option: OptionEntry) -> str:
    names = code(option.usage)
    return names if option.short is None else f"{names}, {code(option.short)}"


def _sentence(option: OptionEntry) -> str:
    parts = [option.does]
    if option.kind == "job" and option.value is not None and not option.takes:
        parts.append(option.allowed)
    text = ": ".join(parts)
    return f"{text} (default {code(option.default)})" if option.default else text
