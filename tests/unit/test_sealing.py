"""Sealing: only the right key opens, only in its own place."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from aggregates.refusals import SubjectErased
from keys import MASTER_KEY
from ledger import sealing
from ledger.errors import Malformed
from ledger.new_keys import NewKeys
from ledger.sealed import Blob, Sealed
from ledger.sealing import Keyring

PERSON, EVENT = uuid4(), uuid4()


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(None, MASTER_KEY)


def sealed(keyring: Keyring, person: UUID = PERSON, version: int = 3, new: NewKeys | None = None) -> bytes:
    return keyring.seal(person, EVENT, version, {"name": "王伟", "phone": None}, new or NewKeys())


def test_what_is_sealed_can_be_opened(keyring: Keyring) -> None:
    blob = Blob(PERSON, EVENT, 3, sealed(keyring))
    assert keyring.open_many([Sealed(blob, "name"), None, Sealed(blob, "phone")]) == ["王伟", None, None]
    assert "王伟".encode() not in blob.sealed


def test_the_same_fields_are_never_sealed_into_the_same_bytes(keyring: Keyring) -> None:
    assert sealed(keyring) != sealed(keyring)


@pytest.mark.parametrize(("aggregate", "version"), [(EVENT, 4), (uuid4(), 3)])
def test_a_part_moved_to_another_event_cannot_be_opened(keyring: Keyring, aggregate: UUID, version: int) -> None:
    with pytest.raises(Malformed):
        keyring.open_blob(Blob(PERSON, aggregate, version, sealed(keyring)))


def test_a_changed_byte_is_noticed(keyring: Keyring) -> None:
    whole = bytearray(sealed(keyring))
    whole[20] ^= 1
    with pytest.raises(Malformed):
        keyring.open_blob(Blob(PERSON, EVENT, 3, bytes(whole)))


def test_the_key_of_one_does_not_open_what_belongs_to_another(keyring: Keyring) -> None:
    other = uuid4()
    sealed(keyring, other)
    with pytest.raises(Malformed):
        keyring.open_blob(Blob(other, EVENT, 3, sealed(keyring)))


def test_a_destroyed_or_missing_key_opens_to_none(keyring: Keyring) -> None:
    blob, unknown = Blob(PERSON, EVENT, 3, sealed(keyring)), Blob(uuid4(), EVENT, 3, sealed(keyring))
    assert keyring.destroy(PERSON)
    assert keyring.open_many([Sealed(blob, "name"), Sealed(unknown, "name")]) == [None, None]
    new = NewKeys()
    with pytest.raises(SubjectErased):
        sealed(keyring, new=new)
    assert new.wrapped(PERSON) is None


def test_a_wrapped_key_is_bound_to_its_person_and_its_master(keyring: Keyring) -> None:
    new = NewKeys()
    whole = sealed(keyring, new=new)
    wrapped = new.wrapped(PERSON)
    assert wrapped is not None
    other = Keyring(None, MASTER_KEY)
    other.take_over(PERSON, wrapped, None)
    assert other.open(Sealed(Blob(PERSON, EVENT, 3, whole), "name")) == "王伟"
    assert other.opens(PERSON, wrapped)
    assert not other.opens(uuid4(), wrapped)
    wrong = Keyring(None, bytes(32))
    assert not wrong.opens(PERSON, wrapped)
    wrong.take_over(PERSON, wrapped, None)
    assert wrong.open(Sealed(Blob(PERSON, EVENT, 3, whole), "name")) is None


def test_the_events_of_one_append_share_its_new_key() -> None:
    unconnected = Keyring(None, MASTER_KEY)
    first, second = NewKeys(), NewKeys()
    one, other = sealed(unconnected, new=first), sealed(unconnected, version=4, new=first)
    assert first.wrapped(PERSON) is not None
    assert sealed(unconnected, new=second)
    assert second.wrapped(PERSON) is None, "without a database the key is kept at once"
    opened = [unconnected.open_blob(Blob(PERSON, EVENT, n, each))["name"] for n, each in ((3, one), (4, other))]
    assert opened == ["王伟", "王伟"]


def test_only_so_many_keys_are_kept_at_hand(keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "CACHED_KEYS", 3)
    people, other = [uuid4() for _ in range(6)], Keyring(None, MASTER_KEY)
    for person in people:
        new = NewKeys()
        sealed(keyring, person, new=new)
        wrapped = new.wrapped(person)
        assert wrapped is not None
        other.take_over(person, wrapped, None)
    assert list(other._keys) == people[-3:]


def test_request_hashes_tell_bodies_and_masters_apart(keyring: Keyring) -> None:
    assert keyring.request_hash(b"a") == keyring.request_hash(b"a")
    assert (
        len({keyring.request_hash(b"a"), keyring.request_hash(b"b"), Keyring(None, bytes(32)).request_hash(b"a")}) == 3
    )


def test_a_master_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring(None, b"short")
