"""Recorded runs of the real Claude Code: their logs and exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

_RECORDINGS = Path(__file__).parent.parent / "data" / "claude-stream.jsonl"


def _read() -> dict[str, tuple[int, bytes]]:
    runs: dict[str, tuple[int, bytes]] = {}
    name = ""
    for line in _RECORDINGS.read_bytes().splitlines(keepends=True):
        if line.startswith(b'{"_scenario"'):
            about = json.loads(line)
            name = about["_scenario"]
            runs[name] = (about["_rc"], b"")
        elif line.strip():
            status, log = runs[name]
            runs[name] = (status, log + line)
    return runs


RECORDED_RUNS = _read()
"""What was tried → exit status (negative for a signal), log."""
