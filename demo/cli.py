"""The program: it ends by itself or at Ctrl-C, and removes what it made."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from bot.errors import ConfigurationError
from demo import player, screen, stage
from demo.performance import introduce, perform
from demo.workplace import Workplace, workplace

if TYPE_CHECKING:
    from demo.player import Player

DEMO_FAILED = "demo_failed"
ONCE = "DEMO_ONCE"

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_log = structlog.stdlib.get_logger(__name__)


def main() -> int:
    """Run the demonstration; 0 only if it made two comments and a draft pull request."""
    _arguments().parse_args()
    try:
        if problem := _impossible():
            return _refuse(problem)
        chosen = player.choose(os.environ)
        # The event loop's last words belong into the log too.
        with workplace(chosen.secrets) as place:
            return asyncio.run(_until_told(chosen, place))
    except ConfigurationError as error:
        return _refuse(str(error))
    except BrokenPipeError:
        # Nobody reads on; Python would try once more to write while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _arguments() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog="python -m demo",
        description="One job of ptq on this computer, from the comment to the draft pull request: "
        "no account, no GPU.",
        epilog=f"The agent is Claude Code where its program (claude, or {player.COMMAND_VARIABLE}) "
        f"is installed and a key is set ({' or '.join(player.KEY_VARIABLES)}), else a script. With "
        f"{ONCE}=1 it ends by itself; otherwise its links stay open until Ctrl-C. The last line of "
        "standard output is a JSON object.",
    )


def _impossible() -> str:
    """Return why it cannot be run here; empty when it can."""
    if sys.platform != "linux":
        return "it needs Linux: this computer plays the machine, and ptq's machines run Linux"
    if missing := stage.missing_programs():
        return f"it needs {' and '.join(missing)}: install that and try again"
    return ""


def _refuse(problem: str) -> int:
    sys.stderr.write(f"demo: {problem}\n")
    return 1


async def _until_told(chosen: Player, place: Workplace) -> int:
    showing = asyncio.create_task(_demonstrate(chosen, place))
    told: set[int] = set()

    def tell(number: int) -> None:
        if not told:  # else it is ending already, which must not be interrupted
            showing.cancel()
        told.add(number)

    for number in _STOPPING:
        asyncio.get_running_loop().add_signal_handler(number, tell, number)
    try:
        return await showing
    except asyncio.CancelledError:
        return 1


async def _demonstrate(chosen: Player, place: Workplace) -> int:
    try:
        return await _show(chosen, place)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it is, people need to know where to look
        if (task := asyncio.current_task()) and task.cancelling():
            return 1  # Ctrl-C reaches every program of a terminal, git too
        _log.exception(DEMO_FAILED)
        place.keeps_log = True
        return _refuse(f"{type(error).__name__}; what happened is in {place.log}")


async def _show(chosen: Player, place: Workplace) -> int:
    console = screen.console()
    introduce(console, chosen)
    async with stage.staged(place.directory, chosen) as staged:
        result = await perform(staged, console, chosen)
        is_once = os.environ.get(ONCE, "0") not in {"", "0"}
        if result.missing():
            place.keeps_log = True
            screen.say(console, f"The service's log: {place.log}")
        if not is_once:
            screen.say(console, "The links stay open until Ctrl-C.")
        sys.stdout.write(result.line() + "\n")
        sys.stdout.flush()
        if not is_once:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
    return 1 if result.missing() else 0
