"""What commands need to know beside the aggregates, from the read models and the directory of members."""

from __future__ import annotations

from uuid import UUID

from commands.work import Owned
from ledger.ledger import Ledger
from ledger.outcome import Expecting
from policy.directory import Directory
from projections.engine.reader import Reader

PATIENCE = 5.0
"""Seconds that the read models may take to know everything that was written."""


class Surroundings:
    """Whose everything is now, and who may act."""

    def __init__(self, ledger: Ledger, reader: Reader, directory: Directory) -> None:
        self._ledger = ledger
        self._reader = reader
        self._directory = directory

    def owned_by(self, member_id: UUID) -> Owned:
        """What a leaver hands over, as of everything that was written; raises NotBuilt.

        All customers, archived and erased ones too, since these may still owe money; opportunities except won ones.
        """
        head = self._ledger.head()
        with self._reader.at("tracking", after=head, timeout=PATIENCE) as view:
            customers = view.connection.execute(
                "SELECT customer_id FROM customers WHERE owner_id = %s ORDER BY customer_id",
                [member_id],
            ).fetchall()
        with self._reader.at("pipeline", after=head, timeout=PATIENCE) as view:
            opportunities = view.connection.execute(
                "SELECT opportunity_id, version, outcome = 'won' FROM opportunities WHERE owner_id = %s "
                "ORDER BY opportunity_id",
                [member_id],
            ).fetchall()
        return Owned(
            customers=[customer_id for (customer_id,) in customers],
            opportunities=[opportunity_id for opportunity_id, _, is_won in opportunities if not is_won],
            position=head,
            won=[Expecting(opportunity_id, version) for opportunity_id, version, is_won in opportunities if is_won],
        )

    def administrators(self) -> frozenset[UUID]:
        """The administrators who may act, as of now."""
        self._directory.expire()
        return self._directory.administrators()
