"""What the read models say, held against the aggregates that the same ledger gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import dict_row

from aggregates.business_days import Calendar
from aggregates.customer import Customer
from aggregates.opportunity import Opportunity
from aggregates.receivable import Receivable
from ledger.ledger import Ledger
from projections.engine.ground import Connection
from projections.engine.tables.builds import Build
from projections.tracking.cadence import follow_up_due

Facts = dict[str, Any]
NAMES_IN_TABLES = {"lead_source": "source"}


def table(connection: Connection, build: Build, name: str) -> list[Facts]:
    """The rows of one table of a read model."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(build.schema_name, name)))
        return cursor.fetchall()


class Truth:
    """The aggregates, as their events make them."""

    def __init__(self, ledger: Ledger, made: Mapping[Any, list[UUID]], calendar: Calendar) -> None:
        self.customers = [ledger.load(Customer, each) for each in made[Customer]]
        self.deals = [ledger.load(Opportunity, each) for each in made[Opportunity]]
        self.owed = [ledger.load(Receivable, each) for each in made[Receivable]]
        self.calendar = calendar

    def tracking(self, connection: Connection, build: Build) -> None:
        """Each customer's row: itself, its contacts, and the sums of what belongs to it."""
        rows = {row["customer_id"]: row for row in table(connection, build, "customers")}
        contacts: dict[UUID, dict[UUID, Facts]] = defaultdict(dict)
        for row in table(connection, build, "contacts"):
            contacts[row["customer_id"]][row["contact_id"]] = row
        assert rows.keys() == {customer.id for customer in self.customers}
        for customer in self.customers:
            row = rows[customer.id]
            last = row["last_followed_up_on"] or row["first_contact_on"] or row["registered_on"]
            expected = {
                "code": customer.code,
                "owner_id": customer.owner_id,
                "lifecycle": customer.lifecycle,
                "category": customer.category,
                "intent": customer.intent,
                "call_backs": customer.call_backs,
                "tags": sorted(customer.tags) or None,
                "archived": customer.is_archived,
                "contacts": len(customer.contacts),
                "version": customer.version,
                "follow_up_due_on": follow_up_due(customer.lifecycle, last),
                **{name: value for name, value in customer.profile.items() if name in row},
                **self._sums(customer.id),
            }
            assert {name: row[name] for name in expected} == expected
            assert contacts[customer.id].keys() == customer.contacts.keys()
            for contact_id, contact in customer.contacts.items():
                shown = contacts[customer.id][contact_id]
                assert {name: shown[name] for name in contact if name in shown} == (
                    {name: value for name, value in contact.items() if name in shown}
                )
            self._shown_contact(customer, row["contact_id"])

    @staticmethod
    def _shown_contact(customer: Customer, contact_id: UUID | None) -> None:
        main = [one for one, contact in customer.contacts.items() if contact["is_main"]]
        assert contact_id in (main or list(customer.contacts)) if customer.contacts else contact_id is None

    def _sums(self, customer_id: UUID) -> Facts:
        deals = [deal for deal in self.deals if deal.customer_id == customer_id]
        owed = [one for one in self.owed if one.customer_id == customer_id]
        still_open = [one for one in owed if one.open_amount]
        return {
            "opportunities": len(deals),
            "open_opportunities": sum(deal.status == "open" for deal in deals),
            "won_opportunities": sum(deal.status == "won" for deal in deals),
            "open_amount": added_up((deal.currency, deal.amount) for deal in deals if deal.status == "open"),
            "won_amount": added_up((deal.currency, deal.amount) for deal in deals if deal.status == "won"),
            "receivables": len(owed),
            "open_receivables": len(still_open),
            "disputed_receivables": sum(one.is_disputed for one in owed),
            "open_balance": added_up((one.currency, one.open_amount) for one in still_open),
        }

    def pipeline(self, connection: Connection, build: Build) -> None:
        """Each opportunity's row, and the stages it went through."""
        rows = {row["opportunity_id"]: row for row in table(connection, build, "opportunities")}
        stages: dict[UUID, list[Facts]] = defaultdict(list)
        for row in sorted(table(connection, build, "stages"), key=lambda row: row["seq"]):
            stages[row["opportunity_id"]].append(row)
        assert rows.keys() == {deal.id for deal in self.deals}
        for deal in self.deals:
            expected = {
                "customer_id": deal.customer_id,
                "stage": deal.stage,
                "outcome": deal.status,
                "amount": deal.amount,
                "currency": deal.currency,
                "owner_id": deal.owner_id,
                "expected_close_on": deal.expected_close_on,
                "version": deal.version,
                "closed_on": deal.entries[-1].closed_on if deal.status != "open" else None,
                **{NAMES_IN_TABLES.get(name, name): value for name, value in deal.details.items()},
            }
            row = rows[deal.id]
            assert {name: row[name] for name in expected} == expected
            entered = [entry for entry in stages[deal.id] if entry["outcome"] == "open"]
            assert [(entry["stage"], entry["entered_on"]) for entry in entered] == (
                [(entry.stage, entry.day(self.calendar)) for entry in deal.entries]
            )

    def receivables(self, connection: Connection, build: Build) -> None:
        """Each receivable's row, and the sums of its movements."""
        rows = {row["receivable_id"]: row for row in table(connection, build, "receivables")}
        collected: dict[UUID, Decimal] = defaultdict(Decimal)
        for row in table(connection, build, "movements"):
            collected[row["receivable_id"]] += row["collected"]
        disputed = {row["receivable_id"] for row in table(connection, build, "disputes") if row["until_on"] is None}
        assert rows.keys() == {one.id for one in self.owed}
        for one in self.owed:
            row = rows[one.id]
            kept = sum((each.amount for each in one.payments.values() if each.reversed_on is None), Decimal(0))
            given_up = sum((amount for _, amount in one.write_offs), Decimal(0))
            assert (row["open"], row["due_on"], row["version"]) == (one.open_amount, one.due_on, one.version)
            assert (row["collected"], row["written_off"], collected[one.id]) == (kept, given_up, kept)
            assert (one.id in disputed) == one.is_disputed


def added_up(amounts: Any) -> dict[str, str] | None:
    """Sums by currency, as a row has them."""
    sums: dict[str, Decimal] = {}
    for currency, amount in amounts:
        if amount:
            sums[currency] = sums.get(currency, Decimal(0)) + amount
    return {currency: f"{total:.2f}" for currency, total in sorted(sums.items())} or None
