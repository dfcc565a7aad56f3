"""Imports of one file at the same time: what it holds, who brings it in, and the proof that each row stands once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from commands.base import Door
from keys import MASTER_KEY
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.proof.chain import verify_chain
from ledger.proof.claims import verify_claims
from ledger.sealing import Keyring
from sheets.importing import Importer, Report
from sheets.opening import load

PROFILE = """
name = "overlap"
title = "overlap"

[files.sheet]
name = "sheet.csv"

[files.sheet.columns]
"客户" = { needed = true }
"发票号" = { needed = true }
"流水号" = {}
"金额" = { type = "decimal" }
"日期" = { type = "date", needed = true }

[[records]]
name = "customers"
file = "sheet"
key = ["客户"]
distinct = true

[[records.commands]]
command = "RegisterCustomer"

[records.commands.fields]
name = "客户"
kind = { value = "company" }

[[records]]
name = "invoices"
file = "sheet"
key = ["发票号"]
distinct = true

[[records.commands]]
command = "IssueReceivable"
to = { refers = "customers", key = ["客户"] }

[records.commands.fields]
invoice_no = "发票号"
amount = { value = "1000.00" }
issued_on = "日期"
"""
ACTING = {
    "payments": ("ReceivePayment", "invoices", "发票号", 'amount = "金额"\noccurred_on = "日期"'),
    "reminders": ("RecordReminder", "invoices", "发票号", 'channel = { value = "电话" }\noccurred_on = "日期"'),
    "contacts": ("AddContact", "customers", "客户", 'name = "流水号"'),
    "follow-ups": ("LogFollowUp", "customers", "客户", 'method = { value = "phone" }\ncontent = "流水号"'),
}
"""Records that act on something that is there: their command, and what it is said to."""
TOPICS = {
    "payments": "receivable.payment-received",
    "reminders": "receivable.reminder-recorded",
    "contacts": "customer.contact-added",
    "follow-ups": "customer.follow-up-logged",
}
HEADING = "客户,发票号,流水号,金额,日期\n"
CUSTOMERS = 5


def write_profile(folder: Path, *kinds: str) -> Path:
    """A profile of customers, invoices and these records."""
    text = PROFILE
    for kind in kinds:
        command, to, key, fields = ACTING[kind]
        text += f"""
[[records]]
name = "{kind}"
file = "sheet"
key = ["流水号"]
only = {{ filled = ["流水号"] }}

[[records.commands]]
command = "{command}"
to = {{ refers = "{to}", key = ["{key}"] }}

[records.commands.fields]
{fields}
"""
    path = folder / "overlap.toml"
    path.write_text(text, encoding="utf-8")
    return path


def write_sheet(folder: Path, prefix: str, count: int, *, is_acting: bool = True) -> Path:
    """Rows of a few customers, each an invoice of its own and, perhaps, what happened to it."""
    path = folder / f"{prefix}{is_acting}.csv"
    rows = (
        f"{prefix}客户{n % CUSTOMERS},{prefix}-{n:03},{f'{prefix}L{n:03},300.00' if is_acting else ','},2026-01-01\n"
        for n in range(count)
    )
    path.write_text(HEADING + "".join(rows), encoding="utf-8")
    return path


@contextmanager
def another_process(server: str, schema: str) -> Iterator[Ledger]:
    """The ledger as another process has it: with connections and keys of its own."""
    with (
        Database(server, schema, role="genjin_app", min_size=1, max_size=6) as database,
        closing(Ledger(database, Keyring(database, MASTER_KEY))) as ledger,
    ):
        yield ledger


def import_of(profile: Path, sheet: Path, ledger: Ledger) -> Callable[[], Report]:
    """An import by one process."""
    return lambda: Importer(load(str(profile)), Door(ledger), ledger, writers=4).run(sheet)


def require_each_once(ledger: Ledger, kinds: Sequence[str], rows: int) -> None:
    """Every row of each kind stands once, and the proofs find nothing."""
    with ledger.database.connection() as connection:
        counted = Counter(dict(connection.execute("SELECT topic, count(*) FROM events GROUP BY topic").fetchall()))
        assert {kind: counted[TOPICS[kind]] for kind in kinds} == dict.fromkeys(kinds, rows)
        assert counted["receivable.issued"] == rows
        collected = connection.execute(
            "SELECT coalesce(sum((convert_from(state, 'UTF8')::jsonb->>'amount')::numeric), 0) FROM events"
            " WHERE topic = 'receivable.payment-received'"
        ).fetchone()
        assert collected == (Decimal(300) * (rows if "payments" in kinds else 0),)
        assert verify_chain(connection).is_intact
        found = verify_claims(connection, ledger.keyring)
        assert (found.differences, found.doublings, found.unreadable) == ({}, (), None)


def require_all_in(reports: Sequence[Any], rows: int) -> None:
    """No run refused anything, and together they imported each row once."""
    for report in reports:
        assert isinstance(report, Report), report
        assert (report.refused_rows, report.total("changed")) == (0, 0), report.refusals[:3]
        assert report.total("imported") + report.total("unchanged") == report.total("rows")
    assert sum(report.total("imported") for report in reports) == rows
