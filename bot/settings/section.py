"""What every group of settings is made of."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def _seconds(value: object) -> object:
    """Take a number that came as text, as from the environment, for one."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return value


Duration = Annotated[timedelta, BeforeValidator(_seconds)]
"""Seconds, or ISO 8601 (``PT30S``)."""


class Section(BaseModel):
    """A frozen group of settings that knows no other names than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")
