"""Erasure: what was sealed for a person is gone for good once the key is destroyed, in every process."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID, uuid4

import psycopg
import pytest

from aggregates.customer import Customer
from aggregates.refusals import SubjectErased
from integration.bookkeeping import customer, somebody, superuser
from keys import MASTER_KEY
from ledger.database import Database
from ledger.errors import WrongMasterKey
from ledger.follow.reading import read
from ledger.ledger import Ledger
from ledger.sealed import Sealed
from ledger.sealing import Keyring


def with_a_contact(ledger: Ledger) -> tuple[Customer, UUID]:
    acme = customer(phone="021 5555")
    contact = uuid4()
    with somebody():
        acme.add_contact(contact, name="王伟", mobile="138 0013", title="CEO")
    ledger.save(acme)
    return acme, contact


def test_personal_fields_stand_nowhere_in_clear(ledger: Ledger, server: str, workspace: str) -> None:
    with_a_contact(ledger)
    with superuser(server, workspace) as connection:
        states = connection.execute("SELECT convert_from(state, 'UTF8') FROM events").fetchall()
        keys = connection.execute("SELECT count(*) FROM sealing_keys").fetchone()
    text = " ".join(row[0] for row in states)
    assert "CEO" in text
    for secret in ("王伟", "138 0013", "021 5555"):
        assert secret not in text
    assert keys == (2,)


def test_an_erased_person_reads_as_none_and_the_rest_stays(ledger: Ledger) -> None:
    acme, contact = with_a_contact(ledger)
    assert ledger.keyring.destroy(contact)
    loaded = ledger.load(Customer, acme.id)
    assert loaded.contacts[contact]["name"] is None
    assert loaded.contacts[contact]["mobile"] is None
    assert loaded.contacts[contact]["title"] == "CEO"
    assert loaded.profile["name"] == "Acme"
    assert loaded == ledger.repository.get(acme.id)
    assert not ledger.keyring.destroy(contact)
    assert not ledger.keyring.destroy(uuid4())


def test_other_processes_notice_an_erasure(ledger: Ledger, database: Database) -> None:
    acme, contact = with_a_contact(ledger)
    elsewhere = Ledger(database, Keyring(database, MASTER_KEY, epoch_holds=0))
    assert elsewhere.load(Customer, acme.id).contacts[contact]["name"] == "王伟"
    ledger.keyring.destroy(contact)
    assert elsewhere.load(Customer, acme.id).contacts[contact]["name"] is None
    assert elsewhere.load(Customer, acme.id).profile["phone"] == "021 5555"


def test_a_key_that_was_on_its_way_while_it_was_destroyed_is_not_kept(ledger: Ledger, database: Database) -> None:
    acme, contact = with_a_contact(ledger)
    with database.connection() as connection:
        row = connection.execute("SELECT wrapped FROM sealing_keys WHERE subject = %s", [contact]).fetchone()
    assert row is not None
    elsewhere = Keyring(database, MASTER_KEY)
    standing = elsewhere.standing()
    ledger.keyring.destroy(contact)
    elsewhere.expire()
    elsewhere.prefetch([acme.id])
    elsewhere.take_over(contact, row[0], standing)
    loaded = Ledger(database, elsewhere).load(Customer, acme.id)
    assert (loaded.contacts[contact]["name"], loaded.profile["name"]) == (None, "Acme")


def test_what_is_said_of_a_customer_is_read_with_its_key_at_once(ledger: Ledger, database: Database) -> None:
    acme = customer(phone="021 5555")
    ledger.save(acme)
    asked: list[str] = []

    class Asking(psycopg.Cursor[Any]):
        def execute(self, query: Any, *given: Any, **named: Any) -> Self:
            asked.append(str(query))
            return super().execute(query, *given, **named)

    with Database(database.conninfo, database.schema, role=database.role, max_size=1, cursors=Asking) as other:
        elsewhere = Ledger(other, Keyring(other, MASTER_KEY))
        elsewhere.keyring.standing()
        asked.clear()
        assert elsewhere.load(Customer, acme.id).profile["name"] == "Acme"
        elsewhere.close()
    assert len([each for each in asked if "FROM events" in each or "FROM sealing_keys" in each]) == 1


def test_nothing_new_is_written_about_an_erased_person(ledger: Ledger, database: Database) -> None:
    acme, contact = with_a_contact(ledger)
    ledger.keyring.destroy(contact)
    for keyring in (ledger.keyring, Keyring(database, MASTER_KEY)):
        mine = ledger.load(Customer, acme.id)
        with somebody():
            mine.revise_contact(contact, name="王伟")
        with pytest.raises(SubjectErased):
            Ledger(database, keyring).save(mine)
    with somebody():
        acme.tag("still a customer")
    ledger.save(acme)


def test_handles_are_opened_in_bulk(ledger: Ledger, database: Database) -> None:
    with_a_contact(ledger)
    with database.connection() as connection:
        (events,) = read(connection, 0)
    handles = [events[0].name, events[0].email, events[1].name, None, events[1].phone]  # type: ignore[attr-defined]
    assert all(isinstance(each, Sealed) for each in handles if each is not None)
    fresh = Keyring(database, MASTER_KEY)
    assert fresh.open_many(handles) == ["Acme", None, "王伟", None, None]
    assert fresh.open(handles[2]) == "王伟"
    assert fresh.open("in clear") == "in clear"


def test_a_key_that_is_not_there_opens_to_none(ledger: Ledger, database: Database, server: str, workspace: str) -> None:
    acme, contact = with_a_contact(ledger)
    with superuser(server, workspace) as connection:
        connection.execute("DELETE FROM sealing_keys WHERE subject = %s", [contact])
    fresh = Ledger(database, Keyring(database, MASTER_KEY))
    assert fresh.load(Customer, acme.id).contacts[contact]["name"] is None


def test_a_wrong_master_key_is_an_error_and_not_an_erasure(ledger: Ledger, database: Database) -> None:
    acme, _ = with_a_contact(ledger)
    wrong = Ledger(database, Keyring(database, bytes(32)))
    with pytest.raises(WrongMasterKey, match=ledger.keyring.master_id):
        wrong.load(Customer, acme.id)


def test_a_refused_first_save_leaves_no_key_behind(ledger: Ledger, server: str, workspace: str) -> None:
    from ledger.errors import ClaimTaken

    ledger.save(customer("C001"))
    refused = customer("C001")
    with pytest.raises(ClaimTaken):
        ledger.save(refused)
    with superuser(server, workspace) as connection:
        rows = connection.execute("SELECT subject FROM sealing_keys WHERE subject = %s", [refused.id]).fetchall()
    assert rows == []
