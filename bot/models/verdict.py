"""What was shown about a bug."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What was shown about the bug."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not_reproduced"
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    BROKE_OTHERS = "broke_others"
    ALREADY_PASSING = "already_passing"
    ENVIRONMENT = "environment"
    ERROR = "error"
