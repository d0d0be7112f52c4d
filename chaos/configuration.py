"""The settings of the bot's processes, as an operator writes them: a file, and the secrets."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chaos.options import Options
    from demo.project import Project
    from tests.fakes.github import FakeGitHub
    from tests.fakes.machine import FakeMachine

SILENCE = 10.0
"""Seconds after which a process on Postgres is taken over."""

_AGENT = Path(__file__).with_name("agent.py")


def environment(
    directory: Path,
    options: Options,
    github: FakeGitHub,
    machines: Sequence[FakeMachine],
    sample: Project,
) -> Mapping[str, str]:
    """Write the file, and return the environment of processes that read it; it blocks."""
    settings = github.settings()
    if settings.webhook_secret is None:
        raise AssertionError("the fake GitHub has a secret")
    config = directory / "ptq.toml"
    config.write_text(_toml(_values(directory, options, github, machines, sample)))
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "PTQ_CONFIG": str(config),
        "PTQ_GITHUB__PRIVATE_KEY": settings.key,
        "PTQ_GITHUB__WEBHOOK_SECRET": settings.webhook_secret.get_secret_value(),
    }


def _values(
    directory: Path,
    options: Options,
    github: FakeGitHub,
    machines: Sequence[FakeMachine],
    sample: Project,
) -> dict[str, Any]:
    """Return the settings: everything that waits waits for a short time only."""
    settings = github.settings()
    values: dict[str, Any] = {
        "port": 0,
        "provider": "pool",
        "log_format": "json",
        "poll_interval": 0.1,
        "progress_interval": 2,
        "follow_patience": 15,
        "away_patience": 45,
        "github": {
            "app_id": settings.app_id,
            "api_url": settings.api_url,
            "repositories": list(settings.repositories),
        },
        "agent": {
            "stop_grace": 1,
            "claude": {"command": f"{sys.executable} {_AGENT} {directory}"},
        },
        "torch": {
            "package": "tinytorch",
            "module": "tinytorch",
            "index_url": str(sample.index),
            "tagged": False,
            "cuda": "cpu",
            "source_url": str(sample.source),
            "python": sys.executable,
            "extra_packages": [],
        },
        "proof": {"time_limit": 20},
        "schedule": {"deliveries": 2, "comments": 3, "jobs": 2},
        "machines": [machine.settings.model_dump(mode="json") for machine in machines],
    }
    if options.database == "postgres":
        values["workers"] = {"heartbeat": SILENCE / 10, "silence": SILENCE}
    return values


def _toml(values: Mapping[str, Any]) -> str:
    """Write the little that is needed of TOML: tables, lists of tables, and what JSON writes alike.

    https://toml.io/en/v1.0.0
    """
    return "\n".join(_table(values, path=()))


def _table(values: Mapping[str, Any], *, path: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    below: list[str] = []
    for name, value in values.items():
        inner = (*path, name)
        match value:
            case dict():
                below += [f"[{'.'.join(inner)}]", *_table(value, path=inner)]  # pyright: ignore[reportUnknownArgumentType] -- JSON
            case [dict(), *_]:
                for item in value:  # pyright: ignore[reportUnknownVariableType] -- JSON
                    below += [f"[[{'.'.join(inner)}]]", *_table(item, path=inner)]  # pyright: ignore[reportUnknownArgumentType] -- JSON
            case _:
                lines.append(f"{name} = {json.dumps(value)}")
    return [*lines, *below]
