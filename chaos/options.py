"""What was asked for on the command line."""

from __future__ import annotations

import argparse
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

DatabaseKind = Literal["sqlite", "postgres"]

_KILLS = 50
_WORKERS_ON_POSTGRES = 3
_FEWEST_JOBS = 4
_KILLS_A_JOB = 2


@dataclass(frozen=True, slots=True)
class Options:
    """How much of it, and on what."""

    kills: int
    """Kills and freezes."""
    database: DatabaseKind
    workers: int
    """Processes of the bot; one of them serves."""
    jobs: int
    """Issues that somebody wants investigated."""
    seed: int
    """Of everything random, so that a run can be repeated as nearly as time allows."""

    @classmethod
    def read(cls, arguments: Sequence[str]) -> Options:
        """Read the command line; a wrong one ends the program with a message."""
        parser = _parser()
        found = parser.parse_args(arguments)
        on_sqlite = found.database == "sqlite"
        workers = found.workers or (1 if on_sqlite else _WORKERS_ON_POSTGRES)
        if on_sqlite and workers != 1:
            parser.error("on SQLite one process serves: WORKERS is for DATABASE=postgres")
        if min(found.kills, workers) < 1:
            parser.error("it takes at least one kill and one process")
        return cls(
            kills=found.kills,
            database=found.database,
            workers=workers,
            jobs=found.jobs or max(_FEWEST_JOBS, found.kills // _KILLS_A_JOB),
            seed=secrets.randbelow(1_000_000) if found.seed is None else found.seed,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chaos",
        description="Kill and freeze the service at random moments, cut its connections, let "
        "GitHub fail; then ask GitHub and the machines what became of every job. The last line of "
        "standard output is a JSON object; the exit status is 0 when nothing was lost and nothing "
        "made twice.",
    )
    parser.add_argument("--kills", type=int, default=_KILLS, help="kills and freezes (%(default)s)")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--workers", type=int, help="processes of the bot (1; on Postgres 3)")
    parser.add_argument("--jobs", type=int, help="issues to investigate (half of the kills)")
    parser.add_argument("--seed", type=int, help="of everything random (a new one)")
    return parser
