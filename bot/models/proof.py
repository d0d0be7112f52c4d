"""What the bot itself saw: the repro at the base commit and with the patch, and the tests near it.

``proof.json`` is a ``Proof``; its schema is published as ``deploy/proof.schema.json``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from bot.models.names import Frozen
from bot.models.verdict import Verdict


class FailureKind(StrEnum):
    """What counts as the failure of a repro."""

    EXCEPTION = "exception"
    WRONG_RESULT = "wrong_result"
    """An assertion of the repro."""
    CRASH = "crash"
    """A signal, or an exit status above 128."""
    HANG = "hang"
    """It does not end within the time limit."""
    TEST = "test"
    """A test that fails."""


class Signature(Frozen):
    """How the reported failure is told from another."""

    kind: FailureKind
    exception: str = ""
    """Class of the exception, without its module."""
    message: str = ""
    """A distinctive part of its message, as it stands in the output."""
    source: Literal["issue", "agent"] = "issue"
    """Whose word it is: the bot takes the agent's only where the issue does not say."""


class Trial(Frozen):
    """One run of a program."""

    exit_status: int | None
    """128 + N for signal N; None when it was ended at its time limit."""
    timed_out: bool = False
    seconds: float = Field(ge=0)
    output: str = ""
    """The end of what it printed, capped: untrusted."""
    is_failure: bool
    """Whether it did not end well, in any way."""
    matches: bool
    """Whether it failed with the signature."""


class Trials(Frozen):
    """The same program several times, in the same clean place."""

    command: tuple[str, ...]
    """As a person would type it, relative to the job's directory."""
    trials: tuple[Trial, ...]

    @property
    def matching(self) -> int:
        """How many failed with the signature."""
        return sum(trial.matches for trial in self.trials)

    @property
    def passed(self) -> int:
        """How many ended well."""
        return sum(not trial.is_failure for trial in self.trials)

    @property
    def count(self) -> int:
        """How often it was run."""
        return len(self.trials)


TestEnd = Literal["passed", "failed", "flaky", "not_run"]


class Neighbour(Frozen):
    """One test file near the patch, at the base commit and with the patch."""

    path: str
    reason: str
    """Why it was chosen, in our words."""
    is_new: bool = False
    """The patch adds or changes it: its new tests must fail at base and pass with the patch."""
    base: TestEnd
    patched: TestEnd
    broken: tuple[str, ...] = ()
    """Tests that passed at base and fail with the patch, also when run again: untrusted names."""


class Proof(Frozen):
    """What was shown, and everything that is needed to show it again."""

    version: Literal[1] = 1
    verdict: Verdict
    why: str
    """The verdict's reason as a sentence of ours; parts of others are quoted in it."""
    is_proved: bool = True
    """False when the bot could not run what it takes (another device, no program): then the verdict
    is the agent's word, and no pull request is opened."""
    repro_source: Literal["issue", "agent", "none"] = "none"
    repro_sha256: str | None = None
    repro_diff: str = ""
    """How the agent's repro differs from the issue's, where that one had to be completed."""
    signature: Signature | None = None
    red: Trials | None = None
    """The repro at the base commit."""
    green: Trials | None = None
    """The repro with the patch as it will be published."""
    sanity: Trial | None = None
    """A trivial program on an untouched tree, run when the repro failed in another way."""
    neighbours: tuple[Neighbour, ...] = ()
    slowdown: float | None = None
    """Time of the repro with the patch over the time without it; None where it means nothing."""
    patch_sha256: str | None = None
    retried: bool = False
    """Whether the agent got a second try with the bot's fresh output."""
    torch_version: str
    commit: str
    cuda: str | None = None
    gpu: str | None = None
    driver: str | None = None
    python: str
    seconds: float = Field(default=0.0, ge=0)
    """Of the whole proof."""
