"""One machine: whether it answers, and whether it has what a job needs."""

from __future__ import annotations

import shlex
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.doctor.finding import Finding, fine, note, wrong
from bot.errors import CommandTimedOut, MachineError, MachineUnreachable, WorkspaceError
from bot.proof import cpp
from bot.workspace import gpu, prepare, space, uv
from bot.workspace.layout import Layout

if TYPE_CHECKING:
    from bot.machines.base import Shell
    from bot.settings import Settings

Look = Coroutine[None, None, list[Finding]]

_LIMIT = timedelta(seconds=30)
_TOLERATED = 60.0
"""Seconds between the machine's clock and ours; files and logs are dated by the machine's."""
_GIB = 1 << 30
_EXEC = 'exec "$@"'
_TRIED_PORT = 9
"""Discard, of RFC 863: nothing listens there, and nothing has to for a forward to be opened."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the settings say of a machine."""

    name: str
    gpus: int
    """Of all slots together."""
    workspace: str
    is_remote: bool


@dataclass(frozen=True, slots=True)
class _Looking:
    shell: Shell
    expected: Expected
    settings: Settings
    layout: Layout

    def part(self, what: str) -> str:
        return f"machine {self.expected.name}: {what}"


async def look(shell: Shell, expected: Expected, settings: Settings) -> list[Finding]:
    """Look at a machine; one that does not answer has one finding."""
    part = f"machine {expected.name}"
    try:
        await shell.run("true", timeout=_LIMIT)
        layout = Layout(await shell.expand(expected.workspace))
    except MachineUnreachable as error:
        mend = "see its host, port, user, key and known_hosts in the settings, and that sshd runs"
        return [wrong(part, str(error), mend=mend)]
    except (MachineError, WorkspaceError) as error:
        return [wrong(part, str(error))]
    looking = _Looking(shell, expected, settings, layout)
    findings = [
        fine(part, "answers, with the pinned host key" if expected.is_remote else "answers")
    ]
    checks: list[Callable[[_Looking], Awaitable[Finding]]] = [
        *((_forwarding,) if expected.is_remote else ()),
        *(_clock, _git, _python, _uv, _disk, _gpu, _workspace),
        *_agents(settings),
        _compiler,
    ]
    for check in checks:
        try:
            findings.append(await check(looking))
        except (MachineError, WorkspaceError) as error:
            findings.append(wrong(looking.part(check.__name__.strip("_")), str(error)))
    return findings


def _agents(settings: Settings) -> list[Callable[[_Looking], Awaitable[Finding]]]:
    """Return the checks of the agents that have a key to think with; without any, Claude Code's."""
    model = settings.model
    if model.openai_api_key is None:
        return [_agent]
    return [_agent_codex] if model.api_key is None else [_agent, _agent_codex]


async def _forwarding(looking: _Looking) -> Finding:
    part = looking.part("port forwarding")
    try:
        await looking.shell.forward(_TRIED_PORT)
    except MachineError:
        return wrong(
            part,
            "its sshd refuses it, so the agent cannot reach the model",
            mend="allow it in sshd_config: AllowTcpForwarding remote",
        )
    return fine(part, "allowed")


async def _clock(looking: _Looking) -> Finding:
    part = looking.part("clock")
    before = time.time()
    said = await looking.shell.run("date", "+%s", timeout=_LIMIT)
    if not said.stdout.strip().isdecimal():
        return wrong(part, "date does not tell the time")
    theirs = float(said.stdout)
    off = max(before - theirs - 1, theirs - time.time(), 0.0)
    if off > _TOLERATED:
        return wrong(part, f"it is {off:.0f} s off", mend="have it set by NTP")
    return fine(part, "as ours")


async def _git(looking: _Looking) -> Finding:
    return await _program(looking, "git", mend="install git")


async def _python(looking: _Looking) -> Finding:
    return await _program(looking, "python3", mend="install python3 with its venv module")


async def _program(looking: _Looking, name: str, *, mend: str) -> Finding:
    said = await looking.shell.run(name, "--version", timeout=_LIMIT, check=False)
    part = looking.part(name)
    if said.exit_status != 0:
        return wrong(part, "it is not there", mend=mend)
    return fine(part, _first_line(said.stdout))


