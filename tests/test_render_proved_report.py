"""The report of a job that was proved, word for word."""

from __future__ import annotations

from inline_snapshot import snapshot

from bot import render
from bot.models import Verdict
from tests import proof_messages as messages, proofs
from tests.proofs import GREEN, OTHER, RED, before_the_change, proof, ran


def test_the_report_of_a_fix_that_holds() -> None:
    """The verdict, the table, the agent's report, and how it was checked."""
    texts = render.Texts(report="## Summary\nIt works, @bob.", patch="--- a/x.py\n+++ b/x.py\n")
    assert messages.report(
        proof(), messages.outcome(Verdict.FIXED, pull=messages.PULL), texts=texts
    ) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=1 -->
**This investigation has finished** (job `20260102-pytorch-7`), as asked for by alice.

- ✓ Reserve a machine: `pool-1`, `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: torch `2.13.0+cu130`, 2 min
- ✓ Investigate: 41 of 100 turns, $3.20, 37 min
- ✓ Prove the fix: 6 min
- ✓ Give the machine back: 2 s
- ✓ Check and publish the patch: 4 s

I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. Draft pull request: [#8](https://github.com/pytorch/pytorch/pull/8).

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| the repro with the change | **passes** 3 of 3 |
| the tests of the change | fail at base, **pass** with the change |
| the tests next to it | 2 files: none broke |
| where | `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9` |

Ended 2026-01-02 15:50 UTC. It took 46 min.

<details><summary>Report by the agent (AI-generated, not reviewed by a person)</summary>

#### Summary
It works, `@bob`.

</details>

<details><summary>How this was checked</summary>

It fails without the change and passes with it.

| command | where | exit status | each took |
|---|---|---|---|
| `python repro.py` | at base | 1 (3 times) | 2.1 s |
| `python repro.py` | with the change | 0 (3 times) | 2.2 s |

- Looked for: `AssertionError: the caller's batch was changed` (an assertion of the repro), as the issue says.
- The repro, from the issue: SHA-256 `5555555555555555555555555555555555555555555555555555555555555555`.
- The change, as it is shown here: SHA-256 `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`.
- The base is commit `0123456789abcdef0123456789abcdef01234567`. Nothing ran in the agent's own worktree.
- All of it took 5 min.

| test file | why this one | at base | with the change |
|---|---|---|---|
| `test/nn/test_packed_sequence.py` | It is named for `torch/nn/utils/rnn.py`. | failed | passed |
| `test/test_nn.py` | It is named for `torch/nn/utils/rnn.py`. | passed | passed |
| `test/test_jit.py` | It is named for `torch/nn/utils/rnn.py`. | passed | passed |

The end of the output at base:

```
Traceback (most recent call last):
  File "repro.py", line 7, in <module>
AssertionError: the caller's batch was changed: [[1.0, 4.0]] became [[1.0, 2.0]]
```

</details>

<details><summary>Patch</summary>

```diff
--- a/x.py
+++ b/x.py
```

