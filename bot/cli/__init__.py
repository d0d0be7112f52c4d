"""The terminal: one file per group of commands."""

from __future__ import annotations

import sys

import typer

from bot.cli import check_patch, database, doctor, repro, results, serve, setup
from bot.errors import (
    ConfigurationError,
    InputError,
    MachineError,
    UserError,
    WorkspaceError,
)

WRONG_SETTINGS = 2
"""Exit status when a setting is missing or wrong."""
WRONG_INPUT = 2
"""Exit status when what is to be read is missing or wrong, as for a wrong option."""

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
app.command("repro")(repro.repro)
app.command("check-patch")(check_patch.check_patch)
app.command("setup")(setup.setup)
app.command("doctor")(doctor.doctor)
app.add_typer(database.app, name="db")


def main() -> None:
    """Run the command line; wrong settings or input end it with exit status 2, others with 1."""
    try:
        app()
    except ConfigurationError as error:
        sys.stderr.write(f"ptq: {error}\n")
        sys.exit(WRONG_SETTINGS)
    except InputError as error:
        sys.stderr.write(f"ptq: {error}\n")
        sys.exit(WRONG_INPUT)
    except (UserError, MachineError, WorkspaceError) as error:
        sys.stderr.write(f"ptq: {error}\n")
        sys.exit(1)
