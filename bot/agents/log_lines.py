"""Lines of a log that arrives in pieces."""

from __future__ import annotations


class LogLines:
    """Puts pieces of bytes together to whole lines; a line that is too long is left out.

    A piece may end anywhere, in the middle of a character too. The time is linear in the bytes, and
    no more than ``limit`` bytes are held.
    """

    def __init__(self, *, limit: int) -> None:
        """Leave out lines of more than ``limit`` bytes."""
        self._limit = limit
        self._begun = bytearray()
        self._is_too_long = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the lines that they complete, without their ends."""
        *ends, rest = data.split(b"\n")
        lines: list[bytes] = []
        for end in ends:
            self._extend(end)
            lines += self.flush()
        self._extend(rest)
        return lines

    def flush(self) -> list[bytes]:
        """Return what has no end of line yet as a line: nothing more will come."""
        line = bytes(self._begun)
        lines = [line] if line and not self._is_too_long else []
        self._begun.clear()
        self._is_too_long = False
        return lines

    def _extend(self, part: bytes) -> None:
        if len(self._begun) + len(part) > self._limit:
            self._begun.clear()
            self._is_too_long = True
        elif not self._is_too_long:
            self._begun += part
