"""The closing comment of a job that was proved, word for word."""

from __future__ import annotations

from inline_snapshot import snapshot

from bot.models import Mode, Verdict
from tests import proof_messages as messages
from tests.proofs import RED, before_the_change, proof, ran


def test_closing_a_fix_that_holds() -> None:
    """What the bot saw comes first, the agent's words are quoted as such."""
    outcome = messages.outcome(Verdict.FIXED, pull=messages.PULL)
    assert messages.closing(proof(), outcome) == snapshot("""\
@alice I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. The change is in [draft pull request #8](https://github.com/pytorch/pytorch/pull/8).

In the agent's words:
> `unpad_sequence` transposed the caller's batch. It works on a view now.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_a_fix_that_does_nothing() -> None:
    """Where the agent claims more than was seen, both are told, and no pull request is opened."""
    shown = proof(Verdict.NOT_FIXED, green=ran(RED, RED, RED), retried=True)
    reason = "It opens on a fix that I have seen to hold."
    assert messages.closing(
        shown, messages.outcome(Verdict.FIXED, no_pull_reason=reason)
    ) == snapshot("""\
@alice I ran the repro myself: it fails at base in 3 of 3 runs, and with the change it still fails in 3 of 3. The agent had a second try, with what I saw in the first. The agent claimed `fixed`; I saw `not_fixed`. I opened no pull request. It opens on a fix that I have seen to hold.

The agent's own account, which is not what I saw:
> `unpad_sequence` transposed the caller's batch. It works on a view now.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_by_mode() -> None:
    """A bug that is only to be shown is not told as one without a fix."""
    shown = before_the_change(Verdict.REPRODUCED, RED, RED, RED)
    outcome = messages.outcome(Verdict.REPRODUCED, summary="")
    assert [
        messages.closing(shown, outcome, mode=mode).partition("\n")[0] for mode in Mode
    ] == snapshot(
        [
            "@alice I ran the repro myself: it fails at base in 3 of 3 runs.",
            "@alice I ran the repro myself: it fails at base in 3 of 3 runs. The agent looked for its cause.",
            "@alice I ran the repro myself: it fails at base in 3 of 3 runs. The agent has no fix for it.",
        ]
    )


def test_closing_what_could_not_be_proved() -> None:
    """One line says what is missing here; all of it is the agent's word, and told so."""
    shown = before_the_change(
        Verdict.FIXED, red=None, is_proved=False, why="It needs Apple's MPS, this machine has none."
    )
    assert messages.closing(shown, messages.outcome(Verdict.FIXED)) == snapshot("""\
@alice I could not prove this here. It needs Apple's MPS, this machine has none. `fixed` is the agent's word.

In the agent's words:
> `unpad_sequence` transposed the caller's batch. It works on a view now.

The report is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). All of this is the agent's own account: neither I nor a person has checked it.\
""")


def test_closing_what_the_bot_could_not_tell() -> None:
    """A claim that could not be confirmed is no contradiction."""
    shown = before_the_change(Verdict.ERROR, red=None, why="The machine went away.")
    assert messages.closing(shown, messages.outcome(Verdict.FIXED)) == snapshot("""\
@alice I could not tell. The machine went away. The agent claimed `fixed`; I could not confirm it.

The agent's own account, which I could not confirm:
> `unpad_sequence` transposed the caller's batch. It works on a view now.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2). No person has checked what the agent says there.\
""")


def test_closing_an_agent_without_a_verdict() -> None:
    """An agent that says nothing is told of as such, beside what the bot saw."""
    shown = before_the_change(Verdict.REPRODUCED, RED, RED, RED)
    assert messages.closing(shown, messages.outcome(None, summary="")) == snapshot("""\
@alice The agent ended without a verdict. I ran the repro myself: it fails at base in 3 of 3 runs.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/7#issuecomment-2).\
""")
