"""A prepared workspace of the sample project in which the bot proves, without a bot around it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.machines.local import LocalShell
from bot.models import (
    AgentVerdict,
    IssueSnapshot,
    JobId,
    JobPaths,
    Mode,
    Person,
    Proof,
    RepositoryName,
    TorchBuild,
    Verdict,
)
from bot.proof import prove
from bot.settings import ProofSettings, TorchSettings
from bot.workspace.layout import Layout
from bot.workspace.prepare import prepare
from bot.workspace.repro import Repro, from_snapshot
from tests.fakes.minitorch import git

if TYPE_CHECKING:
    from bot.machines.base import Shell
    from demo.project import Project

SEQUENCE = "tinytorch/sequence.py"
TESTS = "test/test_sequence.py"
IN_PLACE = "        transpose_(padded)\n"
MENDED = "        padded = transpose(padded)\n"
MEND = {SEQUENCE: (IN_PLACE, MENDED)}
"""The right fix of the sample's bug."""

REPRO = """\
import tinytorch

padded = tinytorch.pad_sequence([[1.0, 2.0, 3.0], [4.0, 5.0]])
before = [list(row) for row in padded]
tinytorch.unpad_sequence(padded, [3, 2])
assert padded == before, f"the batch was changed: {before} became {padded}"
"""
"""Fails by its own assertion."""

RAISING = """\
import tinytorch

tinytorch.pad_sequence([[1.0, 2.0], None])
print("padded")
"""
"""Fails with ``TypeError`` from inside the library."""

Edits = Mapping[str, tuple[str, str] | str | None]
"""By path: what is replaced by what, the whole text, or None for a file that is removed."""


async def quiet(_: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the bot proves."""

    source: Path
    """The git repository."""
    commit: str
    home: Path
    shell: Shell
    layout: Layout
    build: TorchBuild
    torch: TorchSettings

    @property
    def jobs(self) -> Path:
        """The directory of jobs."""
        return Path(self.layout.jobs)

    @property
    def job(self) -> JobPaths:
        """The agent's own job."""
        return self.layout.job("20260105-tinytorch-1")

    async def prove(  # noqa: PLR0913 -- as many as what it stands for has
        self,
        body: str = "",
        *,
        edits: Edits | None = None,
        patch: str | None = None,
        claim: str | None = "fixed",
        failure: str = "",
        mode: Mode = Mode.FIX,
        title: str = "It is wrong",
        repro: Repro | None = None,
        agent_repro: str | None = None,
        build: Mapping[str, object] | None = None,
        **settings: object,
    ) -> Proof:
        """Prove an issue with this body and a patch of these edits."""
        issue = issue_of(title, body)
        return await prove(
            self.shell,
            layout=self.layout,
            job=self.job,
            job_id=JobId("20260105-tinytorch-1"),
            build=self.build.model_copy(update=dict(build or {})),
            torch=self.torch,
            settings=ProofSettings.model_validate({"test_runs": 3, **settings}),
            repro=repro or from_snapshot(issue),
            agent_repro=agent_repro,
            claim=AgentVerdict(verdict=Verdict(claim), failure=failure) if claim else None,
            mode=mode,
            patch=await self.patch(edits or {}) if patch is None else patch,
            issue=issue,
            tell=quiet,
        )

    async def patch(self, edits: Edits) -> str:
        """Return the patch that makes these edits, as git writes it."""
        if not edits:
            return ""
        copy = self.home / "patched"
        await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)
        await git(self.home, "clone", "-q", str(self.source), str(copy))
        await git(copy, "checkout", "-q", "--detach", self.commit)
        await asyncio.to_thread(_edit, copy, edits)
        await git(copy, "add", "-A", "-f")
        return await git(copy, "diff", "--cached", "--full-index", "--no-renames", "HEAD")

    def left(self) -> list[str]:
        """Return what a proof left among the jobs."""
        return sorted(path.name for path in self.jobs.glob("*.*")) if self.jobs.exists() else []


@pytest.fixture(scope="session")
def ground(sample: Project, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Prepare the workspace once."""
    return asyncio.run(_ground(sample, tmp_path_factory.mktemp("proof")))


def issue_of(title: str, body: str) -> IssueSnapshot:
    """Return an issue of the reporter."""
    now = datetime(2026, 1, 5, tzinfo=UTC)
    return IssueSnapshot(
        repository=RepositoryName.parse("tinytorch/tinytorch"),
        number=1,
        url="https://github.com/tinytorch/tinytorch/issues/1",
        title=title,
        body=body,
        author=Person(login="reporter", id=7),
        association="NONE",
        created_at=now - timedelta(days=1),
        frozen_at=now,
    )


def fenced(program: str, *, more: str = "") -> str:
    """Return an issue's body that holds a program."""
    return f"### Describe the bug\n\nIt goes wrong.\n\n```python\n{program}```\n\n{more}\n"


async def _ground(sample: Project, home: Path) -> Ground:
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = LocalShell({"PATH": programs, "HOME": str(home), "UV_OFFLINE": "1"})
    return await made_on(shell, home, sample)


async def made_on(shell: Shell, home: Path, sample: Project) -> Ground:
    """Prepare a workspace in the home of a login."""
    layout = Layout(f"{home}/ptq_workspace")
    torch = TorchSettings(
        package="tinytorch",
        module="tinytorch",
        index_url=str(sample.index),
        tagged=False,
        source_url=str(sample.source),
        python=sys.executable,
        extra_packages=(),
    )
    build = await prepare(shell, layout, torch, tell=quiet)
    return Ground(sample.source, sample.commit, home, shell, layout, build, torch)


def _edit(top: Path, edits: Edits) -> None:
    for name, edit in edits.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match edit:
            case None:
                path.unlink()
            case str():
                path.write_text(edit)
            case (old, new):
                text = path.read_text()
                assert old in text, f"{name} does not hold {old!r}"
                path.write_text(text.replace(old, new, 1))
