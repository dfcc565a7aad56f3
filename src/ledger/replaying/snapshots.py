"""Snapshots: the states of long aggregates, so that loading one does not replay hundreds of events."""

from __future__ import annotations

import inspect
import io
import pickle
import sys
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from eventsourcing.domain import BaseAggregate

from ledger.database import Connection
from ledger.sealing import Keyring

_PLAIN = {
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("decimal", "Decimal"),
    ("uuid", "UUID"),
}


@dataclass(frozen=True)
class Snapshot:
    """The state of an aggregate at a version."""

    version: int
    aggregate: BaseAggregate[UUID]


class _Reader(pickle.Unpickler):
    """Makes plain values and things of the business, and nothing else."""

    def __init__(self, state: bytes, cls: type[BaseAggregate[UUID]]) -> None:
        super().__init__(io.BytesIO(state))
        self._home = cls.__module__

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN or module == self._home or module.partition(".")[0] == "aggregates":
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a snapshot")


@cache
def fingerprint(cls: type[BaseAggregate[UUID]]) -> str:
    """Names the code that made a state: with any other code the snapshot is not used, and taken again."""
    digest = sha256(sys.version.encode())
    for each in cls.__mro__:
        module = inspect.getmodule(each)
        if module is not None and getattr(module, "__file__", None):
            digest.update(inspect.getsource(module).encode())
    return digest.hexdigest()


def latest_snapshot(
    connection: Connection,
    keyring: Keyring,
    cls: type[BaseAggregate[UUID]],
    id: UUID,
    version: int | None,
    position: int | None,
) -> Snapshot | None:
    """The last usable snapshot not later than a version and a position."""
    row = connection.execute(
        "SELECT originator_version, state FROM snapshots WHERE originator_id = %s AND fingerprint = %s"
        " AND (%s::bigint IS NULL OR originator_version <= %s) AND (%s::bigint IS NULL OR position <= %s)"
        " ORDER BY originator_version DESC LIMIT 1",
        [id, fingerprint(cls), version, version, position, position],
        binary=True,
    ).fetchone()
    if row is None:
        return None
    try:
        state = keyring.decrypt_cached(row[1], bound_to(id, row[0]))
    except InvalidTag:
        return None
    return Snapshot(row[0], _Reader(state, cls).load())


def bound_to(id: UUID, version: int) -> bytes:
    """What a sealed snapshot is bound to, so that it opens nowhere else."""
    return b"snapshot" + id.bytes + version.to_bytes(8, "big")
