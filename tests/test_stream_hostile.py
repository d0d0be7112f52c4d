"""Claude Code's log in pieces, spoilt, forged and far too long."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from bot.agents.stream import MAX_LINE_BYTES, MAX_READABLE, StreamParser
from bot.models import AgentEnd, AgentResult
from tests.fakes.recorded_runs import RECORDED_RUNS


def _read(
    log: bytes, status: int | None = 0, *, stopped: bool = False, timed_out: bool = False
) -> AgentResult:
    parser = StreamParser()
    parser.feed(log)
    return parser.result(status, stopped=stopped, timed_out=timed_out)


def _line(**event: object) -> bytes:
    return json.dumps(event).encode() + b"\n"


def _answer(*blocks: dict[str, Any], message_id: str = "msg_1", **more: object) -> bytes:
    message = {"id": message_id, "model": "opus", "content": list(blocks)}
    return _line(type="assistant", message=message, session_id="s", **more)


@settings(deadline=None)
@given(
    name=st.sampled_from(sorted(RECORDED_RUNS)), cuts=st.lists(st.integers(0, 30_000), max_size=40)
)
def test_pieces_change_nothing(name: str, cuts: list[int]) -> None:
    """A log cut anywhere reads as the whole one."""
    status, log = RECORDED_RUNS[name]
    whole, pieces = StreamParser(), StreamParser()
    edges = [0, *sorted(min(cut, len(log)) for cut in cuts), len(log)]

    read = [line for begin, end in pairwise(edges) for line in pieces.feed(log[begin:end])]

    assert read == whole.feed(log)
    assert pieces.result(status, stopped=False, timed_out=False) == whole.result(
        status, stopped=False, timed_out=False
    )


def test_one_byte_at_a_time() -> None:
    """A log that comes byte by byte reads as the whole one."""
    for status, log in RECORDED_RUNS.values():
        parser = StreamParser()
        for byte in log:
            parser.feed(bytes([byte]))

        assert parser.result(status, stopped=False, timed_out=False) == _read(log, status)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(st.characters())
    | st.sampled_from(["text", "tool_use", "assistant", "result", "success"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "subtype",
                    "message",
                    "content",
                    "id",
                    "input",
                    "name",
                    "text",
                    "command",
                    "errors",
                    "result",
                    "total_cost_usd",
                    "is_error",
                    "session_id",
                    "model",
                    "error",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(
    events=st.lists(
        st.tuples(st.sampled_from(["assistant", "result", "system", "user", "x"]), _JSON),
        max_size=5,
    ),
    status=st.none() | st.integers(-70, 300),
    stopped=st.booleans(),
    timed_out=st.booleans(),
)
def test_no_event_makes_it_fail(
    *, events: list[tuple[str, Any]], status: int | None, stopped: bool, timed_out: bool
) -> None:
    """Events of every shape are read, and whatever is kept can be stored as UTF-8."""
    log = b"".join(
        json.dumps(
            {**(data if isinstance(data, dict) else {"message": data}), "type": kind}
        ).encode()
        + b"\n"
        for kind, data in events
    )

    result = _read(log, status, stopped=stopped, timed_out=timed_out)

    assert "\\u0000" not in result.model_dump_json()


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=10))
def test_no_bytes_make_it_fail(pieces: list[bytes]) -> None:
    """Bytes that are no log at all are read to the end."""
    parser = StreamParser()

    lines = [line for piece in pieces for line in parser.feed(piece)]

    assert all(line.isprintable() and len(line) <= MAX_READABLE for line in lines)
    assert parser.result(0, stopped=False, timed_out=False).end is AgentEnd.CRASHED


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * 1_000_000,
        b'{"a":' * 500_000,
        b'{"type":"result","total_cost_usd":1e999}',
        b'{"type":"result","total_cost_usd":' + b"9" * 400 + b"}",
        b'{"type":"result","total_cost_usd":' + b"9" * 5000 + b"}",
        b'{"type":"result","total_cost_usd":NaN,"result":["x"]}',
        b'{"type":"result","total_cost_usd":-5,"subtype":{}}',
        b'{"type":"assistant","message":{"content":[' + b"{}," * 300_000 + b"{}]}}",
        b'{"type":"assistant","message":{"content":[{"type":"tool_use","input":{"\\ud800":1}}]}}',
        b'{"type":"assistant","message":[]}',
        b"\xff\xfe\x00\x00",
    ],
    ids=lambda line: repr(line[:40]),
)
def test_hostile_line_is_passed_over(hostile: bytes) -> None:
    """A line made to break a parser does not hide the run's real end."""
    log = hostile + b"\n" + RECORDED_RUNS["basic: Bash, Write, end"][1]

    result = _read(log)

    assert (result.end, result.progress.turns, result.progress.usd) == (
        AgentEnd.SUCCESS,
        3,
        pytest.approx(0.0198),
    )


def test_line_over_the_cap_is_left_out() -> None:
    """A line of many megabytes is left out, the ones around it are read."""
    parser = StreamParser()
    big = b'{"type":"user","x":"' + b"y" * (2 * MAX_LINE_BYTES) + b'"}\n'

    read = parser.feed(_answer({"type": "text", "text": "before"}) + big)
    read += parser.feed(_answer({"type": "text", "text": "after"}))

    assert read == ["before", "after"]


def test_time_is_linear() -> None:
    """Sixteen megabytes without an end of line, in small pieces, take no more than seconds."""
    parser = StreamParser()
    begun = time.process_time()

    for _ in range(16_000):
        parser.feed(b"x" * 1000)

    assert time.process_time() - begun < 5
