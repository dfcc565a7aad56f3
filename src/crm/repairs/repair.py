"""A repair finds the records with one fault and mends each by a command; never by a fold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from aggregates.base import DomainError
from commands.base import Command, execute
from policy import Actor

if TYPE_CHECKING:
    from crm.services import Services

REPAIRER = Actor(id="rule:repair", member_id=None, name="crm repair", source="rule")
"""The actor of the events of repairs."""


@dataclass(frozen=True)
class Finding:
    """A record with the fault of a repair, at the version it was found in, and the command that mends it.

    Either `command` and `remedy` are there, or `obstacle` says why nothing mends it.
    """

    kind: str
    id: UUID
    version: int
    fault: str
    command: Command | None = None
    remedy: str | None = None
    obstacle: str | None = None

    @property
    def is_repairable(self) -> bool:
        """Whether a command mends it."""
        return self.command is not None


@dataclass(frozen=True)
class RepairOutcome:
    """The position of the event that mended a record, or the code of the refusal."""

    position: int | None = None
    refusal: str | None = None


class Repair(ABC):
    """A kind of fault: how its records are found, and how each is mended."""

    name: ClassVar[str]
    purpose: ClassVar[str]

    @abstractmethod
    def find(self, services: Services) -> Sequence[Finding]:
        """Find the records with this fault, as of everything that was written; write nothing. Raises NotBuilt."""

    def mend(self, finding: Finding, services: Services) -> RepairOutcome:
        """Mend one record at the version it was found in; a record that was changed since is refused."""
        assert finding.command is not None
        try:
            outcome = execute(
                finding.command, to=finding.id, by=REPAIRER, door=services.door, expecting=finding.version
            )
        except DomainError as refusal:
            return RepairOutcome(refusal=refusal.code)
        return RepairOutcome(position=outcome.position)
