"""The options of a job: what was said, over what the repository says, within everybody's limits.

What was said and is too much is refused with the numbers; what nobody said is made to fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.code import code
from bot.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bot.agents.base import Agent
    from bot.commands import OptionChanges
    from bot.configuration import RepositoryConfiguration
    from bot.models import JobOptions
    from bot.settings import LimitSettings


class JobLimits:
    """What one job may have: the smaller of the operator's and the repository's limits."""

    def __init__(self, limits: LimitSettings, configuration: RepositoryConfiguration) -> None:
        """Take both."""
        own = configuration.limits
        self.hours = _smaller(limits.hours, own.hours)
        self.gpus = _smaller(limits.gpus, own.gpus)
        self.usd = _smaller(limits.usd, own.usd)
        self.gpu_types = configuration.gpu_types
        self._has_own_usd = own.usd is not None

    def fit(self, options: JobOptions) -> JobOptions:
        """Return the options within the limits."""
        changes: dict[str, object] = {
            "hours": min(options.hours, self.hours),
            "gpus": max(1, min(options.gpus, self.gpus)),
        }
        if options.max_usd is not None or self._has_own_usd:
            changes["max_usd"] = min(options.max_usd or self.usd, self.usd)
        if self.gpu_types is not None and options.gpu_type not in self.gpu_types:
            changes["gpu_type"] = self.gpu_types[0]
        return options.model_copy(update=changes)

    def check(self, options: JobOptions) -> None:
        """Raise Refusal, with the numbers, for what is over a limit."""
        for name, value, limit in (
            ("hours", options.hours, self.hours),
            ("gpus", options.gpus, self.gpus),
            ("max-usd", options.max_usd, self.usd),
        ):
            if value is not None and value > limit:
                raise Refusal(f"`--{name} {value:g}` is more than the {limit:g} allowed here.")
        if self.gpu_types is not None and options.gpu_type not in self.gpu_types:
            raise Refusal(
                f"{code(f'--gpu-type {options.gpu_type}')} is not allowed here; "
                f"there is {_listed(self.gpu_types)}."
            )


def job_options(
    changes: OptionChanges,
    *,
    configuration: RepositoryConfiguration,
    limits: LimitSettings,
    agents: Mapping[str, Agent],
    last: JobOptions | None = None,
) -> JobOptions:
    """Return the options of a job; raise Refusal for what cannot be had here.

    ``last`` are those of its last run, in place of what the repository says.
    """
    allowed = JobLimits(limits, configuration)
    options = changes.apply(allowed.fit(last or configuration.job_options()))
    allowed.check(options)
    if options.agent not in agents:
        raise Refusal(f"there is no agent of that name here; there is {_listed(sorted(agents))}.")
    if "model" not in changes.said:
        model = _model(options.agent, configuration, agents, last=last)
        options = options.model_copy(update={"model": model})
    if options.dockerfile is not None:
        raise Refusal("the machines here are prepared without an image: leave `--dockerfile` out.")
    return options


def _model(
    agent: str,
    configuration: RepositoryConfiguration,
    agents: Mapping[str, Agent],
    *,
    last: JobOptions | None,
) -> str:
    """Return the model that nobody named now; one that was named for another agent is none."""
    if last is not None and last.agent == agent:
        return last.model
    own = configuration.job_options()
    is_named = "model" in configuration.defaults.model_fields_set and own.agent == agent
    return own.model if is_named else agents[agent].default_model


def _smaller(operators: float, own: float | None) -> float:
    return operators if own is None else min(operators, own)


def _listed(names: Collection[str]) -> str:
    return ", ".join(code(name) for name in names)
