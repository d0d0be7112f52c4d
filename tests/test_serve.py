"""The service as a process: started, asked, told to stop, started again."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from inline_snapshot import snapshot

from tests import scenes
from tests.program import ended, environment_of, ptq

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.harness import Bot


@asynccontextmanager
async def served(bot: Bot) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run ``ptq serve``, until it is told to stop."""
    process = await ptq("serve", **environment_of(bot))
    assert process.stderr is not None
    line = ""
    while '"serving"' not in line:
        line = (await process.stderr.readline()).decode()
        assert line, "it ended before it served"
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found is not None
    bot.github.hook.url = f"{found[0]}/webhook"
    draining = asyncio.ensure_future(process.stderr.read())
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            await process.wait()
        log = (await draining).decode()
        for secret in (bot.settings.github.key, "It's a Secret"):
            assert secret not in log


async def test_a_whole_job_by_the_program(world: Bot) -> None:
    """The program does what the tests' service does, with settings from a file."""
    world.agent_does(scenes.not_reproduced())
    async with served(world) as process:
        await world.comment("/ptq investigate")
        await world.next_text()
        assert "I ran the repro myself" in await world.next_text()
    assert process.returncode == 0


async def test_sigterm_ends_it_in_the_middle_of_a_job(world: Bot) -> None:
    """It ends within ten seconds with status 0; started again, it goes on."""
    gate = world.directory / "go"
    world.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    async with served(world) as process:
        await world.comment("/ptq investigate")
        await world.next_text()
        await world.edited("▶ Investigate")
    assert process.returncode == 0
    gate.touch()
    async with served(world):
        assert "I ran the repro myself" in await world.next_text()
    assert len(world.comments()) == 2


async def test_kill_9_in_the_middle_of_a_job(world: Bot) -> None:
    """A process that dies without a word leaves nothing behind that the next does not find."""
    gate = world.directory / "go"
    world.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    async with served(world) as process:
        await world.comment("/ptq investigate")
        await world.next_text()
        await world.edited("▶ Investigate")
        process.kill()
        await process.wait()
    gate.touch()
    async with served(world):
        assert "I ran the repro myself" in await world.next_text()
    assert len(world.comments()) == 2


async def test_a_second_service_on_the_same_state(world: Bot) -> None:
    """One process serves from a state directory; the second is told so and ends."""
    async with served(world):
        status, _, said = await ended(await ptq("serve", **environment_of(world)))
        assert status == 2
        assert "another ptq serves from" in said
        async with aiohttp.ClientSession() as session:
            assert world.github.hook.url is not None
            url = world.github.hook.url.replace("/webhook", "/readyz")
            assert (await session.get(url)).status == 200


async def test_a_wrong_setting_stops_the_start() -> None:
    """The operator reads one message, and no traceback."""
    status, out, said = await ended(await ptq("serve", PTQ_PORT="http"))
    assert (status, out) == (2, "")
    assert said == snapshot("""\
ptq: The settings are wrong:
  PTQ_PORT (port): Input should be a valid integer, unable to parse string as an integer
""")


async def test_a_worker_takes_postgres(world: Bot) -> None:
    """On SQLite one process is the whole service; a second one is told what it takes."""
    status, out, said = await ended(await ptq("worker", **environment_of(world)))
    assert (status, out) == (2, "")
    assert said == snapshot("""\
ptq: PTQ_DATABASE_URL: a worker shares its database with `ptq serve` and other workers, which takes Postgres (postgresql://…); on SQLite `ptq serve` is the whole service
""")


async def test_the_database_is_upgraded(tmp_path: Path) -> None:
    """It may be repeated."""
    for _ in range(2):
        status, out, said = await ended(await ptq("db", "upgrade", PTQ_STATE_DIR=str(tmp_path)))
        assert (status, out, said) == (0, "The database is up to date.\n", "")
    assert (tmp_path / "ptq.sqlite").exists()


async def test_the_results_of_a_job(world: Bot) -> None:
    """A job's findings are read while the service runs, by people and by scripts."""
    async with served(world):
        await world.comment("/ptq investigate")
        await world.next_text()
        await world.next_text()
        await world.edited("This investigation has finished")
        number = str(world.issue.number)
        status, out, _ = await ended(await ptq("results", number, **environment_of(world)))
        assert status == 0
        assert "padded = transpose(padded)" in out
        named = ("results", number, "--json")
        status, out, _ = await ended(await ptq(*named, **environment_of(world)))
    found = json.loads(out)
    assert (status, found["verdict"], found["state"]) == (0, "fixed", "finished")
    assert found["proof"]["red"]["trials"][0]["exit_status"] == 1
    assert found["proof"]["green"]["trials"][0]["exit_status"] == 0
    assert found["pull_request"].endswith("/pull/2")


async def test_the_results_of_a_job_that_is_not_there(world: Bot) -> None:
    """A wrong name is told, with an exit status that scripts can use."""
    environment = environment_of(world)
    assert (await ended(await ptq("db", "upgrade", **environment)))[0] == 0
    status, out, said = await ended(await ptq("results", "20260101-none-1", **environment))
    assert (status, out) == (1, "")
    assert said == (
        "ptq: there is no job 20260101-none-1 in this database: `ptq list` shows them\n"
    )


async def test_the_results_without_a_database(tmp_path: Path) -> None:
    """A state directory that is not there is named, without a traceback."""
    nowhere = str(tmp_path / "nowhere")
    status, out, said = await ended(await ptq("results", "7", PTQ_STATE_DIR=nowhere))
    assert (status, out) == (2, "")
    assert said.startswith("ptq: PTQ_DATABASE_URL, PTQ_STATE_DIR: there is no database")
    assert "Traceback" not in said


async def test_the_help_names_every_command() -> None:
    """What there is can be found without the documents."""
    status, out, _ = await ended(await ptq("--help", COLUMNS="100"))
    assert status == 0
    assert all(word in out for word in ("serve", "results", "db", "PTQ_CONFIG"))
