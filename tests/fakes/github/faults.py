"""Failures of the fake GitHub, made to order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Gate(asyncio.Event):
    """What calls wait for."""

    def __init__(self) -> None:
        """Be shut."""
        super().__init__()
        self.met = asyncio.Event()
        """Set when a call has come to it."""


@dataclass(slots=True, eq=False)
class Fault:
    """What happens to the next calls that fit."""

    method: str
    """``*`` for any."""
    pattern: str
    """Of the path below the API's address, or of the route's template; ``*`` for any part."""
    times: int
    status: int | None = None
    """None: the connection ends without an answer."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    """JSON, or bytes as they are."""
    is_done: bool = False
    """Whether what was asked for is done before the failure."""
    gate: Gate | None = None
    """Wait for this first; alone (``is_slow``) there is no failure after it."""
    is_slow: bool = False

    def fits(self, method: str, path: str, template: str) -> bool:
        """Whether the call is one of those."""
        if self.method not in {"*", method}:
            return False
        return fnmatchcase(path, self.pattern) or fnmatchcase(template, self.pattern)


class Faults:
    """The failures that are still to come."""

    def __init__(self) -> None:
        """Start with none."""
        self._coming: list[Fault] = []
        self._stopping = asyncio.Event()

    def fail_next(
        self,
        method: str,
        pattern: str,
        *,
        status: int = 502,
        headers: Mapping[str, str] | None = None,
        body: Any = None,  # noqa: ANN401 -- JSON, or bytes as they are
        times: int = 1,
        done: bool = False,
    ) -> None:
        """Answer the next calls that fit with an error; ``done`` does first what they ask for.

        ``pattern`` is of the path or of the route's template (``*/issues/*/comments``).
        """
        self._coming.append(
            Fault(method, pattern, times, status, headers or {}, body, is_done=done)
        )

    def drop_next(self, method: str, pattern: str, *, done: bool, times: int = 1) -> Fault:
        """End the connection of the next calls that fit, before or after they are done.

        ``times`` of what is returned says how often it is still to come.
        """
        fault = Fault(method, pattern, times, is_done=done)
        self._coming.append(fault)
        return fault

    def hold_next(self, method: str, pattern: str, *, times: int = 1) -> Gate:
        """Answer the next calls that fit only when the event that is returned is set."""
        gate = Gate()
        self._coming.append(Fault(method, pattern, times, gate=gate, is_slow=True))
        return gate

    def take(self, method: str, path: str, template: str) -> Fault | None:
        """Return the first that fits, which has then come once more."""
        for fault in self._coming:
            if fault.fits(method, path, template):
                fault.times -= 1
                if fault.times <= 0:
                    self._coming.remove(fault)
                return fault
        return None

    async def wait(self, fault: Fault) -> None:
        """Wait for the fault's gate, or for the end."""
        if fault.gate is None:
            return
        fault.gate.met.set()
        waits = [asyncio.ensure_future(event.wait()) for event in (fault.gate, self._stopping)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def clear(self) -> None:
        """Have no more failures come."""
        self._coming.clear()

    def stop(self) -> None:
        """Let everything go that waits."""
        self._stopping.set()
