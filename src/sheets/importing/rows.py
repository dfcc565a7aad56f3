"""A row on its way into the ledger: all its commands as one, so that all of it is written or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from aggregates.base import Aggregate, DomainError, ImportedRow, imported_from
from commands.base import Changed, Command, Work
from ledger.outcome import Expecting
from sheets.mapping.plan import Planned, Step


class StepRefused(Exception):
    """A business rule refused one of a row's commands: which row, which command, and why."""

    def __init__(self, row: Planned, step: Step, refusal: DomainError) -> None:
        super().__init__(step.command, refusal)
        self.row = row
        self.step = step
        self.refusal = refusal


class ImportRow(Command):
    """Do everything that a row says, and before it what the records say that it needs, in order and at once."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    profile: str
    rows: tuple[Any, ...]
    read_asker: Callable[[], tuple[Expecting, ...]]

    def perform(self, to: UUID | None, work: Work) -> Changed:  # noqa: ARG002 - each step knows to whom it is said
        """What the commands changed: those of the records that the row needs first, then its own.

        The member who asked for the import, where one did, belongs to the read set of each row.
        """
        work.look_up(*self.read_asker())
        together = RowWork(work)
        changed: dict[UUID, Aggregate] = {}
        for row in self.rows:
            with imported_from(ImportedRow(self.profile, row.row_key, row.digest)):
                for step in row.steps:
                    touched = _performed(step, row, together)
                    changed |= {aggregate.id: aggregate for aggregate in touched if aggregate.id not in changed}
        return tuple(changed.values())


def _performed(step: Step, row: Planned, together: RowWork) -> Changed:
    together.begin(step.new_id)
    try:
        touched = step.command.perform(step.to, together)
    except DomainError as refusal:
        raise StepRefused(row, step, refusal) from refusal
    together.keep(touched)
    return touched


class RowWork(Work):
    """The work of several commands: the later ones see what the earlier ones did, before any of it is written."""

    def __init__(self, work: Work) -> None:
        vars(self).update(vars(work))

    def begin(self, new_id: UUID | None) -> None:
        """The next command makes something with this id, or with one of its own."""
        self._first_id = new_id

    def keep(self, touched: Changed) -> None:
        """From now on, loading gives these."""
        self._loaded.update({aggregate.id: aggregate for aggregate in touched})
