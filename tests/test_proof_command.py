"""How a repro is started, what it takes, and what a patch costs."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.models import FailureKind, Signature, TorchBuild, Trials
from bot.proof import command, cost, matching, oracle, reach
from bot.proof.red import Red
from bot.proof.trials import Program, Seen
from bot.workspace.layout import Layout
from bot.workspace.repro import Repro, ReproKind
from tests.fakes.proof import REPRO, issue_of

LAYOUT = Layout("/w")
BUILD = TorchBuild(version="2.13.0", wheel_commit="0" * 40, base_commit="0" * 40, python="3.12")
GPU = BUILD.model_copy(update={"gpu": "NVIDIA H100", "cuda": "13.0"})


def chosen(repro: Repro, *, agent_repro: str | None = None) -> oracle.Oracle:
    """Return the oracle of an issue that says nothing else."""
    return oracle.choose(repro, agent_repro=agent_repro, claim=None, issue=issue_of("", ""))


@pytest.mark.parametrize(
    ("kind", "launcher", "argv"),
    [
        (ReproKind.PYTHON, "python", "python RUN repro.py"),
        (ReproKind.PYTHON, "python -W ignore -u", "python -W ignore -u RUN repro.py"),
        (ReproKind.PYTHON, "python repro.py --x 1", "python RUN repro.py --x 1"),
        (ReproKind.PYTHON, "A=1 B=2 python", "env A=1 B=2 python RUN repro.py"),
        (ReproKind.PYTHON, "python -m pytest", "python RUN -m pytest repro.py"),
        (
            ReproKind.TORCHRUN,
            "torchrun --nproc_per_node 2",
            "torchrun --nproc_per_node 2 RUN repro.py",
        ),
        (
            ReproKind.TORCHRUN,
            "python -m torch.distributed.run --nproc_per_node=2 repro.py --x",
            "python -m torch.distributed.run --nproc_per_node=2 RUN repro.py --x",
        ),
        (ReproKind.TEST, "python test/test_a.py A.test_b", "python RUN test/test_a.py A.test_b"),
        (ReproKind.TEST, "python -m pytest test -k a", "python RUN -m pytest test -k a"),
        (ReproKind.SHELL, "bash", "bash repro.sh"),
    ],
)
def test_the_program_that_marks_the_end_stands_before_the_script(
    kind: ReproKind, launcher: str, argv: str
) -> None:
    """Whatever starts the processes, each of them says that it came to its end."""
    program = command.program(chosen(Repro(kind=kind, text="1\n", launcher=launcher)), LAYOUT)
    assert program is not None
    assert " ".join(program.argv).replace("/w/scripts/run_to_end.py", "RUN") == argv
    assert program.is_marked is (" RUN " in argv)
    assert "RUN" not in " ".join(program.shown)
    assert program.in_worktree is (kind is ReproKind.TEST)


def test_a_program_that_ends_itself_is_not_asked_for_its_end() -> None:
    """Who calls ``os._exit`` at the end of a repro has no other end."""
    repro = Repro(kind=ReproKind.PYTHON, text="import os\nos._exit(1 == 2)\n", launcher="python")
    program = command.program(chosen(repro), LAYOUT)
    assert program is not None
    assert not program.is_marked


def test_the_agents_program_goes_by_its_own_name() -> None:
    """What is shown can be typed in the job's directory."""
    program = command.program(chosen(Repro(kind=ReproKind.NONE), agent_repro=REPRO), LAYOUT)
    assert program is not None
    assert program.shown == ("python", "repro_agent.py")
    assert list(program.files) == ["repro_agent.py"]


def test_what_has_no_program_here() -> None:
    """Nothing is nothing."""
    assert command.program(chosen(Repro(kind=ReproKind.NONE, text="x")), LAYOUT) is None


def test_what_a_machine_lacks() -> None:
    """One line for people; empty when the repro can be run."""

    def missing(build: TorchBuild, devices: str | None, *needs: str) -> str:
        variables = {} if devices is None else {"CUDA_VISIBLE_DEVICES": devices}
        repro = Repro(kind=ReproKind.PYTHON, text="x", launcher="python", needs=needs)
        return reach.missing(repro, build, gpus=reach.gpus(build, variables))

    assert [
        missing(BUILD, None, "cpu"),
        missing(BUILD, None, "cuda"),
        missing(BUILD.model_copy(update={"gpu": "NVIDIA T4"}), None, "cuda"),
        missing(GPU, None, "cuda", "numpy", "network"),
        missing(GPU, "3", "cuda", "multi_gpu"),
        missing(GPU, "2,3", "cuda", "multi_gpu"),
        missing(GPU, None, "rocm"),
        missing(GPU, None, "windows", "cuda"),
    ] == snapshot(
        [
            "",
            "The repro needs a GPU, and this machine has none.",
            "The repro needs a GPU, and this machine has none that 2.13.0 can use.",
            "",
            "The repro needs several GPUs, and this machine has 1.",
            "",
            "The repro needs an AMD GPU (ROCm), which this machine does not have.",
            "The repro needs Windows, which this machine does not have.",
        ]
    )


def slowdown(before: list[float], after: list[float], *, line: int) -> float | None:
    """Return the cost of a patch, where the repro failed in this line before."""
    found = chosen(Repro(kind=ReproKind.PYTHON, text=REPRO, launcher="python"))
    program = Program(argv=("python",), shown=("python",))
    raised = f'Traceback (most recent call last):\n  File "repro.py", line {line}, in f\nAssertionError: x\n'
    runs = [runs_of(raised, 1, seconds) for seconds in before]
    signature = Signature(kind=FailureKind.WRONG_RESULT, message="x")
    red = Red("reproduced", signature, trials(found, program, runs, signature), tuple(runs))
    green = [runs_of("", 0, seconds) for seconds in after]
    return cost.slowdown(found, red, trials(found, program, green, signature))


def trials(
    found: oracle.Oracle, program: Program, runs: list[Seen], signature: Signature
) -> Trials:
    """Return runs as they are recorded."""
    return matching.as_trials(found, program, runs, signature)


def runs_of(output: str, exit_status: int, seconds: float) -> Seen:
    """Return a run that took so long."""
    return Seen(
        exit_status=exit_status, timed_out=False, seconds=seconds, output=output, began=1, ended=1
    )


def test_the_cost_of_a_patch() -> None:
    """The ratio of the medians, where both sides did the same work and it is no noise."""
    assert slowdown([1.0, 1.1, 1.2], [2.2, 2.3, 2.1], line=6) == 2.0
    assert slowdown([1.0, 1.1, 1.2], [1.0, 1.1, 1.2], line=6) == 1.0
    assert slowdown([1.0, 1.1, 2.2], [1.5, 1.6, 1.4], line=6) is None
    assert slowdown([0.06, 0.06], [0.12, 0.12], line=6) is None
    assert slowdown([0.01, 0.01], [0.02, 0.02], line=6) is None
    assert slowdown([1.0, 1.1, 1.2], [2.2, 2.3, 2.1], line=4) is None


def test_the_record_holds_an_output_once() -> None:
    """Of runs that end alike, the first is kept at length."""
    found = chosen(Repro(kind=ReproKind.PYTHON, text=REPRO, launcher="python"))
    program = Program(argv=("python",), shown=("python",))
    runs = [runs_of("y" * 20_000, 0, 1.0)] * 3
    kept = trials(found, program, runs, Signature(kind=FailureKind.WRONG_RESULT))
    assert [len(one.output) for one in kept.trials] == [10_000, 500, 500]
