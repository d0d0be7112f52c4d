"""What the repro does at the base commit: as the issue says, in another way, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from bot.models import FailureKind, Verdict
from bot.workspace.repro import Repro, ReproKind
from tests.fakes.proof import IN_PLACE, MEND, RAISING, REPRO, SEQUENCE, fenced, ground

if TYPE_CHECKING:
    from bot.models import Proof
    from tests.fakes.proof import Ground

__all__ = ["ground"]

TYPE_ERROR = "```\nTypeError: object of type 'NoneType' has no len()\n```"


def counts(proof: Proof) -> tuple[int, int, int]:
    """Return how many runs failed as reported, passed, and were made."""
    assert proof.red is not None
    return (proof.red.matching, proof.red.passed, proof.red.count)


async def test_an_exception(ground: Ground) -> None:
    """The class and the distinctive part of the message are the issue's."""
    proof = await ground.prove(fenced(RAISING, more=TYPE_ERROR), claim="reproduced")
    assert (proof.verdict, counts(proof)) == (Verdict.REPRODUCED, (3, 0, 3))
    assert proof.signature is not None
    assert proof.signature.model_dump(mode="json") == snapshot(
        {
            "kind": "exception",
            "exception": "TypeError",
            "message": "object of type 'NoneType' has no len()",
            "source": "issue",
        }
    )
    assert proof.red is not None
    assert proof.red.trials[0].output == snapshot("""\
Traceback (most recent call last):
  File "repro.py", line 3, in <module>
    tinytorch.pad_sequence([[1.0, 2.0], None])
  File "pytorch/tinytorch/sequence.py", line 16, in pad_sequence
    longest = max(map(len, sequences), default=0)
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
TypeError: object of type 'NoneType' has no len()
""")


async def test_another_failure(ground: Ground) -> None:
    """A failure that is not the reported one reproduces nothing, and what was seen is told."""
    proof = await ground.prove(
        fenced(RAISING, more="```\nRuntimeError: shape mismatch\n```"), claim="reproduced"
    )
    assert (proof.verdict, counts(proof)) == (Verdict.NOT_REPRODUCED, (0, 0, 3))
    assert proof.sanity is not None
    assert not proof.sanity.is_failure
    assert proof.why == snapshot(
        "The repro fails in all 3 runs, but not as reported. The agent says otherwise."
    )
    assert ground.left() == []


async def test_a_passing_repro(ground: Ground) -> None:
    """An agent that claims to have reproduced what passes is contradicted."""
    mended = REPRO.replace("unpad_sequence(padded", "unpad_sequence(list(padded)")
    proof = await ground.prove(fenced(mended), edits=MEND, claim="reproduced")
    assert (proof.verdict, counts(proof)) == (Verdict.ALREADY_PASSING, (0, 3, 3))
    assert proof.green is None
    assert proof.why == snapshot("The repro passes in all 3 runs. The agent says otherwise.")


async def test_a_repro_that_only_prints(ground: Ground) -> None:
    """Nothing tells whether it is wrong."""
    printing = REPRO.rpartition("assert")[0] + "print(padded)\n"
    proof = await ground.prove(fenced(printing), claim="fixed")
    assert (proof.verdict, counts(proof)) == (Verdict.NOT_REPRODUCED, (0, 3, 3))
    assert proof.why == snapshot(
        "The repro passes in all 3 runs. It only prints, and nothing says what would be wrong. The agent says otherwise."
    )


async def test_a_repro_that_the_agent_completed(ground: Ground) -> None:
    """The agent may add an assertion to a repro that only prints; the difference is shown."""
    printing = REPRO.rpartition("assert")[0] + "print(padded)\n"
    proof = await ground.prove(fenced(printing), edits=MEND, agent_repro=REPRO)
    assert (proof.verdict, proof.repro_source) == (Verdict.FIXED, "agent")
    assert proof.repro_diff == snapshot("""\
--- repro.py
+++ repro_agent.py
@@ -3,4 +3,4 @@
 padded = tinytorch.pad_sequence([[1.0, 2.0, 3.0], [4.0, 5.0]])
 before = [list(row) for row in padded]
 tinytorch.unpad_sequence(padded, [3, 2])
-print(padded)
+assert padded == before, f"the batch was changed: {before} became {padded}"\
""")
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it passes in all 3 runs, and the tests near the change pass as before. The program is the agent's, not the issue's."
    )


