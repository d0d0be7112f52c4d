"""What Claude Code's log says: how far it is, and how it ended.

The log is what ``--output-format stream-json --verbose`` writes, with what the program says on
stderr between. It comes from the agent's machine: nothing in it is trusted, and nothing in it makes
the parser fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.agents.events import Assistant, Event, Result, Retry, read_event
from bot.agents.log_lines import LogLines
from bot.models import AgentEnd, AgentProgress, AgentResult

if TYPE_CHECKING:
    from bot.agents.events import Block

MAX_LINE_BYTES = 4 * 1024 * 1024
"""A longer event is left out; those that count here have some kilobytes."""
MAX_READABLE = 500
"""Characters of a readable line."""
MAX_TURNS = 10_000
"""Turns that are counted; a job may have 1,000."""

_SYNTHETIC = "<synthetic>"
"""The model's name in answers that Claude Code wrote itself, about errors."""
_DIAGNOSTIC = "[ede_diagnostic]"
"""How Claude Code begins errors that are for its own developers."""
_MAIN_ARGUMENTS = ("command", "file_path", "path", "pattern", "skill", "description", "query")
_FATAL_SIGNAL = 128
"""Exit statuses above it are a shell's or the program's way to tell a signal."""


class StreamParser:
    """Reads one log of Claude Code as it grows (a ``LogParser``)."""

    def __init__(self) -> None:
        self._lines = LogLines(limit=MAX_LINE_BYTES)
        self._messages: set[str] = set()
        self._last_activity = ""
        self._last_stray = ""
        self._session_id: str | None = None
        self._usd = 0.0
        self._result: Result | None = None

    @property
    def progress(self) -> AgentProgress:
        """Turns of the main conversation, and what the log says of the spend.

        A turn is an answer of the model, as ``--max-turns`` counts. The spend is known when a
        result event tells it, which is at the end.
        """
        return AgentProgress(
            turns=len(self._messages),
            usd=self._usd,
            last_activity=self._last_activity,
            session_id=self._session_id,
        )

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes; return one line for each thing that was said or done."""
        return [readable for line in self._lines.feed(data) for readable in self._take(line)]

    def result(self, exit_status: int | None, *, stopped: bool, timed_out: bool) -> AgentResult:
        """How the run ended; called when the log is complete."""
        for line in self._lines.flush():
            self._take(line)
        end = _end(self._result, exit_status, stopped=stopped, timed_out=timed_out)
        return AgentResult(
            end=end, exit_status=exit_status, message=self._last_words, progress=self.progress
        )

    @property
    def _last_words(self) -> str:
        if self._result is None:
            return self._last_stray or self._last_activity
        errors = [text for text in self._result.errors if not text.startswith(_DIAGNOSTIC)]
        return self._result.result or "\n".join(errors) or self._last_activity

    def _take(self, line: bytes) -> list[str]:
        event = read_event(line)
        if event is None:
            return self._take_stray(line)
        self._session_id = event.session_id[:64] or self._session_id
        readable = self._take_event(event)
        if readable and not isinstance(event, Result):
            self._last_activity = readable[-1]
        return readable

    def _take_stray(self, line: bytes) -> list[str]:
        text = one_line(line[: 8 * MAX_READABLE].decode(errors="replace"))
        self._last_stray = text or self._last_stray
        return [text] if text else []

    def _take_event(self, event: Event) -> list[str]:
        match event:
            case Assistant():
                return self._take_answer(event)
            case Result():
                self._result = event
                self._usd = self._usd if event.total_cost_usd is None else event.total_cost_usd
                return [one_line(f"result: {event.terminal_reason or event.subtype}")]
            case Retry():
                return [one_line(f"the model's API is asked again: {event.error}")]
            case _:
                return []

    def _take_answer(self, event: Assistant) -> list[str]:
        message = event.message
        is_turn = bool(message.id) and message.model != _SYNTHETIC and not event.parent_tool_use_id
        if is_turn and len(self._messages) < MAX_TURNS:
            self._messages.add(message.id[:64])
        return [text for block in message.content if (text := _readable(block))]


def one_line(text: str) -> str:
    """Return a text as one capped line without anything that is not printable."""
    words = " ".join(text[: 4 * MAX_READABLE].split())
    line = "".join(character for character in words if character.isprintable())
    return line if len(line) <= MAX_READABLE else line[: MAX_READABLE - 1] + "…"


def _readable(block: Block) -> str:
    match block.type:
        case "text":
            return one_line(block.text)
        case "tool_use":
            return one_line(": ".join([block.name, *_main_argument(block)]))
        case _:
            return ""


def _main_argument(block: Block) -> list[str]:
    values = (block.input.get(key) for key in _MAIN_ARGUMENTS)
    return [value for value in values if isinstance(value, str)][:1]


def _end(
    result: Result | None, exit_status: int | None, *, stopped: bool, timed_out: bool
) -> AgentEnd:
    """Say how a run ended; a result that it reached itself wins over our stopping it."""
    if result is not None and _ended_itself(result, exit_status):
        return _conclusion(result)
    if timed_out:
        return AgentEnd.TIMED_OUT
    return AgentEnd.STOPPED if stopped else AgentEnd.CRASHED


def _conclusion(result: Result) -> AgentEnd:
    match result.subtype:
        case "error_max_turns":
            return AgentEnd.MAX_TURNS
        case "error_max_budget_usd":
            return AgentEnd.MAX_USD
        case _ if result.terminal_reason == "api_error":
            return AgentEnd.API_ERROR
        case "success":
            return AgentEnd.API_ERROR if result.is_error else AgentEnd.SUCCESS
        case _:
            return AgentEnd.CRASHED


def _ended_itself(result: Result, exit_status: int | None) -> bool:
    """Whether the result is the end, and not what was said before a signal ended the program."""
    if result.subtype == "error_during_execution":  # SIGINT, or nothing to resume
        return False
    if exit_status is None:
        return True
    is_success = result.subtype == "success" and not result.is_error
    return exit_status == 0 if is_success else 0 <= exit_status <= _FATAL_SIGNAL
