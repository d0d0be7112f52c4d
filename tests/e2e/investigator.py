"""What the model decides: each turn follows from what the program's tools really returned.

It goes on only while the machine shows what it must (the repro fails, the edit is made, the repro
passes), and quotes in its report what it saw. Where something else comes back it stops and says so.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.e2e.pytorch import TEST_FILE
from tests.fakes.model_script import ModelRequest, ToolCall, Turn, bash, edit, read, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SOURCE_FILE = "torch/nn/utils/rnn.py"
WRONG = "        padded_sequences.transpose_(0, 1)\n"
RIGHT = "        padded_sequences = padded_sequences.transpose(0, 1)\n"

FAILURE = "AssertionError: the caller's tensor became (2, 3)"
SUMMARY = "`unpad_sequence` transposed the caller's tensor in place. It works on a view now."
TITLE = "[nn] Do not modify the caller's tensor in unpad_sequence"
LAST_WORDS = "Reproduced, mended, and written up."

REPRO = "python repro.py; echo exit status $?"
NEIGHBOURS = f"python pytorch/{TEST_FILE}; echo exit status $?"

_DIRECTORY = re.compile(r"Read (\S+)/brief\.md")


@dataclass(frozen=True, slots=True)
class _Step:
    """Tools that are called together, and what each must return for the work to go on."""

    say: str
    tools: Callable[[str, Sequence[str]], tuple[ToolCall, ...]]
    """From the job's directory and all results so far."""
    expects: tuple[str, ...]
    """A regular expression for each tool's result."""


def investigate(asked: ModelRequest) -> Turn:
    """Answer a request of the conversation; the first words name the job's directory."""
    directory = _DIRECTORY.search(asked.prompt)
    if directory is None:
        return Turn("I stop: nobody told me where the brief is.")
    results = _results(asked)
    used = 0
    for step in _STEPS:
        seen = results[used : used + len(step.expects)]
        if not seen:
            return Turn(step.say, step.tools(directory[1], results))
        used += len(seen)
        for expected, result in zip(step.expects, seen, strict=True):
            if re.search(expected, result, re.DOTALL) is None:
                return Turn(f"I stop: not {expected!r} but {result[-1000:]!r}")
    return Turn(LAST_WORDS)


def _results(asked: ModelRequest) -> list[str]:
    """Return what the tools returned, in the order of the calls: some run side by side."""
    messages: list[dict[str, Any]] = asked.body["messages"]
    blocks: list[dict[str, Any]] = [
        block
        for message in messages
        if not isinstance(message["content"], str)
        for block in message["content"]
    ]
    results = {
        block["tool_use_id"]: _text(block["content"])
        for block in blocks
        if block["type"] == "tool_result"
    }
    return [results[block["id"]] for block in blocks if block["type"] == "tool_use"]


def _text(content: str | list[dict[str, str]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.get("text", "") for block in content)


def has_edited(asked: ModelRequest) -> bool:
    """Whether the edit is the last that was done."""
    return re.search(_EDITED, asked.last) is not None


def _brief(directory: str, _: Sequence[str]) -> tuple[ToolCall, ...]:
    return (read(f"{directory}/brief.md"), read(f"{directory}/issue.md"))


def _red(*_: object) -> tuple[ToolCall, ...]:
    return (bash(REPRO), bash(NEIGHBOURS))


def _look(directory: str, _: Sequence[str]) -> tuple[ToolCall, ...]:
    return (read(f"{directory}/pytorch/{SOURCE_FILE}"),)


def _mend(directory: str, _: Sequence[str]) -> tuple[ToolCall, ...]:
    return (edit(f"{directory}/pytorch/{SOURCE_FILE}", WRONG, RIGHT),)


def _green(*_: object) -> tuple[ToolCall, ...]:
    return (bash(REPRO), bash(NEIGHBOURS), bash("git -C pytorch diff --stat"))


def _write_up(directory: str, results: Sequence[str]) -> tuple[ToolCall, ...]:
    before, after = results[2], results[6]
    report = (
        f"## Reproduction\n\n`{REPRO}`, at the base commit:\n\n```\n{before}\n```\n\n"
        f"With the change:\n\n```\n{after}\n```\n\n"
        f"## Cause\n\n`{SOURCE_FILE}` calls `transpose_`, which works in place, on its argument.\n"
    )
    verdict = {
        "verdict": "fixed",
        "summary": SUMMARY,
        "root_cause": f"{SOURCE_FILE}, unpad_sequence: `transpose_` on the argument.",
        "failure": FAILURE,
        "tests": ["python repro.py", f"python {TEST_FILE}"],
        "missing": "",
    }
    pull = {
        "title": TITLE,
        "body": "`unpad_sequence(batch_first=False)` left the caller's tensor transposed.",
        "commit_message": f"{TITLE}\n\nIt transposed its argument in place.",
    }
    return (
        bash("printf '%s\\n' '## Run 1' '- red before the change, green with it' >> worklog.md"),
        write(f"{directory}/report.md", report),
        write(f"{directory}/verdict.json", json.dumps(verdict)),
        write(f"{directory}/pr.json", json.dumps(pull)),
    )


_FAILED = rf"{re.escape(FAILURE)}.*exit status 1"
_PASSED = r"exit status 0"
_NEIGHBOURS_PASSED = r"OK.*exit status 0"
_EDITED = r"has been updated successfully"
_WRITTEN = r"created successfully"
_STEPS = (
    _Step("I read.", _brief, (r"# Brief: pytorch/pytorch#", r"transposes its input in place")),
    _Step("I run the repro as it is.", _red, (_FAILED, _NEIGHBOURS_PASSED)),
    _Step("It fails as reported.", _look, (re.escape(WRONG.strip()),)),
    _Step("The cause is one line.", _mend, (_EDITED,)),
    _Step(
        "I run everything again.",
        _green,
        (_PASSED, _NEIGHBOURS_PASSED, r"rnn\.py \| 2 \+-.* 1 file changed"),
    ),
    _Step("I write it up.", _write_up, (r"", _WRITTEN, _WRITTEN, _WRITTEN)),
)
