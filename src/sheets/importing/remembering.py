"""A ledger that is asked less often: what many rows refer to is not read again for each of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from copy import deepcopy
from threading import Lock
from time import monotonic
from typing import TypeVar
from uuid import UUID

from aggregates.base import Aggregate
from aggregates.customer import Customer
from aggregates.pipeline import Pipeline
from ledger.outcome import UNCONDITIONAL, Conditions, Expecting, Idempotency, Outcome
from sheets.importing.rehearsal import Shelf

A = TypeVar("A", bound=Aggregate)
REFERRED_TO = (Customer, Pipeline)
HOLD = 1.0
"""Seconds for which rows may go on with what was read, as every process may with the settings."""

MOST = 1_000


class Remembering:
    """The ledger, with the customers and pipelines of the last second remembered. Safe for many threads."""

    def __init__(self, ledger: Shelf) -> None:
        self._ledger = ledger
        self._known: OrderedDict[UUID, tuple[float, Aggregate]] = OrderedDict()
        self._lock = Lock()

    def load(self, cls: type[A], id: UUID) -> A:
        """The aggregate as it is, or was a moment ago; a stale one is refused where it is written. Raises NotFound."""
        if not issubclass(cls, REFERRED_TO):
            return self._ledger.load(cls, id)
        with self._lock:
            until, known = self._known.get(id, (0.0, None))
        if not isinstance(known, cls) or until < monotonic():
            known = self._ledger.load(cls, id)
            self._remember(known)
        return deepcopy(known)

    def save(
        self,
        *aggregates: Aggregate,
        expecting: Expecting | None = None,
        idempotency: Idempotency | None = None,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Outcome:
        """Write it as the ledger does, and remember what it has become; what was refused is read anew."""
        try:
            outcome = self._ledger.save(
                *aggregates, expecting=expecting, idempotency=idempotency, conditions=conditions
            )
        except BaseException:
            with self._lock:
                for id_ in (*(each.id for each in aggregates), *(each.id for each in conditions.reads)):
                    self._known.pop(id_, None)
            raise
        for aggregate in aggregates:
            if isinstance(aggregate, REFERRED_TO):
                self._remember(aggregate)
        return outcome

    def recall(self, idempotency: Idempotency) -> Outcome | None:
        """As the ledger does."""
        return self._ledger.recall(idempotency)

    def next_code(self, prefix_month: str) -> int:
        """As the ledger does."""
        return self._ledger.next_code(prefix_month)

    def changed_since(self, id: UUID, version: int) -> tuple[str, ...]:
        """As the ledger does."""
        return self._ledger.changed_since(id, version)

    def holders(self, kind: str, values: Iterable[str]) -> dict[str, tuple[UUID, str | None]]:
        """As the ledger does."""
        return self._ledger.holders(kind, values)

    def head(self) -> int:
        """As the ledger does."""
        return self._ledger.head()

    def _remember(self, aggregate: Aggregate) -> None:
        with self._lock:
            self._known[aggregate.id] = (monotonic() + HOLD, aggregate)
            self._known.move_to_end(aggregate.id)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
