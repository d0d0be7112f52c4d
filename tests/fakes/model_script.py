"""What a scripted model is asked, and what it answers.

The shapes are those of https://docs.anthropic.com/en/api/messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool that the model calls."""

    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of the model: a text, tools, or both; the last of a conversation has no tools."""

    text: str = ""
    tools: tuple[ToolCall, ...] = ()
    after: asyncio.Event | None = None
    """The answer waits for this; the headers and the first event of a stream do not."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer in Anthropic's shape of an error."""

    status: int
    kind: str
    message: str = "scripted fault"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Cut:
    """An answer whose connection is lost after the first events."""


Answer = Turn | Fault | Cut


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What the model was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: Mapping[str, Any]

    @property
    def offers_tools(self) -> bool:
        """Whether this is a conversation with an agent and not a question on the side."""
        return bool(self.body.get("tools"))

    @property
    def prompt(self) -> str:
        """The texts of the first message of the user."""
        return "\n".join(_texts(self._messages[:1]))

    @property
    def last(self) -> str:
        """The texts of the newest message: what the tools returned, reminders included."""
        return "\n".join(_texts(self._messages[-1:]))

    @property
    def tool_results(self) -> list[str]:
        """What the tools returned, the newest last."""
        blocks = [block for message in self._messages for block in _blocks(message["content"])]
        return [
            "\n".join(_texts(block.get("content", "")))
            for block in blocks
            if block.get("type") == "tool_result"
        ]

    @property
    def everything(self) -> str:
        """The whole request as JSON, to look for a text anywhere in it."""
        return json.dumps(self.body, ensure_ascii=False)

    @property
    def _messages(self) -> list[dict[str, Any]]:
        return self.body.get("messages", [])


Script = Sequence[Answer] | Callable[[ModelRequest], Answer]
"""The answers of the conversation in order, or what chooses each."""


def bash(command: str) -> ToolCall:
    """A shell command."""
    return ToolCall("Bash", {"command": command, "description": "scripted"})


def edit(path: str, old: str, new: str) -> ToolCall:
    """A replacement in a file that was read before."""
    return ToolCall("Edit", {"file_path": path, "old_string": old, "new_string": new})


def read(path: str) -> ToolCall:
    """A file to read."""
    return ToolCall("Read", {"file_path": path})


def write(path: str, text: str) -> ToolCall:
    """A whole new file."""
    return ToolCall("Write", {"file_path": path, "content": text})


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _texts(content: str | list[dict[str, Any]]) -> list[str]:
    """All texts of a message, those inside tool results included."""
    texts: list[str] = []
    for block in _blocks(content):
        texts += [block["text"]] if "text" in block else _texts(block.get("content", []))
    return texts