</details>\
""")


def test_the_report_of_a_fix_that_does_nothing() -> None:
    """The fresh output is shown, and so is what the agent did to the repro."""
    shown = proof(
        Verdict.NOT_FIXED,
        green=ran(RED, GREEN, RED, GREEN, GREEN),
        neighbours=(),
        repro_source="agent",
        repro_diff="--- a/repro.py\n+++ b/repro.py\n@@ -1 +1,2 @@\n print(x)\n+assert x\n",
        slowdown=1.5,
        retried=True,
    )
    assert messages.report(
        shown, messages.outcome(Verdict.FIXED, no_pull_reason="It does not hold.")
    ) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=1 -->
**This investigation has finished** (job `20260102-pytorch-7`), as asked for by alice.

- ✓ Reserve a machine: `pool-1`, `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: torch `2.13.0+cu130`, 2 min
- ✓ Investigate: 41 of 100 turns, $3.20, 37 min
- ✓ Prove the fix: 6 min
- ✓ Give the machine back: 2 s
- ✓ Check and publish the patch: 4 s

I ran the issue's repro myself, as the agent completed it: it fails at base in 3 of 3 runs, and with the change it still fails in 2 of 5. The agent had a second try, with what I saw in the first. The agent claimed `fixed`; I saw `not_fixed`. No pull request was opened. It does not hold.

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| the repro with the change | **fails** 2 of 5: `AssertionError: the caller's batch was changed`; **passes** 3 of 5 |
| speed of the repro | **50 % slower** with the change |
| where | `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9` |

Ended 2026-01-02 15:50 UTC. It took 46 min.

<details><summary>How this was checked</summary>

It fails without the change and passes with it.

| command | where | exit status | each took |
|---|---|---|---|
| `python repro.py` | at base | 1 (3 times) | 2.1 s |
| `python repro.py` | with the change | 1 (2 times), 0 (3 times) | 2.1 s to 2.2 s |

- Looked for: `AssertionError: the caller's batch was changed` (an assertion of the repro), as the issue says.
- The repro, from the issue, completed by the agent: SHA-256 `5555555555555555555555555555555555555555555555555555555555555555`.
- The change, as it is shown here: SHA-256 `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`.
- The base is commit `0123456789abcdef0123456789abcdef01234567`. Nothing ran in the agent's own worktree.
- All of it took 5 min.

The end of the output at base:

```
Traceback (most recent call last):
  File "repro.py", line 7, in <module>
AssertionError: the caller's batch was changed: [[1.0, 4.0]] became [[1.0, 2.0]]
```

The end of the output with the change:

```
Traceback (most recent call last):
  File "repro.py", line 7, in <module>
AssertionError: the caller's batch was changed: [[1.0, 4.0]] became [[1.0, 2.0]]
```

What the agent changed in the issue's repro (AI-generated):

```diff
--- a/repro.py
+++ b/repro.py
@@ -1 +1,2 @@
 print(x)
+assert x
```

</details>\
""")


def test_the_report_of_a_machine_that_is_broken() -> None:
    """The agent's repro is shown where the issue has none, and what the trivial program said."""
    shown = before_the_change(
        Verdict.ENVIRONMENT,
        OTHER,
        OTHER,
        sanity=OTHER,
        repro_source="agent",
        signature=None,
        why="It fails before the repro begins",
    )
    texts = render.Texts(repro="import torch\n\nassert torch.ones(1) == 1\n")
    assert messages.report(shown, messages.outcome(Verdict.ENVIRONMENT), texts=texts) == snapshot("""\
<!-- ptq:progress job=20260102-pytorch-7 run=1 -->
**This investigation has finished** (job `20260102-pytorch-7`), as asked for by alice.

- ✓ Reserve a machine: `pool-1`, `1 × h100`, 1 min
- ✓ Prepare PyTorch on it: torch `2.13.0+cu130`, 2 min
- ✓ Investigate: 41 of 100 turns, $3.20, 37 min
- ✓ Prove the fix: 6 min
- ✓ Give the machine back: 2 s
- ✓ Check and publish the patch: 4 s

I ran the agent's repro myself, as the issue has none that I can run: it fails at base in 2 of 2 runs, and a trivial program on an untouched tree fails too. So this machine cannot show the bug.

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 2 of 2: `ModuleNotFoundError: No module named 'triton'` |
| where | `NVIDIA H100 80GB HBM3`, driver `580.65`, CUDA `13.0`, torch `2.13.0+cu130`, commit `0123456789ab`, Python `3.12.9` |

Ended 2026-01-02 15:50 UTC. It took 46 min.

<details><summary>How this was checked</summary>

It fails before the repro begins.

| command | where | exit status | each took |
|---|---|---|---|
| `python repro.py` | at base | 1 (2 times) | 0.4 s |
| a trivial program | on an untouched tree | 1 | 0.4 s |

- The repro, written by the agent: SHA-256 `5555555555555555555555555555555555555555555555555555555555555555`.
- The base is commit `0123456789abcdef0123456789abcdef01234567`. Nothing ran in the agent's own worktree.
- All of it took 5 min.

The end of the output at base:

```
ModuleNotFoundError: No module named 'triton'
```

The end of the output of the trivial program:

```
ModuleNotFoundError: No module named 'triton'
```

The agent's repro, as the issue has none that I can run (AI-generated):

```python
import torch

assert torch.ones(1) == 1
```

</details>\
""")


def test_test_files_are_counted_from_the_twelfth() -> None:
    """A long list is no reason to leave out how it was checked."""
    many = proof(neighbours=tuple(proofs.near(f"test/test_{n}.py") for n in range(20)))
    text = messages.report(many, messages.outcome(Verdict.FIXED))
    assert "| `test/test_11.py` |" in text
    assert "| `test/test_12.py` |" not in text
    assert "\n\nAnd 8 more files." in text
