"""An issue as JSON, read at the door: our own shape, or what ``gh issue view --json`` prints."""

from __future__ import annotations

import json
from typing import Annotated, cast

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.errors import InputError
from bot.hidden_text import strip_hidden, strip_invisible
from bot.workspace.repro.model import ReproComment, ReproIssue

SHAPE = "{title, body, labels, author, comments: [{author, association, body}]}"
_MAX_PROBLEMS = 10
_WRONG = {
    "missing": "is missing",
    "string_type": "is not a text",
    "model_type": "is not an object",
    "tuple_type": "is not a list",
}


def read_issue(data: bytes) -> ReproIssue:
    """Return the issue without what a reader of its page does not see.

    Only ``title`` and ``body`` must be there; unknown keys are ignored and ``null`` is empty. A
    label may be GitHub's object with a ``name``, an author one with a ``login``, and the
    association may be called ``authorAssociation`` or ``author_association``. Raise InputError
    naming every key that is missing or wrong.
    """
    try:
        loaded = cast("object", json.loads(data.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise InputError(f"not JSON: no UTF-8 text (byte {error.start})") from error
    except ValueError as error:
        raise InputError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise InputError("not JSON that can be read: too deep") from error
    if not isinstance(loaded, dict):
        raise InputError(f"not an issue: a JSON object is expected, {SHAPE}")
    try:
        issue = _Issue.model_validate(loaded)
    except ValidationError as error:
        raise InputError(_explain(error)) from error
    return ReproIssue(
        title=issue.title,
        body=strip_hidden(issue.body),
        labels=issue.labels,
        author=issue.author,
        comments=tuple(
            ReproComment(
                author=comment.author,
                association=comment.association,
                body=strip_hidden(comment.body),
            )
            for comment in issue.comments
        ),
    )


def _plain(value: object) -> object:
    """Take ``null`` for nothing, and out of a text what no encoding of it can hold."""
    if value is None:
        return ""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _line(value: object) -> object:
    plain = _plain(value)
    return strip_invisible(plain) if isinstance(plain, str) else plain


def _login(value: object) -> object:
    return _line(_of(value, "login"))


def _label(value: object) -> object:
    return _line(_of(value, "name"))


def _of(value: object, key: str) -> object:
    return cast("dict[object, object]", value).get(key) if isinstance(value, dict) else value


def _list(value: object) -> object:
    return () if value is None else value


_Text = Annotated[str, BeforeValidator(_plain)]
_Line = Annotated[str, BeforeValidator(_line)]
_Login = Annotated[str, BeforeValidator(_login)]
_Label = Annotated[str, BeforeValidator(_label)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Comment(_Shape):
    author: _Login = ""
    association: _Line = Field(
        default="",
        validation_alias=AliasChoices("association", "authorAssociation", "author_association"),
    )
    body: _Text


class _Issue(_Shape):
    title: _Line
    body: _Text
    labels: Annotated[tuple[_Label, ...], BeforeValidator(_list)] = ()
    author: _Login = ""
    comments: Annotated[tuple[_Comment, ...], BeforeValidator(_list)] = ()


def _explain(error: ValidationError) -> str:
    problems = [
        f"{'.'.join(map(str, problem['loc']))} {_WRONG.get(problem['type'], problem['msg'])}"
        for problem in error.errors(include_input=False, include_url=False)[:_MAX_PROBLEMS]
    ]
    return f"not an issue: {', '.join(problems)} (expected: {SHAPE})"
