"""Stands in the agent's place on a machine: leaves a trace of its start, then plays the script.

It needs the standard library alone::

    python agent.py DIRECTORY FLAGS…

``DIRECTORY/starts.jsonl`` gets a line, and ``DIRECTORY/scenarios/ISSUE.json`` is the scenario: the
issue is read from the name of the job's directory.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

STARTS = "starts.jsonl"
SCENARIOS = "scenarios"

_JOB = re.compile(r"\d{8}-[a-z]+-(\d+)(?:-\d+)?")
_SCRIPTED = Path(__file__).parent.parent / "tests" / "fakes" / "scripted_agent.py"


def main(directory: Path, flags: list[str]) -> None:
    """Write down that it was started, and be the scripted agent from then on."""
    line = json.dumps({"run": os.environ["PTQ_RUN"], "home": str(Path.home())})
    # One write with O_APPEND: agents of several machines write into this file.
    with (directory / STARTS).open("ab", buffering=0) as file:
        file.write(f"{line}\n".encode())
    job = _JOB.fullmatch(Path.cwd().name)
    if job is None:
        raise SystemExit(f"{Path.cwd()} is not a job's directory")
    scenario = directory / SCENARIOS / f"{job[1]}.json"
    argv = [sys.executable, str(_SCRIPTED), "--scenario", str(scenario), *flags]
    os.execv(sys.executable, argv)  # noqa: S606 -- no shell is wanted: these are our own words


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
