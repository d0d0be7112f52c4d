"""The program that shows a bug is found whole, and nothing else is taken for one."""

from __future__ import annotations

import ast
import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings, strategies as st

from bot.models import IssueComment, IssueSnapshot, Person, RepositoryName, utc
from bot.workspace.repro import (
    Repro,
    ReproComment,
    ReproIssue,
    ReproKind,
    extract,
    from_snapshot,
)
from tests.processor_time import seconds, takes_less_than

_DATA = Path(__file__).parent / "data"
_FILES = (
    "repro_cases.md",
    "repro_styles.md",
    "repro_reports.md",
    "repro_threads.md",
    "repro_oddities.md",
    "repro_rarities.md",
)


class Case(NamedTuple):
    """An issue and what is expected of it."""

    issue: ReproIssue
    expected: dict[str, Any]


def _cases() -> list[Case]:
    """Read issues: ``%%%%`` and JSON begins one, ``%% author association`` its comments."""
    cases: list[Case] = []
    text = "".join("\n" + (_DATA / name).read_text() for name in _FILES)
    for part in text.split("\n%%%% ")[1:]:
        head, _, rest = part.partition("\n")
        expected = json.loads(head)
        body, *comments = ("\n" + rest).split("\n%% ")
        issue = ReproIssue(
            title=expected["title"],
            body=body,
            labels=tuple(expected.get("labels", ())),
            author="reporter",
            comments=tuple(_comment(comment) for comment in comments),
        )
        cases.append(Case(issue, expected))
    return cases


def _comment(text: str) -> ReproComment:
    head, _, body = text.partition("\n")
    author, association = head.split()
    return ReproComment(author=author, association=association, body=body)


def _real() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (_DATA / "issues.jsonl").read_text().splitlines()]


def _parses(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(ast.parse(text).body)


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.expected["name"])
def test_an_issue(case: Case) -> None:
    """The repro is found whole, with how it is started and what it needs; or nothing is."""
    found = extract(case.issue)
    expected = case.expected

    assert found.kind == expected["kind"], found
    assert [part for part in expected.get("contains", ()) if part not in found.text] == []
    assert [part for part in expected.get("lacks", ()) if part in found.text] == []
    if "launcher" in expected:
        assert found.launcher == expected["launcher"]
    if "needs" in expected:
        assert list(found.needs) == expected["needs"]
    if "reason" in expected:
        assert found.reason.endswith(expected["reason"])
    if "source" in expected:
        assert found.source == expected["source"]
    if found.kind in {ReproKind.PYTHON, ReproKind.TORCHRUN}:
        assert _parses(found.text)
    if found.kind is ReproKind.NONE:
        assert (found.text, found.launcher, found.source, found.needs) == ("", None, "", ())
    assert found.reason


@pytest.mark.parametrize("issue", _real(), ids=lambda issue: str(issue["number"]))
def test_a_real_issue(issue: dict[str, Any]) -> None:
    """Issues of pytorch/pytorch give what a person took from them."""
    expected = issue["expected"]
    found = extract(ReproIssue.model_validate(issue))

    assert found.kind == expected["expected_repro"]
    assert [part for part in expected["must_contain"] if part not in found.text] == []
    if found.kind in {ReproKind.PYTHON, ReproKind.TORCHRUN}:
        assert found.launcher == expected["launcher"]
        assert _parses(found.text)
    names = {"2 gpus": "multi_gpu", "nccl": "cuda"}
    assert {names.get(need, need) for need in expected["needs"]} <= set(found.needs)


def test_a_frozen_issue() -> None:
    """A snapshot gives the same repro as its texts."""
    when = utc("2026-01-02T03:04:05Z")
    reporter = Person(login="reporter", id=1)
    code = "```python\nimport torch\ntorch.ones(1).foo()\n```"
    issue = IssueSnapshot(
        repository=RepositoryName(owner="pytorch", name="pytorch"),
        number=1,
        url="https://github.com/pytorch/pytorch/issues/1",
        title="Crash",
        body="It crashes.",
        author=reporter,
        association="NONE",
        created_at=when,
        frozen_at=when,
        comments=(
            IssueComment(
                id=1,
                author=reporter,
                association="NONE",
                body=code,
                created_at=when,
                updated_at=when,
            ),
        ),
    )
    assert from_snapshot(issue).source == "comment 1 by reporter"


