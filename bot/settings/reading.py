"""Where settings come from: the environment and a TOML file, as nested values."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError

PREFIX = "PTQ_"
CONFIG_VARIABLE = "PTQ_CONFIG"


def from_file(path: str | None) -> dict[str, Any]:
    """Return what a TOML file says; raise ConfigurationError naming it."""
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).expanduser().read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{CONFIG_VARIABLE}={path}: {error}"
        raise ConfigurationError(message) from error


def from_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return what the variables with our prefix say, nested."""
    values: dict[str, Any] = {}
    for name, text in sorted(variables.items()):
        if not name.startswith(PREFIX) or name == CONFIG_VARIABLE:
            continue
        path = name.removeprefix(PREFIX).lower().split("__")
        nested: Any = _parse(path, text)
        for key in reversed(path):
            nested = {key: nested}
        merge(values, nested)
    return values


def _parse(path: list[str], text: str) -> str | list[str]:
    """Lists are written with commas."""
    if path[-1] in {"repositories", "extra_packages", "allow", "deny"}:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def merge(into: dict[str, Any], new: dict[str, Any]) -> None:
    """Put new values over old ones, section by section."""
    for key, value in new.items():
        old = into.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merge(old, value)  # pyright: ignore[reportUnknownArgumentType] -- TOML holds anything
        else:
            into[key] = value


def explain(error: ValidationError) -> str:
    """Name every wrong setting as the operator wrote it."""
    lines = ["The settings are wrong:"]
    for problem in error.errors(include_input=False, include_url=False):
        place = [str(part) for part in problem["loc"]]
        name = PREFIX + "__".join(place).upper()
        what = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            what = "no such setting"
        lines.append(f"  {name} ({'.'.join(place)}): {what}" if place else f"  {what}")
    return "\n".join(lines)
