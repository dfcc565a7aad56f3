"""Sealing: personal data is stored so that destroying one key makes it unreadable for good."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from hashlib import blake2b, sha256
from threading import Lock
from time import monotonic
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aggregates.randomness import Portions
from aggregates.refusals import SubjectErased
from ledger import packing
from ledger.database import Database
from ledger.errors import Malformed, WrongMasterKey
from ledger.new_keys import NewKeys
from ledger.sealed import Blob, Sealed

NONCE = 12
CACHED_KEYS = 50_000
EPOCH_HOLDS = 1.0
"""Seconds for which a process may go on using cached keys before it looks whether one was destroyed elsewhere."""

_read_fields = msgspec.json.Decoder(dict[str, str | None]).decode
_nonce = Portions(NONCE)
_nothing: dict[str, str | None] = {}


class Keyring:
    """The keys of data subjects, each wrapped by the master key, unwrapped ones kept at hand.

    Keys that are still wrapped by a former master key are read, too, where that is given. Without a database it keeps
    them in memory only. May be used by many threads. A key that another process destroyed is forgotten within a second
    (EPOCH_HOLDS).
    """

    def __init__(
        self,
        database: Database | None,
        master_key: bytes,
        *,
        former_key: bytes | None = None,
        epoch_holds: float = EPOCH_HOLDS,
        cached_keys: int | None = None,
    ) -> None:
        if len(master_key) != 32:
            raise ValueError("the master key must have 32 bytes")
        self._database = database
        self._master = AESGCM(master_key)
        self._master_key = master_key
        self._former = None if former_key is None else AESGCM(former_key)
        self.former_key = former_key
        self._lock = Lock()
        self._keys: OrderedDict[UUID, AESGCM | None] = OrderedDict()
        self._epoch: int | None = None
        self._epoch_holds = epoch_holds
        self._most_keys = cached_keys
        self._epoch_read_at = 0.0

    @property
    def master_key(self) -> bytes:
        """The key above all others, for another process that opens the same keys."""
        return self._master_key

    @cached_property
    def master_id(self) -> str:
        """Names the master key without telling anything about it."""
        return hmac.digest(self._master_key, b"genjin master key id", sha256).hex()[:16]

    @cached_property
    def _request_key(self) -> bytes:
        return hmac.digest(self._master_key, b"genjin request hash", sha256)

    def request_hash(self, body: bytes) -> bytes:
        """A keyed hash of a request (RFC 7693): it tells two apart and says nothing about what is in them."""
        return blake2b(body, key=self._request_key, digest_size=32).digest()

    @cached_property
    def _cache_key(self) -> AESGCM:
        return AESGCM(hmac.digest(self._master_key, b"genjin cache", sha256))

    def encrypt_cached(self, plain: bytes, bound_to: bytes) -> bytes:
        """Something that may hold personal data and is thrown away at every erasure."""
        nonce = _nonce()
        return nonce + self._cache_key.encrypt(nonce, plain, bound_to)

    def decrypt_cached(self, sealed: bytes, bound_to: bytes) -> bytes:
        """What was encrypted by `encrypt_cached`; raises InvalidTag for anything else."""
        return self._cache_key.decrypt(sealed[:NONCE], sealed[NONCE:], bound_to)

    def seal(
        self, subject: UUID, aggregate_id: UUID, version: int, fields: dict[str, str | None], new: NewKeys
    ) -> bytes:
        """Personal fields of one event, sealed with the subject's key, which is made when there is none yet.

        A key that is made goes into `new` and is kept here only once the append that carries it was written
        (`take_over`). Raises SubjectErased.
        """
        key = new.get(subject) or self._key_to_seal(subject, new, fresh=version == 1 and subject == aggregate_id)
        nonce = _nonce()
        return nonce + key.encrypt(nonce, msgspec.json.encode(fields), _bound_to(aggregate_id, version))

    def standing(self) -> int | None:
        """How many keys were destroyed, as far as is known here: asked for before keys are read, to go with them."""
        self._look_for_destroyed_keys()
        return self._epoch

    def take_over(self, subject: UUID, wrapped: bytes, standing: int | None) -> None:
        """Have a key at hand that came along with something else, read after it was asked how things stand.

        One that the master key does not open is left to whoever needs it, who is told so.
        """
        if subject not in self._keys:
            with suppress(WrongMasterKey):
                self._keep({subject: self._unwrap(subject, wrapped, "another")}, standing)

    def opens(self, subject: UUID, wrapped: bytes) -> bool:
        """Whether this key was wrapped by the master key, or by the former one."""
        try:
            self._unwrap(subject, wrapped, "another")
        except WrongMasterKey:
            return False
        return True

    def forget(self, subject: UUID) -> None:
        """Drop what is kept at hand for a subject; the next use asks the database."""
        with self._lock:
            self._keys.pop(subject, None)

    def expire(self) -> None:
        """Look whether keys were destroyed before the next one is used, however short the last look is ago."""
        self._epoch_read_at = 0.0

    def destroy(self, subject: UUID) -> bool:
        """Make everything sealed for a subject unreadable for good; whether there was anything to destroy."""
        existed = subject in self._keys
        if self._database is not None:
            with self._database.connection(autocommit=True) as connection:
                row = connection.execute("SELECT destroy_sealing_key(%s)", [subject]).fetchone()
                existed = bool(row and row[0])
        with self._lock:
            self._keys[subject] = None
        return existed

    def open(self, handle: Any) -> Any:
        """What a handle holds, or None when its key was destroyed; anything else as it is."""
        if not isinstance(handle, Sealed):
            return handle
        return self.open_blob(handle.blob).get(handle.field)

    def open_many(self, handles: Iterable[Sealed | None]) -> list[str | None]:
        """What each handle holds, or None when its key was destroyed; missing keys are fetched in one query."""
        handles = list(handles)
        blobs = [handle.blob for handle in handles if handle is not None and handle.blob.fields is None]
        self.open_blobs(blobs)
        return [None if handle is None else self.open_blob(handle.blob).get(handle.field) for handle in handles]

    def open_blobs(self, blobs: Iterable[Blob]) -> None:
        """Open the sealed parts of many events; missing keys are fetched in one query."""
        blobs = list(blobs)
        self.prefetch({blob.subject for blob in blobs})
        keys = self._keys
        for blob in blobs:
            if blob.fields is None:
                blob.fields = self._open(blob, keys.get(blob.subject) or self._key(blob.subject))

    def open_blob(self, blob: Blob) -> dict[str, str | None]:
        """All personal fields of one event; none when the key was destroyed."""
        if blob.fields is None:
            blob.fields = self._open(blob, self._key(blob.subject))
        return blob.fields

    def _open(self, blob: Blob, key: AESGCM | None) -> dict[str, str | None]:
        if key is None:
            return _nothing
        with suppress(InvalidTag):
            return _decrypted(blob, key)
        return self._open_with_stored_key(blob, key)

    def _open_with_stored_key(self, blob: Blob, key: AESGCM) -> dict[str, str | None]:
        """Try the key that is stored now, where the one at hand does not fit: that alone does not prove tampering."""
        stored = key if self._database is None else self._fetch([blob.subject]).get(blob.subject)
        if stored is None:
            return _nothing
        try:
            return _decrypted(blob, stored)
        except InvalidTag as error:
            raise Malformed(f"the sealed part of {blob.aggregate_id} v{blob.version} was tampered with") from error

    def prefetch(self, subjects: Iterable[UUID]) -> None:
        """Have the keys of these subjects at hand, with at most one query."""
        self._look_for_destroyed_keys()
        keys = self._keys
        missing = [subject for subject in subjects if subject not in keys]
        if missing:
            self._fetch(missing)

    def _key(self, subject: UUID) -> AESGCM | None:
        self._look_for_destroyed_keys()
        try:
            with self._lock:
                self._keys.move_to_end(subject)
                return self._keys[subject]
        except KeyError:
            return self._fetch([subject]).get(subject)

    def _key_to_seal(self, subject: UUID, new: NewKeys, *, fresh: bool) -> AESGCM:
        if subject not in self._keys and not fresh:
            key, known = self._find(subject)
        else:
            with self._lock:
                key, known = self._keys.get(subject), subject in self._keys
        if key is not None:
            return key
        if known:
            raise SubjectErased(subject=subject)
        return self._make(subject, new)

    def _find(self, subject: UUID) -> tuple[AESGCM | None, bool]:
        found = self._fetch([subject])
        return found.get(subject), subject in found

    def _make(self, subject: UUID, new: NewKeys) -> AESGCM:
        raw = AESGCM.generate_key(256)
        nonce = _nonce()
        key = AESGCM(raw)
        new.add(subject, key, nonce + self._master.encrypt(nonce, raw, subject.bytes))
        if self._database is None:
            with self._lock:
                self._keys[subject] = key
        return key

    def _fetch(self, subjects: list[UUID]) -> dict[UUID, AESGCM | None]:
        """Read keys from the database; a subject without any row is not in the answer, and is not remembered."""
        if self._database is None:
            return {}
        standing = self._epoch
        rows = self._database.read(
            lambda connection: connection.execute(
                "SELECT subject, wrapped, master FROM sealing_keys WHERE subject = ANY(%s)",
                [packing.uuids(subjects)],
                binary=True,
            ).fetchall()
        )
        found: dict[UUID, AESGCM | None] = {}
        for subject, wrapped, master in rows:
            found[subject] = None if wrapped is None else self._unwrap(subject, wrapped, master)
        self._keep(found, standing)
        return found

    def _unwrap(self, subject: UUID, wrapped: bytes, master: str) -> AESGCM:
        for above in (self._master, self._former):
            if above is not None:
                with suppress(InvalidTag):
                    return AESGCM(above.decrypt(wrapped[:NONCE], wrapped[NONCE:], subject.bytes))
        raise WrongMasterKey(f"a sealing key was wrapped by master key {master}, and the one given is {self.master_id}")

    def _keep(self, found: dict[UUID, AESGCM | None], standing: int | None) -> None:
        """Keep them at hand, unless a key was destroyed since they were read: it may be one of these."""
        with self._lock:
            if standing != self._epoch:
                return
            keys, most = self._keys, self._most_keys or CACHED_KEYS
            keys |= found
            while len(keys) > most:
                keys.popitem(last=False)

    def _look_for_destroyed_keys(self) -> None:
        if self._database is None or monotonic() - self._epoch_read_at < self._epoch_holds:
            return
        epoch = self.epoch()
        with self._lock:
            if epoch != self._epoch:
                self._epoch = epoch
                self._keys = OrderedDict()
            self._epoch_read_at = monotonic()

    def epoch(self) -> int:
        """How many keys were destroyed so far."""
        if self._database is None:
            return 0
        row = self._database.read(lambda connection: connection.execute("SELECT sealing_epoch FROM meta").fetchone())
        return int(row[0]) if row else 0


def _decrypted(blob: Blob, key: AESGCM) -> dict[str, str | None]:
    bound_to = _bound_to(blob.aggregate_id, blob.version)
    return _read_fields(key.decrypt(blob.sealed[:NONCE], blob.sealed[NONCE:], bound_to))


def _bound_to(aggregate_id: UUID, version: int) -> bytes:
    """What a sealed part belongs to: moved to another event, it cannot be opened."""
    return (aggregate_id.int << 64 | version).to_bytes(24, "big")
