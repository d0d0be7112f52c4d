"""The deadlines of an agent that runs, moved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from bot.agents.runs import Run
    from bot.machines.base import Shell

FILE = "deadlines.json"
"""In the run's directory; its supervisor looks at it every few seconds."""


async def move(shell: Shell, run: Run, *, later: timedelta) -> None:
    """Let both deadlines of a run be so much later than at its start; again, it changes nothing."""
    text = json.dumps({"later": later.total_seconds()})
    await shell.write(f"{run.directory}/{FILE}", text, mode=0o600)
