"""A real bug of PyTorch, from the comment to the draft pull request, between real programs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.models import AgentEnd, JobState, Outcome
from tests.e2e.bugs import MODULE_LIST_INSERT, UNPAD_SEQUENCE
from tests.e2e.deployment import KEY, PATIENCE, REPOSITORY, deployment
from tests.e2e.fixed import is_fixed, is_shown
from tests.e2e.investigator import has_edited, investigator
from tests.fakes.model_script import Answer, Fault, ModelRequest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.pytorch import PyTorch

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


async def test_a_real_bug_is_fixed(tmp_path: Path, real_pytorch: PyTorch, workspace: Path) -> None:
    """Claude Code reproduces and mends a bug of PyTorch; the draft holds that one line."""
    bug = UNPAD_SEQUENCE
    script = investigator(bug)
    async with deployment(
        tmp_path, real_pytorch, workspace, bug=bug, script=script, issue=4021
    ) as world:
        async with world.serving():
            await world.ask()
            job = await world.job()
            proof = await world.proof(job)

        await is_fixed(world, job)
        is_shown(bug, proof)
        (neighbour,) = proof.neighbours
        assert neighbour.path == bug.neighbours
        assert job.build is not None
        assert (job.build.version, job.build.base_commit) == ("2.13.0+cpu", real_pytorch.commit)
        assert await world.github.diff(REPOSITORY, 4022) == snapshot("""\
