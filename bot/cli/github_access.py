"""The token of whoever runs ptq in a terminal: from the environment, or from GitHub's own CLI."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from bot.errors import GitHubError, GitHubNotFound, UserError
from bot.github import GitHub

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.settings import GitHubSettings

VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN")
_PATIENCE = timedelta(seconds=20)
"""Of a person who waits; the service waits for much longer."""
_ASKING = 10.0
"""Seconds until GitHub's CLI must have answered."""
_UNAUTHORIZED = 401
_LIMITED = (403, 429)


async def token(api_url: str) -> str:
    """Return GITHUB_TOKEN, GH_TOKEN, or what ``gh auth token`` prints; empty when there is none."""
    for name in VARIABLES:
        if found := os.environ.get(name, "").strip():
            return found
    program = shutil.which("gh")
    if program is None:
        return ""
    host = urlsplit(api_url).hostname or ""
    argv = (program, "auth", "token", "--hostname", host.removeprefix("api."))
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=nothing, stdout=asyncio.subprocess.PIPE, stderr=nothing
    )
    try:
        async with asyncio.timeout(_ASKING):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return said.decode(errors="replace").strip() if process.returncode == 0 else ""


def unseen(text: str) -> str:
    """Return why something that is there may not be found with this token."""
    return "or your token may not see it" if text else f"or it is private: set {VARIABLES[0]}"


@asynccontextmanager
async def github(settings: GitHubSettings, text: str) -> AsyncGenerator[GitHub]:
    """Open GitHub for a person with this token; what GitHub refuses is raised as a UserError."""
    hurried = settings.model_copy(update={"max_wait": min(settings.max_wait, _PATIENCE)})
    async with aiohttp.ClientSession() as session:
        try:
            yield GitHub(hurried, session, token=text)
        except GitHubNotFound as error:
            raise UserError(f"{error} ({unseen(text)})") from error
        except GitHubError as error:
            if error.status == _UNAUTHORIZED and text:
                raise UserError(f"GitHub refuses your token ({VARIABLES[0]} or gh)") from error
            raise UserError(f"{error}{_mend(error, text)}") from error


def _mend(error: GitHubError, text: str) -> str:
    """Return what would help, where something is known to."""
    if error.status is None:
        return ": see the network, and PTQ_GITHUB__API_URL"
    if error.status in _LIMITED and not text:
        return f"; with {VARIABLES[0]} set, GitHub allows more"
    return ""
