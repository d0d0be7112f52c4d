"""A whole job from a terminal, without a GitHub App."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from tests import scenes
from tests.own_terminal import terminal_of

if TYPE_CHECKING:
    from tests.harness import Bot


pytestmark = pytest.mark.timeout(240)
"""Whole jobs, by processes that each take seconds to start on a busy machine."""


async def test_a_whole_job_from_a_terminal(world: Bot) -> None:
    """The issue is read without a token, and nothing is written on GitHub."""
    async with terminal_of(world) as terminal:
        ended = await terminal.ptq("auto", "--issue", "1", "--follow", "-p", "Look at aliasing.")
        assert ended.out == snapshot("""\
Job YYYYMMDD-pytorch-1
… Wait to be taken up
… Wait for a machine
… Reserve the machine · gpu-1
… Prepare PyTorch on it
… Investigate
  I have read the brief and the issue. First I run the repro as it is.
  Bash: python repro.py
  It fails as reported. The sequences are right and the batch is transposed.
  Bash: grep -n transpose pytorch/tinytorch/sequence.py
  Edit: pytorch/tinytorch/sequence.py
  Bash: python repro.py
  Edit: pytorch/test/test_sequence.py
  Bash: python -m unittest discover -s pytorch/test
  Write: worklog.md
  Write: report.md
  Write: verdict.json
  Write: pr.json
  Done: reproduced, fixed, and written up.
  result: success
… Run the repro ourselves
… Give the machine back
… Check and publish the patch
YYYYMMDD-pytorch-1  finished  fixed
`unpad_sequence` transposed the caller's batch in place. It works on a copy now, and a test holds that.
What it found: ptq results YYYYMMDD-pytorch-1
""")
        assert ended.status == 0
        await terminal.left_alone()
        found = json.loads((await terminal.ptq("results", "1", "--json")).out)
    assert (found["verdict"], found["state"]) == ("fixed", "finished")
    assert {call.method for call in world.github.door.requests} == {"GET"}
    assert {call.account for call in world.github.door.requests} == {"anonymous"}


async def test_a_process_that_died_is_made_up_for(world: Bot) -> None:
    """The next command that finds an unfinished job has it carried on."""
    gate = world.directory / "go"
    world.agent_does([{"wait_for": str(gate)}, *scenes.not_reproduced()])
    async with terminal_of(world) as terminal:
        options = ("--mode", "reproduce", "--no-follow")
        asked = await terminal.ptq("auto", "--issue", "1", *options)
        assert asked.status == 0
        assert asked.out == snapshot("""\
Job YYYYMMDD-pytorch-1
It goes on in the background: `ptq follow YYYYMMDD-pytorch-1` shows it.
""")
        await terminal.reached("investigating", "1")
        await terminal.kill_whoever_carries_out()
        gate.touch()
        listed = await terminal.ptq("list")
        assert listed.status == 0
        followed = await terminal.ptq("follow", "1")
    assert followed.status == 0
    assert "YYYYMMDD-pytorch-1  finished  reproduced" in followed.out
