"""What a machine's follower says, read from a stream: data from a hostile machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bot.errors import MachineError
from bot.remote.follower import BEAT, DATA, ERROR, GREETING, HEADER, PIECE

MAX_NOISE = 1 << 16
"""What a login's shell may say before the follower begins."""


class Kind(Enum):
    """What a frame says."""

    DATA = DATA
    ERROR = ERROR
    BEAT = BEAT


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; see ``bot.remote.follower``."""

    kind: Kind
    file: int
    offset: int
    data: bytes


class Frames:
    """Cuts a stream into frames; it keeps one frame at most."""

    def __init__(self) -> None:
        """Expect the greeting."""
        self.is_greeted = False
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes; return the frames that are complete.

        Raise MachineError for what the follower never says.
        """
        self._rest += data
        if not self.is_greeted and not self._greeting():
            return []
        found: list[Frame] = []
        at = 0
        while len(self._rest) - at >= HEADER.size:
            kind, file, offset, length = HEADER.unpack_from(self._rest, at)
            if kind not in {DATA, ERROR, BEAT} or length > PIECE:
                raise MachineError("its follower says what cannot be understood")
            begin, end = at + HEADER.size, at + HEADER.size + length
            if end > len(self._rest):
                break
            found.append(Frame(Kind(kind), file, offset, self._rest[begin:end]))
            at = end
        self._rest = self._rest[at:]
        return found

    def _greeting(self) -> bool:
        noise, greeting, rest = self._rest.partition(GREETING)
        if len(noise) > MAX_NOISE:
            raise MachineError("its shell says too much before the follower begins")
        if not greeting:
            return False
        self.is_greeted, self._rest = True, rest
        return True
