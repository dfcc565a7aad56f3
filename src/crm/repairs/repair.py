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
"""Who the events of a repair name."""


@dataclass(frozen=True)
class Finding:
    """A record with the fault of a repair, at the version it was found in, and the command that mends it.

    Either `command` and `remedy` are there, or `obstacle` says why nothing mends it.
    """

    record: str
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
class Mended:
    """The position of the event that mended a record, or the code of the refusal."""

    position: int | None = None
    refusal: str | None = None


class Repair(ABC):
    """A kind of fault: how its records are found, and how each is mended."""

    name: ClassVar[str]
    purpose: ClassVar[str]

    @abstractmethod
    def findings(self, services: Services) -> Sequence[Finding]:
        """The records with this fault, as of everything that was written. Writes nothing; raises NotBuilt."""

    def mend(self, finding: Finding, services: Services) -> Mended:
        """Mend one record as it was found; a record that was changed since is refused, and found by the next run."""
        assert finding.command is not None
        try:
            outcome = execute(
                finding.command, to=finding.id, by=REPAIRER, door=services.door, expecting=finding.version
            )
        except DomainError as refusal:
            return Mended(refusal=refusal.code)
        return Mended(position=outcome.position)
