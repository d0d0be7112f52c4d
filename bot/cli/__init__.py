"""The terminal: one file for each command, read when it is called."""

from __future__ import annotations

import logging
import sys

import typer

from bot import log
from bot.cli.group import Group
from bot.cli.statuses import EPILOG, WRONG, WRONG_SETTINGS
from bot.errors import ConfigurationError, InputError, PtqError
from bot.hidden_text import strip_invisible

app = typer.Typer(
    name="ptq",
    cls=Group,
    help="Investigate issues of PyTorch on a GPU machine; answer with a report and a draft pull "
    "request.",
    epilog="Settings come from the environment (PTQ_…) and from the file that PTQ_CONFIG names. "
    f"{EPILOG}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


@app.callback()
def ptq() -> None:
    """Let the group have no command of its own."""


def main() -> None:
    """Run the command line; what it ends with is in ``bot.cli.statuses``."""
    # What an error says is told below; a warning of a library is nothing that a person asked for.
    log.configure("console", level=logging.ERROR)
    try:
        # As it is installed, however it was started: completion asks for it by this name.
        app(prog_name="ptq")
    except (ConfigurationError, InputError) as error:
        sys.stderr.write(f"ptq: {error}\n")
        sys.exit(WRONG_SETTINGS)
    except PtqError as error:
        # It may hold words of an issue, an agent or a machine.
        sys.stderr.write(f"ptq: {strip_invisible(str(error))}\n")
        sys.exit(WRONG)
