"""Follows many growing files at once, for the bot, over one session.

Standard library only (Python 3.9 and newer, Linux): it travels to the machine. Commands are JSON
arrays on stdin, one a line; it ends when stdin does::

    ["follow", ID, PATH, OFFSET]   send what the file holds from there on, also once it is made
    ["taken", ID, BYTES]           so many bytes were taken: as many more may come
    ["forget", ID]

After ``GREETING``, stdout carries frames: a header, and as many bytes as it says. A file that is
not a regular one is told as an error and forgotten; symbolic links are not followed.
"""

from __future__ import annotations

import errno
import json
import os
import select
import stat
import struct
import sys
import time
from typing import Any

GREETING = b"\0ptq follower 1\n"
"""Before it comes whatever the login's shell says."""
HEADER = struct.Struct(">cIQI")
"""Kind, the file's id, where the bytes begin in it, how many they are."""
DATA, ERROR, BEAT = b"d", b"e", b"b"
PIECE = 1 << 16
"""The most bytes in one frame: every file has its turn before another one's next piece."""
WINDOW = 1 << 18
"""The most bytes of one file that are sent and not taken."""
BEAT_EVERY = 5.0
"""Seconds of silence at most."""

_SHORTEST, _LONGEST = 0.03, 0.2
"""Seconds between two looks at all files."""
_SHARE = 30
"""Looking takes one part in this many of a core, until that would be too seldom."""
_BATCH = 1 << 18
_MISSING = (errno.ENOENT, errno.ENOTDIR)


class File:
    """One followed file."""

    def __init__(self, path: str, offset: int) -> None:
        """Begin at the offset."""
        self.path = path
        self.offset = offset
        self.taken = offset

    def look(self) -> bytes:
        """Return the next piece, or nothing; raise OSError, ValueError for no regular file."""
        room = min(PIECE, self.taken + WINDOW - self.offset)
        try:
            found = os.lstat(self.path)
        except OSError as error:
            if error.errno in _MISSING:
                return b""
            raise
        _require_regular(found)
        if room <= 0 or found.st_size <= self.offset:
            return b""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self.path, flags)
        try:
            _require_regular(os.fstat(descriptor))
            return os.pread(descriptor, room, self.offset)
        finally:
            os.close(descriptor)


class Follower:
    """The followed files, and the two streams."""

    def __init__(self, commands: int, frames: int) -> None:
        """Read commands from one descriptor, write frames to the other."""
        self._commands = commands
        self._frames = frames
        self._files: dict[int, File] = {}
        self._line = b""
        self._batch = bytearray(GREETING)
        self._spoke = time.monotonic()

    def run(self) -> None:
        """Follow until the commands end."""
        wait = 0.0
        while True:
            if select.select([self._commands], [], [], wait)[0] and not self._listen():
                return
            began = time.monotonic()
            has_more = self._look()
            if began - self._spoke >= BEAT_EVERY:
                self._say(BEAT, 0, 0, b"")
            self._flush()
            cost = time.monotonic() - began
            wait = 0.0 if has_more else min(_LONGEST, max(_SHORTEST, _SHARE * cost))

    def _listen(self) -> bool:
        data = os.read(self._commands, PIECE)
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._obey(*json.loads(line))
        return bool(data)

    def _obey(self, command: str, number: int, *rest: Any) -> None:  # noqa: ANN401 -- JSON
        if command == "follow":
            self._files[number] = File(*rest)
        elif command == "taken" and number in self._files:
            self._files[number].taken += rest[0]
        elif command == "forget":
            self._files.pop(number, None)

    def _look(self) -> bool:
        """Send one piece of every file that has grown; whether one may have more."""
        has_more = False
        for number, file in list(self._files.items()):
            try:
                data = file.look()
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                self._say(ERROR, number, 0, (why or "it cannot be read").encode())
                del self._files[number]
                continue
            if data:
                self._say(DATA, number, file.offset, data)
                file.offset += len(data)
                has_more = has_more or len(data) == PIECE
        return has_more

    def _say(self, kind: bytes, number: int, offset: int, data: bytes) -> None:
        self._batch += HEADER.pack(kind, number, offset, len(data)) + data
        if len(self._batch) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        if not self._batch:
            return
        rest = memoryview(bytes(self._batch))
        self._batch.clear()
        while rest:
            rest = rest[os.write(self._frames, rest) :]
        self._spoke = time.monotonic()


def _require_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("is not a regular file")


def main() -> None:
    """Follow for whoever is at the other end of the session, until it is gone."""
    try:
        Follower(sys.stdin.fileno(), sys.stdout.fileno()).run()
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(0)


if __name__ == "__main__":
    main()
