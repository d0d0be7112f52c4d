"""A bug that did not show: what was tried, and what the issue lacks to try it better."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from bot.models import Verdict
from bot.render.proof import place
from bot.render.sanitise import code_line, inline
from bot.render.trials import named

if TYPE_CHECKING:
    from bot.models import Proof
    from bot.redaction import Redactor

_LINES = 8
_LINE = 300
"""Characters of one thing that the agent finds missing."""
_READ = 4_000
_NOTHING = (
    "Neither I nor the agent can name what is missing in the issue. If it still happens for you, "
    "please add the whole output, the version of PyTorch and the hardware."
)


def not_shown(proof: Proof, missing: str, *, redactor: Redactor) -> list[str]:
    """Return the paragraphs for whoever wrote the issue; none where the bug did show.

    ``missing`` is what the agent says the issue lacks, untrusted.
    """
    if proof.verdict not in {Verdict.NOT_REPRODUCED, Verdict.ALREADY_PASSING}:
        return []
    is_told = proof.is_proved or proof.repro_source == "none"
    paragraphs = [tried(proof, redactor=redactor)] if is_told else []
    if proof.verdict is Verdict.NOT_REPRODUCED:
        paragraphs.append(_lacks(proof, missing, redactor))
    return paragraphs


def tried(proof: Proof, *, redactor: Redactor) -> str:
    """Say what was run, on which hardware and version, and what it was looked for."""
    where = place(proof, without_gpu="a machine without a GPU", redactor=redactor)
    if not proof.red or not proof.red.count:
        return f"What I tried: nothing, as there is no program to run. What I had: {where}."
    command = code_line(shlex.join(proof.red.command), redactor=redactor, limit=200) or "the repro"
    number = proof.red.count
    times = "once" if number == 1 else f"{number:,} times"
    text = f"What I tried: {command}, {times}, at base, on {where}."
    failure = named(proof.signature, redactor=redactor) if proof.signature else ""
    if failure and proof.signature is not None:
        whose = "as the issue says" if proof.signature.source == "issue" else "by the agent's word"
        text = f"{text} I looked for {failure}, {whose}."
    return text


def _lacks(proof: Proof, missing: str, redactor: Redactor) -> str:
    """List what is missing: what the bot knows of first, then the agent's questions."""
    ours = list[str]()
    is_told = proof.is_proved or proof.repro_source == "none"
    if is_told and (program := _program(proof)):
        ours.append(program)
    if is_told and (proof.signature is None or proof.signature.source == "agent"):
        ours.append("what it prints when it fails: the exception with its traceback, or the values")
    lines = [
        line
        for part in missing[:_READ].splitlines()
        if (line := inline(part, redactor=redactor, limit=_LINE))
    ][:_LINES]
    asked = "\n".join(f"> - {line}" for line in lines) if len(lines) > 1 else f"> {''.join(lines)}"
    parts = [f"What is missing in the issue:\n{_bullets(ours)}"] if ours else []
    if lines:
        parts.append(f"What the agent found missing in the issue:\n{asked}")
    if not parts:
        return _NOTHING if proof.is_proved else ""
    return "\n\n".join(parts)


def _program(proof: Proof) -> str:
    if proof.repro_diff.strip():
        return (
            "what the right values are: the program only prints, so I ran it as the agent "
            "completed it"
        )
    whole = "a whole program that shows the bug when it is run as it stands"
    match proof.repro_source:
        case "issue":
            return ""
        case "agent":
            return f"{whole} (I ran one that the agent wrote from its text)"
        case "none":
            return f"{whole} (there is none that I could run)"


def _bullets(items: list[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
