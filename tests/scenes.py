"""What scripted agents do in the conversations, beside the whole fix of the demonstration."""

from __future__ import annotations

from typing import Any

from demo import story

Steps = list[dict[str, Any]]

REPORT: dict[str, Any] = {"write": "report.md", "text": "It is what the verdict says.\n"}


def verdict(name: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """Write the verdict file."""
    return {"write": "verdict.json", "json": {"verdict": name, **fields}}


def fixed_by(*changes: dict[str, Any]) -> Steps:
    """Claim a fix that consists of these changes."""
    return [*story.reproduce(), *changes, REPORT, verdict("fixed", summary="It works now.")]


def not_reproduced() -> Steps:
    """Run the repro, and find nothing."""
    return [
        {"say": "The repro passes here."},
        REPORT,
        verdict(
            "not_reproduced",
            summary="The repro passes with this build.",
            missing="The shape of the batch, and the device.",
        ),
    ]
