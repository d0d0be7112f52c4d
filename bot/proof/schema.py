"""The JSON Schema of ``proof.json``: ``python -m bot.proof.schema > deploy/proof.schema.json``."""

from __future__ import annotations

import json
import sys

from bot.models import Proof


def schema() -> str:
    """Return the schema as it is published."""
    made = Proof.model_json_schema(mode="serialization")
    return json.dumps({"$schema": _DIALECT, **made}, indent=2, ensure_ascii=False) + "\n"


_DIALECT = "https://json-schema.org/draft/2020-12/schema"

if __name__ == "__main__":
    sys.stdout.write(schema())
