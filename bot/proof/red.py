"""The repro at the base commit: does it fail, and as the issue says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.proof import matching, tracebacks, trials
from bot.proof.trials import Program
from bot.workspace.repro import ReproKind

if TYPE_CHECKING:
    from bot.models import Signature, Trial, Trials
    from bot.proof.oracle import Oracle
    from bot.proof.places import Grounds, Place
    from bot.proof.trials import Seen
    from bot.settings import ProofSettings

State = Literal["reproduced", "passing", "other", "environment"]

_LACKS = (
    (
        re.compile(r"No module named '(?P<name>[\w.]{1,100})'"),
        "the package `{name}`, which is not installed here",
    ),
    (
        re.compile(
            r"(?P<name>Torch not compiled with CUDA enabled|No CUDA GPUs are available"
            r"|Found no NVIDIA driver|CUDA driver version is insufficient)"
        ),
        "a GPU that works here",
    ),
    (re.compile(r"(?P<name>CUDA out of memory)"), "more memory than this GPU has"),
    (
        re.compile(
            r"(?P<name>Temporary failure in name resolution|Name or service not known"
            r"|Network is unreachable|urlopen error)"
        ),
        "the network, which is closed here",
    ),
)
_NO_PROGRAM = 127
_LAST_LINES = 5


@dataclass(frozen=True, slots=True)
class Red:
    """What the repro did at the base commit."""

    state: State
    signature: Signature | None
    trials: Trials
    seen: tuple[Seen, ...]
    sanity: Trial | None = None
    lacks: str = ""
    """What this machine lacks, where that is why: a sentence."""


async def look(
    grounds: Grounds, place: Place, oracle: Oracle, program: Program, settings: ProofSettings
) -> Red:
    """Run the repro at the base commit, more often when its runs differ."""
    seen = await _runs(grounds, place, oracle, program, settings)
    signature, found = matching.judged(oracle, program, seen)
    if found.matching:
        return Red("reproduced", signature, found, tuple(seen))
    if all(matching.nothing_ran(oracle, one) for one in seen):
        lacks = "The test is skipped here, so it shows nothing."
        return Red("environment", signature, found, tuple(seen), lacks=lacks)
    if found.passed == found.count:
        return Red("passing", signature, found, tuple(seen))
    failed = next(run for run, one in zip(seen, found.trials, strict=True) if one.is_failure)
    sanity = await _sanity(grounds, place, settings)
    lacks = _lack(grounds, failed)
    state: State = "environment" if sanity.is_failure or lacks else "other"
    return Red(state, signature, found, tuple(seen), sanity, lacks)


async def _runs(
    grounds: Grounds, place: Place, oracle: Oracle, program: Program, settings: ProofSettings
) -> list[Seen]:
    is_test = oracle.repro.kind is ReproKind.TEST
    first = settings.test_runs if is_test else settings.runs
    limit = settings.time_limit
    seen = await trials.run(grounds, place, program, count=first, limit=limit)
    more = 0 if is_test else settings.runs_when_mixed - first
    _, found = matching.judged(oracle, program, seen)
    differ = len({(one.is_failure, one.matches) for one in found.trials}) > 1
    may_be_rare = oracle.is_rare and found.passed == found.count
    if more > 0 and (differ or may_be_rare):
        seen += await trials.run(grounds, place, program, count=more, limit=limit)
    return seen


async def _sanity(grounds: Grounds, place: Place, settings: ProofSettings) -> Trial:
    """Run a trivial program on the untouched tree."""
    module = grounds.torch.module
    text = f"import {module}\n"
    if module == "torch":
        device = "cuda" if grounds.build.gpu and grounds.build.cuda else "cpu"
        text += f"a = torch.ones(8, 8, device={device!r})\n"
        text += "assert (a @ a).sum().item() == 512.0, a @ a\n"
    program = Program(
        argv=("python", "sanity.py"), shown=("python", "sanity.py"), files={"sanity.py": text}
    )
    seen = await trials.run(grounds, place, program, count=1, limit=settings.time_limit)
    return matching.trial(program, seen[0], matches=False)


def _lack(grounds: Grounds, seen: Seen) -> str:
    """Return what the machine lacks by what the program ended with; warnings do not count."""
    if seen.exit_status == _NO_PROGRAM:
        return "The repro needs a program that is not installed here."
    raised = [f"{one.exception}: {one.message}" for one in tracebacks.read(seen.output)]
    said = "\n".join(raised or seen.output.splitlines()[-_LAST_LINES:])
    for pattern, words in _LACKS:
        found = pattern.search(said)
        if found is not None and found["name"].partition(".")[0] != grounds.torch.module:
            return f"The repro needs {words.format(name=found['name'])}."
    return ""
