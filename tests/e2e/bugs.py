"""Real bugs of PyTorch 2.13.0 that show on a CPU: how they are reported, and how they are mended."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from tests.e2e.pytorch import TEST_CONTAINER, TEST_PACKED_SEQUENCE, VERSION


@dataclass(frozen=True, slots=True)
class Change:
    """One replacement in a file of the source."""

    path: str
    old: str
    new: str

    @property
    def lines(self) -> list[str]:
        """The lines of its diff that name the file, go or come."""
        files = (f"a/{self.path}", f"b/{self.path}")
        old, new = (text.splitlines(keepends=True) for text in (self.old, self.new))
        diff = difflib.unified_diff(old, new, *files, n=0)
        return [line for line in diff if line.startswith(("+", "-"))]


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug: its report, and what whoever knows the answer writes."""

    title: str
    """Of the issue."""
    words: str
    """What the reporter says before the repro."""
    repro: str
    shown: str
    """What the reporter shows after it: Markdown, or nothing."""
    failure: str
    """The last line that the repro prints."""
    source_file: str
    changes: tuple[Change, ...]
    """The right fix, ordered as git orders paths."""
    stat: str
    """A regular expression for what ``git diff --stat`` says of it."""
    neighbours: str
    """The test file next to it."""
    summary: str
    cause: str
    pull_title: str
    pull_body: str

    @property
    def body(self) -> str:
        """The issue's text, as PyTorch's form lays it out."""
        return (
            f"### 🐛 Describe the bug\n\n{self.words}\n\n```python\n{self.repro}```\n\n{self.shown}"
            f"### Versions\n\nPyTorch version: {VERSION}\nIs debug build: False\n"
            "CUDA used to build PyTorch: None\nOS: Debian GNU/Linux 12 (bookworm) (x86_64)\n"
            "Is CUDA available: False\n\ncc @mikaylagawarecki\n"
        )

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the fix changes."""
        return tuple(dict.fromkeys(change.path for change in self.changes))

    @property
    def lines(self) -> list[str]:
        """The lines of the draft's diff that name a file, go or come."""
        return [line for change in self.changes for line in change.lines]

    @property
    def run_neighbours(self) -> str:
        """The agent's command for the tests next to the fix."""
        return f"python pytorch/{self.neighbours}; echo exit status $?"


UNPAD_SEQUENCE = Bug(
    title="unpad_sequence(batch_first=False) transposes its input in place",
    words="""\
`torch.nn.utils.rnn.unpad_sequence` transposes its input in place when `batch_first=False`. The
sequences that it returns are right, but the tensor that I passed is transposed afterwards.""",
    repro="""\
import torch
from torch.nn.utils.rnn import pad_sequence, unpad_sequence

padded = pad_sequence([torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 5.0])])
shape = tuple(padded.shape)
unpad_sequence(padded, torch.tensor([3, 2]))
assert tuple(padded.shape) == shape, f"the caller's tensor became {tuple(padded.shape)}"
""",
    shown="",
    failure="AssertionError: the caller's tensor became (2, 3)",
    source_file="torch/nn/utils/rnn.py",
    changes=(
        Change(
            "torch/nn/utils/rnn.py",
            "        padded_sequences.transpose_(0, 1)\n",
            "        padded_sequences = padded_sequences.transpose(0, 1)\n",
        ),
    ),
    stat=r"rnn\.py \| 2 \+-.* 1 file changed",
    neighbours=TEST_PACKED_SEQUENCE,
    summary="`unpad_sequence` transposed the caller's tensor in place. It works on a view now.",
    cause="`unpad_sequence` calls `transpose_`, which works in place, on its argument.",
    pull_title="[nn] Do not modify the caller's tensor in unpad_sequence",
    pull_body="`unpad_sequence(batch_first=False)` left the caller's tensor transposed.",
)
"""A wrong result; its fix is one line."""

MODULE_LIST_INSERT = Bug(
    title="ModuleList.insert(-1, module) raises KeyError",
    words="""\
A Python list takes a negative index in `insert`, and `torch.nn.ModuleList` does so everywhere else
(`modules[-1]`, `del modules[-1]`), but its `insert` looks for a module of that name.""",
    repro="""\
import torch

modules = torch.nn.ModuleList()
modules.insert(-1, torch.nn.ReLU())
print(modules)
""",
    shown="""\
```
Traceback (most recent call last):
  File "/home/reporter/repro.py", line 4, in <module>
    modules.insert(-1, torch.nn.ReLU())
  File "/home/reporter/lib/python3.12/site-packages/torch/nn/modules/container.py", line 469, in insert
    self._modules[str(i)] = self._modules[str(i - 1)]
                            ~~~~~~~~~~~~~^^^^^^^^^^^^
KeyError: '-1'
```

""",
    failure="KeyError: '-1'",
    source_file="torch/nn/modules/container.py",
    changes=(
        Change(
            TEST_CONTAINER,
            "    def test_insert(self):\n",
            """\
    def test_insert_negative_index(self):
        for index in (-1, -2, -3):
            kinds = [nn.Identity, nn.Tanh]
            modules = nn.ModuleList(kind() for kind in kinds)
            modules.insert(index, nn.ReLU())
            kinds.insert(index, nn.ReLU)
            self.assertEqual([type(module) for module in modules], kinds)
            self.assertEqual(list(modules._modules), ["0", "1", "2"])

    def test_insert(self):
""",
        ),
        Change(
            "torch/nn/modules/container.py",
            "        for i in range(len(self._modules), index, -1):\n",
            """\
        if index < 0:
            index = max(index + len(self._modules), 0)
        for i in range(len(self._modules), index, -1):
""",
        ),
    ),
    stat=r"2 files changed, 11 insertions",
    neighbours=TEST_CONTAINER,
    summary="`ModuleList.insert` took a negative index for a name. It counts from the end now.",
    cause="`ModuleList.insert` does not count a negative index from the end.",
    pull_title="[nn] Take negative indices in ModuleList.insert",
    pull_body="`ModuleList.insert` raised `KeyError` for a negative index, unlike `list.insert`.",
)
"""An exception; its fix brings a test."""
