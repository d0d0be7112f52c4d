"""``python -m bench NAME``: run one benchmark; its last line on stdout is its result as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import TYPE_CHECKING

from bench import dispatch, idle, recovery, scale, webhook
from bot import log

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bench.result import Result

BENCHMARKS: dict[str, Callable[[], Coroutine[None, None, Result]]] = {
    "webhook": webhook.measure,
    "dispatch": dispatch.measure,
    "idle": idle.measure,
    "scale": scale.measure,
    "recovery": recovery.measure,
}


def main(arguments: list[str]) -> None:
    """Run the named benchmark."""
    if len(arguments) != 1 or arguments[0] not in BENCHMARKS:
        raise SystemExit(f"usage: python -m bench {'|'.join(BENCHMARKS)}")
    log.configure(level=logging.ERROR)
    result = asyncio.run(BENCHMARKS[arguments[0]]())
    sys.stdout.write(json.dumps(result.line(arguments[0])) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
