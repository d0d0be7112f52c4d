"""The load of the webhook's benchmark, as a process of its own: signed deliveries over HTTP.

``python -m bench.load URL BODY SECRET CONNECTIONS REQUESTS RATE`` sends the file's content as so
many deliveries, each with its own id. RATE 0: each connection sends its next one when the last one
was answered (closed loop). Otherwise so many a second are begun whatever becomes of the others
(open loop), and a latency counts from when it was due. It prints JSON: seconds, milliseconds of
each.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

ACCEPTED = b"202"


class Load:
    """The deliveries that are still to be sent."""

    def __init__(self, url: str, body: bytes, secret: str, *, requests: int, rate: float) -> None:
        """Send ``requests`` of them."""
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        self._head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nX-GitHub-Event: issue_comment\r\n"
            f"X-Hub-Signature-256: sha256={signature}\r\nX-GitHub-Delivery: "
        ).encode()
        self._body = body
        self._requests = requests
        self._rate = rate
        self._sent = 0
        self._began = 0.0
        self.latencies: list[float] = []

    async def run(self, connections: int) -> float:
        """Send all of them; return the seconds it took."""
        self._began = time.perf_counter()
        await asyncio.gather(*(self._send() for _ in range(connections)))
        return time.perf_counter() - self._began

    async def _send(self) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        while self._sent < self._requests:
            due = time.perf_counter()
            if self._rate:
                due = self._began + self._sent / self._rate
            self._sent += 1
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(self._head + str(uuid.uuid4()).encode() + b"\r\n\r\n" + self._body)
            await _answered(reader)
            self.latencies.append((time.perf_counter() - due) * 1000)
        writer.close()


async def _answered(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if head.split(None, 2)[1] != ACCEPTED:
        raise SystemExit(f"not accepted: {head.decode()}")
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    length = next(int(value) for name, _, value in fields if name == b"content-length")
    await reader.readexactly(length)


async def _main(url: str, body: str, secret: str, *numbers: str) -> None:
    connections, requests, rate = int(numbers[0]), int(numbers[1]), float(numbers[2])
    content = await asyncio.to_thread(Path(body).read_bytes)
    load = Load(url, content, secret, requests=requests, rate=rate)
    seconds = await load.run(connections)
    sys.stdout.write(json.dumps({"seconds": seconds, "latencies": load.latencies}) + "\n")


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
