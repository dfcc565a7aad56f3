"""How far somebody reaches: whose records, and which of them with their contact details."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Reach:
    """Whose records: those of some members, or (None) everybody's and those that belong to nobody."""

    members: frozenset[UUID] | None

    @property
    def is_all(self) -> bool:
        """There is nothing that it leaves out."""
        return self.members is None

    @property
    def is_nothing(self) -> bool:
        """There is nothing in it."""
        return self.members is not None and not self.members

    def covers(self, *owners: UUID | None) -> bool:
        """Whether a record is within reach that belongs to any of these."""
        return self.members is None or not self.members.isdisjoint(owners)

    def includes(self, other: Reach) -> bool:
        """Whether everything within the other one is within this one."""
        if self.members is None or other.members is None:
            return self.members is None
        return self.members >= other.members

    def __or__(self, other: Reach) -> Reach:
        """Both together."""
        if self.members is None or other.members is None:
            return EVERYBODY
        return Reach(self.members | other.members)


EVERYBODY = Reach(None)
NOBODY = Reach(frozenset())


@dataclass(frozen=True)
class Sight:
    """What somebody sees of customers and what belongs to them: which records at all, and of which of them telephone
    numbers and addresses as they are, not masked."""

    records: Reach = EVERYBODY
    contacts: Reach = EVERYBODY

    @property
    def is_full(self) -> bool:
        """Everything, as it is."""
        return self.records.is_all and self.contacts.is_all

    @property
    def is_unmasked(self) -> bool:
        """Of what is seen at all, nothing is masked."""
        return self.contacts.includes(self.records)


FULL = Sight()
