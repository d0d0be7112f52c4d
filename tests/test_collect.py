"""What an agent left comes back as data, and the patch is made by us."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.errors import WorkspaceError
from bot.models import Verdict
from bot.workspace.collect import JSON_LIMIT, collect, read_verdict
from tests.fakes.minijob import Job, make_job

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
async def job(tmp_path: Path) -> Job:
    """Return a job whose agent has changed nothing."""
    return await make_job(tmp_path)


async def test_what_the_agent_left_comes_back(job: Job) -> None:
    """Report, worklog, verdict, pull request text, brief and log are fetched, for us alone."""
    for name in ("report.md", "worklog.md", "pr.json", "brief.md", "claude-1.log"):
        (job.directory / name).write_text(f"{name}\n")
    (job.directory / "verdict.json").write_text('{"verdict": "fixed", "summary": "Done."}')
    (job.directory / "claude-2.log").write_text("another run\n")

    collected = await job.collect()

    assert collected.files == snapshot(
        {
            "report.md": 10,
            "worklog.md": 11,
            "verdict.json": 40,
            "pr.json": 8,
            "brief.md": 9,
            "fix.diff": 0,
            "log": 13,
        }
    )
    assert (job.into / "log").read_text() == "claude-1.log\n"
    assert collected.agent_verdict is not None
    assert collected.agent_verdict.verdict is Verdict.FIXED
    assert (collected.truncated, collected.partial, collected.verdict_problem) == ((), False, "")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in job.into.iterdir()}
    assert modes == {0o600}
    assert await job.collect() == collected


async def test_an_agent_that_left_nothing_is_no_error(job: Job) -> None:
    """Without files and changes there is an empty patch and a sentence about the verdict."""
    collected = await job.collect()

    assert collected.files == {"fix.diff": 0}
    assert collected.agent_verdict is None
    assert collected.verdict_problem == snapshot("The agent left no verdict.json.")


async def test_links_and_special_files_are_not_fetched(job: Job, tmp_path: Path) -> None:
    """An artifact is a regular file; what a link points at is never read."""
    (tmp_path / "secret").write_text("secret")
    (job.directory / "report.md").symlink_to(tmp_path / "secret")
    (job.directory / "worklog.md").mkdir()
    os.mkfifo(job.directory / "pr.json")
    (job.directory / "fix.diff").symlink_to(tmp_path / "secret")

    assert (await job.collect()).files == {"fix.diff": 0}
    (job.directory / "fix.diff").unlink()
    (job.directory / "fix.diff").mkdir()
    assert (await job.collect()).files == {"fix.diff": 0}
    assert (tmp_path / "secret").read_text() == "secret"


async def test_a_long_log_loses_its_middle(job: Job) -> None:
    """Of an artifact over the limit its beginning and its end come back, with a note between."""
    (job.directory / "claude-1.log").write_text("a" * 500 + "b" * 5000 + "c" * 500)

    collected = await job.collect(limit=1000)

    assert collected.truncated == ("log",)
    text = (job.into / "log").read_text()
    assert text == "a" * 500 + "\n\n[… 5,000 bytes left out …]\n\n" + "c" * 500


async def test_a_worktree_that_is_gone_leaves_the_rest(job: Job) -> None:
    """Whatever happened to the worktree, the report still comes back, marked as partial."""
    (job.directory / "report.md").write_text("# Report\n")
    (job.directory / "fix.diff").write_text("the agent's own\n")
    job.worktree.rename(job.directory / "moved")

    collected = await job.collect()

    assert collected.partial
    assert collected.files == {"report.md": 9}


async def test_an_agents_name_is_a_plain_word(job: Job) -> None:
    """No name leads to another file than a log in the job's directory."""
    with pytest.raises(WorkspaceError):
        await collect(job.shell, job.paths, job.build, run=1, agent="../x", into=job.into, limit=1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "Invalid JSON: EOF while parsing a value at line 1 column 0."),
        (b"\xff", "Invalid JSON: expected value at line 1 column 1."),
        (b"[" * 100_000, "Invalid JSON: recursion limit exceeded at line 1 column 202."),
        (b"[]", "Input should be an object."),
        (b"{}", "verdict: Field required."),
        (b'{"verdict": "fixed", "tests": "all"}', "tests: Input should be a valid array."),
        (
            json.dumps({"verdict": "fixed", "summary": "x" * 5000}).encode(),
            "summary: String should have at most 4000 characters.",
        ),
        (
            b'{"verdict": "great"}',
            (
                "verdict: Input should be 'reproduced', 'not_reproduced', 'fixed', 'not_fixed', "
                "'broke_others', 'already_passing', 'environment' or 'error'."
            ),
        ),
    ],
)
def test_a_wrong_verdict_is_told_in_a_sentence(data: bytes, reason: str) -> None:
    """Whatever verdict.json holds, people read what is wrong with it and none of its text."""
    assert read_verdict(data) == (None, f"verdict.json is wrong: {reason}")


def test_a_huge_verdict_is_not_read() -> None:
    """A verdict over the limit is no verdict."""
    assert read_verdict(b" " * (JSON_LIMIT + 1)) == (
        None,
        snapshot("verdict.json has more than 262,144 bytes."),
    )


def test_a_verdict_may_hold_more_than_we_ask_for() -> None:
    """Unknown keys of an agent's file are ignored."""
    verdict, problem = read_verdict(b'{"verdict": "not_reproduced", "mood": 1, "missing": "seed"}')
    assert problem == ""
    assert verdict is not None
    assert (verdict.verdict, verdict.missing) == (Verdict.NOT_REPRODUCED, "seed")
