"""Who is spoken to: the pinned host key, the operator's settings, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import MachineUnreachable
from bot.machines.ssh import SshShell
from tests.fakes.machine import FakeMachine, new_key

if TYPE_CHECKING:
    from pathlib import Path

    from bot.machines.connections import Connections
    from bot.settings import MachineSettings
    from tests.fakes.sshd import Machine


async def test_another_host_key_is_refused(machine: Machine, connections: Connections) -> None:
    """Only the pinned host key counts, whoever answers."""
    other = new_key().export_public_key().decode()
    settings = machine.settings.model_copy(update={"known_hosts": other})
    shell = SshShell(connections.to(settings))

    with pytest.raises(MachineUnreachable, match="h100-1: its host key is not the pinned one"):
        await shell.run("true")


async def test_the_host_key_may_be_in_a_file(
    machine: Machine, connections: Connections, tmp_path: Path
) -> None:
    """A known_hosts file pins the key for the host and port that it names, and no other."""
    settings = machine.settings
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text(f"[127.0.0.1]:{settings.port} {settings.known_hosts}\n")
    wrong.write_text(f"other.example {settings.known_hosts}\n")

    shell = SshShell(connections.to(_changed(settings, name="right", known_hosts=str(right))))
    assert (await shell.run("echo", "hello")).stdout == "hello\n"

    shell = SshShell(connections.to(_changed(settings, name="wrong", known_hosts=str(wrong))))
    with pytest.raises(MachineUnreachable, match="host key"):
        await shell.run("true")


async def test_another_key_is_refused(
    machine: Machine, connections: Connections, tmp_path: Path
) -> None:
    """The login is the machine's to grant."""
    key = tmp_path / "key"
    key.write_bytes(new_key().export_private_key())
    shell = SshShell(connections.to(_changed(machine.settings, key=key)))

    with pytest.raises(MachineUnreachable, match="h100-1: the login was refused"):
        await shell.run("true")


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("key", "/no/such/key", r"the private key cannot be read \(key\)"),
        ("known_hosts", "/no/such/file", r"its pinned host key cannot be read \(known_hosts\)"),
        ("known_hosts", "ssh-ed25519 AAAAnonsense", "pinned"),
    ],
)
async def test_a_wrong_setting_is_named(
    connections: Connections, tmp_path: Path, setting: str, value: str, says: str
) -> None:
    """What the operator got wrong is said by the setting's name."""
    async with FakeMachine(tmp_path) as machine:
        settings = type(machine.settings).model_validate(
            {**machine.settings.model_dump(), setting: value}
        )

        with pytest.raises(MachineUnreachable, match=says):
            await SshShell(connections.to(settings)).run("true")


async def test_the_operators_own_ssh_settings_take_no_part(
    machine: Machine,
    connections: Connections,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither ~/.ssh/config, nor an agent, nor keys or known hosts in ~/.ssh change anything."""
    ssh = tmp_path / "operator/.ssh"
    ssh.mkdir(parents=True)
    (ssh / "config").write_text(
        "Host *\n  HostName 192.0.2.1\n  Port 1\n  User nobody\n  ProxyCommand false\n"
    )
    (ssh / "known_hosts").write_text("* ssh-ed25519 AAAA\n")
    monkeypatch.setenv("HOME", str(tmp_path / "operator"))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "no-agent"))
    shell = SshShell(connections.to(machine.settings))

    assert (await shell.run("echo", "hello")).stdout == "hello\n"
    environment = (await shell.run("env")).stdout
    assert "SSH_AUTH_SOCK" not in environment


async def test_the_cheapest_cipher_is_taken(machine: Machine, connections: Connections) -> None:
    """The packets of many logs are decrypted by one process."""
    client = await connections.to(machine.settings).client()
    for direction in ("send_cipher", "recv_cipher"):
        assert client.get_extra_info(direction) == "aes256-gcm@openssh.com"


def _changed(settings: MachineSettings, **changes: object) -> MachineSettings:
    return settings.model_copy(update=changes)
