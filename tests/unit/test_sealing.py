"""Sealing: only the right key opens, only in its own place."""

from __future__ import annotations

from threading import Thread
from uuid import UUID, uuid4

import pytest

from aggregates.refusals import SubjectErased
from keys import MASTER_KEY
from ledger import sealing
from ledger.errors import Malformed
from ledger.sealed import Blob, Sealed
from ledger.sealing import Keyring

PERSON, EVENT = uuid4(), uuid4()


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(None, MASTER_KEY)


def sealed(keyring: Keyring, person: UUID = PERSON, version: int = 3) -> bytes:
    return keyring.seal(person, EVENT, version, {"name": "王伟", "phone": None})


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
    with pytest.raises(SubjectErased):
        sealed(keyring)
    assert keyring.new_key(PERSON) is None


def test_a_wrapped_key_is_bound_to_its_person_and_its_master(keyring: Keyring) -> None:
    whole = sealed(keyring)
    wrapped = keyring.new_key(PERSON)
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


def test_a_stored_key_need_not_travel_again(keyring: Keyring) -> None:
    sealed(keyring)
    assert keyring.new_key(PERSON) is not None
    keyring.stored([PERSON])
    assert keyring.new_key(PERSON) is None


def test_many_threads_make_one_key(keyring: Keyring) -> None:
    parts: list[bytes] = []
    threads = [Thread(target=lambda: parts.append(sealed(keyring))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(keyring.open_blob(Blob(PERSON, EVENT, 3, each))["name"] == "王伟" for each in parts)


def test_only_so_many_keys_are_kept_at_hand(keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "CACHED_KEYS", 3)
    people, other = [uuid4() for _ in range(6)], Keyring(None, MASTER_KEY)
    for person in people:
        sealed(keyring, person)
        wrapped = keyring.new_key(person)
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
