"""The log of the real Claude Code, as it wrote it: what its tools were asked, and returned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Log:
    """The events of Claude Code's log."""

    events: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Log:
        """Read the file, whose every line is an event."""
        return cls([json.loads(line) for line in path.read_text().splitlines()])

    @property
    def starts(self) -> list[dict[str, Any]]:
        """The events that tell tools and skills, one for each start of the program."""
        return [event for event in self.events if event.get("subtype") == "init"]

    def results(self, tool: str, **arguments: str) -> list[str]:
        """What each call of a tool, with these arguments among others, returned."""
        blocks = [
            block
            for event in self.events
            if event["type"] in {"assistant", "user"}
            for block in event["message"]["content"]
        ]
        calls = [
            block["id"]
            for block in blocks
            if block["type"] == "tool_use"
            and block["name"] == tool
            and arguments.items() <= block["input"].items()
        ]
        results = {
            block["tool_use_id"]: block["content"]
            for block in blocks
            if block["type"] == "tool_result"
        }
        return [results[call] for call in calls]
