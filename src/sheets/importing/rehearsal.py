"""A rehearsal: the same rules and the same ledger to read from, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Protocol, TypeVar, cast
from uuid import UUID

from aggregates.base import Aggregate, Event
from commands.work import Store
from ledger.encoded.stored import claims_of
from ledger.errors import ClaimTaken, NotFound
from ledger.outcome import UNCONDITIONAL, Conditions, Expecting, Idempotency, Outcome

A = TypeVar("A", bound=Aggregate)
COUNTED = "customer-code"
"""Claims on numbers that are counted out when it is done in earnest, and made up in a rehearsal."""


class Shelf(Store, Protocol):
    """What an import needs of the ledger."""

    def holders(self, kind: str, values: Iterable[str]) -> dict[str, tuple[UUID, str | None]]:
        """Those of the names that are held, with the aggregate and the detail of each."""
        ...

    def head(self) -> int:
        """The position of the last event."""
        ...


class Rehearsal:
    """A ledger that only remembers: what was saved in it is there until it is forgotten."""

    def __init__(self, ledger: Shelf) -> None:
        self._ledger = ledger
        self._saved: dict[UUID, Aggregate] = {}
        self._claims: dict[tuple[str, str], UUID] = {}
        self._numbers = 0

    def load(self, cls: type[A], id: UUID) -> A:
        """The aggregate as it would be. Raises NotFound."""
        saved = self._saved.get(id)
        if saved is None:
            return self._ledger.load(cls, id)
        if not isinstance(saved, cls):
            raise NotFound(str(vars(cls)["TOPIC"]), id)
        return deepcopy(saved)

    def save(
        self,
        *aggregates: Aggregate,
        expecting: Expecting | None = None,  # noqa: ARG002 - as the ledger has it
        idempotency: Idempotency | None = None,  # noqa: ARG002 - as the ledger has it
        conditions: Conditions = UNCONDITIONAL,  # noqa: ARG002 - as the ledger has it
    ) -> Outcome:
        """Remember it, or refuse it for a name that another one holds. Raises ClaimTaken."""
        events = [cast(Event, event) for aggregate in aggregates for event in aggregate.pending_events]
        for event in events:
            for claim in claims_of(event):
                self._require_free(claim.kind, claim.value, event.originator_id)
        for event in events:
            for claim in claims_of(event):
                if claim.released:
                    self._claims.pop((claim.kind, claim.value), None)
                else:
                    self._claims.setdefault((claim.kind, claim.value), event.originator_id)
        for aggregate in aggregates:
            aggregate.collect_events()
            self._saved[aggregate.id] = aggregate
        return Outcome(aggregates[0].id, aggregates[0].version, self._ledger.head())

    def recall(self, idempotency: Idempotency) -> Outcome | None:  # noqa: ARG002 - as the ledger has it
        """There is no earlier answer."""
        return None

    def next_code(self, prefix_month: str) -> int:  # noqa: ARG002 - as the ledger has it
        """A number that nobody keeps."""
        self._numbers += 1
        return self._numbers

    def changed_since(self, id: UUID, version: int) -> tuple[str, ...]:
        """What the ledger says."""
        return self._ledger.changed_since(id, version)

    def holders(self, kind: str, values: Iterable[str]) -> dict[str, tuple[UUID, str | None]]:
        """What the ledger holds: the rows of this rehearsal are known to whoever rehearses."""
        return self._ledger.holders(kind, values)

    def head(self) -> int:
        """Where the ledger is."""
        return self._ledger.head()

    def _require_free(self, kind: str, value: str, whose: UUID) -> None:
        if kind in (COUNTED, "import-row"):
            return
        holder = self._claims.get((kind, value))
        if holder is None:
            found = self._ledger.holders(kind, [value]).get(value)
            holder = found[0] if found else None
        if holder is not None and holder != whose:
            raise ClaimTaken(kind, value, holder)
