"""A customer's statement of account: what was open at first, every charge and movement since, what is open at last."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row

from projections.dimensions import amount

_ENTRIES: LiteralString = """
    SELECT e.occurred_on, e.kind, e.change, e.currency, r.receivable_id, r.invoice_no, r.order_no, r.instalment
    FROM (
        SELECT receivable_id, issued_on AS occurred_on, 'invoice' AS kind, amount AS change, currency,
            recorded_at, -1 AS seq
        FROM receivables WHERE customer_id = %(customer_id)s
        UNION ALL
        SELECT receivable_id, occurred_on, kind, -collected - written_off, currency, recorded_at, seq
        FROM movements WHERE customer_id = %(customer_id)s
    ) e JOIN receivables r USING (receivable_id)
    WHERE e.occurred_on <= %(until_on)s
    ORDER BY e.occurred_on, e.recorded_at, r.receivable_id, e.seq"""


def statement(connection: Connection[Any], customer_id: UUID, from_on: date, until_on: date) -> dict[str, Any] | None:
    """The account of a customer in a period, both days included, in each currency; None for an unknown customer.

    `change` is positive for what is owed (invoices, reversed payments), negative for payments and write-offs.
    """
    customer = connection.execute("SELECT name, code FROM customers WHERE customer_id = %s", [customer_id]).fetchone()
    if customer is None:
        return None
    accounts: dict[str, _Account] = {}
    asked = {"customer_id": customer_id, "until_on": until_on}
    with connection.cursor(row_factory=dict_row) as cursor:
        for entry in cursor.execute(_ENTRIES, asked):
            currency = entry.pop("currency")
            accounts.setdefault(currency, _Account()).take(entry, from_on)
    return {
        "customer_id": customer_id,
        "customer": customer[0],
        "customer_code": customer[1],
        "from_on": from_on,
        "until_on": until_on,
        "accounts": [accounts[currency].shown(currency) for currency in sorted(accounts)],
    }


class _Account:
    """The entries of one currency, and the balance after each."""

    def __init__(self) -> None:
        self.opening = self.balance = self.charged = self.credited = Decimal(0)
        self.entries: list[dict[str, Any]] = []

    def take(self, entry: dict[str, Any], from_on: date) -> None:
        """Adds the next entry in order of days; what lies before the period only counts in the opening balance."""
        change: Decimal = entry["change"]
        self.balance += change
        if entry["occurred_on"] < from_on:
            self.opening = self.balance
            return
        if change > 0:
            self.charged += change
        else:
            self.credited -= change
        self.entries.append(entry | {"change": amount(change), "balance": amount(self.balance)})

    def shown(self, currency: str) -> dict[str, Any]:
        """The account as the answer shows it."""
        return {
            "currency": currency,
            "opening": amount(self.opening),
            "entries": self.entries,
            "charged": amount(self.charged),
            "credited": amount(self.credited),
            "closing": amount(self.balance),
        }
