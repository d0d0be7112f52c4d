"""A proof, from the first clean place to the last one removed."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bot.errors import PatchRefused, PtqError, RemoteFileMissing, WorkspaceError
from bot.models import Proof
from bot.proof import command, cost, cpp, green, neighbours, oracle, places, reach, red, verdict
from bot.proof.places import Grounds
from bot.proof.verdict import Case
from bot.workspace.repro import ReproKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.machines.base import Shell
    from bot.models import AgentVerdict, IssueSnapshot, JobId, JobPaths, Mode, TorchBuild
    from bot.proof.oracle import Oracle
    from bot.proof.places import Place
    from bot.proof.trials import Program
    from bot.proof.verdict import Judgement
    from bot.settings import ProofSettings, TorchSettings
    from bot.workspace.layout import Layout
    from bot.workspace.repro import Repro

    Tell = Callable[[str], Awaitable[None]]

PROVED = "proved"

_log = structlog.stdlib.get_logger(__name__)


async def prove(  # noqa: PLR0913 -- all that a proof stands on, each by its name
    shell: Shell,
    *,
    layout: Layout,
    job: JobPaths,
    job_id: JobId,
    build: TorchBuild,
    torch: TorchSettings,
    settings: ProofSettings,
    repro: Repro,
    agent_repro: str | None,
    claim: AgentVerdict | None,
    mode: Mode,
    patch: str,
    issue: IssueSnapshot,
    tell: Tell,
    variables: Mapping[str, str] | None = None,
) -> Proof:
    """Show whether the repro fails without the patch and passes with it.

    ``agent_repro`` is the text of the agent's ``repro_agent.py``, ``claim`` its verdict, ``patch``
    the text of ``fix.diff``, which may be empty: all three are data from a hostile machine.
    ``variables`` is added to the environment of what is run (``CUDA_VISIBLE_DEVICES``). It may be
    called again at any time; it leaves nothing running and no directory of its own.

    Raise WorkspaceError when no clean place can be made, MachineUnreachable when the machine does
    not answer.
    """
    started = time.monotonic()
    builds = repro.kind is ReproKind.CPP and await cpp.has_compiler(shell)
    found = oracle.choose(
        repro, agent_repro=agent_repro, claim=claim, issue=issue, builds_cpp=builds
    )
    grounds = Grounds(
        shell=shell,
        layout=layout,
        job_id=job_id,
        build=build,
        torch=torch,
        variables=dict(variables or {}),
    )
    proving = _Proving(
        grounds=grounds, oracle=found, settings=settings, patch=patch if patch.strip() else ""
    )
    case = Case(
        claim=claim,
        mode=mode,
        has_patch=bool(proving.patch),
        oracle=found,
        is_repro_edited=await _is_edited(shell, job, repro),
    )
    proof = await proving.whole(case, tell=tell)
    proof = proof.model_copy(update={"seconds": round(time.monotonic() - started, 1)})
    _log.info(PROVED, verdict=proof.verdict, proved=proof.is_proved, seconds=proof.seconds)
    return proof


@dataclass(frozen=True, slots=True)
class _Proving:
    grounds: Grounds
    oracle: Oracle
    settings: ProofSettings
    patch: str

    async def whole(self, case: Case, *, tell: Tell) -> Proof:
        """Prove what can be proved here; clean up before and after."""
        grounds, repro = self.grounds, self.oracle.repro
        gpus = reach.gpus(grounds.build, grounds.variables)
        reason = reach.missing(repro, grounds.build, gpus=gpus)
        program = command.program(self.oracle, grounds.layout)
        if reason or program is None:
            judged = verdict.unproved(case, reason or "Nothing says how the repro is started.")
            return self._record(judged, is_proved=False)
        grounds = await places.opened(grounds)
        try:
            proof = await self._proved(grounds, case, program, tell=tell)
        except WorkspaceError:
            with suppress(PtqError):
                await places.clear(grounds)
            raise
        await places.clear(grounds)
        return proof

    async def _proved(self, grounds: Grounds, case: Case, program: Program, *, tell: Tell) -> Proof:
        await tell("Running the repro at the base commit.")
        base = await places.make(grounds, "base")
        if lacks := await cpp.build(grounds, base, self.oracle, self.settings):
            judged = verdict.unproved(case, lacks)
            return self._record(judged, is_proved=False)
        seen = await red.look(grounds, base, self.oracle, program, self.settings)
        proof = self._record(verdict.without_patch(case, seen)).model_copy(
            update={"signature": seen.signature, "red": seen.trials, "sanity": seen.sanity}
        )
        if seen.state != "reproduced" or not case.wants_green:
            return proof
        await tell("Running the repro with the patch.")
        try:
            tried = await green.look(
                grounds, base, seen, self.oracle, program, patch=self.patch, settings=self.settings
            )
        except PatchRefused as error:
            judged = verdict.refused(case, seen, str(error))
            return proof.model_copy(update=judged._asdict())
        near = ()
        if verdict.is_green(tried):
            await tell("Running the tests near the patch.")
            near = await self._neighbours(grounds, base, tried)
        judged = verdict.with_patch(case, seen, tried, near)
        slowdown = cost.slowdown(self.oracle, seen, tried.trials)
        return proof.model_copy(
            update={
                **judged._asdict(),
                "green": tried.trials,
                "neighbours": near,
                "slowdown": slowdown if verdict.is_green(tried) else None,
            }
        )

    async def _neighbours(
        self, grounds: Grounds, base: Place, tried: green.Green
    ) -> tuple[neighbours.Neighbour, ...]:
        return await neighbours.look(
            grounds, base, tried.place, tried.changes, budget=self.settings.tests_budget
        )

    def _record(self, judged: Judgement, *, is_proved: bool = True) -> Proof:
        build = self.grounds.build
        text = self.oracle.repro.text
        return Proof(
            verdict=judged.verdict,
            why=judged.why,
            is_proved=is_proved,
            repro_source=self.oracle.source,
            repro_sha256=_sha256(text) if text else None,
            repro_diff=self.oracle.diff,
            signature=next(iter(self.oracle.signatures), None),
            patch_sha256=_sha256(self.patch) if self.patch else None,
            torch_version=build.version,
            commit=build.base_commit,
            cuda=build.cuda,
            gpu=build.gpu,
            driver=build.driver,
            python=build.python,
        )


async def _is_edited(shell: Shell, job: JobPaths, repro: Repro) -> bool:
    """Whether the repro's file in the agent's directory is not the issue's any more."""
    if repro.filename is None:
        return False
    expected = repro.text.encode(errors="surrogatepass")
    try:
        path = f"{job.directory}/{repro.filename}"
        return await shell.read(path, limit=len(expected) + 1) != expected
    except RemoteFileMissing:
        return False


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