async def _uv(looking: _Looking) -> Finding:
    part = looking.part("uv")
    program = await uv.find(looking.shell, looking.layout)
    if program is not None:
        return fine(part, program)
    has_venv = await looking.shell.run(
        *("python3", "-c", "import ensurepip, venv"), timeout=_LIMIT, check=False
    )
    if has_venv.exit_status != 0:
        mend = "install uv, or python3 with its venv module (on Debian: python3-venv)"
        return wrong(part, "it is not there, and cannot be installed", mend=mend)
    return note(part, "it is not there: setting up the workspace installs a pinned one")


async def _disk(looking: _Looking) -> Finding:
    part = looking.part("disk")
    free = await space.free(looking.shell, looking.layout)
    ready = await prepare.build_there(looking.shell, looking.layout)
    seen = await gpu.look_at(looking.shell)
    torch = looking.settings.torch
    needed = space.EACH_JOB if ready else space.needed(torch, torch.cuda or gpu.tag(seen))
    says = f"{free / _GIB:.1f} GiB free for {looking.layout.root}"
    if free < needed:
        return wrong(part, f"{says}, and {needed / _GIB:.0f} GiB are needed", mend="make room")
    return fine(part, says)


async def _gpu(looking: _Looking) -> Finding:
    part = looking.part("GPU")
    seen = await gpu.look_at(looking.shell)
    if seen.name is None:
        if looking.expected.gpus:
            mend = "install NVIDIA's driver, or set its gpus to 0 and its gpu_type to cpu"
            return wrong(
                part, "nvidia-smi shows none, and the settings say there is one", mend=mend
            )
        return fine(part, "none, as the settings say")
    listed = await looking.shell.run("nvidia-smi", "-L", timeout=_LIMIT, check=False)
    count = sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
    says = f"{count} × {seen.name}, driver {seen.driver}, PyTorch's builds for {gpu.tag(seen)}"  # noqa: RUF001 -- as people write it
    if count < looking.expected.gpus:
        mend = "correct gpus or slots in the settings"
        return wrong(part, f"{says}; the settings say {looking.expected.gpus}", mend=mend)
    return fine(part, says)


async def _workspace(looking: _Looking) -> Finding:
    part = looking.part("workspace")
    build = await prepare.build_there(looking.shell, looking.layout)
    if build is None:
        where = "--local" if not looking.expected.is_remote else looking.expected.name
        mend = f"`ptq setup {where}`, or the first job does it"
        return note(part, f"{looking.layout.root} is not prepared yet", mend=mend)
    return fine(part, f"{looking.layout.root}, {build.version} at {build.base_commit[:12]}")


async def _agent(looking: _Looking) -> Finding:
    command = looking.settings.agent.claude.command
    return await _agent_of(looking, "agent", "Claude Code", "PTQ_AGENT__CLAUDE__COMMAND", command)


async def _agent_codex(looking: _Looking) -> Finding:
    command = looking.settings.agent.codex.command
    return await _agent_of(looking, "agent codex", "Codex", "PTQ_AGENT__CODEX__COMMAND", command)


async def _agent_of(
    looking: _Looking, what: str, product: str, setting: str, command: str
) -> Finding:
    part = looking.part(what)
    words = shlex.split(command)
    try:
        # By a login shell, as it will be started.
        said = await looking.shell.run(
            *("bash", "-lc", _EXEC, "bash", *words, "--version"), timeout=_LIMIT, check=False
        )
    except CommandTimedOut:
        return wrong(part, f"`{words[0]} --version` does not end")
    if said.exit_status != 0:
        mend = f"install {product} there, or name it by {setting}"
        return wrong(part, f"`{words[0]}` cannot be started", mend=mend)
    return fine(part, f"{words[0]}: {_first_line(said.stdout)}")


async def _compiler(looking: _Looking) -> Finding:
    part = looking.part("C++ compiler")
    if await cpp.has_compiler(looking.shell):
        return fine(part, "there: repros in C++ can be proved")
    return note(part, "none: repros in C++ cannot be proved")


def _first_line(text: str) -> str:
    return ascii(text.strip().partition("\n")[0])[1:-1][:100]