diff --git a/torch/nn/utils/rnn.py b/torch/nn/utils/rnn.py
index 84e2089..5b3be9c 100644
--- a/torch/nn/utils/rnn.py
+++ b/torch/nn/utils/rnn.py
@@ -506,7 +506,7 @@ def unpad_sequence(
     unpadded_sequences = []
 \n\
     if not batch_first:
-        padded_sequences.transpose_(0, 1)
+        padded_sequences = padded_sequences.transpose(0, 1)
 \n\
     max_length = padded_sequences.shape[1]
     idx = torch.arange(max_length, device=lengths.device)
""")
        progress, closing = world.thread()
        assert world.plain(closing.body) == snapshot("""\
<!-- ptq:closing job=YYYYMMDD-pytorch-4021 run=1 -->
@maintainer I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. The change is in [draft pull request #4022](https://github.com/pytorch/pytorch/pull/4022).

In the agent's words:
> `unpad_sequence` transposed the caller's tensor in place. It works on a view now.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/4021#issuecomment-ID). No person has checked what the agent says there.\
""")
        assert world.plain(progress.body).partition("<details>")[0] == snapshot("""\
<!-- ptq:progress job=YYYYMMDD-pytorch-4021 run=1 -->
**This investigation has finished** (job `YYYYMMDD-pytorch-4021`), as [asked for](https://github.com/pytorch/pytorch/issues/4021#issuecomment-ID) by maintainer.

- ✓ Reserve a machine: `cpu-1`, no GPU
- ✓ Prepare PyTorch on it: torch `2.13.0+cpu`, N s
- ✓ Investigate: 7 of 100 turns, $0.05, N s
- ✓ Prove the fix: N s
- ✓ Give the machine back
- ✓ Check and publish the patch

I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. Draft pull request: [#4022](https://github.com/pytorch/pytorch/pull/4022).

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's tensor became` |
| the repro with the change | **passes** 3 of 3 |
| the tests next to it | 1 file: none broke |
| where | no GPU, torch `2.13.0+cpu`, commit `COMMIT`, Python `VERSION` |

Ended DATE UTC. It took N s.

""")
        assert f"{bug.failure}\nexit status 1" in progress.body
        assert "exit status 0" in progress.body


async def test_a_model_that_refuses(tmp_path: Path, real_pytorch: PyTorch, workspace: Path) -> None:
    """When the model refuses, the job ends as failed, says so, and opens nothing."""
    fault = Fault(401, "authentication_error", "invalid x-api-key")
    async with deployment(
        tmp_path,
        real_pytorch,
        workspace,
        bug=UNPAD_SEQUENCE,
        script=lambda _: fault,
        issue=4023,
        retries=1,
    ) as world:
        async with world.serving():
            await world.ask()
            job = await world.job()

        assert job.state is JobState.FAILED
        assert Outcome.model_validate(job.outcome).agent_end is AgentEnd.API_ERROR
        assert world.model.conversation
        assert world.github.pulls(REPOSITORY) == []
        progress, closing = world.thread()
        assert world.plain(closing.body) == snapshot("""\
<!-- ptq:closing job=YYYYMMDD-pytorch-4023 run=1 -->
@maintainer The model behind the agent failed or refused, so the agent ended early. I ran the repro myself: it fails at base in 3 of 3 runs.

What is known, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/4023#issuecomment-ID). It may be incomplete, because the run was cut short.\
""")
        assert "**This investigation has failed**" in progress.body
        assert await world.lent() == []
        assert await world.running() == set()


async def test_a_restart_takes_nothing(
    tmp_path: Path, real_pytorch: PyTorch, workspace: Path
) -> None:
    """The agent outlives the service; the next process follows it to the end, and says it once.

    This fix brings a test: it fails at base and passes with the change, and the draft holds both.
    """
    bug = MODULE_LIST_INSERT
    waits = asyncio.Event()
    investigate = investigator(bug)

    def script(asked: ModelRequest) -> Answer:
        turn = investigate(asked)
        if waits.is_set() or not has_edited(asked):
            return turn
        waits.set()
        return replace(turn, after=asyncio.Event())

    async with deployment(
        tmp_path, real_pytorch, workspace, bug=bug, script=script, issue=4025
    ) as world:
        async with world.serving():
            await world.ask()
            async with asyncio.timeout(PATIENCE):
                await waits.wait()
            before = await world.running()
        async with asyncio.timeout(PATIENCE):
            await world.model.hung_up.wait()
        asked = len(world.model.conversation)

        assert before
        assert before <= await world.running()
        environment = await world.environment()
        assert KEY not in environment
        token = environment.partition("ANTHROPIC_AUTH_TOKEN=")[2].partition("\0")[0]
        assert token
        assert await world.lent() == ["cpu-1"]
        assert len(world.thread()) == 1

        async with world.serving():
            job = await world.job()
            proof = await world.proof(job)

        await is_fixed(world, job)
        is_shown(bug, proof)
        ends = [(each.path, each.is_new, each.base, each.patched) for each in proof.neighbours]
        assert ends == [
            (bug.neighbours, False, "passed", "passed"),
            (bug.neighbours, True, "failed", "passed"),
        ]
        assert await world.github.diff(REPOSITORY, 4026) == snapshot('''\
diff --git a/test/nn/test_container.py b/test/nn/test_container.py
index ee9c1a5..b5f41b4 100644
--- a/test/nn/test_container.py
+++ b/test/nn/test_container.py
@@ -6,6 +6,15 @@ from torch import nn
 \n\
 \n\
 class TestModuleList(unittest.TestCase):
+    def test_insert_negative_index(self):
+        for index in (-1, -2, -3):
+            kinds = [nn.Identity, nn.Tanh]
+            modules = nn.ModuleList(kind() for kind in kinds)
+            modules.insert(index, nn.ReLU())
+            kinds.insert(index, nn.ReLU)
+            self.assertEqual([type(module) for module in modules], kinds)
+            self.assertEqual(list(modules._modules), ["0", "1", "2"])
+
     def test_insert(self):
         modules = nn.ModuleList([nn.Identity()])
         modules.insert(0, nn.ReLU())
diff --git a/torch/nn/modules/container.py b/torch/nn/modules/container.py
index aaf7841..5aaf789 100644
--- a/torch/nn/modules/container.py
+++ b/torch/nn/modules/container.py
@@ -465,6 +465,8 @@ class ModuleList(Module):
             index (int): index to insert.
             module (nn.Module): module to insert
         """
+        if index < 0:
+            index = max(index + len(self._modules), 0)
         for i in range(len(self._modules), index, -1):
             self._modules[str(i)] = self._modules[str(i - 1)]
         self._modules[str(index)] = module
''')
        progress, closing = world.thread()
        assert world.plain(closing.body) == snapshot("""\
<!-- ptq:closing job=YYYYMMDD-pytorch-4025 run=1 -->
@maintainer I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. The change is in [draft pull request #4026](https://github.com/pytorch/pytorch/pull/4026).

In the agent's words:
> `ModuleList.insert` took a negative index for a name. It counts from the end now.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/4025#issuecomment-ID). No person has checked what the agent says there.\
""")
        assert world.plain(progress.body).partition("<details>")[0] == snapshot("""\
<!-- ptq:progress job=YYYYMMDD-pytorch-4025 run=1 -->
**This investigation has finished** (job `YYYYMMDD-pytorch-4025`), as [asked for](https://github.com/pytorch/pytorch/issues/4025#issuecomment-ID) by maintainer.

- ✓ Reserve a machine: `cpu-1`, no GPU
- ✓ Prepare PyTorch on it: torch `2.13.0+cpu`, N s
- ✓ Investigate: 7 of 100 turns, $0.05, N s
- ✓ Prove the fix: N s
- ✓ Give the machine back
- ✓ Check and publish the patch

I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. Draft pull request: [#4026](https://github.com/pytorch/pytorch/pull/4026).

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `KeyError: '-1'` |
| the repro with the change | **passes** 3 of 3 |
| the tests of the change | fail at base, **pass** with the change |
| the tests next to it | 1 file: none broke |
| where | no GPU, torch `2.13.0+cpu`, commit `COMMIT`, Python `VERSION` |

Ended DATE UTC. It took N s.

""")
        assert len(world.model.conversation) > asked
        assert token not in str([request.headers for request in world.model.requests])
        assert world.files_with(token) == []
