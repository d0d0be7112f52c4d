"""From the comment to the report, the closing comment and the draft pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from tests.harness import REPOSITORY

if TYPE_CHECKING:
    from tests.harness import Bot


async def test_a_bug_is_fixed(bot: Bot) -> None:
    """A maintainer asks; two comments and a draft pull request are the answer."""
    asked = await bot.comment("/ptq investigate\nLook for an in-place helper.")
    assert await bot.next_text() == snapshot("""\
<!-- ptq:progress job=YYYYMMDD-pytorch-1 run=1 -->
**I am waiting for a machine** (job `YYYYMMDD-pytorch-1`), as [asked for](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) by maintainer.

- – Reserve a machine: `1 × h100`
- – Prepare PyTorch on it
- – Investigate
- – Prove the fix
- – Give the machine back
- – Check and publish the patch

The report will appear in this comment, and a short answer under it. To stop the job, write `/ptq kill`. Last update: DATE UTC.\
""")
    assert await bot.next_text() == snapshot("""\
<!-- ptq:closing job=YYYYMMDD-pytorch-1 run=1 -->
@maintainer I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. The change is in [draft pull request #2](https://github.com/pytorch/pytorch/pull/2).

In the agent's words:
> `unpad_sequence` transposed the caller's batch in place. It works on a copy now, and a test holds that.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). No person has checked what the agent says there.\
""")
    assert bot.reactions(asked) == ["eyes"]
    await bot.job()
    assert bot.report() == snapshot('''\
<!-- ptq:progress job=YYYYMMDD-pytorch-1 run=1 -->
**This investigation has finished** (job `YYYYMMDD-pytorch-1`), as [asked for](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) by maintainer.

- ✓ Reserve a machine: `gpu-1`, `1 × h100`
- ✓ Prepare PyTorch on it: torch `0.3.0`
- ✓ Investigate: 13 of 100 turns, $0.26
- ✓ Prove the fix
- ✓ Give the machine back
- ✓ Check and publish the patch

I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. Draft pull request: [#2](https://github.com/pytorch/pytorch/pull/2).

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| the repro with the change | **passes** 3 of 3 |
| the tests of the change | fail at base, **pass** with the change |
| the tests next to it | 1 file: none broke |
| where | no GPU, torch `0.3.0`, commit `fab142db24e9`, Python `3.11.7` |

Ended DATE UTC. It took N s.

<details><summary>Report by the agent (AI-generated, not reviewed by a person)</summary>

#### What happens

`repro.py` fails at the base commit, with exit status 1:

```
Traceback (most recent call last):
  File "/home/ptq/ptq_workspace/jobs/YYYYMMDD-pytorch-1/repro.py", line 7, in <module>
    assert padded == before, f"the caller's batch was changed: {before} became {padded}"
           ^^^^^^^^^^^^^^^^
AssertionError: the caller's batch was changed: [[1.0, 4.0], [2.0, 5.0], [3.0, 0.0]] became [[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]]
```

#### Why

`unpad_sequence` calls `transpose_`, the variant that works in place, on its argument. The rows it returns are taken from the transposed batch and are right; the caller keeps the transposed batch.

#### The change

It takes `transpose`, which returns a new batch. No other caller of `transpose_` is touched: `pad_sequence` transposes a list that it has just made.

#### Checked

| command | before | after |
|---|---|---|
| `python repro.py` | exit status 1 | exit status 0 |
| `python -m unittest discover -s pytorch/test` | | exit status 0 |

</details>

<details><summary>How this was checked</summary>

The repro fails as reported in all 3 runs. With the patch it passes in all 3 runs, and the tests near the change pass as before.

| command | where | exit status | each took |
|---|---|---|---|
| `python repro.py` | at base | 1 (3 times) | N s |
| `python repro.py` | with the change | 0 (3 times) | N s |

- Looked for: `AssertionError: the caller's batch was changed` (an assertion of the repro), as the issue says.
- The repro, from the issue: SHA-256 `930ade796cd1866f36c6aaad566cbd2f0ca1486355b47f148944ae0a8c165ace`.
- The change, as it is shown here: SHA-256 `e77b588a9e3f149e4b811eccba74aec046f9ea3ee8ad4bd6b4b7b016bf91c96a`.
- The base is commit `fab142db24e9d286f499ab52a9a5c222e2004198`. Nothing ran in the agent's own worktree.
- All of it took N s.

| test file | why this one | at base | with the change |
|---|---|---|---|
| `test/test_sequence.py` | The patch changes it. | passed | passed |
| `test/test_sequence.py` | The tests that the patch adds or changes. | failed | passed |

The end of the output at base:

```
Traceback (most recent call last):
  File "repro.py", line 7, in <module>
    assert padded == before, f"the caller's batch was changed: {before} became {padded}"
           ^^^^^^^^^^^^^^^^
AssertionError: the caller's batch was changed: [[1.0, 4.0], [2.0, 5.0], [3.0, 0.0]] became [[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]]
```

</details>

<details><summary>Patch</summary>

```diff
diff --git a/test/test_sequence.py b/test/test_sequence.py
index 3fc664f416dd5ad32fcda6675d9ad7b325ed0b9b..a37c3fd85e8e5cb35084eb2fce4b1c5a1227af87 100644
--- a/test/test_sequence.py
+++ b/test/test_sequence.py
@@ -19,6 +19,14 @@ class TestSequence(unittest.TestCase):
             unpadded = tinytorch.unpad_sequence(padded, lengths, batch_first=batch_first)
             self.assertEqual(unpadded, sequences)
 \n\
+    def test_unpad_leaves_the_batch_alone(self) -> None:
+        """The caller's batch is the same afterwards."""
+        for batch_first in (False, True):
+            padded = tinytorch.pad_sequence([[1.0, 2.0], [3.0]], batch_first=batch_first)
+            before = [list(row) for row in padded]
+            tinytorch.unpad_sequence(padded, [2, 1], batch_first=batch_first)
+            self.assertEqual(padded, before)
+
 \n\
 if __name__ == "__main__":
     unittest.main()
diff --git a/tinytorch/sequence.py b/tinytorch/sequence.py
index 113c20e49c0dd1e5202cb0aa531219fa24720e7c..a03ff3296e0481dae70214426332de7182a00176 100644
--- a/tinytorch/sequence.py
+++ b/tinytorch/sequence.py
@@ -25,7 +25,7 @@ def unpad_sequence(
 ) -> list[list[float]]:
     """Return the sequences of a batch without their padding."""
     if not batch_first:
-        transpose_(padded)
+        padded = transpose(padded)
     return [row[:length] for row, length in zip(padded, lengths, strict=True)]
 \n\
 \n\
```

</details>

<details><summary>Worklog of the agent (AI-generated, not reviewed by a person)</summary>

- read the brief, the issue and the guidance
- ran `python repro.py`: exit status 1, the assertion of the issue
- found the cause: `transpose_` works in place on the caller's batch
- changed `unpad_sequence` to take a copy, and added a test
- ran `python repro.py` again: exit status 0
- ran the tests next to the change: exit status 0

</details>

<details><summary>End of the agent's log</summary>

```
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
```

</details>\
''')

    (pull,) = bot.github.pulls(REPOSITORY)
    assert pull.pull is not None
    assert pull.pull.draft
    assert (pull.pull.head, pull.pull.base) == ("ptq/1", "main")
    assert pull.title == snapshot("Leave the caller's batch alone in unpad_sequence")
    assert bot.plain(pull.body or "") == snapshot("""\
<!-- ptq:pull job=YYYYMMDD-pytorch-1 run=1 -->
For #1.

`unpad_sequence` transposed its input in place without `batch_first`. The sequences it returned were right, and the caller's batch was left transposed.

It takes a transposed copy now. The new test covers both layouts.

---

**An AI agent wrote this change and the text above. No person has reviewed the diagnosis, the change or its tests yet.**

- @maintainer [asked for](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) it and is responsible for it: please review it before you mark it as ready.
- Made by `claude` (model `opus`) in 13 turns for $0.26, on a machine without a GPU, with torch `0.3.0` at commit `fab142db24e9`.
- The agent says that it ran `python repro.py`, `python -m unittest discover -s pytorch/test`.
- [The agent's report](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) has the details.

### How this was checked

I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. The patch applies to the base commit, and touches only files that it may touch. The repro and what it printed are in [the report](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID).

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| the repro with the change | **passes** 3 of 3 |
| the tests of the change | fail at base, **pass** with the change |
| the tests next to it | 1 file: none broke |
| where | no GPU, torch `0.3.0`, commit `fab142db24e9`, Python `3.11.7` |

<details><summary>Commands, exit statuses and hashes</summary>

| command | where | exit status | each took |
|---|---|---|---|
| `python repro.py` | at base | 1 (3 times) | N s |
| `python repro.py` | with the change | 0 (3 times) | N s |

- Looked for: `AssertionError: the caller's batch was changed` (an assertion of the repro), as the issue says.
- The repro, from the issue: SHA-256 `930ade796cd1866f36c6aaad566cbd2f0ca1486355b47f148944ae0a8c165ace`.
- The change, as it is shown here: SHA-256 `e77b588a9e3f149e4b811eccba74aec046f9ea3ee8ad4bd6b4b7b016bf91c96a`.
- The base is commit `fab142db24e9d286f499ab52a9a5c222e2004198`. Nothing ran in the agent's own worktree.
- All of it took N s.

</details>\
""")
    assert await bot.github.diff(REPOSITORY, pull.number) == snapshot('''\
diff --git a/test/test_sequence.py b/test/test_sequence.py
index 3fc664f..a37c3fd 100644
--- a/test/test_sequence.py
+++ b/test/test_sequence.py
@@ -19,6 +19,14 @@ class TestSequence(unittest.TestCase):
             unpadded = tinytorch.unpad_sequence(padded, lengths, batch_first=batch_first)
             self.assertEqual(unpadded, sequences)
 \n\
+    def test_unpad_leaves_the_batch_alone(self) -> None:
+        """The caller's batch is the same afterwards."""
+        for batch_first in (False, True):
+            padded = tinytorch.pad_sequence([[1.0, 2.0], [3.0]], batch_first=batch_first)
+            before = [list(row) for row in padded]
+            tinytorch.unpad_sequence(padded, [2, 1], batch_first=batch_first)
+            self.assertEqual(padded, before)
+
 \n\
 if __name__ == "__main__":
     unittest.main()
diff --git a/tinytorch/sequence.py b/tinytorch/sequence.py
index 113c20e..a03ff32 100644
--- a/tinytorch/sequence.py
+++ b/tinytorch/sequence.py
@@ -25,7 +25,7 @@ def unpad_sequence(
 ) -> list[list[float]]:
     """Return the sequences of a batch without their padding."""
     if not batch_first:
-        transpose_(padded)
+        padded = transpose(padded)
     return [row[:length] for row, length in zip(padded, lengths, strict=True)]
 \n\
 \n\
''')
