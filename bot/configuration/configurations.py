"""The configurations in force: read from the default branch, kept for a while, never half right."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.configuration.model import RepositoryConfiguration
from bot.configuration.problem import Problem
from bot.configuration.reading import MAX_BYTES, decode, read, too_long
from bot.github.default_branch import find_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.github import Repository
    from bot.models import RepositoryName
    from bot.store import RightConfigurations

CONFIGURATION_READ = "configuration_read"

PATH = ".github/ptq.yml"
KEPT = timedelta(minutes=15)
KEPT_WHILE_BROKEN = timedelta(minutes=1)
"""Whoever mends a broken file wants to try it."""

_FILES = ("100644", "100755")
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class InForce:
    """What counts in a repository now."""

    configuration: RepositoryConfiguration
    problems: tuple[Problem, ...] = ()
    """What is wrong with the file; then ``configuration`` is not what it says."""
    is_last_right: bool = False
    """With problems: whether the last right file counts; else the defaults do."""


@dataclass(frozen=True, slots=True)
class _Kept:
    in_force: InForce
    until: datetime


class Configurations:
    """Every repository's configuration; one of these per process."""

    def __init__(
        self,
        right: RightConfigurations,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep right files in the database too: a restart must not forget what was forbidden."""
        self._right = right
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def known(self, name: RepositoryName) -> InForce | None:
        """Return what is kept and fresh, without asking anybody."""
        kept = self._kept.get(str(name).lower())
        return kept.in_force if kept is not None and self._clock() < kept.until else None

    async def of(self, repository: Repository) -> InForce:
        """Return what counts in this repository; raise GitHubError."""
        if (known := self.known(repository.name)) is not None:
            return known
        in_force = await self._load(repository)
        lasts = KEPT_WHILE_BROKEN if in_force.problems else KEPT
        kept = _Kept(in_force, until=self._clock() + lasts)
        self._kept[str(repository.name).lower()] = kept
        _log.info(
            CONFIGURATION_READ,
            repository=str(repository.name),
            problems=len(in_force.problems),
            last_right=in_force.is_last_right,
        )
        return in_force

    async def _load(self, repository: Repository) -> InForce:
        text = await _fetch(repository)
        if isinstance(text, Problem):
            return await self._last_right(repository, (text,))
        told = await asyncio.to_thread(read, text)
        if not isinstance(told, RepositoryConfiguration):
            return await self._last_right(repository, told)
        await self._right.keep(repository.name, text)
        return InForce(told)

    async def _last_right(self, repository: Repository, problems: tuple[Problem, ...]) -> InForce:
        text = await self._right.read(repository.name)
        told = None if text is None else await asyncio.to_thread(read, text)
        if isinstance(told, RepositoryConfiguration):
            return InForce(told, problems, is_last_right=True)
        return InForce(RepositoryConfiguration(), problems)


async def _fetch(repository: Repository) -> str | Problem:
    """Return the file's text, empty when there is none, or why it cannot be read."""
    found = await find_file(repository, PATH)
    if found is None:
        return ""
    if found.mode not in _FILES:
        return Problem(text="it is no regular file.")
    if found.size is not None and found.size > MAX_BYTES:
        return too_long(found.size)
    return decode(await repository.blob(found.sha))
