"""Which program decides, and what counts as its failure. Pure."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.models import FailureKind, Signature
from bot.proof import cpp, distinctive, reported
from bot.proof.script import Script
from bot.workspace.repro import Repro, ReproKind
from bot.workspace.repro.needs import of_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.models import AgentVerdict, IssueSnapshot

AGENT_REPRO = "repro_agent.py"
"""Where an agent leaves a program of its own (``prompts/investigate.md``)."""
MAX_AGENT_REPRO = 100_000
"""Characters of a repro that an agent wrote."""
_MAX_DIFF = 20_000
_KEPT = 0.6
"""The part of the issue's lines that an agent's completed copy must keep to count as a copy."""
_CLAIMED = re.compile(
    r"^(?:[A-Za-z_]\w*\.){0,12}(?P<name>[A-Za-z_]\w{0,100})(?::\s*(?P<message>.*))?$"
)
_CLAIMED_HANG = re.compile(r"^\W*(?:a )?(?:hang|deadlock|time ?out)", re.IGNORECASE)
_PYTHON = frozenset({ReproKind.PYTHON, ReproKind.TORCHRUN})


@dataclass(frozen=True, slots=True)
class Oracle:
    """The program, and how its failure is known."""

    repro: Repro
    source: Literal["issue", "agent", "none"]
    diff: str
    """How the agent's program differs from the issue's, where the agent completed that."""
    script: Script
    signatures: tuple[Signature, ...]
    """Any of them counts as the failure; none where nothing tells what it is."""
    is_rare: bool
    """Whether the issue says that it does not always fail."""

    @property
    def filename(self) -> str | None:
        """How the program's file is called in the job's directory."""
        return AGENT_REPRO if self.source == "agent" else self.repro.filename

    @property
    def decides(self) -> bool:
        """Whether a run that passes says that the bug is absent."""
        of_issue = [one for one in self.signatures if one.source == "issue"]
        return self.source == "issue" and (self.script.has_oracle or bool(of_issue))


def choose(
    repro: Repro,
    *,
    agent_repro: str | None,
    claim: AgentVerdict | None,
    issue: IssueSnapshot,
    builds_cpp: bool = False,
) -> Oracle:
    """Take the issue's program and failure, and the agent's only where the issue has none.

    A program in C++ is as good as none where nothing builds it.
    """
    failures = reported.failures(issue)
    own = _own(repro)
    is_usable = repro.kind is not ReproKind.NONE and (repro.kind is not ReproKind.CPP or builds_cpp)
    theirs = _readable(agent_repro)
    if theirs is not None and not is_usable:
        chosen, source, diff, own = _of_agent(theirs, repro), "agent", "", Script.read(theirs)
    elif theirs is not None and _is_completed(repro, own, failures, theirs):
        chosen, source, own = _of_agent(theirs, repro), "agent", Script.read(theirs)
        diff = _diff(repro.text, theirs)
    else:
        source = "none" if repro.kind is ReproKind.NONE else "issue"
        chosen, diff = repro, ""
    signatures = tuple(dict.fromkeys(_signatures(chosen, source, own, failures, claim, issue)))
    return Oracle(
        repro=chosen,
        source=source,
        diff=diff,
        script=own,
        signatures=signatures,
        is_rare=reported.is_rare(issue),
    )


def claimed(failure: str) -> Signature | None:
    """Read how an agent says that the bug shows itself."""
    line = failure.strip().partition("\n")[0][:1000].strip("`* ")
    if _CLAIMED_HANG.match(line):
        return Signature(kind=FailureKind.HANG, source="agent")
    crash = reported.crash(line)
    if crash is not None:
        return crash.model_copy(update={"source": "agent"})
    named = _CLAIMED.match(line)
    if named is None or not named["name"][0].isupper():
        return None
    is_check = named["name"] == "AssertionError"
    return Signature(
        kind=FailureKind.WRONG_RESULT if is_check else FailureKind.EXCEPTION,
        exception=named["name"],
        message=distinctive.part(named["message"] or ""),
        source="agent",
    )


def _own(repro: Repro) -> Script:
    """Read what the issue's program says of itself."""
    if repro.kind is ReproKind.CPP:
        return cpp.read(repro.text)
    return Script.read(repro.text) if repro.kind in _PYTHON else Script()


def _signatures(
    repro: Repro,
    source: str,
    script: Script,
    failures: tuple[Signature, ...],
    claim: AgentVerdict | None,
    issue: IssueSnapshot,
) -> Iterator[Signature]:
    if repro.kind is ReproKind.TEST:
        yield Signature(kind=FailureKind.TEST)
        yield from (one for one in failures if one.kind is FailureKind.HANG)
        return
    theirs = claimed(claim.failure) if claim is not None else None
    if theirs is not None and _is_in_issue(theirs, issue):
        theirs = theirs.model_copy(update={"source": "issue"})
        yield theirs
    yield from failures
    is_told = any(one.kind is not FailureKind.HANG for one in failures)
    if script.has_oracle and source == "issue":
        yield Signature(kind=FailureKind.WRONG_RESULT)
    elif not is_told:
        if script.has_oracle:
            yield Signature(kind=FailureKind.WRONG_RESULT, source="agent")
        if theirs is not None:
            yield theirs


def _is_in_issue(signature: Signature, issue: IssueSnapshot) -> bool:
    """Whether the issue's own text shows what the agent says."""
    if not (signature.exception and signature.message):
        return False
    text = "\n".join([issue.title, *reported.texts(issue)])
    return signature.exception in text and signature.message in text


def _readable(agent_repro: str | None) -> str | None:
    """Return the agent's program if it is one that may be run."""
    if agent_repro is None or not agent_repro.strip() or len(agent_repro) > MAX_AGENT_REPRO:
        return None
    return agent_repro


def _is_completed(repro: Repro, own: Script, failures: tuple[Signature, ...], theirs: str) -> bool:
    """Whether the issue's program only prints, and the agent's is that with a judgement."""
    if repro.kind not in _PYTHON or own.has_oracle or not Script.read(theirs).checks:
        return False
    if any(one.kind is not FailureKind.HANG for one in failures):
        return False
    wanted = _lines(repro.text)
    there = set(_lines(theirs))
    return sum(line in there for line in wanted) >= _KEPT * len(wanted)


def _lines(text: str) -> list[str]:
    """Return the lines that do something, without what only shows it."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "print("))]


def _of_agent(text: str, repro: Repro) -> Repro:
    """Return the agent's program, started as the issue's is."""
    is_own = repro.kind in _PYTHON
    launcher = repro.launcher if is_own and repro.launcher else "python"
    return Repro(
        kind=repro.kind if is_own else ReproKind.PYTHON,
        text=text,
        launcher=launcher,
        source="the agent",
        needs=of_program(text, launcher=launcher, labels=(), title=""),
        reason="The agent wrote it.",
    )


def _diff(before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "repro.py", AGENT_REPRO, lineterm=""
    )
    return "\n".join(lines)[:_MAX_DIFF]
