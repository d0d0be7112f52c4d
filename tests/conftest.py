"""The harness: a bot between a GitHub with a memory and a machine, new for each test."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import stamina
from blockbuster import BlockBuster

from bot.machines.connections import Connections
from demo import project, story
from tests import harness
from tests.databases import opened
from tests.fakes.github import FakeGitHub
from tests.fakes.machine import FakeMachine
from tests.fakes.postgres import Postgres
from tests.fakes.sshd import MACHINES, new_machine
from tests.harness import Bot

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from bot.store import Database
    from demo.project import Project
    from tests.fakes.sshd import Machine


# A loaded machine is slow; what is measured is measured under bench/.
hypothesis.settings.register_profile(
    "ptq", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("ptq")


collect_ignore = [] if shutil.which("c++") else ["test_proof_cpp.py", "test_rebuild.py"]
"""What compiles takes part where there is a compiler, as the real sshd does; CI installs both."""


def pytest_sessionstart() -> None:
    """Let Ctrl-C mean something to the programs that tests start.

    A shell that runs this in the background ignores it, and so would they.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Keep what is there by now out of each collection of garbage: it stays to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_blocking() -> Generator[None]:
    """Fail a test in which the bot blocks the event loop."""
    blockbuster = BlockBuster(scanned_modules=["bot"])
    blockbuster.activate()
    for function in blockbuster.functions.values():
        # dbos starts its threads and looks at its tables before it serves.
        function.can_block_in("bot/durable/engine.py", "launch")
        # Measuring coverage waits for its own lock, on whatever line of ours that happens.
        function.can_block_in("coverage/collector.py", "lock_data")
        # The log of a test looks for the source of a traceback.
        function.can_block_in("rich/traceback.py", "_render_stack")
    yield
    blockbuster.deactivate()


@pytest.fixture(autouse=True)
def _quick_retries() -> Generator[None]:
    """Try again at once, and not for an hour."""
    with stamina.set_testing(testing=True, attempts=3):
        yield


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample project, built once."""
    return asyncio.run(project.build(tmp_path_factory.mktemp("sample") / "project"))


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    """A Postgres, started once."""
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, for the tests that run on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ptq.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database(empty=True)


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """A database of either kind, with its tables and without a service."""
    async with opened(database_url) as database:
        yield database


@pytest.fixture(params=MACHINES)
async def machine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Machine]:
    """Each kind of machine in turn."""
    async with new_machine(request.param, tmp_path / "machine", name="h100-1") as machine:
        yield machine


@pytest.fixture
async def connections() -> AsyncGenerator[Connections]:
    """The connections to machines, closed at the end."""
    connections = Connections()
    yield connections
    await connections.close()


@pytest.fixture
async def world(sample: Project, tmp_path: Path) -> AsyncGenerator[Bot]:
    """Everything but the service: for tests that start and stop it themselves."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    machine = FakeMachine(
        tmp_path / "machine", name="gpu-1", gpu_type="h100", gpus=1, environment={"PATH": path}
    )
    collaborators = {harness.MAINTAINER: "write", harness.TRIAGER: "triage"}
    async with FakeGitHub(check_openapi=True) as github, machine:
        await github.add_repository(
            harness.REPOSITORY, source=sample.source, collaborators=collaborators
        )
        settings = await harness.settings_for(github, machine, sample, tmp_path)
        bot = Bot(github, machine, settings, tmp_path)
        bot.agent_does(story.scenario()["steps"])
        yield bot
        assert bot.unread() == [], "the bot said what no test read"


@pytest.fixture(params=["sqlite", "postgres"])
def on_each(request: pytest.FixtureRequest, world: Bot) -> Bot:
    """A world on either database, for conversations that rest on it."""
    if request.param == "postgres":
        harness.on_postgres(world, request.getfixturevalue("postgres"))
    return world


@pytest.fixture
async def bot(world: Bot) -> AsyncGenerator[Bot]:
    """The running bot."""
    async with world.serving():
        yield world


@pytest.fixture
def shared(world: Bot, postgres: Postgres) -> Bot:
    """A world whose services share a database; who is silent for three seconds is taken over."""
    return harness.on_postgres(world, postgres)