@pytest.mark.parametrize(
    ("repro", "command"),
    [
        (Repro(kind=ReproKind.PYTHON, launcher="python"), ("python", "repro.py")),
        (
            Repro(kind=ReproKind.TORCHRUN, launcher="A=1 torchrun --nnodes 1 repro.py -x 'a b'"),
            ("env", "A=1", "torchrun", "--nnodes", "1", "repro.py", "-x", "a b"),
        ),
        (
            Repro(kind=ReproKind.PYTHON, launcher="CUDA_VISIBLE_DEVICES=3 python"),
            ("python", "repro.py"),
        ),
        (
            Repro(kind=ReproKind.PYTHON, launcher="CUDA_VISIBLE_DEVICES= python"),
            ("env", "CUDA_VISIBLE_DEVICES=", "python", "repro.py"),
        ),
        (Repro(kind=ReproKind.SHELL, launcher="bash"), ("bash", "repro.sh")),
        (
            Repro(kind=ReproKind.TEST, launcher="python test/test_x.py X.test_y"),
            ("python", "test/test_x.py", "X.test_y"),
        ),
        (Repro(kind=ReproKind.CPP), ()),
        (Repro(kind=ReproKind.NONE), ()),
    ],
)
def test_the_command(repro: Repro, command: tuple[str, ...]) -> None:
    """A repro tells its argv; which GPUs it gets is ours to say, not the issue's."""
    assert repro.command(repro.filename or "") == command


_PIECES = st.sampled_from(
    [
        *("```", "```python", "~~~", "    ", "\n", "\n\n", "> ", "- ", "<details>", "<!--", "-->"),
        *(
            "import torch",
            "torch.ones(1)",
            ">>> ",
            "... ",
            "In [1]: ",
            "$ ",
            "def f(x):",
            "x = (",
            "'''",
        ),
        *(
            "Traceback (most recent call last):",
            "torchrun --nproc_per_node 2 a.py",
            "python -c '",
            "`",
        ),
        *(
            "#include <torch/torch.h>",
            "int main() {",
            "### Versions",
            "cat a.py",
            "<<EOF",
            "\\",
            "\0",
            "é",
        ),
    ]
)


@given(st.lists(_PIECES | st.text(max_size=8), max_size=40).map("".join), st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read(body: str, title: str) -> None:
    """No issue makes the extraction fail, and what it calls Python is Python."""
    comment = ReproComment(author="r", association="MEMBER", body=body[::-1])
    found = extract(ReproIssue(title=title, body=body, author="r", comments=(comment,)))
    if found.kind in {ReproKind.PYTHON, ReproKind.TORCHRUN}:
        assert _parses(found.text)


@pytest.mark.parametrize(
    "piece",
    [
        "```\nimport torch\nx = torch.ones(1)\n```\n",
        "import torch\n",
        "import torch; ",
        "`import torch` ",
        ">>> x = torch.ones(1)\n",
        ">>> x = torch.ones(1)\n\n",
        "In [1]: x\n",
        "A=1 torchrun ",
        "torchrun --nproc 2 a.py ",
        "$ cat a.py\n",
        "$ python <<EOF\n",
        '"cuda" if ',
        "Traceback (most recent call last):\n",
        "#include <a>\n",
        "`",
        "[",
        "> ",
        "- ",
        "(",
        "x.",
        "x = 1\nError:\n",
        "<pre>",
        "<details>\n```\n",
        "| a |\n|---|\n",
        "a\\\n",
        "%time ",
        "f'{",
        " ",
        "DISABLED test_x (",
        "print x\n",
        "```\nimport torch\nprint x\ntensor(\n```\n",
        "torch.Size([1])\n",
        "```\nimport torch\ntorch.Size([\n",
        "“&lt;",
        "mpirun -np 2 python a.py ",
        "In [1]: x\n---\n",
        "```\nx```\n",
        "x = torch.ones(1)\n",
        "test/a.py::B::c fails ",
        "test/",
        "DISABLED test_a    (",
        ".to(rank",
        "\u279c a git:(",
        "def test_a(self): pass\n",
        "```import torch\n",
        "`import torch`\n",
        "a = b\nb = 1\n",
        "import torch\nif a: pass\nelse:\n  for b in c: a = 1\n",
        "```\nimport torch\ntorch.a()\n```\nand the code works fine now ",
        "```\nimport torch\n```\nand\n",
        "x ` y\n",
        "`a\nb`\n\n",
        "1. `pip install x`\n",
        "```\nimport torch\nif x\n  y\n```\n",
        "TestA.test_b fails ",
        "    !git clone a\n",
        "    RUN git clone a/b\n",
        "    x = Name(1);\n",
        "    +++ b/test/a.py\n",
        '    File "test_a.py", line 1, in test_b\n',
        "C:\\a>pip install torch\n",
        "when I run `pytest a` ",
        "x.append(1)\n",
        "```cpp\nint main() {\n\f\n",
        "```\nimport torch\n\f \n",
    ],
)
def test_time_is_linear(piece: str) -> None:
    """Eight times the text takes some eight times the work, not sixty-four times."""
    head, _, again = piece.rpartition("\f")
    texts = (head + again * (size // len(again)) for size in (16_000, 128_000))
    small, large = (ReproIssue(title=text, body=text, author="a") for text in texts)
    fast = min(seconds(lambda: extract(small)) for _ in range(3))
    assert takes_less_than(30 * max(fast, 0.005), lambda: extract(large))
