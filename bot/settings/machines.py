"""The settings of who lends machines."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from bot.settings.section import Section


class MachineSettings(Section):
    """One machine of the pool."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    host: str
    port: int = Field(default=22, ge=1, le=65535)
    user: str
    key: Path
    """The private key's file on the bot's side."""
    known_hosts: str
    """The machine's host key as in a ``known_hosts`` line without the host
    (``ssh-ed25519 AAAA…``), or the path of a ``known_hosts`` file."""
    gpu_type: str
    gpus: int = Field(default=1, ge=0)
    """GPUs of one slot."""
    slots: int = Field(default=1, ge=1)
    """How many jobs at once."""
    workspace: str = "~/ptq_workspace"


class LocalSettings(Section):
    """The machine ptq itself runs on, as a provider."""

    gpu_type: str = "cpu"
    gpus: int = Field(default=0, ge=0)
    slots: int = Field(default=1, ge=1)
    workspace: str = "~/ptq_workspace"
