"""An import batch: one file or folder that was read in."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from eventsourcing.domain import event

from aggregates.base import Aggregate, Created, DomainError, Event


class ImportFinished(DomainError):
    """The batch was finished before."""

    code = "import-finished"


class ImportBatch(Aggregate):
    """One file or folder that was read in, and what became of its rows."""

    TOPIC = "import-batch"

    class Started(Created):
        """Reading began; the digest tells whether it is the same file as another time."""

        TOPIC = "import-batch.started"
        profile: str
        file_name: str
        digest: str

    class Finished(Event):
        """Every row was looked at: added now, there already, there but differing (not applied), or refused."""

        TOPIC = "import-batch.finished"
        rows: int
        added: int
        unchanged: int
        differing: int
        refused: int

    @classmethod
    def start(cls, id: UUID, *, profile: str, file_name: str, digest: str) -> Self:
        """Begin to read a file."""
        return cls.begin(cls.Started, id=id, customer_id=None, profile=profile, file_name=file_name, digest=digest)

    def __init__(self, profile: str, file_name: str, digest: str) -> None:
        self.profile = profile
        self.file_name = file_name
        self.digest = digest
        self.is_finished = False

    def finish(self, *, rows: int, added: int, unchanged: int, differing: int, refused: int) -> None:
        """Say what became of the rows."""
        if self.is_finished:
            raise ImportFinished
        self.trigger_event(
            self.Finished, rows=rows, added=added, unchanged=unchanged, differing=differing, refused=refused
        )

    @event(Finished)
    def _finished(self) -> None:
        self.is_finished = True
