"""What several commands take, declared once."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.job_names import job_names

JobName = Annotated[
    str,
    typer.Argument(
        metavar="JOB",
        help="A job's id, or an issue's number: its newest job.",
        show_default=False,
        autocompletion=job_names,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
