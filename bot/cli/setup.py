"""``ptq setup``: the workspace of a machine one already has."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bot import log
from bot.cli.machine_side import LOCAL, side_of
from bot.errors import InputError
from bot.settings import Settings, TorchSettings
from bot.workspace.prepare import prepare

if TYPE_CHECKING:
    from bot.models import TorchBuild


def setup(
    machine: Annotated[
        str | None, typer.Argument(help="A machine of the settings, by its name.")
    ] = None,
    *,
    local: Annotated[bool, typer.Option("--local", help="This computer.")] = False,
    cuda: Annotated[
        str | None,
        typer.Option(help="The build's CUDA tag, as cu130. Default: what the driver runs."),
    ] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="The build without CUDA.")] = False,
    torch: Annotated[
        str | None,
        typer.Option(
            "--torch", help="What to install, as torch==2.13.0. Default: the newest nightly."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what the workspace runs.")] = False,
) -> None:
    """Prepare the workspace: uv, PyTorch, and its source at the commit of the build.

    Preparing again is quick and changes nothing; two at once wait for each other. The jobs that
    follow take the build that PTQ_TORCH__… names: give the same there as here.
    """
    settings = Settings.load()
    log.configure(settings.log_format, secrets=settings.secrets, level=logging.WARNING)
    if local == (machine is not None):
        raise InputError("name one machine of the settings, or say --local")
    wanted = _wanted(settings.torch, cuda=cuda, cpu=cpu, torch=torch)
    build = asyncio.run(_set_up(settings, LOCAL if machine is None else machine, wanted))
    if as_json:
        typer.echo(build.model_dump_json(indent=2))
        return
    gpu = build.gpu or "no GPU"
    typer.echo(f"{build.version} (Python {build.python}, {gpu}), source at {build.base_commit}")


def _wanted(
    settings: TorchSettings, *, cuda: str | None, cpu: bool, torch: str | None
) -> TorchSettings:
    if cuda and cpu:
        raise InputError("--cuda and --cpu exclude each other")
    said = {"cuda": "cpu" if cpu else cuda, "requirement": torch}
    values = settings.model_dump() | {name: value for name, value in said.items() if value}
    try:
        return TorchSettings.model_validate(values)
    except ValueError as error:
        raise InputError(f"--cuda takes a tag such as cu130, not {cuda}.") from error


async def _set_up(settings: Settings, machine: str, torch: TorchSettings) -> TorchBuild:
    console = Console(stderr=True, highlight=False)
    began = time.monotonic()
    with console.status("Looking at the machine…") as status:

        async def tell(line: str) -> None:
            console.print(f"{time.monotonic() - began:5.0f} s  {line}", markup=False)
            status.update(line)

        async with side_of(settings, machine) as side:
            build = await prepare(side.shell, side.layout, torch, tell=tell)
    console.print(f"{time.monotonic() - began:5.0f} s  {side.layout.root} is ready.", markup=False)
    return build
