"""Tells Claude Code, once, that its time is nearly over.

Claude Code runs it after each use of a tool, as a hook (https://docs.claude.com/en/docs/claude-code/
hooks), with the event as JSON on stdin. When the file ``soft-deadline`` is in the run's directory
(``PTQ_RUN_DIR``), the first call of each agent and subagent answers with a text for the model.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import cast

SIGN = "soft-deadline"
TOLD = "soft-deadline.told"
MESSAGE = (
    "Your time is nearly over: in a few minutes you are stopped, wherever you are. Start nothing "
    "new. Write down what you have now, finished or not, in the files that brief.md asks for: "
    "worklog.md, report.md and verdict.json. Claim nothing that you did not see. Then end."
)

_MAX_EVENT = 64 * 1024 * 1024


def main() -> None:
    """Read the event; answer it when it is time and nobody has been told."""
    event = _event()
    directory = os.environ.get("PTQ_RUN_DIR")
    if not directory or not Path(directory, SIGN).exists():
        return
    if not _is_first(Path(directory, TOLD + _suffix(event))):
        return
    output = {
        "hookEventName": event.get("hook_event_name", "PostToolUse"),
        "additionalContext": MESSAGE,
    }
    sys.stdout.write(json.dumps({"hookSpecificOutput": output}))


def _event() -> dict[str, object]:
    try:
        event = json.loads(sys.stdin.buffer.read(_MAX_EVENT))
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", event) if isinstance(event, dict) else {}


def _suffix(event: dict[str, object]) -> str:
    """Return the subagent's id as the end of a file's name; nothing for the agent itself."""
    agent = re.sub(r"[^A-Za-z0-9_-]", "", str(event.get("agent_id") or ""))[:64]
    return f".{agent}" if agent else ""


def _is_first(mark: Path) -> bool:
    try:
        mark.touch(exist_ok=False)
    except OSError:  # somebody was told; or the disk is full, and telling each time would not help
        return False
    return True


if __name__ == "__main__":
    main()
