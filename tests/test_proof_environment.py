"""What this machine cannot show: something is broken, missing, or of another kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from bot.models import Verdict
from bot.workspace.repro import Repro, ReproKind
from tests.fakes.proof import MEND, REPRO, fenced, ground

if TYPE_CHECKING:
    from tests.fakes.proof import Ground

__all__ = ["ground"]


async def test_a_broken_environment(ground: Ground) -> None:
    """When a trivial program fails too, on an untouched tree, it is not the repro's doing."""
    packages = ground.shell.run("find", ground.layout.environment, "-name", "site-packages")
    site = f"{(await packages).stdout.strip()}/sitecustomize.py"
    await ground.shell.write(site, "import sys\nsys.modules['tinytorch'] = None\n")
    try:
        proof = await ground.prove(fenced(REPRO), edits=MEND)
    finally:
        await ground.shell.run("rm", "--", site)
    assert (proof.verdict, proof.green) == (Verdict.ENVIRONMENT, None)
    assert proof.sanity is not None
    assert proof.sanity.is_failure
    assert proof.why == snapshot(
        "A trivial program on an untouched tree fails here too. The agent says otherwise."
    )


async def test_something_that_is_not_there(ground: Ground) -> None:
    """A package that the repro needs and nobody installed."""
    needing = "import tinytorch\nimport torchvision_of_old\n"
    proof = await ground.prove(
        "```\nRuntimeError: bad\n```",
        repro=Repro(kind=ReproKind.PYTHON, text=needing, launcher="python"),
        claim="reproduced",
    )
    assert proof.verdict is Verdict.ENVIRONMENT
    assert proof.why == snapshot(
        "The repro needs the package `torchvision_of_old`, which is not installed here. The agent says otherwise."
    )


async def test_what_cannot_be_shown_here(ground: Ground) -> None:
    """Another device, another language, no program: one line, the agent's word, and no more."""
    said: list[str] = []
    for repro in (
        Repro(kind=ReproKind.PYTHON, text=REPRO, launcher="python", needs=("mps",)),
        Repro(kind=ReproKind.PYTHON, text=REPRO, launcher="python", needs=("cuda",)),
        Repro(kind=ReproKind.PYTHON, text=REPRO, launcher="python", needs=("cuda", "multi_gpu")),
        Repro(kind=ReproKind.CPP, text="__global__ void add(float* x) {}"),
        Repro(kind=ReproKind.NONE, reason="The issue holds no code that could be run."),
    ):
        proof = await ground.prove(repro=repro, edits=MEND)
        assert (proof.is_proved, proof.verdict, proof.red) == (False, Verdict.FIXED, None)
        said.append(proof.why)
    assert said == snapshot(
        [
            "The repro needs Apple's MPS, which this machine does not have.",
            "The repro needs a GPU, and this machine has none.",
            "The repro needs several GPUs, and this machine has none.",
            "The repro holds CUDA kernels, and only a C++ compiler is looked for here.",
            "There is no program that could be run.",
        ]
    )
    silent = await ground.prove(repro=Repro(kind=ReproKind.NONE), claim=None)
    assert (silent.is_proved, silent.verdict) == (False, Verdict.NOT_REPRODUCED)
