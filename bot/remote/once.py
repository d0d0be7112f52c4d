"""Run steps once, under a lock, unless a marker says that they were done with these inputs.

Standard library only: it travels to the machine. The plan is JSON on stdin::

    {"lock": path, "patience": seconds or null, "marker": path or null, "value": text,
     "needs": [paths], "steps": [{"argv": [...], "cwd": path or null, "may_fail": bool}]}

It prints ``{"ran": true or false}``. The first step that fails gives its exit status and the end
of what it said. Who has a patience waits no longer for the lock. The lock is inherited by the
steps: when this program is ended in the middle, nobody else starts before the step that was running
has ended too.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TAIL = 8000
NOT_FOUND = 127
BUSY = 75  # EX_TEMPFAIL
LOOK = 0.05


def main() -> int:
    """Read the plan from stdin and carry it out; return the exit status."""
    plan = json.load(sys.stdin)
    lock = Path(plan["lock"])
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as held:
        if not locked(held.fileno(), plan["patience"]):
            sys.stderr.write("the workspace is busy")
            return BUSY
        if is_done(plan):
            return say(ran=False)
        status = run_steps(plan, held.fileno())
        if status:
            return status
        mark(plan)
    return say(ran=True)


def locked(held: int, patience: float | None) -> bool:
    """Wait for the lock; say whether it was had in time."""
    if patience is None:
        fcntl.flock(held, fcntl.LOCK_EX)
        return True
    bound = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > bound:
                return False
            time.sleep(LOOK)
        else:
            return True


def is_done(plan: dict[str, Any]) -> bool:
    """Whether the marker holds the value and what the steps make is there."""
    if plan["marker"] is None:
        return False
    try:
        marked = Path(plan["marker"]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return marked == plan["value"] and all(os.path.lexists(path) for path in plan["needs"])


def run_steps(plan: dict[str, Any], lock: int) -> int:
    """Run the steps in order; return the exit status of the first that failed, or 0."""
    if plan["marker"] is not None:
        Path(plan["marker"]).unlink(missing_ok=True)
    for step in plan["steps"]:
        try:
            done = subprocess.run(
                step["argv"],
                cwd=step.get("cwd"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
                check=False,
            )
            status, said = done.returncode, done.stdout.decode(errors="replace")
        except OSError as error:
            status, said = NOT_FOUND, "{}: {}".format(step["argv"][0], error.strerror)
        if status and not step.get("may_fail"):
            sys.stderr.write(said[-TAIL:])
            return status if status > 0 else 128 - status
    return 0


def mark(plan: dict[str, Any]) -> None:
    """Write the marker whole or not at all."""
    if plan["marker"] is None:
        return
    marker = Path(plan["marker"])
    marker.parent.mkdir(parents=True, exist_ok=True)
    partial = marker.with_name(marker.name + ".partial")
    partial.write_text(plan["value"], encoding="utf-8")
    partial.replace(marker)


def say(*, ran: bool) -> int:
    """Tell the bot whether the steps ran now."""
    sys.stdout.write(json.dumps({"ran": ran}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
