"""A copy of the sealing keys, outside the database and its backups: one file, of which only the newest is kept.

Its first line says what it is, each line after it is one key, wrapped by the master key as it is in the database:

    {"format":"genjin-keys","version":1,"ledger_id":"<uuid>","keys":<how many follow>}
    {"subject":"<uuid>","wrapped":"<base64>","master":"<id of the master key>","created_at":"<moment>"}

Keys that the database has lost stay in it; keys that were destroyed do not. Without the master key it tells nothing.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from ledger.database import Connection
from ledger.erasing.register import Unreadable
from ledger.placing import placed
from ledger.proof.comparing import ledger_id_of

FORMAT, VERSION = "genjin-keys", 1
OWNER_ONLY = 0o600
AT_A_TIME = 5_000


class Head(msgspec.Struct, frozen=True):
    """What the file says about itself."""

    format: str
    version: int
    ledger_id: UUID
    keys: int


class WrappedKey(msgspec.Struct, frozen=True, gc=False):
    """The key of one data subject, wrapped by the master key that `master` names."""

    subject: UUID
    wrapped: bytes
    master: str
    created_at: datetime


_read_head = msgspec.json.Decoder(Head).decode
_read_key = msgspec.json.Decoder(WrappedKey).decode
_line = msgspec.json.Encoder().encode


class KeyCopy:
    """The file of one ledger's keys; it need not be there before the first copy."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen_without: tuple[int, frozenset[UUID]] | None = None

    def keys(self) -> tuple[UUID, dict[UUID, WrappedKey]] | None:
        """The ledger they belong to, and all of them; None where there is no copy. Raises Unreadable, OSError."""
        try:
            with self.path.open("rb") as file:
                head = _read_head(file.readline())
                found = {key.subject: key for key in map(_read_key, file)}
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Unreadable(
                f"{self.path} is no copy of sealing keys: put it back from another place, or move it away."
            ) from error
        if (head.format, head.version) != (FORMAT, VERSION) or len(found) != head.keys:
            raise Unreadable(
                f"{self.path} is not whole, or of another release: put it back from another place, or move it away."
            )
        return head.ledger_id, found

    def renew(self, connection: Connection, erased: Collection[UUID]) -> int:
        """Bring it up to date with the database and without those who were erased, and say how many keys it has.

        Raises Unreadable where there is a copy of another ledger, OSError.
        """
        ledger_id = ledger_id_of(connection)
        with self._alone():
            before = self.keys()
            if before is not None and before[0] != ledger_id:
                raise Unreadable(f"{self.path} has the keys of another ledger ({before[0]}): move it away.")
            keys = {} if before is None else before[1]
            destroyed = set(erased)
            with connection.cursor("genjin_keys", binary=True) as cursor:
                cursor.itersize = AT_A_TIME
                cursor.execute("SELECT subject, wrapped, master, created_at FROM sealing_keys")
                for subject, wrapped, master, created_at in cursor:
                    if wrapped is None:
                        destroyed.add(subject)
                    else:
                        keys[subject] = WrappedKey(subject, bytes(wrapped), master, created_at)
            self._write(ledger_id, {subject: key for subject, key in keys.items() if subject not in destroyed})
            return len(keys.keys() - destroyed)

    def forget(self, erased: Collection[UUID]) -> int:
        """Take the keys of these subjects out of it, and say how many those were. Raises Unreadable, OSError."""
        if not self._left_behind() and (not erased or not self.path.exists() or self._is_known_to_be_without(erased)):
            return 0
        with self._alone():
            before = self.keys()
            if before is None:
                return 0
            ledger_id, keys = before
            left = {subject: key for subject, key in keys.items() if subject not in erased}
            if len(left) < len(keys):
                self._write(ledger_id, left)
            self._seen_without = self.path.stat().st_mtime_ns, frozenset(erased)
            return len(keys) - len(left)

    def _is_known_to_be_without(self, erased: Collection[UUID]) -> bool:
        """Nothing has changed since the last look, which is what a look every minute mostly finds."""
        return self._seen_without == (self.path.stat().st_mtime_ns, frozenset(erased))

    def _write(self, ledger_id: UUID, keys: dict[UUID, WrappedKey]) -> None:
        with placed(self.path, overwriting=True, mode=OWNER_ONLY) as file:
            file.write(_line(Head(FORMAT, VERSION, ledger_id, len(keys))) + b"\n")
            for subject in sorted(keys):
                file.write(_line(keys[subject]) + b"\n")

    def _left_behind(self) -> list[Path]:
        """Half a copy of a process that was killed; it holds keys that are erased later."""
        return list(self.path.parent.glob(f".{self.path.name}.*.part"))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time changes it."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for half in self._left_behind():
                half.unlink(missing_ok=True)
            yield
        finally:
            os.close(lock)
