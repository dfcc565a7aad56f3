"""Signed statements about the ledger: how far it was and with which hash, or to which position it was restored.

A statement is a JSON object with `chain`, `format`, `key`, `kind`, `ledger_id`, `position`, `recorded_at`, `signed_at`
and `signature`, in canonical form: ASCII, names in alphabetical order, no white space, and a line feed at the end. The
Ed25519 signature (RFC 8032, base64) is over the same object without `signature` and without the line feed. Moments are
in UTC with six decimals; `recorded_at` is that of the event at the position, null before the first one.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Kind = Literal["checkpoint", "restored"]
FORMAT = 1
KEY_LENGTH = 32
_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Unreadable(Exception):
    """This is no statement in its canonical form."""


@dataclass(frozen=True)
class Statement:
    """What is said of the ledger: `checkpoint` that it reaches this far, `restored` that it was put back to here.

    `chain` is the hash at the position, or the 16 bytes of the ledger's id before the first event.
    """

    kind: Kind
    ledger_id: UUID
    position: int
    chain: bytes
    recorded_at: datetime | None
    signed_at: datetime


@dataclass(frozen=True)
class Signed:
    """A statement, the public key of whoever makes it, and the signature."""

    statement: Statement
    key: bytes
    signature: bytes

    @property
    def is_genuine(self) -> bool:
        """The signature is that of the key which it names; whether that is a known one is another question."""
        return is_signed(_signed_bytes(self.statement, self.key), self.key, self.signature)

    @property
    def document(self) -> dict[str, Any]:
        """The statement as it is written."""
        return {**_fields(self.statement, self.key), "signature": b64encode(self.signature).decode()}

    def to_bytes(self) -> bytes:
        """The whole file."""
        return _canonical(self.document) + b"\n"


class Signer:
    """Signs statements with one key."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, statement: Statement) -> Signed:
        """The statement with this key and its signature."""
        return Signed(statement, self.public, self.signature(_signed_bytes(statement, self.public)))

    def signature(self, data: bytes) -> bytes:
        """The signature (RFC 8032) over anything else, which must not be taken for a statement."""
        return self._key.sign(data)


def is_signed(data: bytes, key: bytes, signature: bytes) -> bool:
    """The signature over these bytes is that of whoever has the private key to this public one."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def parsed(data: bytes) -> Signed:
    """The statement in a file, genuine or not; raises Unreadable unless every byte is as it would be written."""
    try:
        said = json.loads(data)
        kind = said["kind"]
        statement = Statement(
            kind,
            UUID(said["ledger_id"]),
            said["position"],
            bytes.fromhex(said["chain"]),
            None if said["recorded_at"] is None else _moment(said["recorded_at"]),
            _moment(said["signed_at"]),
        )
        signed = Signed(statement, b64decode(said["key"]), b64decode(said["signature"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    is_sound = kind in get_args(Kind) and type(statement.position) is int and len(signed.key) == KEY_LENGTH
    if not is_sound or signed.to_bytes() != data:
        raise Unreadable("not in canonical form")
    return signed


def _signed_bytes(statement: Statement, key: bytes) -> bytes:
    return _canonical(_fields(statement, key))


def _fields(statement: Statement, key: bytes) -> dict[str, Any]:
    return {
        "kind": statement.kind,
        "format": FORMAT,
        "ledger_id": str(statement.ledger_id),
        "position": statement.position,
        "chain": statement.chain.hex(),
        "recorded_at": None if statement.recorded_at is None else _text(statement.recorded_at),
        "signed_at": _text(statement.signed_at),
        "key": b64encode(key).decode(),
    }


def _canonical(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_MOMENT)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
