"""``ptq repro`` reads an issue and prints the program that shows its bug."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.errors import InputError
from bot.workspace.repro import read_issue
from tests.terminal import ROOT, Said, ptq

if TYPE_CHECKING:
    from pathlib import Path

BODY = "It crashes:\n```py\nimport torch\ntorch.ones(3).cuda()\n```\n"


def issue(**keys: object) -> bytes:
    """Return an issue as JSON."""
    return json.dumps({"title": "Bug", "body": BODY, **keys}).encode()


async def test_an_issue_from_a_file(tmp_path: Path) -> None:
    """What is read by people: the facts, then the program as it can be saved."""
    file = tmp_path / "issue.json"
    file.write_bytes(issue(labels=["module: cuda"], author="reporter", comments=[]))
    assert await ptq("repro", str(file)) == snapshot(
        Said(
            exit_status=0,
            out="""\
kind          python
from          body
started with  python
needs         cuda
why           The Python program in the body.
─────────────────────────────────── repro.py ───────────────────────────────────
import torch
torch.ones(3).cuda()
""",
            err="",
        )
    )


async def test_an_issue_from_the_standard_input() -> None:
    """With ``--json`` it is one object, whatever stands in the issue."""
    said = await ptq("repro", "--json", "-", stdin=issue())
    assert (said.exit_status, said.err) == (0, "")
    assert json.loads(said.out) == snapshot(
        {
            "kind": "python",
            "text": """\
import torch
torch.ones(3).cuda()
""",
            "launcher": "python",
            "source": "body",
            "needs": ["cuda"],
            "reason": "The Python program in the body.",
        }
    )
    assert await ptq("repro", "--json", stdin=issue()) == said


async def test_an_issue_as_github_s_own_program_prints_it() -> None:
    """``gh issue view N --json title,body,labels,author,comments`` can be piped in."""
    said = await ptq(
        "repro",
        "--json",
        stdin=issue(
            body="It crashes.",
            labels=[{"id": "L_1", "name": "module: mps", "color": "fff"}],
            author={"login": "reporter", "is_bot": False},
            comments=[
                {
                    "author": {"login": "dev"},
                    "authorAssociation": "MEMBER",
                    "body": f"Minimal repro:\n{BODY.replace('.cuda()', '')}",
                    "createdAt": "2026-01-02T03:04:05Z",
                }
            ],
        ),
    )
    assert json.loads(said.out) == snapshot(
        {
            "kind": "python",
            "text": """\
import torch
torch.ones(3)
""",
            "launcher": "python",
            "source": "comment 1 by dev",
            "needs": ["mps"],
            "reason": "The Python program in comment 1 by dev.",
        }
    )


async def test_an_issue_without_a_repro() -> None:
    """It is no mistake that there is none; a script may ask to be told by the exit status."""
    nothing = issue(body="See https://gist.github.com/someone/0123456789abcdef .")
    assert await ptq("repro", stdin=nothing) == snapshot(
        Said(
            exit_status=0,
            out="""\
kind          none
why           The repro is behind a link, and links are not fetched.
""",
            err="",
        )
    )
    assert (await ptq("repro", "--exit-status", stdin=nothing)).exit_status == 1
    assert (await ptq("repro", "--exit-status", stdin=issue())).exit_status == 0


async def test_hidden_text_is_no_repro() -> None:
    """What nobody sees on the issue's page does not count, and nothing moves the cursor."""
    hidden = f"<!--\n{BODY}\n-->\nIt crashes \x1b[2J."
    said = await ptq("repro", "--json", stdin=issue(body=hidden))
    assert json.loads(said.out)["kind"] == "none"
    shown = await ptq("repro", stdin=issue(body=BODY.replace("ones", "o\u200bnes\x1b[2J")))
    assert "\x1b" not in shown.out


async def test_keys_of_a_larger_record() -> None:
    """What it does not know does not disturb it."""
    line = (ROOT / "tests" / "data" / "issues.jsonl").read_bytes().splitlines()[0]
    said = await ptq("repro", "--json", stdin=line)
    assert (json.loads(said.out)["kind"], said.err) == ("python", "")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", snapshot("not JSON: Expecting value: line 1 column 1 (char 0)")),
        (
            b"{'title': 1}",
            snapshot(
                "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
            ),
        ),
        (b"\xff\xfe", snapshot("not JSON: no UTF-8 text (byte 0)")),
        (b"[" * 100_000, snapshot("not JSON that can be read: too deep")),
        (
            b"[]",
            snapshot(
                "not an issue: a JSON object is expected, {title, body, labels, author, comments: [{author, association, body}]}"
            ),
        ),
        (
            b"{}",
            snapshot(
                "not an issue: title is missing, body is missing (expected: {title, body, labels, author, comments: [{author, association, body}]})"
            ),
        ),
        (
            b'{"title": "a", "body": 3, "labels": "b", "comments": [{"author": "c"}, 7]}',
            snapshot(
                "not an issue: body is not a text, labels is not a list, comments.0.body is missing, comments.1 is not an object (expected: {title, body, labels, author, comments: [{author, association, body}]})"
            ),
        ),
    ],
    ids=["empty", "no JSON", "no UTF-8", "deep", "a list", "no keys", "wrong keys"],
)
def test_what_is_no_issue(data: bytes, told: str) -> None:
    """Bad input is told by key."""
    with pytest.raises(InputError) as caught:
        read_issue(data)
    assert str(caught.value) == told


async def test_bad_input_ends_with_a_status_of_its_own() -> None:
    """It is told on one line, by the name of what was read."""
    said = await ptq("repro", stdin=b"{")
    assert said == snapshot(
        Said(
            exit_status=2,
            out="",
            err="ptq: standard input: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n",
        )
    )


async def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is named."""
    missing = tmp_path / "issue.json"
    said = await ptq("repro", str(missing))
    assert (said.exit_status, said.out) == (2, "")
    assert said.err.replace(str(missing), "FILE") == snapshot(
        "ptq: FILE: No such file or directory\n"
    )
