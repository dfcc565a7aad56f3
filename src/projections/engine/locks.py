"""Advisory locks by name: held by a connection, gone with it."""

from __future__ import annotations

import hashlib
from typing import Any

from psycopg import Connection


def lock_key(*names: object) -> int:
    """The number that stands for a name; the workspace's schema is always part of the name."""
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def try_lock(connection: Connection[Any], key: int) -> bool:
    """Take it for this connection, if nobody else has it."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
    return bool(row and row[0])


def unlock(connection: Connection[Any], key: int) -> None:
    """Give it back."""
    connection.execute("SELECT pg_advisory_unlock(%s)", [key])
