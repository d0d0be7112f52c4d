"""What counts as the failure: the issue's word, and the agent's only where the issue has none."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from inline_snapshot import snapshot

from bot.models import AgentVerdict, FailureKind, IssueComment, Person, Signature, Verdict
from bot.proof import distinctive, matching, oracle, reported, tracebacks
from bot.proof.script import Script
from bot.proof.trials import Program, Seen
from bot.workspace.repro import Repro, ReproKind
from tests.fakes.proof import REPRO, issue_of

PRINTING = "import torch\n\nx = torch.ones(3)\nprint(x.sum())\n"
TRACEBACK = """\
It fails:

```
Traceback (most recent call last):
  File "/home/me/bug.py", line 7, in <module>
    f(torch.ones(2, 3))
  File "/opt/venv/lib/python3.12/site-packages/torch/nn/functional.py", line 42, in f
    return _f(x)
torch._dynamo.exc.Unsupported: call_method NNModuleVariable() at 0x7f3a2c001230 [3 of 17]
```
"""


def python(text: str) -> Repro:
    """Return the Python repro of an issue."""
    return Repro(kind=ReproKind.PYTHON, text=text, launcher="python", source="body")


def seen(output: str = "", exit_status: int | None = 1, *, timed_out: bool = False) -> Seen:
    """Return a run that ended so."""
    return Seen(
        exit_status=exit_status, timed_out=timed_out, seconds=1, output=output, began=1, ended=1
    )


def shown(body: str, *, title: str = "") -> list[str]:
    """Return the failures that an issue reports, most certain first."""
    return [
        " ".join(part for part in (one.kind, one.exception, one.message) if part)
        for one in reported.failures(issue_of(title, body))
    ]


def test_the_failures_of_an_issue() -> None:
    """A traceback's last line, an exception's line, a crash, a hang, the title."""
    assert {
        "traceback": shown(TRACEBACK),
        "chained": shown(
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 'x'\n\n"
            "During handling of the above exception, another exception occurred:\n\n"
            'Traceback (most recent call last):\n  File "a.py", line 3, in f\n'
            "RuntimeError: no such parameter in the optimizer\n"
        ),
        "prefixed": shown(
            '[rank0]: Traceback (most recent call last):\n[rank0]:   File "a.py", line 1, in f\n'
            "[rank0]: RuntimeError: Detected mismatch between collectives on ranks.\n"
        ),
        "line": shown("and then\n\n    RuntimeError: Expected 3D tensor, got 4D tensor\n"),
        "class": shown("", title="ModuleList.insert(-1, m) raises KeyError"),
        "crash": shown("$ python a.py\nSegmentation fault (core dumped)"),
        "abort": shown("free(): invalid pointer\nAborted (core dumped)"),
        "cuda": shown("RuntimeError: CUDA error: device-side assert triggered"),
        "hang": shown("all ranks get stuck after the first step"),
        "assertion": shown("AssertionError: Tensor-likes are not close!\n\nMismatched: 3 / 4"),
        "inside": shown(
            "Traceback (most recent call last):\n"
            '  File "/venv/lib/python3.12/site-packages/torch/_inductor/x.py", line 3, in f\n'
            "    assert isinstance(x, int)\nAssertionError\n"
        ),
        "nothing": shown("The result is wrong."),
    } == snapshot(
        {
            "traceback": ["exception Unsupported call_method NNModuleVariable() at"],
            "chained": ["exception RuntimeError no such parameter in the optimizer"],
            "prefixed": ["exception RuntimeError Detected mismatch between collectives on ranks."],
            "line": ["exception RuntimeError tensor, got"],
            "class": ["exception KeyError"],
            "crash": ["crash SIGSEGV"],
            "abort": ["crash SIGABRT"],
            "cuda": [
                "exception RuntimeError CUDA error: device-side assert triggered",
                "exception CUDA error: device-side assert triggered",
            ],
            "hang": ["hang"],
            "assertion": ["wrong_result AssertionError Tensor-likes are not close!"],
            "inside": ["exception AssertionError"],
            "nothing": [],
        }
    )


def test_a_strangers_comment_does_not_count() -> None:
    """What a passer-by saw may be another bug."""
    issue = issue_of("Wrong", "See below.")
    people = (Person(login="reporter", id=7), Person(login="passer-by", id=8))
    comments = tuple(
        IssueComment(
            id=number,
            author=person,
            association="NONE",
            body=f"ValueError: seen by {person.login}",
            created_at=issue.created_at,
            updated_at=issue.created_at,
        )
        for number, person in enumerate(people)
    )
    failures = reported.failures(issue.model_copy(update={"comments": comments}))
    assert [one.message for one in failures] == ["seen by reporter"]


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ("Expected 3D tensor, but got 4D tensor of 1024 elements", "tensor, but got"),
        (
            "expected scalar type float32 but found float16",
            "expected scalar type float32 but found float16",
        ),
        ("'-1'", "'-1'"),
        ("/home/me/torch/x.py:42 is gone", "is gone"),
        ("<Foo object at 0x7f12> has no attribute 'bar'", "has no attribute 'bar'"),
        ("0x7f1234", ""),
        ("1.25 != 1.5", "1.25 != 1.5"),
        ("\nwhat was printed after it", ""),
        ("", ""),
    ],
)
def test_the_distinctive_part(message: str, part: str) -> None:
    """Numbers, addresses and paths differ from run to run."""
    assert distinctive.part(message) == part


@given(st.text())
def test_any_message_holds_its_distinctive_part(message: str) -> None:
    """It stands in the message as it is."""
    part = distinctive.part(message)
    assert part in message
    assert len(part) <= distinctive.LONGEST


@given(st.text(alphabet=st.sampled_from('Traceback (most recent call last):\n File "a", line 1E')))
def test_any_text_is_read(text: str) -> None:
    """No text makes reading fail."""
    tracebacks.read(text)
    tracebacks.named(text)
    Script.read(text)
    oracle.claimed(text)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ("ValueError: expected 2, got 0", "exception ValueError expected"),
        ("torch.AcceleratorError: CUDA error: misaligned address", "exception AcceleratorError"),
        ("AssertionError: the caller's tensor changed", "wrong_result AssertionError"),
        ("signal SIGSEGV", "crash  SIGSEGV"),
        ("hang", "hang"),
        ("KeyError", "exception KeyError"),
        ("it prints the wrong number", ""),
        ("", ""),
        (": :", ""),
    ],
)
def test_the_agents_word(failure: str, expected: str) -> None:
    """An agent tells the failure in one line."""
    found = oracle.claimed(failure)
    said = "" if found is None else f"{found.kind} {found.exception} {found.message}".strip()
    assert said.startswith(expected)
    assert bool(found) == bool(expected)


def test_the_agents_word_counts_only_where_the_issue_is_silent() -> None:
    """What the issue shows too is the issue's; against the issue the agent has no say."""
    claim = AgentVerdict(
        verdict=Verdict.FIXED, failure="ValueError: the length must be positive here"
    )

    def signatures(body: str) -> list[tuple[str, str]]:
        found = oracle.choose(
            python(PRINTING), agent_repro=None, claim=claim, issue=issue_of("Wrong", body)
        )
        return [(one.exception, one.source) for one in found.signatures]

    assert signatures("Nothing to see.") == [("ValueError", "agent")]
    assert signatures("I get `ValueError: the length must be positive here`") == [
        ("ValueError", "issue")
    ]
    assert signatures("RuntimeError: something else entirely") == [("RuntimeError", "issue")]


