"""Each kind of shell in turn, with the directory that it knows as home."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bot.machines.connections import Connections
from bot.machines.local import LocalShell
from bot.machines.ssh import SshShell
from tests.fakes.sshd import MACHINES, new_machine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.machines.base import Shell

KINDS = ["local", *MACHINES]


@dataclass
class Ground:
    """A shell, and the directory that it knows as home."""

    shell: Shell
    home: Path


@pytest.fixture(params=KINDS)
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Ground]:
    """Stand on each kind of machine in turn."""
    async with AsyncExitStack() as stack:
        if request.param == "local":
            home = tmp_path / "home"
            home.mkdir()
            environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
            yield Ground(LocalShell(environment), home)
            return
        machine = new_machine(request.param, tmp_path)
        await stack.enter_async_context(machine)
        connections = Connections()
        stack.push_async_callback(connections.close)
        yield Ground(SshShell(connections.to(machine.settings)), machine.home)
