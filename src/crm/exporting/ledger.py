"""The ledger as lines of JSON, so that it can be kept, read and verified without Genjin.

The first line says what the file is, each line after it is one event in the order of positions:

    {"format":"genjin-ledger","version":1,"ledger_id":"<uuid>","events":<how many follow>}
    {"position":1,"originator_id":"<uuid>","originator_version":1,"topic":"team.formed","recorded_at":<number>,
     "customer_id":"<uuid>" or null,"state":"<base64>","chain":"<64 hex digits>"}

`recorded_at` is in microseconds since 1970-01-01 UTC, and there is no line break within a line.
Events are written as they are stored, even where the ledger was tampered with: judging them is up to the reader.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec

from ledger.database import Connection
from ledger.proof.comparing import ledger_id_of
from ledger.proof.rows import row_of, rows

FORMAT, VERSION = "genjin-ledger", 1
TOLD_EVERY = 5_000
ZIPPING = 6


def write_ledger(
    connection: Connection, file: BinaryIO, *, zipped: bool = False, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Write all events, one in memory at a time, and answer how many; the connection must look at one snapshot."""
    counted = connection.execute("SELECT count(*), coalesce(max(position), 0) FROM events").fetchone()
    assert counted is not None
    head = {"format": FORMAT, "version": VERSION, "ledger_id": str(ledger_id_of(connection)), "events": counted[0]}
    if zipped:
        with gzip.GzipFile(fileobj=file, mode="wb", filename="", compresslevel=ZIPPING, mtime=0) as packed:
            _write(connection, packed, head, progress)
    else:
        _write(connection, file, head, progress)
    return {"events": counted[0], "position": counted[1]}


def _write(
    connection: Connection, file: BinaryIO | gzip.GzipFile, head: dict[str, Any], progress: Callable[[int], None]
) -> None:
    line = msgspec.json.Encoder().encode  # bytes become base64
    file.write(line(head) + b"\n")
    for number, data in enumerate(rows(connection, 1), 1):
        file.write(line(row_of(data)) + b"\n")
        if number % TOLD_EVERY == 0:
            progress(number)
