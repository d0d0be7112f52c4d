"""What an agent left, brought to the bot's side as data."""

from __future__ import annotations

import asyncio
import json
import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError

from bot.errors import CommandFailed, CommandTimedOut, RemoteFileMissing, WorkspaceError
from bot.machines.at_once import at_once
from bot.models import AgentVerdict, Collected
from bot.workspace.layout import Layout
from bot.workspace.steps import send_scripts

if TYPE_CHECKING:
    from pathlib import Path

    from bot.machines.base import Shell
    from bot.models import JobPaths, TorchBuild

_log = structlog.stdlib.get_logger(__name__)

JSON_LIMIT = 262_144
"""Bytes of ``verdict.json`` and ``pr.json``: an agent's few sentences are far less."""

_DIFF_TIMEOUT = timedelta(minutes=10)
_AGENT = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_PROBLEMS_SHOWN = 3


async def collect(
    shell: Shell,
    paths: JobPaths,
    build: TorchBuild,
    *,
    run: int,
    agent: str,
    into: Path,
    limit: int,
) -> Collected:
    """Fetch a run's artifacts into a local directory; ``limit`` is in bytes, of one artifact.

    What is missing or no regular file is left out. ``fix.diff`` is made here, from the worktree
    against the base commit; the agent's own is not looked at. ``partial`` says that it could not
    be made. Raise MachineUnreachable when the machine is gone; collecting again is fine.
    """
    if not _AGENT.fullmatch(agent):
        raise WorkspaceError("not the name of an agent")
    made = await _make_diff(shell, paths, build, limit=limit)
    fetched: dict[str, bytes] = {}
    truncated: list[str] = []
    sources = _sources(paths, run=run, agent=agent, with_diff=made)
    found = await at_once(_fetch(shell, path, limit=limit) for path in sources.values())
    for name, (data, whole) in zip(sources, found, strict=True):
        if data is not None:
            fetched[name] = data
            truncated += [] if whole else [name]
    await asyncio.to_thread(_store, into, fetched)
    verdict, problem = read_verdict(fetched.get("verdict.json"))
    return Collected(
        directory=str(into),
        files={name: len(data) for name, data in fetched.items()},
        truncated=tuple(truncated),
        agent_verdict=verdict,
        verdict_problem=problem,
        partial=not made,
    )


def read_verdict(data: bytes | None) -> tuple[AgentVerdict | None, str]:
    """Return the agent's verdict, or None and why there is none, for people."""
    if data is None:
        return None, "The agent left no verdict.json."
    if len(data) > JSON_LIMIT:
        return None, f"verdict.json has more than {JSON_LIMIT:,} bytes."
    try:
        return AgentVerdict.model_validate_json(data), ""
    except ValidationError as error:
        return None, f"verdict.json is wrong: {_explain(error)}."


def _sources(paths: JobPaths, *, run: int, agent: str, with_diff: bool) -> dict[str, str]:
    """Return where each artifact lies on the machine."""
    names = ["report.md", "worklog.md", "verdict.json", "pr.json", "repro_agent.py", "brief.md"]
    if with_diff:
        names.append("fix.diff")
    sources = {name: f"{paths.directory}/{name}" for name in names}
    return {**sources, "log": f"{paths.directory}/{agent}-{run}.log"}


async def _make_diff(shell: Shell, paths: JobPaths, build: TorchBuild, *, limit: int) -> bool:
    layout = Layout.of(paths)
    plan = {
        "objects": f"{layout.source}/.git/objects",
        "worktree": paths.worktree,
        "base": build.base_commit,
        "ignored": layout.ignored(paths),
        "out": f"{paths.directory}/fix.diff",
        "largest": limit,
    }
    await send_scripts(shell, layout, "worktree_diff")
    try:
        await shell.run(
            *("python3", "-I", f"{layout.scripts}/worktree_diff.py"),
            stdin=json.dumps(plan).encode(),
            timeout=_DIFF_TIMEOUT,
        )
    except (CommandFailed, CommandTimedOut) as error:
        await _log.awarning("diff_failed", error=str(error)[-500:])
        return False
    return True


async def _fetch(shell: Shell, path: str, *, limit: int) -> tuple[bytes | None, bool]:
    """Return a file, and whether all of it; of a longer one the beginning and the end."""
    stat = await shell.stat(path)
    if stat is None or stat.is_directory or stat.is_symlink:
        return None, True
    try:
        if stat.size <= limit:
            return await shell.read(path, limit=limit), True
        head = await shell.read(path, limit=limit // 2)
        tail = await shell.read(path, limit=limit // 2, offset=stat.size - limit // 2)
    except RemoteFileMissing:
        return None, True
    note = f"\n\n[… {stat.size - len(head) - len(tail):,} bytes left out …]\n\n"
    return head + note.encode() + tail, False


def _store(into: Path, files: dict[str, bytes]) -> None:
    """Write the files for nobody else to read, each whole or not at all."""
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, data in files.items():
        partial = into / f".{name}.partial"
        partial.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(partial, flags, 0o600), "wb") as file:
            file.write(data)
        partial.replace(into / name)


def _explain(error: ValidationError) -> str:
    """Say what is wrong in our words and pydantic's, none of the agent's."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    said: list[str] = []
    for problem in problems[:_PROBLEMS_SHOWN]:
        place = ".".join(str(part) for part in problem["loc"])
        said.append(f"{place}: {problem['msg']}" if place else problem["msg"])
    return "; ".join(said)
