"""The issue that is investigated, and what the scripted agent does about it.

The scripted agent stands in where Claude Code or a key of the model is missing. It has no mind of
its own, but what it reports is what it saw: it runs the repro, edits the file, and runs it again.
"""

from __future__ import annotations

from typing import Any

REPOSITORY = "tinytorch/tinytorch"
ISSUE_NUMBER = 4021
MAINTAINER = "rowan-maintains"
REPORTER = "padded-batch"

TITLE = "unpad_sequence changes the caller's batch when batch_first=False"

BODY = """\
### 🐛 Describe the bug

`unpad_sequence` transposes its input in place. The sequences that it returns are right, but the \
batch that I passed is transposed afterwards, so using it a second time gives garbage. With \
`batch_first=True` everything is fine.

```python
import tinytorch

padded = tinytorch.pad_sequence([[1.0, 2.0, 3.0], [4.0, 5.0]])
before = [list(row) for row in padded]

assert tinytorch.unpad_sequence(padded, [3, 2]) == [[1.0, 2.0, 3.0], [4.0, 5.0]]
assert padded == before, f"the caller's batch was changed: {before} became {padded}"
```

### Versions

```
tinytorch version: 0.3.0
Python version: 3.12.3 (64-bit runtime)
Is CUDA available: False
OS: Ubuntu 24.04.1 LTS (x86_64)
```
"""

COMMENT = """\
/ptq investigate --gpu-type cpu --hours 1 --max-usd 5
The result is right, so this is about aliasing. Please look for an in-place helper.
"""

SCRIPTED_COMMENT = COMMENT.replace("--max-usd 5", "--model scripted")
"""The pull request names the model, and a script has none."""

_SOURCE = "pytorch/tinytorch/sequence.py"
_TESTS = "pytorch/test/test_sequence.py"
_NEW_TEST = '''\
            self.assertEqual(unpadded, sequences)

    def test_unpad_leaves_the_batch_alone(self) -> None:
        """The caller's batch is the same afterwards."""
        for batch_first in (False, True):
            padded = tinytorch.pad_sequence([[1.0, 2.0], [3.0]], batch_first=batch_first)
            before = [list(row) for row in padded]
            tinytorch.unpad_sequence(padded, [2, 1], batch_first=batch_first)
            self.assertEqual(padded, before)
'''

_REPORT = """\
## What happens

`repro.py` fails at the base commit, with exit status ${before.exit}:

```
${before.output}
```

## Why

`unpad_sequence` calls `transpose_`, the variant that works in place, on its argument. The rows it \
returns are taken from the transposed batch and are right; the caller keeps the transposed batch.

## The change

It takes `transpose`, which returns a new batch. No other caller of `transpose_` is touched: \
`pad_sequence` transposes a list that it has just made.

## Checked

| command | before | after |
|---|---|---|
| `python repro.py` | exit status ${before.exit} | exit status ${after.exit} |
| `python -m unittest discover -s pytorch/test` | | exit status ${tests.exit} |
"""

_WORKLOG = """\
- read the brief, the issue and the guidance
- ran `python repro.py`: exit status ${before.exit}, the assertion of the issue
- found the cause: `transpose_` works in place on the caller's batch
- changed `unpad_sequence` to take a copy, and added a test
- ran `python repro.py` again: exit status ${after.exit}
- ran the tests next to the change: exit status ${tests.exit}
"""

_TEST_COMMAND = "python -m unittest discover -s pytorch/test"


def reproduce() -> list[dict[str, Any]]:
    """Return the steps in which the repro fails as the issue says."""
    return [
        {"say": "I have read the brief and the issue. First I run the repro as it is."},
        {"run": ["python", "repro.py"], "expect": 1, "save": "before", "timeout": 120},
        {"say": "It fails as reported. The sequences are right and the batch is transposed."},
        {"run": ["grep", "-n", "transpose", _SOURCE], "expect": 0},
    ]


def mend() -> list[dict[str, Any]]:
    """Return the steps that change the source and its tests, and run both again."""
    return [
        {
            "replace": _SOURCE,
            "old": "        transpose_(padded)\n",
            "new": "        padded = transpose(padded)\n",
        },
        {"run": ["python", "repro.py"], "expect": 0, "save": "after", "timeout": 120},
        {
            "replace": _TESTS,
            "old": "            self.assertEqual(unpadded, sequences)\n",
            "new": _NEW_TEST,
        },
        {"run": _TEST_COMMAND.split(), "expect": 0, "save": "tests", "timeout": 120},
    ]


def write_up() -> list[dict[str, Any]]:
    """Return the steps that write the files which the brief asks for."""
    return [
        {"write": "worklog.md", "text": _WORKLOG},
        {"write": "report.md", "text": _REPORT},
        {
            "write": "verdict.json",
            "json": {
                "verdict": "fixed",
                "summary": "`unpad_sequence` transposed the caller's batch in place. It works on a "
                "copy now, and a test holds that.",
                "root_cause": "`transpose_` is called on the argument.",
                "failure": "AssertionError: the caller's batch was changed",
                "tests": ["python repro.py", _TEST_COMMAND],
            },
        },
        {
            "write": "pr.json",
            "json": {
                "title": "Leave the caller's batch alone in unpad_sequence",
                "body": "`unpad_sequence` transposed its input in place without `batch_first`. "
                "The sequences it returned were right, and the caller's batch was left transposed."
                "\n\nIt takes a transposed copy now. The new test covers both layouts.",
                "commit_message": "Leave the caller's batch alone in unpad_sequence\n\n"
                "It transposed its argument in place.",
            },
        },
        {"say": "Done: reproduced, fixed, and written up."},
    ]


def scenario() -> dict[str, Any]:
    """Return the whole scenario of the scripted agent."""
    return {"steps": [*reproduce(), *mend(), *write_up()]}
