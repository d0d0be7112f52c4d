"""Accepted deliveries a second, durable before the answer, against a bare handler.

Ours is ``ptq serve`` as it is: the delivery holds a command, so it is parsed, recorded and its
handling enqueued before the answer. GitHub takes connections and never answers, so that the
handling waits there as it mostly does, and the door is what is measured. The baseline verifies the
signature and commits one row to the same kind of database, one transaction each (``bench.bare``).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.programs import github_key, program, serving
from bench.result import Result, percentile, say
from bot.store import Database
from tests.fakes.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

GOAL = "at least 0.5 of the baseline's throughput on SQLite and on Postgres; p99 < 100 ms at 200/s"
RATIO, P99 = 0.5, 100.0
ROUNDS = 3
CONNECTIONS = 32
REQUESTS = 1500
RATE, RATED_REQUESTS = 200, 2000
SECRET = "bench"
EXAMPLE = Path("tests/npm/node_modules/@octokit/webhooks-examples/api.github.com/index.json")


@dataclass(slots=True)
class Measured:
    """What one side did over all rounds."""

    throughputs: list[float]
    latencies: list[float]

    def figures(self) -> dict[str, float]:
        """Return deliveries a second (the median round), and milliseconds."""
        return {
            "per_second": round(statistics.median(self.throughputs), 1),
            "p50_ms": round(percentile(self.latencies, 0.5), 2),
            "p99_ms": round(percentile(self.latencies, 0.99), 2),
        }


async def measure() -> Result:
    """Measure on SQLite, then on Postgres."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="ptq-bench-") as place:
        directory = Path(place)
        body = directory / "delivery.json"
        body.write_text(await asyncio.to_thread(_delivery))
        figures["sqlite"] = await _on(directory / "sqlite", body, str)
        postgres = await asyncio.to_thread(Postgres().__enter__)
        try:
            figures["postgres"] = await _on(directory / "postgres", body, postgres.database)
        finally:
            await asyncio.to_thread(postgres.__exit__, None, None, None)
    ratio = min(one["ratio"] for one in figures.values())
    slowest = max(one["at_200_per_second"]["p99_ms"] for one in figures.values())
    return Result(ratio, GOAL, ratio >= RATIO and slowest < P99, figures)


async def _on(directory: Path, body: Path, database: Callable[[], str]) -> dict[str, Any]:
    """Measure both sides in turn, several times, on one kind of database."""
    await asyncio.to_thread(directory.mkdir)
    ours, bare, slow = Measured([], []), Measured([], []), Measured([], [])
    async with AsyncExitStack() as stack:
        url = await asyncio.to_thread(database)
        bare_url = url or f"sqlite:///{directory / 'bare.sqlite'}"
        await _upgraded(bare_url)
        _, bare_at = await stack.enter_async_context(serving("bench.bare", bare_url, SECRET))
        github = await stack.enter_async_context(_silent_github())
        environment = await asyncio.to_thread(
            _environment, directory, github, await asyncio.to_thread(database)
        )
        _, at = await stack.enter_async_context(serving("bot", "serve", environment=environment))
        for number in range(ROUNDS):
            for name, where, measured in (("bare", bare_at, bare), ("ours", at, ours)):
                await _loaded(where, body, measured, CONNECTIONS, REQUESTS, 0)
                say(f"{directory.name} {number + 1}/{ROUNDS} {name}: {measured.figures()}")
        await _loaded(at, body, slow, 4 * CONNECTIONS, RATED_REQUESTS, RATE)
        say(f"{directory.name} at {RATE}/s: {slow.figures()}")
    ratios = [one / other for one, other in zip(ours.throughputs, bare.throughputs, strict=True)]
    return {
        "ratio": round(statistics.median(ratios), 3),
        "ours": ours.figures(),
        "baseline": bare.figures(),
        f"at_{RATE}_per_second": slow.figures(),
    }


async def _loaded(
    url: str, body: Path, measured: Measured, connections: int, requests: int, rate: int
) -> None:
    numbers = (str(connections), str(requests), str(rate))
    async with program("bench.load", f"{url}/webhook", str(body), SECRET, *numbers) as process:
        stdout, stderr = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the load ended early: {stderr.decode()[-2000:]}")
    said = json.loads(stdout)
    measured.throughputs.append(len(said["latencies"]) / said["seconds"])
    measured.latencies += said["latencies"]


async def _upgraded(url: str) -> None:
    database = await asyncio.to_thread(Database, url)
    await database.upgrade()
    await database.close()


@asynccontextmanager
async def _silent_github() -> AsyncGenerator[str]:
    """Take connections and say nothing."""
    waiting: set[asyncio.StreamWriter] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting.add(writer)
        while await reader.read(1 << 16):
            pass

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for writer in waiting:
        writer.close()


def _environment(directory: Path, github: str, database: str) -> dict[str, str]:
    return {
        "PTQ_STATE_DIR": str(directory / "state"),
        "PTQ_PORT": "0",
        "PTQ_PROVIDER": "local",
        "PTQ_LOG_FORMAT": "json",
        "PTQ_GITHUB__API_URL": github,
        "PTQ_GITHUB__APP_ID": "1",
        "PTQ_GITHUB__PRIVATE_KEY": github_key(),
        "PTQ_GITHUB__WEBHOOK_SECRET": SECRET,
        "PTQ_GITHUB__REPOSITORIES": "pytorch/pytorch",
        **({"PTQ_DATABASE_URL": database} if database else {}),
    }


def _delivery() -> str:
    """Return GitHub's own example of a comment, with a command of ours in it."""
    examples = json.loads(EXAMPLE.read_text())
    payload = next(
        example
        for kind in examples
        if kind["name"] == "issue_comment"
        for example in kind["examples"]
        if example.get("action") == "created"
    )
    payload["repository"]["full_name"] = "pytorch/pytorch"
    payload["comment"]["body"] = "Seen on two machines.\n\n/ptq investigate --hours 2\n"
    return json.dumps(payload)
