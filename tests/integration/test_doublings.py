"""The proof that no row of an import was written twice, told from the events."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from secrets import token_bytes
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest

from aggregates.base import Acting, Claim, ImportedRow, acting
from aggregates.product import Product
from aggregates.receivable import Receivable
from aggregates.team import Team
from commands.base import Command, execute
from commands.customers import AddContact, LogFollowUp, RegisterCustomer, RemoveContact
from commands.receivables import IssueReceivable, ReceivePayment, RecordReminder, ReversePayment
from crm import migrate
from crm.services import Services
from integration.bookkeeping import somebody, superuser
from integration.keeping import Place, elsewhere
from keys import as_setting
from ledger.database import Database
from ledger.errors import ClaimTaken
from ledger.ledger import Ledger
from ledger.proof.claims import ClaimsReport, verify_claims
from ledger.proof.statements import Signer
from policy import Actor

SIGNING_KEY = token_bytes(32)
TRUSTING = {"CRM_TRUSTED_KEYS": b64encode(Signer(SIGNING_KEY).public).decode()}
MARK = "0153_rows_written_once"
OPERATOR = Actor("rule:test", None, "test", "rule")
PAYMENT = ReceivePayment(amount=Decimal(300), occurred_on=date(2026, 2, 1))
DAY = date(2026, 1, 1)


class Books:
    """A workspace in which rows are written, and written again as before claims were compare-and-set."""

    def __init__(self, place: Place, made: Services) -> None:
        self._place, self._made = place, made
        self.customer = self.do(RegisterCustomer(name="明远", kind="company"))
        self.receivable = self.do(IssueReceivable(amount=Decimal(1000), issued_on=DAY, due_on=DAY), self.customer)

    def do(self, command: Command, to: UUID | None = None, row: str | None = None) -> UUID:
        """A command, which a row of a sheet may have become."""
        imported = None if row is None else ImportedRow("sheet", row, "abc")
        return execute(command, to=to, by=OPERATOR, door=self._made.door, imported=imported).id

    def twice(self, command: Command, to: UUID, row: str) -> None:
        """A row that two imports wrote, each of which had not seen that the other one held it."""
        self.do(command, to, row)
        with pytest.raises(ClaimTaken):
            self.do(command, to, row)
        with superuser(self._place.server, self._place.schema) as connection:
            done = connection.execute("DELETE FROM claims WHERE kind = 'import-row' AND value = %s", [f"sheet/{row}"])
            assert done.rowcount == 1
        self.do(command, to, row)

    def events(self, topic: str) -> list[int]:
        """The positions of the events of a topic."""
        with superuser(self._place.server, self._place.schema) as connection:
            rows = connection.execute("SELECT position FROM events WHERE topic = %s ORDER BY position", [topic])
            return [position for (position,) in rows]


@pytest.fixture
def old(server: str, tmp_path: Path) -> Iterator[Place]:
    """A store of a release in which rows could be written twice."""
    files = [each for each in migrate.known() if each.name != MARK]
    with elsewhere(server, tmp_path, CRM_SIGNING_KEY=as_setting(SIGNING_KEY)) as place:
        with patch.object(migrate, "known", lambda: files):
            place.done("migrate")
        yield place


def write_twice(place: Place) -> Books:
    """A row of each kind that stands twice."""
    with place.services() as made:
        books = Books(place, made)
        books.twice(PAYMENT, books.receivable, "payments/L1")
        books.twice(RecordReminder(channel="phone", occurred_on=DAY), books.receivable, "reminders/1")
        books.twice(AddContact(name="张三"), books.customer, "contacts/1")
        books.twice(LogFollowUp(method="phone", content="已联系"), books.customer, "follow-ups/1")
    return books


def told(place: Place, code: int = 0) -> dict[str, Any]:
    """What the proof of the ledger tells of claims."""
    ran = place.run("verify", "--ledger", "--json")
    assert ran.exit_code == code, ran.output
    document = json.loads(ran.stdout)
    assert document["is_clean"] == (code == 0)
    claims: dict[str, Any] = document["claims"]
    assert claims["differences"] == []
    return claims


def test_what_was_doubled_before_the_upgrade_is_listed_with_its_remedy(old: Place) -> None:
    books = write_twice(old)
    old.done("migrate")
    found = {each["row"]: each for each in told(old)["doublings"]}
    assert list(found) == ["payments/L1", "reminders/1", "contacts/1", "follow-ups/1"]
    assert not any(each["failure"] or each["mended"] for each in found.values())
    payment = found["payments/L1"]
    first, second = books.events("receivable.payment-received")
    assert payment["profile"] == "sheet"
    assert payment["record"] == {"kind": "receivable", "id": str(books.receivable)}
    assert payment["first"] == {"position": first, "event": "receivable.payment-received"}
    assert payment["second"] == [{"position": second, "event": "receivable.payment-received"}]
    assert {row: each["remedy"] for row, each in found.items()} == {
        "payments/L1": "reverse-payment",
        "reminders/1": "note-it",
        "contacts/1": "remove-contact",
        "follow-ups/1": "note-it",
    }
    with old.services() as made:
        later = list(made.ledger.load(Receivable, books.receivable).payments)[1]
    assert f"/receivables/{books.receivable}/payments/{later}/reversal" in payment["what_to_do"]
    said = old.run("verify", "--ledger").stdout
    assert "NOTE:   4 rows of imports stand twice." in said
    assert f"sheet, row payments/L1, receivable {books.receivable} (before rows were written once):" in said
    assert f"first receivable.payment-received at position {first}, again" in said


def test_what_was_mended_is_told_so(old: Place) -> None:
    books = write_twice(old)
    old.done("migrate")
    with old.services() as made:
        later = list(made.ledger.load(Receivable, books.receivable).payments)[1]
        execute(ReversePayment(payment_id=later, reason="重复"), to=books.receivable, by=OPERATOR, door=made.door)
        contact = UUID(next(each["part_id"] for each in told(old)["doublings"] if each["row"] == "contacts/1"))
        execute(RemoveContact(contact_id=contact), to=books.customer, by=OPERATOR, door=made.door)
    mended = {each["row"]: each["mended"] for each in told(old)["doublings"]}
    assert mended == {"payments/L1": True, "reminders/1": False, "contacts/1": True, "follow-ups/1": False}
    assert "NOTE:   2 rows of imports stand twice, 2 more are mended." in old.run("verify", "--ledger").stdout


def test_what_is_doubled_after_the_upgrade_is_a_failure(old: Place) -> None:
    write_twice(old)
    old.done("migrate")
    with old.services() as made:
        books = Books(old, made)
        books.twice(PAYMENT, books.receivable, "payments/L2")
    claims = told(old, 1)
    assert [each["row"] for each in claims["doublings"] if each["failure"]] == ["payments/L2"]
    assert len(claims["doublings"]) == 5
    said = old.run("verify", "--ledger").stdout
    assert "WRONG:  the" in said
    assert said.index("payments/L2") < said.index("payments/L1")


def test_an_older_backup_is_marked_when_it_is_migrated_and_a_newer_one_has_its_mark(
    old: Place, server: str, tmp_path: Path
) -> None:
    files = [each for each in migrate.known() if each.name != MARK]
    with patch.object(migrate, "known", lambda: files):
        write_twice(old)
        older = old.backup()
    with elsewhere(server, tmp_path, **TRUSTING, CRM_SIGNING_KEY=as_setting(SIGNING_KEY)) as restored:
        assert restored.done("restore", older, "--keys", old.keys)["is_sound"]
        assert len(told(restored)["doublings"]) == 4
        with restored.services() as made:
            books = Books(restored, made)
            marked = books.events("customer.registered")[-1]
        newer = restored.backup()
        with elsewhere(server, tmp_path, **TRUSTING) as again:
            assert again.done("restore", newer, "--keys", restored.keys)["is_sound"]
            assert len(told(again)["doublings"]) == 4
            with again.services() as made, made.database.connection() as connection:
                row = connection.execute("SELECT rows_once_after FROM meta").fetchone()
                assert row is not None
                assert 0 < row[0] < marked


def report(ledger: Ledger, database: Database) -> ClaimsReport:
    """The proof of the claims."""
    with database.connection() as connection:
        return verify_claims(connection, ledger.keyring)


def row(digest: str = "abc", replaces: str | None = None) -> Any:
    """Somebody who writes the row."""
    return somebody(imported=ImportedRow("sheet", "7", digest, replaces))


def test_several_aggregates_of_one_command_are_one_writing(ledger: Ledger, database: Database) -> None:
    with row():
        north, valve = Team.form(uuid4(), name="North", region=None), Product.add(uuid4(), name="Valve")
        north.rename("South")
        valve.revise(name="Pump")
    ledger.save(north, valve)
    assert report(ledger, database) == ClaimsReport(2, {})


def test_a_row_that_replaces_the_one_before_is_written_once(ledger: Ledger, database: Database) -> None:
    with row():
        north = Team.form(uuid4(), name="North", region=None)
    ledger.save(north)
    for digest, replaces in (("def", "abc"), ("ghi", "def")):
        with row(digest, replaces):
            north.rename(f"Team {digest}")
            north.assign_region(digest, None)
        ledger.save(north)
    assert report(ledger, database).doublings == ()
    assert report(ledger, database).is_intact


def test_a_row_that_was_given_back_may_be_written_again(
    ledger: Ledger, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claims(event: Product.Revised) -> Iterator[Claim]:
        if event.reason == "undone":
            yield Claim("import-row", "sheet/7", released=True)

    monkeypatch.setattr(Product.Revised, "claims", claims)
    with row():
        valve = Product.add(uuid4(), name="Valve")
    ledger.save(valve)
    with acting(Acting("member:test", uuid4(), "api", datetime.now(UTC), reason="undone")):
        valve.revise(series="A")
    ledger.save(valve)
    with row("def"):
        other = Team.form(uuid4(), name="North", region=None)
    ledger.save(other)
    assert report(ledger, database).doublings == ()


def test_a_third_writing_is_told_beside_the_first(
    ledger: Ledger, database: Database, server: str, workspace: str
) -> None:
    with row():
        north = Team.form(uuid4(), name="North", region=None)
    ledger.save(north)
    for name in ("Second", "Third"):
        with superuser(server, workspace) as connection:
            connection.execute("DELETE FROM claims")
        with row():
            north.rename(name)
        ledger.save(north)
    found = report(ledger, database)
    assert [(each.first.position, each.second[0].position, each.is_failure) for each in found.doublings] == [
        (1, 2, True),
        (1, 3, True),
    ]
    assert (found.differences, found.is_intact) == ({}, False)
    assert {each.to_mend.remedy for each in found.doublings} == {"none"}


def test_a_digest_that_is_not_the_one_held_replaces_nothing(
    ledger: Ledger, database: Database, server: str, workspace: str
) -> None:
    with row():
        north = Team.form(uuid4(), name="North", region=None)
    ledger.save(north)
    with superuser(server, workspace) as connection:
        connection.execute("UPDATE claims SET detail = 'xyz'")
    with row("def", "xyz"):
        north.rename("South")
    ledger.save(north)
    assert len(report(ledger, database).doublings) == 1


def test_an_empty_store_expects_every_row_once(database: Database) -> None:
    with database.connection() as connection:
        assert connection.execute("SELECT rows_once_after FROM meta").fetchone() == (0,)
