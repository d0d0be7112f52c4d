"""The program: what it prints, where it leaves the logs, and its exit status."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.options import Options
from chaos.performance import perform
from chaos.screen import Screen
from chaos.world import world

if TYPE_CHECKING:
    from chaos.performance import Outcome

_SHOWN = 10
"""Of each kind of finding."""


def main() -> int:
    """Run it; return 0 only if nothing was lost and nothing made twice."""
    options = Options.read(sys.argv[1:])
    directory = Path(tempfile.mkdtemp(prefix="ptq-chaos-")).resolve()
    keeps = True
    try:
        outcome, seconds = asyncio.run(_until_told(options, directory))
        keeps = not _is_good(outcome, options)
    except (KeyboardInterrupt, asyncio.CancelledError):
        keeps = False
        return 1
    finally:
        if keeps:
            sys.stderr.write(f"The logs of each process, and everything else: {directory}\n")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    _explain(outcome)
    sys.stdout.write(_line(outcome, options, seconds) + "\n")
    return int(keeps)


async def _until_told(options: Options, directory: Path) -> tuple[Outcome, float]:
    task = asyncio.current_task()
    if task is None:
        raise AssertionError("asyncio runs tasks")
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    began = time.monotonic()
    with Screen(options) as screen:
        screen.say(f"seed {options.seed}: the same again with SEED={options.seed}")
        async with world(directory, options) as made:
            outcome = await perform(made, screen)
    return outcome, time.monotonic() - began


def _is_good(outcome: Outcome, options: Options) -> bool:
    return outcome.findings.is_clean and outcome.kills >= options.kills


def _explain(outcome: Outcome) -> None:
    for kind, found in outcome.findings.wrong().items():
        for line in found[:_SHOWN]:
            sys.stderr.write(f"{kind}: {line}\n")
        if len(found) > _SHOWN:
            sys.stderr.write(f"{kind}: {len(found) - _SHOWN} more\n")


def _line(outcome: Outcome, options: Options, seconds: float) -> str:
    findings = outcome.findings
    return json.dumps(
        {
            "kills": outcome.kills,
            "jobs": findings.runs,
            "finished": findings.finished,
            "moved": findings.moved,
            **{kind: len(found) for kind, found in findings.wrong().items()},
            "troubles": outcome.troubles,
            "seed": options.seed,
            "database": options.database,
            "workers": options.workers,
            "seconds": round(seconds, 1),
        }
    )
