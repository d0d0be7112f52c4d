"""How long pure work takes, for tests that compare two sizes of it."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def takes_less_than(limit: float, work: Callable[[], object]) -> bool:
    """Return whether some work takes fewer seconds; once more only where it seems to take longer.

    Another process may have had the processor's caches.
    """
    return any(seconds(work) < limit for _ in range(2))


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of some work, without that of looking for garbage.

    The latter is as large as all that earlier tests have left, and no matter of the work.
    """
    gc.disable()
    try:
        begin = time.process_time()
        work()
        return time.process_time() - begin
    finally:
        gc.enable()
