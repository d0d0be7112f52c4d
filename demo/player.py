"""Who plays the agent: Claude Code where it can, else the script."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND_VARIABLE = "PTQ_AGENT__CLAUDE__COMMAND"
KEY_VARIABLES = ("PTQ_MODEL__API_KEY", "ANTHROPIC_API_KEY")
URL_VARIABLES = ("PTQ_MODEL__BASE_URL", "ANTHROPIC_BASE_URL")

SCRIPTED_AGENT = Path(__file__).parents[1] / "tests" / "fakes" / "scripted_agent.py"


@dataclass(frozen=True, slots=True)
class Player:
    """The agent of this demonstration."""

    is_scripted: bool
    argv: tuple[str, ...]
    """What starts it on the machine."""
    introduction: str
    """Who it is, for people."""
    model: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """The settings of the model's API: they hold the key."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be in no log."""
        return (self.model["api_key"],) if self.model else ()

    def command(self, *, scenario: Path) -> str:
        """Return the setting that starts it; ``scenario`` is the script's file."""
        variables = ("env", f"PTQ_SCENARIO={scenario}") if self.is_scripted else ()
        return shlex.join((*variables, *self.argv))


def choose(environment: Mapping[str, str]) -> Player:
    """Take Claude Code if the program is installed and a key is set; else the script.

    Raise ConfigurationError when the command cannot be split into words.
    """
    words = _command(environment)
    program = shutil.which(words[0], path=environment.get("PATH"))
    key = _first(environment, KEY_VARIABLES)
    if program is None or not key:
        return _scripted(why=_why(words[0], program=program, key=key))
    return _claude([program, *words[1:]], environment, key=key)


def _command(environment: Mapping[str, str]) -> list[str]:
    try:
        words = shlex.split(environment.get(COMMAND_VARIABLE, "claude"))
    except ValueError as error:
        raise ConfigurationError(f"{COMMAND_VARIABLE}: {error}") from error
    if not words:
        raise ConfigurationError(f"{COMMAND_VARIABLE} is empty: it names the program")
    return words


def _why(name: str, *, program: str | None, key: str) -> str:
    missing: list[str] = []
    if program is None:
        missing.append(f"the program `{name}` is not installed")
    if not key:
        missing.append(f"no key of the model is set ({' or '.join(KEY_VARIABLES)})")
    return " and ".join(missing)


def _scripted(*, why: str) -> Player:
    return Player(
        is_scripted=True,
        argv=(sys.executable, str(SCRIPTED_AGENT)),
        introduction=f"The agent is a SCRIPT in Claude Code's place: {why}. No model thinks here; "
        "what it says was written beforehand. Yet it really runs the repro, edits the file and "
        "runs the repro again, and everything around it is the real bot.",
    )


def _claude(argv: list[str], environment: Mapping[str, str], *, key: str) -> Player:
    model = {"api_key": key}
    if url := _first(environment, URL_VARIABLES):
        model["base_url"] = url
    return Player(
        is_scripted=False,
        argv=tuple(argv),
        introduction=f"The agent is Claude Code ({argv[0]}), paid with your key: $5 at most. It "
        "works in a temporary directory of this computer, as you, and asks for no permission.",
        model=model,
    )


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((environment[name] for name in names if environment.get(name)), "")
