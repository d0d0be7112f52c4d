"""Commands about a job: how one is named, and what else they take."""

from __future__ import annotations

from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from bot.commands import (
    Clean,
    Extend,
    Help,
    Kill,
    ListJobs,
    Mistake,
    OptionChanges,
    Peek,
    Publish,
    Rerun,
    Results,
    Run,
    Status,
    job_named,
    parse_comment,
)
from bot.models import JobId, JobOptions


def only(body: str) -> object:
    """Return the one command of a comment."""
    (command,) = parse_comment(body)
    return command


@pytest.mark.parametrize(
    ("text", "job"),
    [
        ("12", 12),
        ("#12", 12),
        ("20260102-pytorch-7", JobId("20260102-pytorch-7")),
        ("20260102-pytorch-adhoc-bd7ac8b3", JobId("20260102-pytorch-adhoc-bd7ac8b3")),
        ("20260102", 20260102),
        ("0", None),
        ("-1", None),
        ("1e3", None),
        ("9999999999", None),
        ("pytorch-7", None),
        ("20260102-../../x", None),
        ("20260102-" + "x" * 200, None),
        ("١٢", None),
        ("", None),
    ],
)
def test_a_job_is_named_by_its_id_or_its_issue(text: str, job: JobId | int | None) -> None:
    """Nothing else is a name."""
    assert job_named(text) == job


def test_every_command_about_a_job() -> None:
    """A name and the command's own options stand in any order; lines below mean nothing."""
    assert only("/ptq status") == Status()
    assert only("/ptq STATUS #7\nplease") == Status(7)
    assert only("/ptq results `20260102-pytorch-7`") == Results(JobId("20260102-pytorch-7"))
    assert only("/ptq peek") == Peek(lines=20)
    assert only("/ptq peek 7 —log 200") == Peek(7, lines=200)
    assert only("/ptq peek --log=1 7") == Peek(7, lines=1)
    assert only("/ptq list") == ListJobs()
    assert only("/ptq pr #7") == Publish(7)
    assert only("/ptq clean") == Clean()
    assert only("/ptq extend 7 --hours 1.5") == Extend(timedelta(hours=1.5), 7)
    assert [only(f"/ptq {name}") for name in ("kill", "cancel", "stop")] == [Kill()] * 3


def test_a_free_task() -> None:
    """It is what --message says, else what stands on the line or below; the rest is guidance."""
    assert only('/ptq run -m "Look at it" --no-pr') == Run(
        task="Look at it", changes=OptionChanges(JobOptions(pr=False), frozenset({"pr"}))
    )
    assert only("/ptq run look at\nthis") == Run(task="look at\n\nthis")
    assert only("/ptq run -m this -p soon\nbelow") == Run(task="this", guidance="soon\n\nbelow")
    assert only("/ptq rerun\nbelow") == Rerun(guidance="below")
    assert only("/ptq run --help") == Help("run")
    assert isinstance(only("/ptq run --gpus 1"), Mistake)


def test_wrong_ones_are_explained() -> None:
    """The answer says what is wrong, what is right, and the usage."""
    lines = [
        "status me",
        "status 1 2",
        "status --log 2",
        "peek --lg 2",
        "peek --log",
        "peek --log --x",
        "peek --log 0",
        "peek --log 1.5",
        "peek --log 99999999999999999999",
        "peek --log 1 --log 2",
        "kill 'it",
        "list 1",
        "run",
        "run -m",
        "rerun --gpuz 1",
        "pr --draft",
        "clean --all",
        "extend",
        "extend 7",
        "extend --hours 0",
        "extend --hours soon",
        "extend --hours nan",
        "extend --hours 25",
    ]
    answers: dict[str, str] = {}
    for line in lines:
        command = only(f"/ptq {line}")
        assert isinstance(command, Mistake), command
        answers[line] = command.text.partition("\n")[0]
    assert answers == snapshot(
        {
            "status me": "`me` is not a job's id or its issue's number.",
            "status 1 2": "`2` is one word too many: one job can be named.",
            "status --log 2": "There is no option `--log` here.",
            "peek --lg 2": "There is no option `--lg` here. Did you mean `--log`?",
            "peek --log": "`--log` needs a value: a whole number from 1 to 200.",
            "peek --log --x": "`--log` needs a value: a whole number from 1 to 200.",
            "peek --log 0": "`--log` takes a whole number from 1 to 200, not `0`.",
            "peek --log 1.5": "`--log` takes a whole number from 1 to 200, not `1.5`.",
            "peek --log 99999999999999999999": "`--log` takes a whole number from 1 to 200, not `99999999999999999999`.",
            "peek --log 1 --log 2": "`--log` is given twice: once is enough.",
            "kill 'it": "A quote is opened and never closed: `'it`.",
            "list 1": "`/ptq list` takes nothing more, so `1` means nothing here.",
            "run": 'The task is missing: say in `-m "…"` what is to be done.',
            "run -m": "`--message` needs a value: text; put it in quotes.",
            "rerun --gpuz 1": "There is no option `--gpuz`. Did you mean `--gpus`?",
            "pr --draft": "There is no option `--draft` here.",
            "clean --all": "There is no option `--all` here.",
            "extend": "`--hours` needs a value: a number above 0 and up to 24.",
            "extend 7": "`--hours` needs a value: a number above 0 and up to 24.",
            "extend --hours 0": "`--hours` takes a number above 0 and up to 24, not `0`.",
            "extend --hours soon": "`--hours` takes a number above 0 and up to 24, not `soon`.",
            "extend --hours nan": "`--hours` takes a number above 0 and up to 24, not `nan`.",
            "extend --hours 25": "`--hours` takes a number above 0 and up to 24, not `25`.",
        }
    )
