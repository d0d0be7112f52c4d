"""The text of ``.github/ptq.yml`` → a configuration, or what is wrong with it by line."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from bot.commands.code import code
from bot.configuration.document import Document, load
from bot.configuration.model import RepositoryConfiguration
from bot.configuration.problem import Problem
from bot.configuration.rules import contradictions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from bot.configuration.document import Place

MAX_BYTES = 64 * 1024
"""A file that is longer is none that anybody wrote by hand."""
_KEY = "[key]"
"""How pydantic marks that the key itself is wrong, and not its value."""


def decode(content: bytes) -> str | Problem:
    """Return the text of a file, or why there is none."""
    if len(content) > MAX_BYTES:
        return too_long(len(content))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Problem(line=line, text="this is not UTF-8.")


def too_long(size: int) -> Problem:
    """Return what is said of a file of so many bytes."""
    return Problem(text=f"it has {size:,} bytes, more than {MAX_BYTES:,}.")


def read(text: str) -> RepositoryConfiguration | tuple[Problem, ...]:
    """Return what the file says; what is wrong with it by line, when anything is."""
    document = load(text)
    if not isinstance(document, Document):
        return document
    # A key without a value says nothing.
    said = {key: value for key, value in document.values.items() if value is not None}
    try:
        # As JSON, so that "strict" takes lists for tuples and words for enumerations.
        configuration = RepositoryConfiguration.model_validate_json(json.dumps(said), strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False)
        inner = {detail["loc"][:-1] for detail in details}
        # A list that lost its wrong items is not too short besides.
        told = [detail for detail in details if detail["loc"] not in inner]
        return _sorted(_problem(document, detail) for detail in told)
    return (
        _sorted(
            Problem(line=document.line(place), text=told)
            for place, told in contradictions(configuration)
        )
        or configuration
    )


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the file, as it is published."""
    made = RepositoryConfiguration.model_json_schema()
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **made, "title": "ptq.yml"}


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.line or 0))


def _problem(document: Document, detail: ErrorDetails) -> Problem:
    place = tuple(part for part in detail["loc"] if part != _KEY)
    return Problem(line=document.line(place), text=_told(place, detail))


def _told(place: Place, detail: ErrorDetails) -> str:
    name = code(_dotted(place))
    match detail["type"]:
        case "extra_forbidden":
            return f"there is no key {name}.{_nearest(place)}"
        case "too_short" | "string_too_short":
            return f"{name} is empty."
        case "value_error":
            return f"{name} {detail.get('ctx', {}).get('error', 'is wrong')}."
        case "string_pattern_mismatch":
            return f"{name} is not written as it must be: {code(str(detail['input']))}."
        case _:
            # pydantic's own words, which hold none of the file's.
            message = detail["msg"]
            return f"{name}: {message[:1].lower()}{message[1:]}."


def _dotted(place: Place) -> str:
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _nearest(place: Place) -> str:
    model: type[BaseModel] | None = RepositoryConfiguration
    for part in place[:-1]:
        annotation = model.model_fields[str(part)].annotation if model else None
        model = annotation if isinstance(annotation, type) else None
    near = get_close_matches(str(place[-1])[:40], model.model_fields if model else (), n=1)
    return f" Did you mean {code(near[0])}?" if near else ""
