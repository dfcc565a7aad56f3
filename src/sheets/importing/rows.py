"""A row on its way into the ledger: all its commands as one, so that all of it is written or nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import ConfigDict

from aggregates.base import Aggregate, DomainError
from commands.base import Changed, Command, Work
from sheets.mapping.plan import Step


class StepRefused(Exception):
    """A business rule refused one of a row's commands: which, and why."""

    def __init__(self, step: Step, refusal: DomainError) -> None:
        super().__init__(step.command, refusal)
        self.step = step
        self.refusal = refusal


class ImportRow(Command):
    """Do everything that a row says, in order and at once."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    steps: tuple[Any, ...]

    def perform(self, to: UUID | None, work: Work) -> Changed:  # noqa: ARG002 - each step knows to whom it is said
        """What the row's commands changed, its own first."""
        row = RowWork(work)
        changed: dict[UUID, Aggregate] = {}
        for step in self.steps:
            row.begin(step.new_id)
            try:
                touched = step.command.perform(step.to, row)
            except DomainError as refusal:
                raise StepRefused(step, refusal) from refusal
            row.keep(touched)
            changed |= {aggregate.id: aggregate for aggregate in touched if aggregate.id not in changed}
        return tuple(changed.values())


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
