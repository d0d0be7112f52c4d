"""``ptq doctor``: what stands in the way, and how to mend it."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from bot import log
from bot.doctor import Finding, examine
from bot.settings import Settings

_SIGNS = {"fine": ("✓", "green"), "note": ("•", "yellow"), "wrong": ("✗", "red")}


def doctor(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON list of what was found.")
    ] = False,
) -> None:
    """Check each part that the service needs, with a line each: fine, or how to mend it.

    The database, the GitHub App, the model's endpoint, and each machine: its login, disk, GPU,
    programs, workspace and agent. Nothing is changed. The exit status is 1 when something is wrong.
    """
    settings = Settings.load()
    log.configure(settings.log_format, secrets=settings.secrets, level=logging.WARNING)
    findings = asyncio.run(_examined(settings, shows=not as_json))
    if as_json:
        typer.echo(json.dumps([one.model_dump() for one in findings], indent=2))
    if any(one.state == "wrong" for one in findings):
        raise typer.Exit(1)


async def _examined(settings: Settings, *, shows: bool) -> list[Finding]:
    console = Console(highlight=False, soft_wrap=True)
    waiting = Console(stderr=True).status("Looking…")
    findings: list[Finding] = []
    with waiting:
        async with aclosing(examine(settings)) as found:
            async for finding in found:
                findings.append(finding)
                if shows:
                    _show(console, finding)
    if shows:
        _sum_up(console, findings)
    return findings


def _show(console: Console, finding: Finding) -> None:
    sign, style = _SIGNS[finding.state]
    console.print(Text.assemble((sign, style), f" {finding.part}: {finding.says}"))
    if finding.mend:
        console.print(f"    → {finding.mend}", markup=False)


def _sum_up(console: Console, findings: list[Finding]) -> None:
    wrong = sum(one.state == "wrong" for one in findings)
    if not wrong:
        console.print("Everything that is needed is there.")
    else:
        console.print(f"{wrong} of {len(findings)} parts have to be mended.")
