"""Recorded runs of the real agents, Claude Code and Codex: their logs and exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

_DATA = Path(__file__).parent.parent / "data"


def _read(recordings: str) -> dict[str, tuple[int, bytes]]:
    runs: dict[str, tuple[int, bytes]] = {}
    name = ""
    for line in (_DATA / recordings).read_bytes().splitlines(keepends=True):
        if line.startswith(b'{"_scenario"'):
            about = json.loads(line)
            name = about["_scenario"]
            runs[name] = (about["_rc"], b"")
        elif line.strip():
            status, log = runs[name]
            runs[name] = (status, log + line)
    return runs


RECORDED_RUNS = _read("claude-stream.jsonl")
"""What was tried → exit status (negative for a signal), log."""
RECORDED_CODEX_RUNS = _read("codex-exec.jsonl")
"""The same of Codex 0.171.0, with a scripted model behind it."""
