"""The log: one line for each event, JSON for machines or coloured for people, without secrets.

An event is a constant (``run_failed``); its facts are fields. What libraries log through
``logging`` takes the same way. Context is bound once with ``structlog.contextvars``.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TextIO, cast

import structlog

from bot.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from structlog.stdlib import BoundLogger
    from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["json", "console"]

QUIET = ("aiohttp", "alembic", "asyncio", "asyncssh", "dbos", "gidgethub", "sqlalchemy", "urllib3")
"""Libraries of which only warnings and errors are of interest."""
_SHORT, _REMEMBERED = 40, 2000
"""Characters, and how many such texts: the names of fields, of loggers and of events come again."""
_DEEPEST = 6
"""How far nested values are looked into; what lies deeper is written as text."""


def configure(
    format: Format | None = None,  # noqa: A002 -- it is the setting's name: PTQ_LOG_FORMAT
    secrets: Sequence[str] = (),
    *,
    stream: TextIO | None = None,
    level: int = logging.INFO,
) -> None:
    """Send every event to ``stream`` (default: standard error); may be called again.

    ``format`` None is ``console`` on a terminal and ``json`` elsewhere. ``secrets`` never appear in
    the log, in whatever field, exception or message of a library they stand.
    """
    output: TextIO = sys.stderr if stream is None else stream
    chosen: Format = format or ("console" if output.isatty() else "json")
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                Redaction(secrets),
                _renderer(chosen, is_coloured=output.isatty() and not os.environ.get("NO_COLOR")),
            ],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


class Redaction:
    """A processor of structlog that takes secrets out of every value and every name of a field."""

    def __init__(self, secrets: Sequence[str]) -> None:
        redact = Redactor(secrets).redact
        remembered = lru_cache(_REMEMBERED)(redact)

        def redacted(text: str) -> str:
            return remembered(text) if len(text) <= _SHORT else redact(text)

        self._redacted = redacted

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Return the event with its values as plain, redacted data."""
        return {self._redacted(str(name)): self._plain(event[name]) for name in event}

    def _plain(self, value: object, depth: int = 0) -> object:
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self._redacted(value)
            case dict() if depth < _DEEPEST:
                pairs = cast("Mapping[object, object]", value)
                return {
                    self._redacted(str(name)): self._plain(inner, depth + 1)
                    for name, inner in pairs.items()
                }
            case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
                values = cast("Sequence[object]", value)
                return [self._plain(inner, depth + 1) for inner in values]
            case bytes():
                return self._redacted(value.decode("utf-8", "backslashreplace"))
            case _:
                return self._redacted(_text(value))


class Outage:
    """What keeps something from being done for a while is told once, not at every look."""

    def __init__(self, log: BoundLogger, event: str) -> None:
        """Warn with this event."""
        self._log = log
        self._event = event
        self._is_told = False

    def goes_on(self, error: Exception) -> None:
        """It could not be done."""
        if not self._is_told:
            self._log.warning(self._event, kind=type(error).__name__)
        self._is_told = True

    def is_over(self) -> None:
        """It was done."""
        self._is_told = False


def _text(value: object) -> str:
    """Return what an object says of itself; enumerations and paths read best as ``str``."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 -- a log line must not end what it tells about
        return f"<{type(value).__name__}: {type(error).__name__} in str()>"


def _renderer(chosen: Format, *, is_coloured: bool) -> Processor:
    if chosen == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(
        colors=is_coloured,
        timestamp_key="time",
        exception_formatter=structlog.dev.plain_traceback,
    )
