"""What a job found, in a terminal: laid out for people, whole for programs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from bot.models import JobState
from tests.own_terminal import terminal_of
from tests.proofs import proof
from tests.seeded import PATCH, Seed, seed, served

if TYPE_CHECKING:
    from tests.harness import Bot

LONG = "        padded = transpose(padded)  # " + "a reason that goes on, " * 5 + "and on"
WIDE = PATCH.replace("        padded = transpose(padded)", LONG)
LEFT = {
    "report.md": "## Why\n\nIt is `transpose_`\x1b[2J.\n",
    "fix.diff": WIDE,
    "worklog.md": "- so far\n",
    "log": json.dumps({"type": "result", "subtype": "success", "is_error": False}) + "\n",
    "proof.json": proof().model_dump_json(),
}


async def test_everything_that_it_left(world: Bot) -> None:
    """Into a pipe the verdict, the proof and each text go as they are, cut nowhere."""
    async with terminal_of(world) as terminal:
        await seed(terminal, Seed(7, documents=LEFT))
        shown = await terminal.ptq("results", "7", COLUMNS="40")
        as_json = json.loads((await terminal.ptq("results", "7", "--json")).out)
    assert (shown.status, shown.err) == (0, "")
    assert shown.out == snapshot('''\
YYYYMMDD-pytorch-7  finished  fixed
It works[2J now.
──────────────── proof ─────────────────
I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3.

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| the repro with the change | **passes** 3 of 3 |
| the tests of the change | fail at base, **pass** with the change |
| the tests next to it | 2 files: none broke |
| where | `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9` |
────────────── report.md ───────────────
## Why

It is `transpose_`[2J.
─────────────── fix.diff ───────────────
diff --git a/tinytorch/sequence.py b/tinytorch/sequence.py
index 1111111..2222222 100644
--- a/tinytorch/sequence.py
+++ b/tinytorch/sequence.py
@@ -26,4 +26,4 @@ def unpad_sequence(
     """Return the sequences of a batch without their padding."""
     if not batch_first:
-        transpose_(padded)
+        padded = transpose(padded)  # a reason that goes on, a reason that goes on, a reason that goes on, a reason that goes on, a reason that goes on, and on
     return [row[:length] for row, length in zip(padded, lengths, strict=True)]
────────────── worklog.md ──────────────
- so far
────────── the end of the log ──────────
result: success
''')
    assert f"+{LONG}\n" in shown.out
    assert as_json["log"] == ["result: success"]
    assert as_json["patch"] == WIDE
    assert as_json["proof"]["verdict"] == "fixed"


async def test_a_narrow_screen(world: Bot) -> None:
    """Its lines are wrapped, and none of the patch is lost."""
    async with terminal_of(world) as terminal:
        await seed(terminal, Seed(7, documents=LEFT))
        shown = await terminal.ptq("results", "7", COLUMNS="40", FORCE_COLOR="1")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.out)
    assert "\x1b" not in plain
    assert max(len(line) for line in plain.splitlines()[2:]) <= 40
    assert re.sub(r"\s", "", LONG) in re.sub(r"\s", "", plain)
    assert "| what I ran" not in plain, "the proof is no Markdown"


async def test_a_job_that_goes_on(world: Bot) -> None:
    """What there is so far is elsewhere, and scripts see by the exit status that it goes on."""
    async with terminal_of(world) as terminal:
        await seed(terminal, Seed(7, JobState.INVESTIGATING))
        async with served(terminal):
            early = await terminal.ptq("results", "7")
            as_json = await terminal.ptq("results", "7", "--json")
    assert (early.status, early.out, early.err) == snapshot(
        (
            4,
            "",
            "ptq: YYYYMMDD-pytorch-7 has not ended: it is investigating; `ptq peek YYYYMMDD-pytorch-7` shows what there is so far\n",
        )
    )
    assert (as_json.status, json.loads(as_json.out)["state"]) == (4, "investigating")