def test_a_program_that_judges_itself() -> None:
    """Assertions and their like are the program's own judgement."""
    judged = {
        text: Script.read(text).has_oracle
        for text in (
            REPRO,
            "torch.testing.assert_close(a, b)",
            "if a != b:\n    raise RuntimeError('differs')",
            "import sys\nsys.exit(int(a != b))",
            "print(a)",
            "class A:\n    def f(self):\n        raise NotImplementedError",
            "this is no Python",
            "(" * 10_000,
        )
    }
    assert list(judged.values()) == [True, True, True, True, False, False, False, False]


def matched(signature: Signature, run: Seen, *, text: str = REPRO) -> bool:
    """Whether a run of this program failed so."""
    found = oracle.choose(python(text), agent_repro=None, claim=None, issue=issue_of("", ""))
    return matching.matches(found, signature, run)


def test_which_runs_match() -> None:
    """Class and message, the signal, the time limit, the repro's own assertion."""
    error = Signature(kind=FailureKind.EXCEPTION, exception="RuntimeError", message="bad shape")
    crash = Signature(kind=FailureKind.CRASH, message="SIGSEGV")
    wrong = Signature(kind=FailureKind.WRONG_RESULT)
    raised = 'Traceback (most recent call last):\n  File "repro.py", line {}, in <module>\n{}\n'
    assert matched(error, seen(raised.format(3, "RuntimeError: bad shape [2]")))
    assert matched(error, seen(raised.format(3, "torch.AcceleratorError: bad shape [2]")))
    assert matched(error, seen("caught RuntimeError\nRuntimeError: bad shape [2]", 0))
    assert not matched(error, seen(raised.format(3, "ValueError: bad shape [2]")))
    assert not matched(error, seen(raised.format(3, "RuntimeError: bad size [2]")))
    assert not matched(error, seen("", None, timed_out=True))
    assert matched(crash, seen("", 139))
    assert matched(crash, seen("", 134))
    assert matched(crash, seen("exitcode: -11\nSignal 11 (SIGSEGV) received by PID 7", 1))
    assert not matched(crash, seen("", 137))
    assert not matched(crash, seen("", 1))
    assert matched(Signature(kind=FailureKind.HANG), seen("", None, timed_out=True))
    assert matched(wrong, seen(raised.format(6, "AssertionError: changed")))
    assert not matched(wrong, seen(raised.format(5, "AssertionError: changed")))
    inside = raised.format(5, '  File "pytorch/torch/x.py", line 3, in f\nAssertionError')
    assert not matched(wrong, seen(inside))
    compared = raised.format(
        1,
        '  File "pytorch/torch/testing/_comparison.py", line 9, in assert_close\nAssertionError: x',
    )
    assert matched(wrong, seen(compared), text="assert_close(a, b)\n")


