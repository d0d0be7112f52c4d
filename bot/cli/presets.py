"""``ptq presets``: what --preset can be."""

from __future__ import annotations

import json

import typer
from rich.console import Console
from rich.table import Table

from bot.cli.words import AsJson
from bot.settings import Settings
from bot.workspace.presets import presets as known_presets


def presets(*, as_json: AsJson = False) -> None:
    """List the presets: those of the modes, and your own.

    Your own are files NAME.md in the directory that PTQ_PRESETS names; `ptq auto --preset NAME`
    gives such a text to the agent, as guidance.
    """
    found = known_presets(Settings.load().presets)
    if as_json:
        shown = [
            {"name": one.name, "mode": one.mode and one.mode.value, "text": one.text}
            for one in found.values()
        ]
        typer.echo(json.dumps(shown, indent=2))
        return
    table = Table("preset", "is", "what the agent is told")
    for one in found.values():
        kind = "--mode" if one.mode else "guidance"
        table.add_row(one.name, kind, one.about)
    Console().print(table)
