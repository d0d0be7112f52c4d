"""GitHub's OpenAPI description, held against what the fake GitHub is asked and answers.

The description comes from npm (``@octokit/openapi``); needs the test environment.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openapi_schema_validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DESCRIPTION = (
    Path(__file__).parents[2] / "npm/node_modules/@octokit/openapi/generated/api.github.com.json"
)

_ADDRESS = "urn:github"
_MAX_PROBLEMS = 5


def load() -> None:
    """Read the description now: it is long, and reading blocks."""
    _registry()


def request_problems(
    method: str, template: str, *, query: Mapping[str, str], body: object
) -> list[str]:
    """Return what GitHub's description does not allow in a request; no body is None."""
    operation = _operation(method, template)
    if operation is None:
        return [f"{method} {template}: GitHub has no such call"]
    known = _query_names(method, template)
    problems = [f"unknown query parameter {name}" for name in query if name not in known]
    if body is not None:
        where = ("requestBody", "content", "application/json", "schema")
        problems += _problems(method, template, where, body, writes=True)
        problems += _unknown_keys(operation, body)
    return [f"request {method} {template}: {problem}" for problem in problems]


def answer_problems(method: str, template: str, *, status: int, body: object) -> list[str]:
    """Return what GitHub's description does not allow in an answer."""
    operation = _operation(method, template)
    if operation is None:
        return [f"{method} {template}: GitHub has no such call"]
    responses: dict[str, Any] = operation["responses"]
    if str(status) not in responses:
        # The description names few of the errors that GitHub answers.
        return [] if status >= 400 else [f"answer {method} {template}: {status} is not described"]
    where = ("responses", str(status), "content", "application/json", "schema")
    problems = _problems(method, template, where, body, writes=False)
    return [f"answer {status} {method} {template}: {problem}" for problem in problems]


@functools.cache
def _description() -> dict[str, Any]:
    description: dict[str, Any] = json.loads(DESCRIPTION.read_text())
    # As it stands, an account there is a person and an enterprise at once, which not even the
    # description's own example is; elsewhere an installation is described rightly.
    listed = description["paths"]["/app/installations"]["get"]["responses"]["200"]
    installation = {"$ref": "#/components/schemas/installation"}
    listed["content"]["application/json"]["schema"]["items"] = installation
    return description


@functools.cache
def _registry() -> Registry[Any]:
    resource: Resource[Any] = Resource.from_contents(_description(), default_specification=DRAFT4)
    empty: Registry[Any] = Registry()
    return empty.with_resource(_ADDRESS, resource)


def _operation(method: str, template: str) -> dict[str, Any] | None:
    return _description()["paths"].get(template, {}).get(method.lower())


@functools.cache
def _query_names(method: str, template: str) -> frozenset[str]:
    operation = _operation(method, template) or {}
    parameters = map(_resolved, operation.get("parameters", []))
    return frozenset(str(each["name"]) for each in parameters if each["in"] == "query")


def _unknown_keys(operation: dict[str, Any], body: object) -> list[str]:
    """Find misspelt keys, which the description lets pass and GitHub ignores."""
    schema: Any = operation.get("requestBody", {})
    for part in ("content", "application/json", "schema", "properties"):
        schema = _resolved(schema).get(part, {})
    if not (schema and isinstance(body, dict)):
        return []
    keys: list[str] = list(body)  # pyright: ignore[reportUnknownArgumentType] -- JSON
    return [f"unknown key {key}" for key in keys if key not in schema]


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference within the description."""
    while "$ref" in node:
        found: Any = _description()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _problems(
    method: str, template: str, where: tuple[str, ...], value: object, *, writes: bool
) -> list[str]:
    validator = _validator(method, template, where, writes=writes)
    if validator is None:
        return [] if value is None else ["a body, and none is described"]
    errors: Iterable[Any] = validator.iter_errors(value)
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {str(error.message)[:300]}"
        for error, _ in zip(errors, range(_MAX_PROBLEMS), strict=False)
    ]


@functools.cache
def _validator(method: str, template: str, where: tuple[str, ...], *, writes: bool) -> Any:  # noqa: ANN401 -- the library's validators have no common type
    node: Any = _operation(method, template)
    for part in where:
        if node is None:
            return None
        node = _resolved(node).get(part)
    if node is None:
        return None
    library: Any = openapi_schema_validator
    kind = library.OAS30WriteValidator if writes else library.OAS30ReadValidator
    return kind(_addressed(node), registry=_registry(), format_checker=library.oas30_format_checker)


def _addressed(node: Any) -> Any:  # noqa: ANN401 -- JSON holds anything
    """Give references within a part of the description the address of the whole."""
    # As text: a reference may be the value of any key, as in a discriminator's mapping.
    return json.loads(json.dumps(node).replace('"#/components/', f'"{_ADDRESS}#/components/'))