def test_a_test_that_did_not_run() -> None:
    """A skipped test ends well and shows nothing."""
    test = Repro(kind=ReproKind.TEST, text="x", launcher="python test/test_a.py A.test_b")
    found = oracle.choose(test, agent_repro=None, claim=None, issue=issue_of("", ""))
    said = {
        "OK (skipped=1)": "s\nRan 1 test in 0.001s\n\nOK (skipped=1)\n",
        "OK": ".\nRan 1 test in 0.001s\n\nOK\n",
        "both": ".s\nRan 2 tests in 0.001s\n\nOK (skipped=1)\n",
        "none": "Ran 0 tests in 0.000s\n\nOK\n",
        "pytest": "============ 1 skipped in 0.01s ============\n",
        "pytest passed": "======= 1 passed, 1 skipped in 0.01s =======\n",
    }
    assert {name: matching.nothing_ran(found, seen(text, 0)) for name, text in said.items()} == {
        "OK (skipped=1)": True,
        "OK": False,
        "both": False,
        "none": True,
        "pytest": True,
        "pytest passed": False,
    }


def test_most_runs_decide_which_failure_it_is() -> None:
    """An issue may show several failures: the one that shows is the one."""
    body = "ValueError: first of these two\n\nRuntimeError: second of these two"
    found = oracle.choose(
        python(PRINTING), agent_repro=None, claim=None, issue=issue_of("Wrong", body)
    )
    program = Program(argv=("python",), shown=("python", "repro.py"))
    runs = [seen("RuntimeError: second of these two"), seen("", 0), seen("", 0)]
    signature, trials = matching.judged(found, program, runs)
    assert signature is not None
    assert signature.exception == "RuntimeError"
    assert (trials.matching, trials.passed, trials.count) == (1, 2, 3)