async def test_an_agents_repro_of_something_else(ground: Ground) -> None:
    """What is not the issue's program with a judgement is not run in its place."""
    printing = REPRO.rpartition("assert")[0] + "print(padded)\n"
    other = "import tinytorch\nassert hasattr(tinytorch, 'mended')\n"
    proof = await ground.prove(fenced(printing), agent_repro=other)
    assert (proof.verdict, proof.repro_source) == (Verdict.NOT_REPRODUCED, "issue")


async def test_an_issue_without_a_program(ground: Ground) -> None:
    """The agent's program stands in, and is marked as the agent's."""
    proof = await ground.prove("It changes my batch.", edits=MEND, agent_repro=REPRO)
    assert (proof.verdict, proof.repro_source) == (Verdict.FIXED, "agent")
    assert proof.signature is not None
    assert proof.signature.source == "agent"
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. With the patch it passes in all 3 runs, and the tests near the change pass as before. The program is the agent's, not the issue's."
    )


async def test_an_agent_that_found_nothing(ground: Ground) -> None:
    """Not reproduced, and confirmed; or contradicted, and said so."""
    mended = REPRO.replace("unpad_sequence(padded", "unpad_sequence(list(padded)")
    confirmed = await ground.prove(fenced(mended), claim="not_reproduced")
    assert confirmed.verdict is Verdict.NOT_REPRODUCED
    assert confirmed.why == snapshot("The repro passes in all 3 runs.")
    contradicted = await ground.prove(fenced(REPRO), edits=MEND, claim="not_reproduced")
    assert (contradicted.verdict, contradicted.green) == (Verdict.REPRODUCED, None)
    assert contradicted.why == snapshot(
        "The repro fails as reported in all 3 runs. The agent says otherwise."
    )


async def test_a_crash(ground: Ground) -> None:
    """A signal is a crash when the issue speaks of one."""
    crashing = "import ctypes\nimport tinytorch\nctypes.string_at(0)\n"
    body = fenced(crashing, more="Segmentation fault (core dumped)")
    proof = await ground.prove(body, claim="reproduced")
    assert (proof.verdict, counts(proof)) == (Verdict.REPRODUCED, (3, 0, 3))
    assert proof.signature is not None
    assert (proof.signature.kind, proof.signature.message) == (FailureKind.CRASH, "SIGSEGV")
    assert proof.red is not None
    assert {trial.exit_status for trial in proof.red.trials} == {139}
    silent = await ground.prove(fenced(crashing), claim="reproduced", failure="signal SIGSEGV")
    assert silent.verdict is Verdict.REPRODUCED
    assert silent.signature is not None
    assert silent.signature.source == "agent"
    assert silent.why == snapshot(
        "The repro fails as reported in all 3 runs. What counts as the failure is the agent's word: the issue does not say."
    )


async def test_a_hang(ground: Ground) -> None:
    """What does not end within its time limit hangs, and everything that it started is ended."""
    hanging = (
        "import os, subprocess, sys, time\nimport tinytorch\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],\n"
        "    start_new_session=True)\n"
        "print(child.pid, flush=True)\ntime.sleep(600)\n"
    )
    proof = await ground.prove(
        fenced(hanging), title="unpad_sequence hangs", claim="reproduced", time_limit=1, runs=1
    )
    assert (proof.verdict, counts(proof)) == (Verdict.REPRODUCED, (1, 0, 1))
    assert proof.red is not None
    (trial,) = proof.red.trials
    assert (trial.exit_status, trial.timed_out) == (None, True)
    assert 1 <= trial.seconds < 10
    left = await ground.shell.run("kill", "-0", trial.output.strip(), check=False)
    assert left.exit_status != 0
    assert proof.why == snapshot("The repro hangs as reported in its one run.")


