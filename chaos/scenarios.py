"""What the scripted agents do, and how a job with each of them must end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demo import story
from tests import scenes

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Scenario:
    """An issue, its agent, and the end that is the only right one."""

    name: str
    body: str
    """Of the issue."""
    steps: scenes.Steps
    again: scenes.Steps
    """When the agent gets its second try."""
    says: str
    """Words of the closing comment."""
    opens_pull: bool = False

    def script(self) -> dict[str, Any]:
        """Return what the scripted agent reads."""
        return {"steps": [_CLEAN, *self.steps], "resumed": self.again, "usd_per_turn": 0.01}


def _takes(seconds: float) -> dict[str, Any]:
    return {"run": ["sleep", str(seconds)]}


_MENDS = "passes with the change in 3 of 3"
_DOES_NOTHING: dict[str, Any] = {
    "replace": "pytorch/tinytorch/sequence.py",
    "old": '"""Swap rows',
    "new": '"""Exchange rows',
}
_CLEAN: dict[str, Any] = {
    "run": ["git", "-C", "pytorch", "checkout", "--quiet", "--", "."],
    "expect": 0,
}
"""The next run of a job begins with what the last one changed: begin as if it had not."""
_DONE: scenes.Steps = [{"say": "That is all."}]


def choose(random: Random) -> Scenario:
    """Return one of them, agents that take some seconds more often than others."""
    seconds = round(random.uniform(1, 6), 1)
    fixed = story.scenario()["steps"]
    kinds = [
        Scenario("fixes", story.BODY, fixed, _DONE, _MENDS, opens_pull=True),
        Scenario(
            "fixes slowly",
            story.BODY,
            [_takes(seconds), *fixed, _takes(1)],
            _DONE,
            _MENDS,
            opens_pull=True,
        ),
        Scenario(
            "fixes at the second try",
            story.BODY,
            [*story.reproduce(), _DOES_NOTHING, scenes.REPORT, scenes.verdict("fixed")],
            [_takes(seconds / 2), scenes.MEND, scenes.REPORT, scenes.verdict("fixed")],
            _MENDS,
            opens_pull=True,
        ),
        Scenario(
            "does not reproduce",
            scenes.PASSING,
            [_takes(seconds), *scenes.not_reproduced()],
            _DONE,
            "I could not reproduce the bug here",
        ),
        Scenario(
            "leaves a child behind",
            scenes.PASSING,
            [{"spawn": ["sleep", "3600"]}, *scenes.not_reproduced()],
            _DONE,
            "I could not reproduce the bug here",
        ),
        Scenario(
            "meets a model that fails",
            story.BODY,
            [_takes(seconds), {"fail": {"subtype": "success", "result": "API Error: 529"}}],
            _DONE,
            "The model behind the agent failed",
        ),
        Scenario(
            "crashes",
            story.BODY,
            [_takes(seconds / 2), {"kill": "SIGKILL"}],
            _DONE,
            "The agent crashed before it was done",
        ),
    ]
    return random.choices(kinds, weights=[2, 4, 2, 3, 1, 1, 1])[0]
