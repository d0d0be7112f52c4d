"""How an agent ended that did not come to its own end."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from bot.models import AgentEnd
from bot.render.phrases import count, hours, money

if TYPE_CHECKING:
    from bot.models import JobOptions


def agent_ended(  # noqa: PLR0911 -- a sentence for each end
    end: AgentEnd | None, options: JobOptions
) -> str:
    """Return how the agent ended, as a sentence; empty when it did what it was asked to."""
    match end:
        case None | AgentEnd.SUCCESS:
            return ""
        case AgentEnd.MAX_TURNS:
            turns = count(options.max_turns, "turn")
            return f"The agent used up its {turns} before it was done."
        case AgentEnd.MAX_USD:
            limit = "its money" if options.max_usd is None else f"its {money(options.max_usd)}"
            return f"The agent used up {limit} before it was done."
        case AgentEnd.API_ERROR:
            return "The model behind the agent failed or refused, so the agent ended early."
        case AgentEnd.STOPPED:
            return "The agent was stopped before it was done."
        case AgentEnd.TIMED_OUT:
            return f"The time limit ({hours(options.hours)}) ran out before the agent was done."
        case AgentEnd.CRASHED:
            return "The agent crashed before it was done."
        case _:
            assert_never(end)
