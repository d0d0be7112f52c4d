"""The options of a job: what nobody says now comes from the last run, else from the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.agents import agents
from bot.commands import Investigate
from bot.commands.grammar import parse_line
from bot.configuration import RepositoryConfiguration
from bot.intake.options import job_options
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.models import JobOptions

OWN = RepositoryConfiguration.model_validate(
    {"defaults": {"agent": "claude", "model": "haiku", "hours": 2}}
)


def options(
    said: str, *, last: JobOptions | None = None, own: RepositoryConfiguration | None = None
) -> JobOptions:
    """Return what a command's words come to."""
    command = parse_line(f"investigate {said}")
    assert isinstance(command, Investigate)
    settings = Settings()
    return job_options(
        command.changes,
        configuration=own or RepositoryConfiguration(),
        limits=settings.limits,
        agents=agents(settings.agent),
        last=last,
    )


def test_the_next_run_keeps_what_the_last_one_had() -> None:
    """Also the model, which each agent has a default of."""
    first = options("--model sonnet --hours 1 --mode diagnose")

    assert options("", last=first) == first
    assert options("--hours 2", last=first) == first.model_copy(update={"hours": 2.0})
    assert options("--model opus", last=first).model == "opus"


@pytest.mark.parametrize(
    ("first", "said", "model"),
    [
        ("--model sonnet", "--agent codex", "default"),
        ("--agent codex --model gpt-5.1", "", "gpt-5.1"),
        ("--agent codex --model gpt-5.1", "--agent claude", "haiku"),
        ("", "--agent codex --model gpt-5.1", "gpt-5.1"),
    ],
)
def test_another_agent_has_a_model_of_its_own(first: str, said: str, model: str) -> None:
    """The last run's model, or the repository's, is for the agent that it was named with."""
    assert options(said, last=options(first, own=OWN), own=OWN).model == model
