"""The receivables: what each customer owes, and every payment, reversal and write-off with its own day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from aggregates.receivable import Receivable
from projections.dimensions import Dimensions
from projections.dimensions.timeline import customer_of, recorded
from projections.engine import folds, table
from projections.receivables.rows import DisputeRow, MovementRow, ReceivableRow, ReminderRow

PAYMENT, REVERSAL, WRITE_OFF = "payment", "reversal", "write-off"
NOTHING = Decimal(0)


class Receivables(Dimensions):
    """What is owed, and the dated movements from which any day's balance, status and age follow."""

    name, version = "receivables", 1

    receivables = table(
        "receivables",
        ReceivableRow,
        key="receivable_id",
        seen_by="customer_id",
        indexes=(
            "customer_id, issued_on",
            "due_on, receivable_id",
            "issued_on, receivable_id",
            "changed_at, receivable_id",
            "USING btree (due_on, receivable_id) WHERE open > 0",
            "moved_on",
            "opportunity_id",
        ),
    )
    movements = table(
        "movements",
        MovementRow,
        key=("receivable_id", "seq"),
        seen_by="customer_id",
        indexes=("occurred_on", "customer_id, occurred_on"),
    )
    disputes = table("disputes", DisputeRow, key=("receivable_id", "seq"), indexes=("from_on",))
    reminders = table("reminders", ReminderRow, key=("receivable_id", "seq"), indexes=("occurred_on",))

    @folds(Receivable.Issued)
    def issued(self, event: Receivable.Issued) -> None:
        """Something is owed from the day it was issued on."""
        self.receivables.add(
            ReceivableRow(
                receivable_id=event.originator_id,
                customer_id=customer_of(event),
                opportunity_id=event.opportunity_id,
                order_no=event.order_no,
                instalment=event.instalment,
                invoice_no=event.invoice_no,
                description=event.description,
                amount=event.amount,
                currency=event.currency,
                issued_on=event.issued_on,
                due_on=event.due_on,
                terms_days=event.terms_days,
                requested=event.requested,
                collected=NOTHING,
                written_off=NOTHING,
                open=event.amount,
                moved_on=None,
                movements=0,
                disputes=0,
                reminders=0,
                version=event.originator_version,
                recorded_at=recorded(event),
                changed_at=recorded(event),
            )
        )

    @folds(Receivable.PaymentReceived)
    def payment_received(self, event: Receivable.PaymentReceived) -> None:
        """Money came in on a day."""
        row = self._moved(event)
        row.collected += event.amount
        row.open -= event.amount
        self._note(event, PAYMENT, event.amount, NOTHING, event.payment_id, event.method, event.note)

    @folds(Receivable.PaymentReversed)
    def payment_reversed(self, event: Receivable.PaymentReversed) -> None:
        """Money went back on a day; until then it had been collected."""
        row = self._moved(event)
        row.collected -= event.amount
        row.open += event.amount
        self._note(event, REVERSAL, -event.amount, NOTHING, event.payment_id)

    @folds(Receivable.WrittenOff)
    def written_off(self, event: Receivable.WrittenOff) -> None:
        """Some of it is no longer expected from a day on."""
        row = self._moved(event)
        row.written_off += event.amount
        row.open -= event.amount
        self._note(event, WRITE_OFF, NOTHING, event.amount)

    @folds(Receivable.DueDateMoved)
    def due_date_moved(self, event: Receivable.DueDateMoved) -> None:
        """It is due on another day, whatever day one asks about."""
        self._changed(event).due_on = event.due_on

    @folds(Receivable.Disputed)
    def disputed(self, event: Receivable.Disputed) -> None:
        """It is disputed from a day on."""
        row = self._changed(event)
        self.disputes.add(DisputeRow(row.receivable_id, row.disputes, event.occurred_on, None, event.note, None))
        row.disputes += 1

    @folds(Receivable.DisputeSettled)
    def dispute_settled(self, event: Receivable.DisputeSettled) -> None:
        """The last dispute ended on a day."""
        row = self._changed(event)
        dispute = self.disputes[row.receivable_id, row.disputes - 1]
        dispute.until_on, dispute.settlement = max(event.occurred_on, dispute.from_on), event.note

    @folds(Receivable.ReminderRecorded)
    def reminder_recorded(self, event: Receivable.ReminderRecorded) -> None:
        """The customer was reminded on a day (REM-9)."""
        row = self._changed(event)
        facts = (event.occurred_on, event.channel, event.note, recorded(event))
        self.reminders.add(ReminderRow(row.receivable_id, row.reminders, *facts))
        row.reminders += 1

    def _changed(self, event: Any) -> ReceivableRow:
        row = self.receivables[event.originator_id]
        row.version, row.changed_at = event.originator_version, event.recorded_at
        return row

    def _moved(self, event: Any) -> ReceivableRow:
        row, day = self._changed(event), event.occurred_on
        row.moved_on = day if row.moved_on is None else max(row.moved_on, day)
        return row

    def _note(
        self,
        event: Any,
        kind: str,
        collected: Decimal,
        written_off: Decimal,
        payment_id: UUID | None = None,
        method: str | None = None,
        note: str | None = None,
    ) -> None:
        row = self.receivables[event.originator_id]
        day: date = event.occurred_on
        self.movements.add(
            MovementRow(
                receivable_id=row.receivable_id,
                seq=row.movements,
                customer_id=row.customer_id,
                kind=kind,
                occurred_on=day,
                amount=event.amount,
                currency=event.currency,
                collected=collected,
                written_off=written_off,
                payment_id=payment_id,
                method=method,
                note=note,
                recorded_at=recorded(event),
            )
        )
        row.movements += 1
