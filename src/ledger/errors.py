"""Why the ledger would not do what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from aggregates.base import DomainError


class NotFound(DomainError):
    """There is no such aggregate, or there was none at that version, position or moment."""

    code: ClassVar[str] = "not-found"
    kind: str
    id: UUID

    def __init__(self, kind: str, id: UUID) -> None:
        super().__init__(kind=kind, id=id)


class VersionConflict(DomainError):
    """Somebody else changed the aggregate since it was loaded; load it again and decide again."""

    code: ClassVar[str] = "version-conflict"
    id: UUID
    actual: int

    def __init__(self, id: UUID, actual: int) -> None:
        super().__init__(id=id, actual=actual)


class StaleVersion(DomainError):
    """The caller decided on the strength of an older version than the one there is now."""

    code: ClassVar[str] = "stale-version"
    expected: int
    actual: int
    changed_fields: tuple[str, ...]

    def __init__(self, expected: int, actual: int, changed_fields: Sequence[str] = ()) -> None:
        super().__init__(expected=expected, actual=actual, changed_fields=tuple(changed_fields))


class ClaimTaken(DomainError):
    """Another aggregate already holds this code, number or natural key."""

    code: ClassVar[str] = "claim-taken"
    kind: str
    value: str
    holder: UUID

    def __init__(self, kind: str, value: str, holder: UUID) -> None:
        super().__init__(kind=kind, value=value, holder=holder)


class ClaimReplaced(DomainError):
    """The digest that this command was to replace is not the one that the name is held with."""

    code: ClassVar[str] = "claim-replaced"
    kind: str
    value: str

    def __init__(self, kind: str, value: str) -> None:
        super().__init__(kind=kind, value=value)


class ClaimTakenElsewhere(DomainError):
    """The same, told to somebody who may not know which one that is."""

    code: ClassVar[str] = "claim-taken-elsewhere"
    kind: str
    value: str

    def __init__(self, kind: str, value: str) -> None:
        super().__init__(kind=kind, value=value)


class KeyReused(DomainError):
    """The idempotency key was used for a different request."""

    code: ClassVar[str] = "key-reused"
    key: str

    def __init__(self, key: str) -> None:
        super().__init__(key=key)


class CredentialEnded(DomainError):
    """The token or session was revoked or has expired, or its member may no longer act: nothing was written."""

    code: ClassVar[str] = "credential-ended"


class FutureMoment(DomainError):
    """Nobody can say what will be known at a moment to come."""

    code: ClassVar[str] = "future-moment"
    instant: datetime

    def __init__(self, instant: datetime) -> None:
        super().__init__(instant=instant)


class DatabaseAway(Exception):
    """The database cannot be reached, or does not take anything at the moment; nothing was half done."""


class DatabaseBusy(DatabaseAway):
    """The database is there and had no time: no connection came free, or others held what was needed for too long."""


class WrongMasterKey(Exception):
    """The master key is not the one that the sealing keys in this database were wrapped with."""


class UnknownTopic(Exception):
    """The ledger holds an event that this code does not know."""


class Malformed(Exception):
    """The stored state of an event cannot be read."""
