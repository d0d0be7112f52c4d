"""A machine's own side of jobs: its workspace, reached by name, whether or not it is reserved."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import CommandError
from bot.machines.connections import Connections
from bot.machines.local import LocalShell
from bot.machines.ssh import SshShell
from bot.workspace.layout import Layout

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.machines.base import Shell
    from bot.settings import MachineSettings, Settings

LOCAL = "local"
"""How the machine is called that ptq itself runs on."""


@dataclass(frozen=True, slots=True)
class Side:
    """An open shell, and where the workspace lies."""

    shell: Shell
    layout: Layout
    machine: MachineSettings | None
    """None for the machine that ptq itself runs on."""


def listed(settings: Settings, name: str) -> MachineSettings | None:
    """Return a machine of the settings, or None for our own; raise CommandError for neither."""
    if name == LOCAL:
        return None
    machines = {machine.name: machine for machine in settings.machines}
    if name not in machines:
        names = ", ".join((*machines, LOCAL))
        raise CommandError(
            f"the settings name no machine {name}, there is {names}: another one is added to the "
            "file that PTQ_CONFIG names, under `machines`"
        )
    return machines[name]


@asynccontextmanager
async def side_of(settings: Settings, name: str) -> AsyncGenerator[Side]:
    """Reach a machine; raise MachineUnreachable, at the latest when the shell is used."""
    machine = listed(settings, name)
    if machine is None:
        shell = LocalShell()
        yield Side(shell, Layout(await shell.expand(settings.local.workspace)), None)
        return
    connections = Connections()
    try:
        remote = SshShell(connections.to(machine))
        yield Side(remote, Layout(await remote.expand(machine.workspace)), machine)
    finally:
        await connections.close()
