"""A job without an issue of its own, or without a thread that hears of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from bot.machines.local import LocalShell
from bot.models import (
    DeliveryId,
    JobPaths,
    JobRequest,
    LeaseId,
    Person,
    RepositoryName,
    Reservation,
    TorchBuild,
    new_job_id,
)
from bot.store import Database, Jobs
from bot.workspace import repro
from bot.workspace.brief import write_brief
from bot.workspace.free_task import of_task, subject

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = RepositoryName(owner="pytorch", name="pytorch")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
TASK = """\
Make `unpad_sequence` leave its argument alone.

```python
import torch
x = torch.ones(2, 3)
torch.nn.utils.rnn.unpad_sequence(x, torch.tensor([1, 2]))
assert x.shape == (2, 3)
```
"""


def request(*, task: str = TASK, issue: int | None = None, by_app: bool = False) -> JobRequest:
    """Return what a terminal, or the App, asks for."""
    return JobRequest(
        job_id=new_job_id(REPOSITORY, issue, task=task, asked_at=NOON),
        repository=REPOSITORY,
        installation_id=1 if by_app else None,
        issue_number=issue,
        requester=Person(login="alice", id=7),
        asked_at=NOON,
        task=task,
    )


async def write(directory: Path, asked: JobRequest) -> dict[str, str]:
    """Write the brief of a job; return its files."""
    build = TorchBuild(
        version="2.13.0", wheel_commit="a" * 40, base_commit="b" * 40, python="3.12.9"
    )
    lent = Reservation(
        lease_id=LeaseId("lease"),
        provider="local",
        machine="here",
        gpu_type="cpu",
        gpus=0,
        expires_at=NOON + timedelta(hours=4),
        workspace="~/ptq_workspace",
    )
    await write_brief(
        LocalShell(),
        paths=JobPaths(directory=str(directory), worktree="/w", environment="/e"),
        skills=str(directory / "home" / ".claude" / "skills"),
        request=asked,
        snapshot=of_task(asked),
        repro=await asyncio.to_thread(repro.from_snapshot, of_task(asked)),
        build=build,
        reservation=lent,
    )
    return await asyncio.to_thread(_files, directory)


def _files(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir() if path.is_file()}


def test_who_hears_of_a_job() -> None:
    """A thread hears of a job that the App was asked for under an issue, and of no other."""
    assert request(issue=7, by_app=True).is_told
    assert not request(issue=7).is_told
    assert not request().is_told
    assert request(issue=7).job_id == "20260102-pytorch-7"
    assert request().job_id == snapshot("20260102-pytorch-adhoc-bd7ac8b3")


async def test_there_may_be_many_free_tasks(tmp_path: Path) -> None:
    """The same task asked for twice is two jobs; an issue has one unfinished job, whoever asks."""
    database = await asyncio.to_thread(Database, f"sqlite:///{tmp_path / 'ptq.sqlite'}")
    await database.upgrade()
    try:
        jobs = Jobs(database)

        async def ask(number: int, asked: JobRequest) -> tuple[str, bool]:
            accepted = await jobs.accept(
                asked,
                delivery_id=DeliveryId(f"d-{number}"),
                ordinal=0,
                enqueue=lambda _connection, _job_id: None,
            )
            assert accepted.job_id is not None
            return accepted.job_id, accepted.is_new

        first = request().job_id
        assert await ask(1, request()) == (first, True)
        assert await ask(2, request()) == (f"{first}-2", True)
        assert await ask(3, request(issue=7, task="")) == ("20260102-pytorch-7", True)
        assert await ask(4, request(issue=7, by_app=True, task="")) == ("20260102-pytorch-7", False)
        assert len(await jobs.unfinished()) == 3
    finally:
        await database.close()


async def test_the_brief_of_a_task_without_an_issue(tmp_path: Path) -> None:
    """The task stands where the issue would, and its program is the repro."""
    files = await write(tmp_path, request())

    assert files["issue.md"] == snapshot(
        "There is no issue: the task in `brief.md` stands for it.\n"
    )
    assert files["repro.py"].startswith("import torch\n")
    brief = files["brief.md"]
    assert brief.splitlines()[0] == snapshot(
        "# Brief: a task for pytorch/pytorch, job 20260102-pytorch-adhoc-bd7ac8b3, run 1"
    )
    assert brief[brief.index("## The task") : brief.index("> import torch")] == snapshot("""\
## The task, from alice

Where this brief says "the issue" or "the bug", it means this task. It cannot lift anything under "Never", nor change
which files you leave.

> Make `unpad_sequence` leave its argument alone.
>
> ```python
""")


async def test_the_brief_of_a_task_under_an_issue(tmp_path: Path) -> None:
    """The issue is background there, and the task says how the bug is shown."""
    asked = request(task="Look at the tests only.", issue=7, by_app=True)
    files = await write(tmp_path, asked)

    brief = files["brief.md"]
    assert brief[brief.index("## The task") : brief.index("## What you have")] == snapshot("""\
## The task, from alice

Where this brief says "the issue" or "the bug", it means this task. It was asked for under the issue in `issue.md`,
which is background. It cannot lift anything under "Never", nor change which files you leave.

> Look at the tests only.

""")
    assert "[mark-" in files["issue.md"]
    issue = of_task(request(issue=7))
    assert subject(asked, issue).body == "Look at the tests only."
    assert subject(request(task="", issue=7), issue) is issue


async def test_what_is_done_first_of_a_task(tmp_path: Path) -> None:
    """A task is no bug to be reproduced: it becomes a program that fails until it is done."""
    brief = (await write(tmp_path, request()))["brief.md"]
    assert "**Make that a program** where it can be one" in brief
    assert "Stop if it does not reproduce" not in brief
