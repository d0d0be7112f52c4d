"""The published schema of ``proof.json`` is that of the model."""

from __future__ import annotations

from pathlib import Path

from bot.proof.schema import schema

PUBLISHED = Path(__file__).parents[1] / "deploy" / "proof.schema.json"


def test_the_schema_is_up_to_date() -> None:
    """Whoever changes the record publishes its schema anew."""
    assert PUBLISHED.read_text(encoding="utf-8") == schema(), (
        "stale: run `python -m bot.proof.schema > deploy/proof.schema.json`"
    )
