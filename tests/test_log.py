"""The log: structured, in UTC, and without secrets."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import given, settings, strategies as st

from bot import log
from bot.redaction import REDACTED, Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "correct-horse/battery+staple"


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Give the next test the logging that this one found."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in log.QUIET}
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    for handler in list(root.handlers):
        if handler not in handlers:
            root.removeHandler(handler)
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def _configured(output: log.Format | None = "json") -> io.StringIO:
    stream = io.StringIO()
    log.configure(output, [SECRET], stream=stream)
    return stream


def _events(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json() -> None:
    """Event, fields, context, level, logger and time in UTC stand in one object."""
    stream = _configured()
    structlog.contextvars.bind_contextvars(job="20260102-pytorch-7")
    structlog.stdlib.get_logger("bot.test").info("run_failed", exit_status=1, words=["a\nb"])

    (event,) = _events(stream)
    assert str(event.pop("time")).endswith("Z")
    assert event == {
        "event": "run_failed",
        "exit_status": 1,
        "words": ["a\nb"],
        "job": "20260102-pytorch-7",
        "level": "info",
        "logger": "bot.test",
    }


def test_libraries_take_the_same_way() -> None:
    """What is logged through the standard library has the same shape and context."""
    stream = _configured()
    structlog.contextvars.bind_contextvars(job="1")
    logging.getLogger("some.library").warning("took %d s", 3)

    (event,) = _events(stream)
    assert (event["event"], event["level"], event["job"]) == ("took 3 s", "warning", "1")


@pytest.mark.parametrize("name", ["aiohttp.access", "asyncssh", "dbos", "alembic.runtime"])
def test_chatty_libraries_are_quiet(name: str) -> None:
    """Only their warnings and errors are of interest."""
    stream = _configured()
    logging.getLogger(name).info("hello")
    logging.getLogger(name).warning("careful")
    assert [event["event"] for event in _events(stream)] == ["careful"]


def test_configuring_again_replaces_the_first() -> None:
    """An event is never written twice."""
    first = _configured()
    second = _configured()
    structlog.stdlib.get_logger("bot.test").info("once")
    assert first.getvalue() == ""
    assert len(_events(second)) == 1


def test_debug_events_are_left_out() -> None:
    """The level holds for our own events and for those of libraries."""
    stream = _configured()
    structlog.stdlib.get_logger("bot.test").debug("detail")
    logging.getLogger("some.library").debug("detail")
    assert stream.getvalue() == ""


class Spelled:
    """An object whose text holds a secret."""

    def __str__(self) -> str:
        """Return the secret."""
        return f"it is {SECRET}"


class Broken:
    """An object that cannot be written down."""

    def __str__(self) -> str:
        """Fail."""
        raise ValueError(SECRET)


@pytest.mark.parametrize("output", ["json", "console"])
def test_no_field_gives_a_secret_away(output: log.Format) -> None:
    """Held secrets are taken out of nested values, names, objects, bytes and exceptions."""
    stream = _configured(output)
    logger = structlog.stdlib.get_logger("bot.test")
    deep: object = SECRET
    for _ in range(20):
        deep = {"in": [deep]}
    try:
        raise RuntimeError(SECRET)  # noqa: TRY301 -- what is logged is this very error
    except RuntimeError:
        logger.exception(
            f"failed {SECRET}",  # noqa: G004 -- an event that is no constant, as a library's
            deep=deep,
            key={SECRET: (SECRET, SECRET.encode(), {SECRET})},
            spelled=Spelled(),
            broken=Broken(),
            token="ghp_" + "a" * 36,
        )
        logging.getLogger("lib").exception("failed %s", Spelled())

    text = stream.getvalue()
    assert "correct-horse" not in text
    assert "ghp_aaaa" not in text
    assert text.count(REDACTED) >= 10
    assert "RuntimeError" in text
    assert "Broken: ValueError in str()" in text


def test_the_format_follows_the_stream() -> None:
    """Without a setting, what is no terminal gets JSON."""
    stream = _configured(None)
    structlog.stdlib.get_logger("bot.test").info("hello")
    assert _events(stream)[0]["event"] == "hello"


def test_text_that_cannot_be_encoded_is_logged_all_the_same() -> None:
    """A lone surrogate does not stop the log."""
    stream = _configured()
    structlog.stdlib.get_logger("bot.test").info("odd", text="\ud800")
    stream.getvalue().encode()


@given(st.text(min_size=8, max_size=40).filter(lambda text: len(text.strip()) >= 8), st.text())
@settings(max_examples=200, deadline=None)
def test_held_secrets_are_found_in_any_text(secret: str, around: str) -> None:
    """Whatever stands around a secret, and whatever the secret is, it is found."""
    redacted = Redactor([secret]).redact(f"{around}{secret}{around}")
    assert secret.strip() not in redacted.replace(REDACTED, "\0")


def test_colours_are_for_terminals() -> None:
    """A log in a pipe or a file has none."""
    stream = _configured("console")
    structlog.stdlib.get_logger("bot.test").warning("run_failed", exit_status=1)
    assert "run_failed" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
