"""Let the newest connection lead the agent to the model: end the one that did before.

Standard library only: it travels to the machine, on stdin. Its argument is a file that names the
process of OpenSSH's server behind the connection that leads there. A process of ptq that was frozen
or whose host is gone still holds the port: sshd notices that only after hours, or never. So whoever
takes a job over ends that connection. Under another server than OpenSSH's nothing is done.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

_SERVER = "sshd"
_PARENT, _STARTED = 1, 19
"""Fields of /proc/PID/stat after the name (proc_pid_stat(5))."""


def main(file: Path) -> None:
    """End the connection that is written down, unless it is ours; write ours down."""
    ours = behind(os.getpid())
    if ours is None:
        return
    before = read(file)
    if before != ours and before == server(before.get("pid")):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(before["pid"], signal.SIGTERM)
    write(file, ours)


def behind(pid: int) -> dict[str, int] | None:
    """Return the server's process that a process descends from."""
    while pid > 1:
        found = server(pid)
        if found is not None:
            return found
        fields = stat(pid)
        pid = int(fields[_PARENT]) if fields else 0
    return None


def server(pid: object) -> dict[str, int] | None:
    """Return how a process of the server is known, also when its number is used again."""
    if not isinstance(pid, int):
        return None
    fields = stat(pid)
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    if not fields or not name.startswith(_SERVER):
        return None
    return {"pid": pid, "started": int(fields[_STARTED])}


def stat(pid: int) -> list[str]:
    """Return what the system says of a process, from its state on."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def read(file: Path) -> dict[str, Any]:
    """Return what is written down; nothing for a file that is missing or wrong."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", known) if isinstance(known, dict) else {}


def write(file: Path, ours: dict[str, int]) -> None:
    """Write the whole file at once."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(json.dumps(ours), encoding="utf-8")
    temporary.replace(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
