"""``ptq db``: the database's tables."""

from __future__ import annotations

import asyncio

import typer

from bot.cli import tables
from bot.cli.group import Command, Commands
from bot.settings import Settings

app = typer.Typer(cls=Commands, no_args_is_help=True)


@app.callback()
def database() -> None:
    """Work on the database that PTQ_DATABASE_URL names (default: SQLite in PTQ_STATE_DIR)."""


@app.command(cls=Command)
def upgrade() -> None:
    """Bring the tables to the version that this ptq needs; fine to repeat."""
    asyncio.run(tables.upgrade(Settings.load()))
    typer.echo("The database is up to date.")
