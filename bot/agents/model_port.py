"""The port of the machine at which an agent finds the model, whichever process follows its run.

The agent keeps its port for life. Who takes a run over leads that port to its own gateway; until it
does, the agent's own retries bridge the gap.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib import resources
from typing import TYPE_CHECKING

import structlog

from bot.errors import MachineError, Paused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.machines.base import Shell

MODEL_PORT_HELD = "model_port_held"
"""Another connection has it still; it is asked for again until it is free."""
MODEL_PORT_TAKEN = "model_port_taken"

_PAUSE = timedelta(seconds=2)
_ASKING = timedelta(seconds=30)
_log = structlog.stdlib.get_logger(__name__)


@asynccontextmanager
async def kept(
    shell: Shell, port: int, *, gateway: int, directory: str, python: str
) -> AsyncGenerator[None]:
    """Lead the run's port to our gateway's as soon as it can be had, while the block runs.

    ``directory`` is the run's on the machine, ``python`` an interpreter there.
    """
    leading = asyncio.create_task(_lead(shell, port, gateway, directory, python))
    try:
        yield
    finally:
        leading.cancel()
        await asyncio.wait({leading})


async def _lead(shell: Shell, port: int, gateway: int, directory: str, python: str) -> None:
    was_held = False
    while True:
        try:
            await _take(shell, directory, python)
            await shell.forward(gateway, remote_port=port)
        except (MachineError, Paused) as error:
            if not was_held:
                _log.info(MODEL_PORT_HELD, port=port, reason=str(error))
            was_held = True
            await asyncio.sleep(_PAUSE.total_seconds())
        else:
            if was_held:
                _log.info(MODEL_PORT_TAKEN, port=port)
            return


async def _take(shell: Shell, directory: str, python: str) -> None:
    """End the connection that led the port before ours, should it be there still."""
    program = await asyncio.to_thread(_program)
    held = f"{directory}/model-port.json"
    await shell.run(python, "-I", "-", held, stdin=program, timeout=_ASKING)


def _program() -> bytes:
    return resources.files("bot.remote").joinpath("model_port.py").read_bytes()
