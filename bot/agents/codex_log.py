"""What Codex's log says: how far it is, and how it ended.

The log is what ``codex exec --json`` writes, with what the program says on stderr between. It comes
from the agent's machine: nothing in it is trusted, and nothing in it makes the parser fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.agents.codex_events import Item, ThreadEvent, read_event
from bot.agents.log_lines import LogLines
from bot.agents.stream import MAX_LINE_BYTES, MAX_READABLE, MAX_TURNS, one_line
from bot.models import AgentEnd, AgentProgress, AgentResult

if TYPE_CHECKING:
    from collections.abc import Iterator

_TURNS = frozenset(
    {"agent_message", "command_execution", "file_change", "mcp_tool_call", "collab_tool_call"}
)
"""What counts as a turn: the log does not tell answers of the model apart."""


_OWN_FLAG = "--dangerously-bypass-hook-trust"
"""What Codex notes each time about a flag of ours is of no interest."""


class CodexParser:
    """Reads one log of Codex as it grows (a ``LogParser``)."""

    def __init__(self) -> None:
        self._lines = LogLines(limit=MAX_LINE_BYTES)
        self._turns = 0
        self._tokens = 0
        self._last_activity = ""
        self._last_message = ""
        self._last_stray = ""
        self._session_id: str | None = None
        self._end: ThreadEvent | None = None
        """The last end of a turn, unless something was said after it."""

    @property
    def progress(self) -> AgentProgress:
        """What it said and did, counted, and the tokens; what they cost Codex does not say."""
        return AgentProgress(
            turns=self._turns,
            tokens=self._tokens,
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
        end = self._ended(exit_status, stopped=stopped, timed_out=timed_out)
        return AgentResult(
            end=end,
            exit_status=exit_status,
            message=self._last_words(end),
            progress=self.progress,
        )

    def _ended(self, exit_status: int | None, *, stopped: bool, timed_out: bool) -> AgentEnd:
        """Say how a run ended; an end that it reached itself wins over our stopping it."""
        if self._end is not None and self._end.type == "turn.completed" and not exit_status:
            return AgentEnd.SUCCESS
        if self._end is not None and self._end.type == "turn.failed" and exit_status in {None, 1}:
            return AgentEnd.API_ERROR
        if timed_out:
            return AgentEnd.TIMED_OUT
        return AgentEnd.STOPPED if stopped else AgentEnd.CRASHED

    def _last_words(self, end: AgentEnd) -> str:
        if end is AgentEnd.SUCCESS:
            return self._last_message
        failed = self._end.error.message if self._end is not None else ""
        return failed or self._last_stray or self._last_activity

    def _take(self, line: bytes) -> list[str]:
        event = read_event(line)
        if event is None:
            text = one_line(line[: 8 * MAX_READABLE].decode(errors="replace"))
            self._last_stray = text or self._last_stray
            return [text] if text else []
        readable = [text for text in self._take_event(event) if text]
        if readable and not event.type.startswith("turn."):
            self._last_activity = readable[-1]
        return readable

    def _take_event(self, event: ThreadEvent) -> Iterator[str]:
        match event.type:
            case "thread.started":
                self._session_id = event.thread_id[:64] or self._session_id
            case "turn.started":
                self._end = None
            case "turn.completed":
                self._end = event
                self._tokens = event.usage.input_tokens + event.usage.output_tokens
                yield f"result: {self._tokens:,} tokens"
            case "turn.failed":
                self._end = event
                yield one_line(f"failed: {event.error.message}")
            case "error":
                yield one_line(f"error: {event.message}")
            case "item.started" if event.item.type == "command_execution":
                yield one_line(event.item.command)
            case "item.completed":
                yield from self._take_item(event.item)
            case _:
                pass

    def _take_item(self, item: Item) -> Iterator[str]:
        if item.type in _TURNS:
            self._turns = min(self._turns + 1, MAX_TURNS)
        match item.type:
            case "agent_message":
                self._last_message = item.text
                yield one_line(item.text)
            case "command_execution" if item.exit_code:
                yield f"exit status {item.exit_code}"
            case "file_change":
                yield from (one_line(f"{change.kind}: {change.path}") for change in item.changes)
            case "mcp_tool_call" | "collab_tool_call":
                yield one_line(f"{item.server} {item.tool}")
            case "web_search":
                yield one_line(f"search: {item.query}")
            case "error" if _OWN_FLAG not in item.message:
                yield one_line(f"note: {item.message}")
            case _:
                pass