async def test_a_repro_that_fails_now_and_then(ground: Ground) -> None:
    """It is told how often, and a fix has to pass more often than luck would let it."""
    counter = ground.home / "counter"
    counter.write_text("0")
    flaky = (
        f"import pathlib\ncounter = pathlib.Path({str(counter)!r})\n"
        "number = int(counter.read_text())\ncounter.write_text(str(number + 1))\n"
        f"{REPRO.rpartition('assert')[0]}"
        "assert number not in (1, 3) or padded == before, 'changed'\n"
    )
    proof = await ground.prove(fenced(flaky), edits=MEND)
    assert (proof.verdict, counts(proof)) == (Verdict.FIXED, (2, 3, 5))
    assert proof.green is not None
    assert (proof.green.passed, proof.green.count) == (6, 6)
    assert proof.why == snapshot(
        "The repro fails as reported only sometimes: in 2 of 5 runs. With the patch it passes in all 6 runs, and the tests near the change pass as before."
    )
    counter.write_text("0")
    nothing = {SEQUENCE: (IN_PLACE, f"        # Mended.\n{IN_PLACE}")}
    again = flaky.replace("(1, 3)", "(1, 3, 9)")
    proof = await ground.prove(fenced(again), edits=nothing)
    assert proof.verdict is Verdict.NOT_FIXED
    assert proof.why == snapshot(
        "The repro fails as reported only sometimes: in 2 of 5 runs. With the patch it still fails in 1 of 6 runs."
    )


async def test_a_rare_failure_gets_more_runs(ground: Ground) -> None:
    """Where the issue says that it does not always fail, three passing runs are not enough."""
    counter = ground.home / "rare"
    counter.write_text("0")
    rare = (
        f"import pathlib\ncounter = pathlib.Path({str(counter)!r})\n"
        "number = int(counter.read_text())\ncounter.write_text(str(number + 1))\n"
        "assert number != 4\n"
    )
    repro = Repro(kind=ReproKind.PYTHON, text=rare, launcher="python")
    proof = await ground.prove(repro=repro, title="It sometimes fails", claim="reproduced")
    assert (proof.verdict, counts(proof)) == (Verdict.REPRODUCED, (1, 4, 5))


async def test_commands_of_a_shell(ground: Ground) -> None:
    """A shell repro is run as it is, in the same clean place."""
    script = f"cat > t.py <<'EOF'\n{RAISING}EOF\npython t.py\necho done\n"
    repro = Repro(kind=ReproKind.SHELL, text=script, launcher="bash")
    proof = await ground.prove(TYPE_ERROR, repro=repro, claim="reproduced")
    assert (proof.verdict, counts(proof)) == (Verdict.REPRODUCED, (3, 0, 3))
    assert proof.red is not None
    assert proof.red.command == ("bash", "repro.sh")


async def test_a_disabled_test(ground: Ground) -> None:
    """The test itself is the repro, run as often as the settings say."""
    body = "Platforms: linux\n\nTest file path: `test/test_sequence.py`"
    title = "DISABLED test_round_trip (__main__.TestSequence)"
    passing = await ground.prove(body, title=title, claim="reproduced")
    assert (passing.verdict, counts(passing)) == (Verdict.ALREADY_PASSING, (0, 3, 3))
    assert passing.red is not None
    assert passing.red.command == (
        "python",
        "test/test_sequence.py",
        "TestSequence.test_round_trip",
    )


async def test_twice_at_once_leaves_nothing(ground: Ground) -> None:
    """A proof may be cut short and made again: what the first one left is taken away."""
    await ground.shell.run("mkdir", "-p", f"{ground.layout.jobs}/20260105-tinytorch-1.green/x")
    proof = await ground.prove(fenced(REPRO), edits=MEND)
    assert proof.verdict is Verdict.FIXED
    assert ground.left() == []
