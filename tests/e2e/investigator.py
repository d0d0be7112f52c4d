"""What the model decides: each turn follows from what the program's tools really returned.

It goes on only while the machine shows what it must (the repro fails, the edit is made, the repro
passes), and quotes in its report what it saw. Where something else comes back it stops and says so.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes.model_script import ModelRequest, ToolCall, Turn, bash, edit, read, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.e2e.bugs import Bug

LAST_WORDS = "Reproduced, mended, and written up."

REPRO = "python repro.py; echo exit status $?"

_DIRECTORY = re.compile(r"Read (\S+)/brief\.md")


@dataclass(frozen=True, slots=True)
class _Step:
    """Tools that are called together, and what each must return for the work to go on."""

    say: str
    tools: Callable[[str, Sequence[str]], tuple[ToolCall, ...]]
    """From the job's directory and all results so far."""
    expects: tuple[str, ...]
    """A regular expression for each tool's result."""


def investigator(bug: Bug) -> Callable[[ModelRequest], Turn]:
    """Return who investigates a bug and mends it."""
    steps = _steps(bug)

    def investigate(asked: ModelRequest) -> Turn:
        """Answer a request of the conversation; the first words name the job's directory."""
        directory = _DIRECTORY.search(asked.prompt)
        if directory is None:
            return Turn("I stop: nobody told me where the brief is.")
        results = _results(asked)
        used = 0
        for step in steps:
            seen = results[used : used + len(step.expects)]
            if not seen:
                return Turn(step.say, step.tools(directory[1], results))
            used += len(seen)
            for expected, result in zip(step.expects, seen, strict=True):
                if re.search(expected, result, re.DOTALL) is None:
                    return Turn(f"I stop: not {expected!r} but {result[-1000:]!r}")
        return Turn(LAST_WORDS)

    return investigate


def has_edited(asked: ModelRequest) -> bool:
    """Whether an edit is the last that was done."""
    return re.search(_EDITED, asked.last) is not None


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


_PASSED = r"exit status 0"
_NEIGHBOURS_PASSED = r"OK.*exit status 0"
_EDITED = r"has been updated successfully"
_WRITTEN = r"created successfully"


def _steps(bug: Bug) -> tuple[_Step, ...]:
    failed = rf"{re.escape(bug.failure)}.*exit status 1"
    wrong = tuple(re.escape(change.old.strip().splitlines()[0]) for change in bug.changes)
    red = (bash(REPRO), bash(bug.run_neighbours))

    def run_red(_: str, __: Sequence[str]) -> tuple[ToolCall, ...]:
        return red

    def run_green(_: str, __: Sequence[str]) -> tuple[ToolCall, ...]:
        return (*red, bash("git -C pytorch diff --stat"))

    def brief(directory: str, _: Sequence[str]) -> tuple[ToolCall, ...]:
        return (read(f"{directory}/brief.md"), read(f"{directory}/issue.md"))

    def look(directory: str, _: Sequence[str]) -> tuple[ToolCall, ...]:
        return tuple(read(f"{directory}/pytorch/{change.path}") for change in bug.changes)

    def mend(directory: str, _: Sequence[str]) -> tuple[ToolCall, ...]:
        return tuple(
            edit(f"{directory}/pytorch/{change.path}", change.old, change.new)
            for change in bug.changes
        )

    def write_up(directory: str, results: Sequence[str]) -> tuple[ToolCall, ...]:
        again = 4 + 2 * len(bug.changes)
        return _written(bug, directory, before=results[2], after=results[again])

    return (
        _Step("I read.", brief, (r"# Brief: pytorch/pytorch#", re.escape(bug.title))),
        _Step("I run the repro as it is.", run_red, (failed, _NEIGHBOURS_PASSED)),
        _Step("It fails as reported.", look, wrong),
        _Step("The cause is clear.", mend, (_EDITED,) * len(bug.changes)),
        _Step(
            "I run everything again.",
            run_green,
            (_PASSED, _NEIGHBOURS_PASSED, bug.stat),
        ),
        _Step("I write it up.", write_up, (r"", _WRITTEN, _WRITTEN, _WRITTEN)),
    )


def _written(bug: Bug, directory: str, *, before: str, after: str) -> tuple[ToolCall, ...]:
    report = (
        f"## Reproduction\n\n`{REPRO}`, at the base commit:\n\n```\n{before}\n```\n\n"
        f"With the change:\n\n```\n{after}\n```\n\n"
        f"## Cause\n\n`{bug.source_file}`: {bug.cause}\n"
    )
    verdict = {
        "verdict": "fixed",
        "summary": bug.summary,
        "root_cause": f"{bug.source_file}: {bug.cause}",
        "failure": bug.failure,
        "tests": ["python repro.py", f"python {bug.neighbours}"],
        "missing": "",
    }
    pull = {
        "title": bug.pull_title,
        "body": bug.pull_body,
        "commit_message": f"{bug.pull_title}\n\n{bug.pull_body}",
    }
    return (
        bash("printf '%s\\n' '## Run 1' '- red before the change, green with it' >> worklog.md"),
        write(f"{directory}/report.md", report),
        write(f"{directory}/verdict.json", json.dumps(verdict)),
        write(f"{directory}/pr.json", json.dumps(pull)),
    )
