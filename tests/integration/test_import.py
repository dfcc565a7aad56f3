"""Imports: a row is written whole or not at all, never twice, and whatever is not written says why."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from aggregates.customer import Customer
from aggregates.import_batch import ImportBatch
from aggregates.opportunity import Opportunity
from aggregates.receivable import Receivable
from commands.base import Door, execute
from commands.customers import RegisterCustomer
from ledger.database import Database
from ledger.errors import NotFound, VersionConflict
from ledger.ledger import Ledger
from ledger.outcome import Outcome
from ledger.sealing import Keyring
from policy import Actor
from sheets.importing import Importer, Report
from sheets.opening import HERE, load, parse
from sheets.reading import Refusal, Unreadable

Import = Callable[..., Report]
HEADING = "countryCode,customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate\n"
FIRST = "391,A-1,0001,1/2/2013,2/1/2013,55.94,Yes,1/15/2013\n"
SECOND = "391,A-1,0002,1/3/2013,2/2/2013,10,No,\n"
THIRD = "406,B-2,0003,1/4/2013,2/3/2013,7.50,No,2/28/2013\n"
IBM = load("ibm-receivables")
MAVEN = load("maven-pipeline")
IBM_SOURCE = (HERE / "ibm-receivables.toml").read_text(encoding="utf-8")


@pytest.fixture
def bring_in(ledger: Ledger, tmp_path: Path) -> Import:
    """Imports invoices written in the test."""

    def run(rows: str, heading: str = HEADING, **options: object) -> Report:
        path = tmp_path / "invoices.csv"
        path.write_text(heading + rows, encoding="utf-8")
        return Importer(IBM, Door(ledger), ledger, **options).run(path)  # type: ignore[arg-type]

    return run


def invoice(ledger: Ledger, number: str) -> Receivable:
    """A receivable by the number that it was imported under."""
    return ledger.load(Receivable, IBM.id_of("invoices", (number,)))


def counted(report: Report) -> dict[str, int]:
    """What became of the rows."""
    return {name: report.total(name) for name in ("rows", "imported", "unchanged", "changed", "refused")}


def topics(database: Database) -> list[str]:
    """What is in the ledger, in order."""
    with database.connection() as connection:
        return [topic for (topic,) in connection.execute("SELECT topic FROM events ORDER BY position")]


def test_a_row_becomes_what_its_profile_says(bring_in: Import, ledger: Ledger, database: Database) -> None:
    report = bring_in(FIRST)
    assert counted(report) == {"rows": 2, "imported": 2, "unchanged": 0, "changed": 0, "refused": 0}
    customer = ledger.load(Customer, IBM.id_of("customers", ("A-1",)))
    receivable = invoice(ledger, "0001")
    assert receivable.customer_id == customer.id
    assert (receivable.issued_on, receivable.due_on) == (date(2013, 1, 2), date(2013, 2, 1))
    assert (receivable.amount, receivable.currency, receivable.open_amount) == (Decimal("55.94"), "USD", Decimal(0))
    assert topics(database) == [
        "import-batch.started",
        "customer.registered",
        "customer.lifecycle-moved",
        "receivable.issued",
        "receivable.disputed",
        "receivable.dispute-settled",
        "receivable.payment-received",
        "import-batch.finished",
    ]


def test_who_did_it_is_the_batch_and_the_row_is_named(bring_in: Import, database: Database) -> None:
    report = bring_in(FIRST)
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT convert_from(state, 'UTF8')::jsonb FROM events WHERE topic LIKE 'receivable.%'"
        ).fetchall()
    states = [state for (state,) in rows]
    assert {state["actor"] for state in states} == {f"import:{report.batch}"}
    assert {state["source"] for state in states} == {"import"}
    assert len({state["command_id"] for state in states}) == 1
    assert {state["imported"]["key"] for state in states} == {"invoices/0001"}


def test_names_of_persons_do_not_stand_in_the_clear_in_row_keys(ledger: Ledger, database: Database) -> None:
    assert MAVEN.row_key("members", ("Moses Frase",)) == f"members/{MAVEN.id_of('members', ('Moses Frase',))}"
    assert MAVEN.row_key("opportunities", ("1C1I7A6R",)) == "opportunities/1C1I7A6R"


def test_running_it_again_imports_nothing_and_leaves_no_trace(bring_in: Import, ledger: Ledger) -> None:
    bring_in(FIRST + SECOND + THIRD)
    head = ledger.head()
    again = bring_in(FIRST + SECOND + THIRD)
    assert counted(again) == {"rows": 5, "imported": 0, "unchanged": 5, "changed": 0, "refused": 0}
    assert (again.position, again.batch, ledger.head()) == (head, None, head)


def test_rows_that_came_later_are_added(bring_in: Import, ledger: Ledger) -> None:
    bring_in(FIRST)
    report = bring_in(FIRST + SECOND + THIRD)
    assert (report.total("imported"), report.total("unchanged")) == (3, 2)
    assert report.batch is not None
    assert ledger.load(ImportBatch, report.batch).is_finished


def test_a_changed_row_is_reported_and_not_applied(bring_in: Import, ledger: Ledger) -> None:
    bring_in(FIRST + SECOND)
    head = ledger.head()
    told: list[Refusal] = []
    report = bring_in(FIRST.replace("55.94", "99.99") + SECOND, told=told.append)
    assert counted(report) == {"rows": 3, "imported": 0, "unchanged": 2, "changed": 1, "refused": 0}
    assert [(each.code, each.line, each.value) for each in report.changed] == [("changed-row", 2, "0001")]
    assert list(report.changed) == told
    assert (invoice(ledger, "0001").amount, ledger.head()) == (Decimal("55.94"), head)


def test_a_column_that_is_not_imported_may_change(bring_in: Import) -> None:
    heading = HEADING.rstrip() + ",DaysLate\n"
    bring_in(FIRST.rstrip() + ",0\n", heading)
    assert bring_in(FIRST.rstrip() + ",17\n", heading).total("unchanged") == 2


def test_a_rehearsal_finds_what_the_import_would_and_writes_nothing(
    bring_in: Import, ledger: Ledger, database: Database
) -> None:
    rows = FIRST + SECOND.replace("0002", "0001") + THIRD.replace("2/28/2013", "1/1/2013") + "391,C-3,0004,x,,1,No,\n"
    rehearsal = bring_in(rows, is_rehearsal=True)
    assert (topics(database), rehearsal.batch, rehearsal.position) == ([], None, None)
    report = bring_in(rows)
    assert rehearsal.refusals == report.refusals
    assert rehearsal.counts == report.counts
    assert [(each.code, each.line, each.column, each.value) for each in report.refusals] == [
        ("not-a-date", 5, "InvoiceDate", "x"),
        ("empty-cell", 5, "DueDate", ""),
        ("duplicate-row", 3, "invoiceNumber", "0001"),
        ("before-issued", 4, "SettledDate", "1/1/2013"),
    ]


def test_a_rehearsal_minds_the_numbers_that_are_taken(bring_in: Import, ledger: Ledger, tmp_path: Path) -> None:
    bring_in(FIRST)
    other = tmp_path / "other.toml"
    other.write_text(
        (Path(IBM_FILE)).read_text(encoding="utf-8").replace('"ibm-receivables"', '"another-source"'), encoding="utf-8"
    )
    path = tmp_path / "invoices.csv"
    for is_rehearsal in (True, False):
        report = Importer(load(str(other)), Door(ledger), ledger, is_rehearsal=is_rehearsal).run(path)
        refusals = [(each.code, each.column, each.values["value"]) for each in report.refusals[:1]]
        assert refusals == [("claim-taken", "customerID", "A-1")]


IBM_FILE = Path(sys.modules["sheets.profile"].__file__ or "").parent / "profiles" / "ibm-receivables.toml"


def test_a_row_is_whole_or_not_at_all(bring_in: Import, ledger: Ledger, database: Database) -> None:
    """The invoice would do; the payment is dated before it."""
    report = bring_in(FIRST + THIRD.replace("2/28/2013", "1/1/2013"))
    assert [(each.code, each.line, each.column) for each in report.refusals] == [("before-issued", 3, "SettledDate")]
    assert invoice(ledger, "0001").open_amount == 0
    with pytest.raises(NotFound):
        invoice(ledger, "0003")
    assert ledger.holder("invoice-no", "0003") is None
    assert not report.is_complete


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("391,C-3,0009,2/30/2013,3/1/2013,1,No,\n", "not-a-date", "InvoiceDate"),
        ("391,C-3,0009,2013-02-03,3/1/2013,1,No,\n", "not-a-date", "InvoiceDate"),
        ("391,C-3,0009,1/1/2013,2/1/2013,1.005,No,\n", "decimal_max_places", "InvoiceAmount"),
        ("391,C-3,0009,1/1/2013,2/1/2013,-1,No,\n", "greater_than", "InvoiceAmount"),
        ("391,C-3,0009,1/1/2013,2/1/2013,0,No,\n", "greater_than", "InvoiceAmount"),
        ('391,C-3,0009,1/1/2013,2/1/2013,"1,000",No,\n', "not-a-number", "InvoiceAmount"),
        ("391,C-3,0009,1/1/2013,2/1/2013,1,Perhaps,\n", "not-one-of", "Disputed"),
        ("391,,0009,1/1/2013,2/1/2013,1,No,\n", "empty-cell", "customerID"),
        ("391,C-3,,1/1/2013,2/1/2013,1,No,\n", "empty-cell", "invoiceNumber"),
        ("391,C-3," + "9" * 201 + ",1/1/2013,2/1/2013,1,No,\n", "key-too-long", "invoiceNumber"),
        ("391,C-3,0009,1/1/2113,2/1/2113,1,No,\n", "date-in-future", "InvoiceDate"),
        ("391,C-3,0009,2/1/2013,1/1/2013,1,No,\n", "due-before-issued", "DueDate"),
        ("391,C\x07-3,0009,1/1/2013,2/1/2013,1,No,\n", "text-control", "customerID"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_and_the_others_come_in(
    bring_in: Import, row: str, code: str, column: str
) -> None:
    report = bring_in(FIRST + row + THIRD)
    assert [(each.code, each.line, each.column) for each in report.refusals if each.code == code] == [(code, 3, column)]
    assert report.refused_rows == 1
    assert {count.record: count.imported for count in report.counts}["invoices"] == 2


def test_nothing_is_read_when_a_column_is_missing(bring_in: Import, database: Database) -> None:
    with pytest.raises(Unreadable) as unreadable:
        bring_in(FIRST, HEADING.replace("DueDate", "Due"))
    assert [(each.code, each.column) for each in unreadable.value.refusals] == [("missing-column", "DueDate")]
    assert topics(database) == []


def test_two_imports_at_once_write_nothing_twice(ledger: Ledger, tmp_path: Path, database: Database) -> None:
    path = tmp_path / "invoices.csv"
    rows = "".join(f"391,K-{n % 7},{n:04},1/2/2013,2/1/2013,1.{n % 100:02},No,1/15/2013\n" for n in range(1, 301))
    path.write_text(HEADING + rows, encoding="utf-8")
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: Importer(IBM, Door(ledger), ledger, writers=4).run(path), range(2)))
    assert sum(report.total("imported") for report in reports) == 307
    assert sum(report.total("unchanged") for report in reports) == 307
    assert topics(database).count("receivable.payment-received") == 300


def test_a_broken_off_import_goes_on_where_it_stopped(ledger: Ledger, tmp_path: Path, database: Database) -> None:
    path = tmp_path / "invoices.csv"
    rows = "".join(f"391,K-{n % 7},{n:04},1/2/2013,2/1/2013,5,No,1/15/2013\n" for n in range(1, 301))
    path.write_text(HEADING + rows, encoding="utf-8")

    def pull_the_plug(done: int, total: int) -> None:
        assert total == 600
        if done > 450:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Importer(IBM, Door(ledger), ledger, progress=pull_the_plug).run(path)
    written = topics(database).count("receivable.issued")
    assert 100 < written < 300
    report = Importer(IBM, Door(ledger), ledger).run(path)
    assert {count.record: (count.imported, count.unchanged) for count in report.counts} == {
        "customers": (0, 7),
        "invoices": (300 - written, written),
    }
    assert topics(database).count("receivable.issued") == topics(database).count("receivable.payment-received") == 300


def deal(**cells: str) -> str:
    """A row of the pipeline."""
    row = {
        "opportunity_id": "D1",
        "sales_agent": "Ann",
        "product": "GTXPro",
        "account": "Acme",
        "deal_stage": "Won",
        "engage_date": "2017-01-01",
        "close_date": "2017-02-01",
        "close_value": "100",
    } | cells
    return ",".join(row.values()) + "\r\n"


@pytest.fixture
def deals(ledger: Ledger, tmp_path: Path) -> Import:
    """Imports a pipeline written in the test."""

    def run(rows: str, **options: object) -> Report:
        files = {
            "sales_teams.csv": "sales_agent,manager,regional_office\r\nAnn,Dustin,West\r\n",
            "products.csv": "product,series,sales_price\r\nGTX Pro,GTX,4821\r\n",
            "accounts.csv": "account,sector,year_established,revenue,employees,office_location,subsidiary_of\r\n"
            "Acme,technolgy,1996,1100.04,2822,Philipines,\r\n",
            "sales_pipeline.csv": "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,"
            "close_value\r\n" + rows,
        }
        for name, content in files.items():
            (tmp_path / name).write_text(content, encoding="utf-8", newline="")
        return Importer(MAVEN, Door(ledger), ledger, **options).run(tmp_path)  # type: ignore[arg-type]

    return run


def test_a_deal_keeps_its_business_dates(deals: Import, ledger: Ledger) -> None:
    assert deals(deal()).is_complete
    opportunity = ledger.load(Opportunity, MAVEN.id_of("opportunities", ("D1",)))
    assert (opportunity.status, opportunity.stage, opportunity.amount) == ("won", "Engaging", Decimal(100))
    assert (opportunity.entries[0].occurred_on, opportunity.closed_on) == (date(2017, 1, 1), date(2017, 2, 1))
    assert opportunity.details["product_id"] == MAVEN.id_of("products", ("GTX Pro",))
    assert opportunity.owner_id == MAVEN.id_of("members", ("Ann",))


def test_a_customer_is_won_on_the_day_of_its_first_deal_whatever_the_order_of_the_rows(
    deals: Import, ledger: Ledger, database: Database
) -> None:
    later = deal(opportunity_id="D2", close_date="2017-09-09")
    assert deals(later + deal()).is_complete
    with database.connection() as connection:
        won = connection.execute(
            "SELECT convert_from(state, 'UTF8')::jsonb->>'occurred_on' FROM events WHERE topic = %s",
            ["customer.lifecycle-moved"],
        ).fetchall()
    assert won == [("2017-02-01",)]


def test_a_deal_without_account_belongs_to_the_placeholder(deals: Import, ledger: Ledger) -> None:
    row = deal(account="", deal_stage="Prospecting", engage_date="", close_date="", close_value="")
    assert deals(row).is_complete
    opportunity = ledger.load(Opportunity, MAVEN.id_of("opportunities", ("D1",)))
    assert opportunity.customer_id == MAVEN.id_of("no-account", ())
    assert (opportunity.stage, opportunity.entries[0].occurred_on) == ("Prospecting", None)


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"account": "Nobody"}, "unknown-reference", "account"),
        ({"sales_agent": "Zoe"}, "unknown-reference", "sales_agent"),
        ({"product": "GTX Max"}, "unknown-reference", "product"),
        ({"deal_stage": "Winning"}, "not-one-of", "deal_stage"),
        ({"close_date": ""}, "empty-cell", "close_date"),
        ({"close_value": ""}, "empty-cell", "close_value"),
        ({"deal_stage": "Engaging", "engage_date": ""}, "empty-cell", "engage_date"),
        ({"close_date": "2016-12-31"}, "before-stage-entered", "close_date"),
    ],
)
def test_a_deal_that_does_not_fit_is_refused(deals: Import, cells: dict[str, str], code: str, column: str) -> None:
    report = deals(deal(**cells) + deal(opportunity_id="D2"))
    assert [(each.code, each.file, each.line, each.column) for each in report.refusals] == [
        (code, "sales_pipeline.csv", 2, column)
    ]
    assert next(count for count in report.counts if count.record == "opportunities").imported == 1


def test_a_folder_without_one_of_the_files_is_not_begun(deals: Import, tmp_path: Path, ledger: Ledger) -> None:
    deals("")
    (tmp_path / "products.csv").unlink()
    with pytest.raises(Unreadable) as unreadable:
        Importer(MAVEN, Door(ledger), ledger).run(tmp_path)
    assert [(each.code, each.values["accepted"]) for each in unreadable.value.refusals] == [
        ("file-missing", "products.csv")
    ]


def test_killed_in_the_middle_of_real_invoices_every_row_is_there_once(
    server: str, workspace: str, database: Database, ledger: Ledger, reference_data: Path, tmp_path: Path
) -> None:
    environment = os.environ | {
        "CRM_DATABASE_URL": server,
        "CRM_SCHEMA": workspace,
        "CRM_DATA_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    path = reference_data / "accounts_receivable" / "WA_Fn-UseC_-Accounts-Receivable.csv"
    words = [sys.executable, "-m", "crm", "import", "--profile", "ibm-receivables", str(path), "--json"]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while ledger.head() < 1_000:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    written = topics(database).count("receivable.issued")
    assert 0 < written < 2_466
    again = subprocess.run(words, env=environment, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr.decode()
    assert json.loads(again.stdout)["total"]["imported"] < 2_566
    found = topics(database)
    assert found.count("receivable.issued") == found.count("receivable.payment-received") == 2_466
    assert found.count("receivable.disputed") == found.count("receivable.dispute-settled") == 561
    assert found.count("customer.registered") == 100
    with database.connection() as connection:
        held = connection.execute("SELECT count(*) FROM claims WHERE kind = 'import-row'").fetchone()
    assert held == (2_566,)


EARLY = "391,A-1,0001,1/2/2013,2/1/2013,55.94,No,1/1/2013\n"
"""An invoice that was settled before it was issued: no rule takes it."""


def is_registered(ledger: Ledger, code: str) -> bool:
    """Whether the customer is there."""
    try:
        return ledger.load(Customer, IBM.id_of("customers", (code,))) is not None
    except NotFound:
        return False


@pytest.mark.parametrize("is_rehearsal", [False, True])
def test_a_customer_whose_rows_were_all_refused_is_not_created(
    bring_in: Import, ledger: Ledger, database: Database, is_rehearsal: bool
) -> None:
    report = bring_in(EARLY, is_rehearsal=is_rehearsal)
    assert (report.refused_rows, [each.line for each in report.refusals]) == (1, [2])
    assert counted(report) == {"rows": 2, "imported": 0, "unchanged": 0, "changed": 0, "refused": 2}
    assert not is_registered(ledger, "A-1")
    assert "customer.registered" not in topics(database)


def test_a_customer_comes_with_the_first_row_that_is_accepted_for_it(
    bring_in: Import, ledger: Ledger, database: Database
) -> None:
    report = bring_in(EARLY + SECOND + THIRD)
    assert counted(report) == {"rows": 5, "imported": 4, "unchanged": 0, "changed": 0, "refused": 1}
    customer = ledger.load(Customer, IBM.id_of("customers", ("A-1",)))
    assert invoice(ledger, "0002").customer_id == customer.id
    with database.connection() as connection:
        found = connection.execute(
            "SELECT count(DISTINCT recorded_at), count(DISTINCT convert_from(state, 'UTF8')::jsonb->>'command_id') "
            "FROM events WHERE customer_id = %s AND topic IN ('customer.registered', 'receivable.issued')",
            [customer.id],
        ).fetchone()
    assert found == (1, 1)
    mended = bring_in(EARLY.replace("1/1/2013", "1/9/2013") + SECOND + THIRD)
    assert counted(mended) == {"rows": 5, "imported": 1, "unchanged": 4, "changed": 0, "refused": 0}


def test_a_customer_that_cannot_be_created_is_refused_once_and_its_rows_say_what_is_missing(
    bring_in: Import, ledger: Ledger
) -> None:
    taken = RegisterCustomer(name="A", kind="company", legacy_code="A-1")
    execute(
        taken,
        to=None,
        by=Actor(id="member:a", member_id=None, name="A", source="api", roles=frozenset({"administrator"})),
        door=Door(ledger),
    )
    report = bring_in(FIRST + SECOND + THIRD)
    assert counted(report) == {"rows": 5, "imported": 2, "unchanged": 0, "changed": 0, "refused": 3}
    assert [(each.code, each.line, each.column) for each in sorted(report.refusals, key=lambda each: each.code)] == [
        ("claim-taken", 2, "customerID"),
        ("unknown-reference", 2, "customerID"),
        ("unknown-reference", 3, "customerID"),
    ]


def test_what_no_row_needed_is_written_all_the_same(ledger: Ledger, tmp_path: Path) -> None:
    """Its line was not refused: the profile only makes no invoice of it."""
    profile = parse(
        IBM_SOURCE.replace('together = ["customerID"]', 'only = { column_is = { Disputed = ["Yes"] } }').encode()
    )
    path = tmp_path / "invoices.csv"
    path.write_text(HEADING + FIRST + THIRD, encoding="utf-8")
    report = Importer(profile, Door(ledger), ledger).run(path)
    assert counted(report) == {"rows": 3, "imported": 3, "unchanged": 0, "changed": 0, "refused": 0}
    assert {is_registered(ledger, code) for code in ("A-1", "B-2")} == {True}


@pytest.mark.parametrize(("conflicts", "became"), [(100, "imported"), (10**6, "refused")])
def test_a_row_whose_record_others_keep_changing_is_tried_again(
    database: Database, keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conflicts: int, became: str
) -> None:
    """Thirty conflicts refuse a command to whoever waits for its answer; a row waits longer, and not for ever."""
    monkeypatch.setattr("commands.base.sleep", lambda _: None)

    class Contended(Ledger):
        left = conflicts

        def save(self, *aggregates: Any, **given: Any) -> Outcome:  # type: ignore[override]
            if self.left and isinstance(aggregates[0], Customer):
                self.left -= 1
                raise VersionConflict(uuid4(), 1)
            return super().save(*aggregates, **given)

    path = tmp_path / "invoices.csv"
    path.write_text(HEADING + FIRST, encoding="utf-8")
    with closing(Contended(database, keyring)) as ledger:
        report = Importer(IBM, Door(ledger), ledger).run(path)
    assert counted(report)[became] == 2
