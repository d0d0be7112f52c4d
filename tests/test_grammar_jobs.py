"""Commands about a job: how one is named, and what else they take."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.commands import (
    Kill,
    ListJobs,
    Mistake,
    Peek,
    Results,
    Status,
    job_named,
    parse_comment,
)
from bot.models import JobId


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
    assert [only(f"/ptq {name}") for name in ("kill", "cancel", "stop")] == [Kill()] * 3


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
        }
    )
