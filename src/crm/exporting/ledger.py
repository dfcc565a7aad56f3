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
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any, BinaryIO

from ledger.database import Connection
from ledger.proof.comparing import ledger_id_of
from ledger.proof.rows import Row, row_of, rows

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
    file.write(_line(head))
    for number, data in enumerate(rows(connection, 1), 1):
        file.write(_line(_shown(row_of(data))))
        if number % TOLD_EVERY == 0:
            progress(number)


def _shown(row: Row) -> dict[str, Any]:
    return {
        "position": row.position,
        "originator_id": str(row.originator_id),
        "originator_version": row.originator_version,
        "topic": row.topic,
        "recorded_at": row.recorded_at,
        "customer_id": None if row.customer_id is None else str(row.customer_id),
        "state": b64encode(row.state).decode(),
        "chain": row.chain.hex(),
    }


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
