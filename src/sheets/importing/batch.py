"""The batch that an import's events belong to: begun with the first row that is written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from threading import Lock
from uuid import UUID

from aggregates.base import Acting, acting
from aggregates.ids import new_id
from aggregates.import_batch import ImportBatch
from ledger.outcome import Conditions, Credential
from policy import Actor
from sheets.importing.rehearsal import Shelf
from sheets.importing.report import Count
from sheets.importing.source import Source

SOURCE = "import"


class Batch:
    """One run of an import, as the ledger knows it; a run that writes nothing leaves no trace."""

    def __init__(
        self, ledger: Shelf, profile: str, source: Source, by: Actor | None = None, credential: Credential | None = None
    ) -> None:
        self._ledger = ledger
        self._by = by
        self._credential = credential
        self._profile = profile
        self._source = source
        self._id = new_id(int(_now().timestamp() * 1000))
        self._batch: ImportBatch | None = None
        self._lock = Lock()

    @property
    def id(self) -> UUID | None:
        """The batch's id; none while nothing was written."""
        return self._id if self._batch is not None else None

    def actor(self) -> Actor:
        """Who acts for the batch, once its beginning is recorded."""
        with self._lock:
            if self._batch is None:
                with self._acting():
                    batch = ImportBatch.start(
                        self._id, profile=self._profile, file_name=self._source.path.name, digest=self._source.digest
                    )
                self._ledger.save(batch, conditions=Conditions(credential=self._credential))
                self._batch = batch
        name = f"{self._profile} {self._source.path.name}"
        return Actor(id=self._name, member_id=None, name=name, source=SOURCE, credential=self._credential)

    def finish(self, counts: Sequence[Count]) -> int:
        """Record what became of the rows; the position of the last event written."""
        if self._batch is None:
            return self._ledger.head()
        with self._acting():
            self._batch.finish(
                rows=sum(count.rows for count in counts),
                added=sum(count.imported for count in counts),
                unchanged=sum(count.unchanged for count in counts),
                differing=sum(count.changed for count in counts),
                refused=sum(count.refused for count in counts),
            )
        return self._ledger.save(self._batch).position

    @property
    def _name(self) -> str:
        return f"{SOURCE}:{self._id}"

    def _acting(self) -> AbstractContextManager[None]:
        """Whoever started the import began and finished the batch; the rows are the batch's own doing."""
        now = _now()
        command_id = new_id(int(now.timestamp() * 1000))
        return acting(Acting(self._by.id if self._by else self._name, command_id, SOURCE, now))


def _now() -> datetime:
    return datetime.now(UTC)
