"""Another master key: the keys of data subjects are wrapped anew, and no event is touched."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aggregates.randomness import Portions
from ledger.database import Connection, Database
from ledger.errors import WrongMasterKey
from ledger.sealing import NONCE, Keyring

BATCH = 1_000
FIRST = UUID(int=0)
_nonce = Portions(NONCE)


def rewrap(database: Database, old: bytes, new: bytes, report: Callable[[int], None] | None = None) -> int:
    """Wrap every key that is not wrapped by the new master key yet, and say how many those were.

    Each batch is a transaction of its own: one that was broken off is simply run again. What follows from the old
    master key beside that (snapshots, reports of imports, hashes of addresses) is forgotten before and after, since
    whoever has only the old key may have added to it meanwhile. `report` is told how many are done. Raises
    WrongMasterKey at the first key that the old one does not open; what was done until then stays.
    """
    old_id, new_id = Keyring(None, old).master_id, Keyring(None, new).master_id
    unwrapping, wrapping = AESGCM(old), AESGCM(new)
    done, last = 0, FIRST
    with database.connection(autocommit=True) as connection:
        connection.execute("SELECT forget_what_was_derived()")
        while (rows := _next(connection, new_id, last)) or last != FIRST:
            subjects, before, after = [], [], []
            for subject, wrapped, master in rows:
                try:
                    raw = unwrapping.decrypt(wrapped[:NONCE], wrapped[NONCE:], subject.bytes)
                except InvalidTag as error:
                    raise WrongMasterKey(
                        f"a sealing key was wrapped by master key {master}, and the old one given is {old_id}"
                    ) from error
                nonce = _nonce()
                subjects.append(subject)
                before.append(wrapped)
                after.append(nonce + wrapping.encrypt(nonce, raw, subject.bytes))
            connection.execute("SELECT rewrap_keys(%s, %s, %s, %s)", [subjects, before, after, new_id])
            last = subjects[-1] if subjects else FIRST
            done += len(rows)
            if report is not None:
                report(done)
        connection.execute("SELECT forget_what_was_derived()")
    return done


def _next(connection: Connection, new_id: str, last: UUID) -> list[tuple[UUID, bytes, str]]:
    """The next batch in the order of subjects; those that came meanwhile are found by beginning once more."""
    return connection.execute(
        "SELECT subject, wrapped, master FROM sealing_keys "
        "WHERE wrapped IS NOT NULL AND master <> %s AND subject > %s ORDER BY subject LIMIT %s",
        [new_id, last, BATCH],
        binary=True,
    ).fetchall()
