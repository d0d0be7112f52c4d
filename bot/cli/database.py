"""``ptq db``: the database's tables."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import typer

from bot.durable import Engine
from bot.settings import Settings
from bot.store import Database

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.callback()
def database() -> None:
    """Work on the database that PTQ_DATABASE_URL names (default: SQLite in PTQ_STATE_DIR)."""


@app.command()
def upgrade() -> None:
    """Bring the tables to the version that this ptq needs; fine to repeat."""
    asyncio.run(_upgrade(Settings.load()))
    typer.echo("The database is up to date.")


async def _upgrade(settings: Settings) -> None:
    database = Database(settings.database)
    try:
        await database.upgrade()
        await Engine(database.url, executor_id="upgrade", poll=timedelta(seconds=1)).upgrade()
    finally:
        await database.close()
