"""Where a repository's configuration is read, how long it is kept, and what counts when it breaks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.configuration import Configurations, InForce, RepositoryConfiguration
from bot.errors import GitHubUnavailable
from bot.store import Database, RightConfigurations
from tests.configured import configure, unconfigure
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.fakes.github.memory import Project

FEW = "limits: {hours: 1}\n"
DEFAULTS = RepositoryConfiguration()


@dataclass(slots=True)
class Desk:
    """The repository's side, and the bot's."""

    talk: Talk
    database: Database
    configurations: Configurations

    @property
    def project(self) -> Project:
        """The repository."""
        return self.talk.github.world.project(REPOSITORY)

    def restarted(self) -> Configurations:
        """Return those of another process on the same database."""
        return Configurations(RightConfigurations(self.database), clock=self.talk.clock.now)

    async def read(self) -> InForce:
        """Return what counts now."""
        return await self.configurations.of(self.talk.repository)

    async def hours(self) -> float | None:
        """Return the limit by which files are told apart here."""
        return (await self.read()).configuration.limits.hours


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A repository without a file."""
    database = await asyncio.to_thread(Database, f"sqlite:///{tmp_path / 'ptq.sqlite'}")
    await database.upgrade()
    async with talking() as talk:
        right = RightConfigurations(database)
        yield Desk(talk, database, Configurations(right, clock=talk.clock.now))
    await database.close()


async def test_without_a_file_the_defaults_count(desk: Desk) -> None:
    """Nothing has to be set up."""
    assert await desk.read() == InForce(DEFAULTS)


async def test_only_the_default_branch_counts(desk: Desk) -> None:
    """Whoever may push a branch, or open a pull request, changes nothing."""
    await configure(desk.project, FEW, branch="feature")
    assert await desk.read() == InForce(DEFAULTS)


async def test_it_is_kept_for_a_quarter_of_an_hour(desk: Desk) -> None:
    """A command costs no calls for it in between."""
    await configure(desk.project, FEW)
    assert desk.configurations.known(desk.talk.repository.name) is None
    assert await desk.hours() == 1
    asked = len(desk.talk.github.requests)
    await configure(desk.project, "limits: {hours: 2}")
    desk.talk.clock.go(minutes=14, seconds=59)
    assert await desk.hours() == 1
    assert len(desk.talk.github.requests) == asked
    desk.talk.clock.go(seconds=1)
    assert desk.configurations.known(desk.talk.repository.name) is None
    assert await desk.hours() == 2
    await unconfigure(desk.project)
    desk.talk.clock.go(minutes=15)
    assert await desk.read() == InForce(DEFAULTS)


async def test_repositories_have_their_own(desk: Desk) -> None:
    """What one says counts in that one alone."""
    await configure(desk.project, FEW)
    other = await desk.talk.github.add_repository("pytorch/vision")
    name = desk.talk.repository.name.model_copy(update={"name": "vision"})
    repository = desk.talk.client.repository(name, other.installation_id or 0)
    assert await desk.hours() == 1
    assert await desk.configurations.of(repository) == InForce(DEFAULTS)


async def test_a_broken_file_changes_nothing(desk: Desk) -> None:
    """The last right one stays in force, also for the process after this one."""
    await configure(desk.project, FEW)
    await desk.read()
    await configure(desk.project, "limits:\n  hours: many\n")
    desk.talk.clock.go(minutes=15)
    for configurations in (desk.configurations, desk.restarted()):
        told = await configurations.of(desk.talk.repository)
        assert told.configuration.limits.hours == 1
        assert told.is_last_right
        assert [str(problem) for problem in told.problems] == snapshot(
            ["line 2: `limits.hours`: input should be a valid number."]
        )


async def test_a_file_that_was_never_right(desk: Desk) -> None:
    """The defaults count, and it is told."""
    await configure(desk.project, "enable: false")
    told = await desk.read()
    assert (told.configuration, told.is_last_right, len(told.problems)) == (DEFAULTS, False, 1)


async def test_a_mended_file_counts_soon(desk: Desk) -> None:
    """Who mends it wants to try it: a broken one is kept for a minute only."""
    await configure(desk.project, "hours: 1")
    assert (await desk.read()).problems
    await configure(desk.project, FEW)
    desk.talk.clock.go(minutes=1)
    assert await desk.read() == InForce(
        RepositoryConfiguration.model_validate({"limits": {"hours": 1}})
    )


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (b"../secret.yml", "120000", snapshot("it is no regular file.")),
        (b"#" * 65_537, "100644", snapshot("it has 65,537 bytes, more than 65,536.")),
        (b"enabled: true\n# \xff", "100644", snapshot("line 2: this is not UTF-8.")),
    ],
    ids=["link", "large", "bytes"],
)
async def test_what_is_no_file_of_text(desk: Desk, content: bytes, mode: str, told: str) -> None:
    """Links, large files and bytes are told, and not read."""
    await configure(desk.project, content, mode=mode)
    assert [str(problem) for problem in (await desk.read()).problems] == [told]
    assert not desk.talk.sent("GET", "/blobs/{file_sha}") or mode == "100644"


async def test_a_file_of_the_largest_size_and_with_a_mark_is_read(desk: Desk) -> None:
    """The limit is 64 kB, and editors put a byte order mark before a text."""
    text = b"\xef\xbb\xbflimits: {hours: 1}\n"
    await configure(desk.project, text + b"#" * (65_536 - len(text)), mode="100755")
    assert await desk.hours() == 1


async def test_when_github_does_not_answer_nothing_is_made_up(desk: Desk) -> None:
    """Not to know what is forbidden is no leave: the step is tried again."""
    for _ in range(20):
        desk.talk.github.fail_next("GET", "*/git/ref/*", status=502)
    with pytest.raises(GitHubUnavailable):
        await desk.read()
    assert desk.configurations.known(desk.talk.repository.name) is None
