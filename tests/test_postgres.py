"""The service on Postgres: a whole job, and a database that is away for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import scenes

if TYPE_CHECKING:
    from tests.fakes.postgres import Postgres
    from tests.harness import Bot

pytestmark = pytest.mark.timeout(240)


async def test_a_whole_job(shared: Bot) -> None:
    """It is the same as on SQLite, to the draft pull request."""
    async with shared.serving() as service:
        await shared.comment("/ptq investigate")
        assert "I am waiting for a machine" in await shared.next_text()
        assert "draft pull request #2" in await shared.next_text()
        job = await shared.job()
        assert job.pull_number == 2
        assert await service.leases.living() == []
        await shared.comment("/ptq help")
        assert "/ptq investigate" in await shared.next_text()
    assert len(shared.comments()) == 3


async def test_the_database_is_away_for_a_while(shared: Bot, postgres: Postgres) -> None:
    """Jobs wait and go on; deliveries are refused with a 503, so that GitHub keeps them."""
    gate = shared.directory / "go"
    shared.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    async with shared.serving() as service, shared.http() as http:
        await shared.comment("/ptq investigate")
        await shared.next_text()
        await shared.edited("▶ Investigate")
        await postgres.stop()
        try:
            async with http.get(f"{service.url}/readyz") as answer:
                assert answer.status == 503
            await shared.comment("/ptq help")
            assert shared.github.deliveries[-1].status == 503
        finally:
            await postgres.start()
        gate.touch()
        assert "I ran the repro myself" in await shared.next_text()
        async with http.get(f"{service.url}/readyz") as answer:
            assert answer.status == 200
    assert len(shared.comments()) == 2
