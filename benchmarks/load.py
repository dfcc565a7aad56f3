"""A bounded load of HTTP requests on loopback, light enough not to be what is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

TURNED_AWAY_SECONDS = 1.0
"""After which a client that was answered 503 asks again."""


@dataclass(frozen=True)
class Load:
    """What a load came to: answered requests a second, each one's seconds, and the bodies of the answers."""

    rate: float
    seconds: Sequence[float]
    answers: Sequence[bytes]


class UnexpectedAnswer(Exception):
    """A request was not answered as the measurement needs; the run is worth nothing."""


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bytes]:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return status, await reader.readexactly(length) if length else b""


async def _run(
    port: int,
    clients: int,
    seconds: float,
    request: Callable[[int, int], bytes],
    limit: int,
    rate: float | None,
    retries_503: bool,
) -> Load:
    taken: list[float] = []
    answers: list[bytes] = []
    sent = 0
    begun = time.perf_counter()

    async def client(number: int) -> None:
        nonlocal sent
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        mine = 0
        while time.perf_counter() - begun < seconds and sent < limit:
            if rate is not None and (wait := begun + sent / rate - time.perf_counter()) > 0:
                sent += 1
                await asyncio.sleep(wait)
            else:
                sent += 1
            at = time.perf_counter()
            status, body = await _exchange(reader, writer, request(number, mine))
            if status == 503 and retries_503:
                await asyncio.sleep(TURNED_AWAY_SECONDS)
                continue
            taken.append(time.perf_counter() - at)
            if status not in (200, 201):
                raise UnexpectedAnswer(f"{status}: {body[:500]!r}")
            answers.append(body)
            mine += 1
        writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return Load(len(taken) / (time.perf_counter() - begun), taken, answers)


def load(
    port: int,
    request: Callable[[int, int], bytes],
    *,
    clients: int = 16,
    seconds: float = 5.0,
    limit: int = 100_000,
    rate: float | None = None,
    retries_503: bool = False,
) -> Load:
    """Send requests for at most so many seconds, at most so many, evenly at `rate` a second where one is given.

    With `retries_503` a client that is answered 503 asks again after a moment, as `Retry-After` says.
    """
    return asyncio.run(_run(port, clients, seconds, request, limit, rate, retries_503))


def post(path: str, body: bytes, token: str | None = None) -> bytes:
    """The bytes of a JSON POST on a kept connection."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
