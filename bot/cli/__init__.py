"""The terminal: one file per group of commands."""

from __future__ import annotations

import sys

import typer

from bot.cli import database, results, serve
from bot.errors import ConfigurationError, UserError

WRONG_SETTINGS = 2
"""Exit status when a setting is missing or wrong."""

app = typer.Typer(
    name="ptq",
    help="Investigate issues of PyTorch on a GPU machine; answer with a report and a draft pull "
    "request.",
    epilog="Settings come from the environment (PTQ_…) and from the file that PTQ_CONFIG names.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("results")(results.results)
app.add_typer(database.app, name="db")


def main() -> None:
    """Run the command line; a wrong setting ends it with exit status 2, another mistake with 1."""
    try:
        app()
    except ConfigurationError as error:
        sys.stderr.write(f"ptq: {error}\n")
        sys.exit(WRONG_SETTINGS)
    except UserError as error:
        sys.stderr.write(f"ptq: {error}\n")
        sys.exit(1)
