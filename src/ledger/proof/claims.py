"""Claims: the names that aggregates hold, and the proof that the table of them says what the events say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.database import Connection
from ledger.encoded.codec import to_event
from ledger.encoded.forms import claiming_topics
from ledger.encoded.stored import IMPORT_ROW, claims_of
from ledger.errors import Malformed, UnknownTopic
from ledger.follow.reading import read
from ledger.sealing import Keyring

Name = tuple[str, str]


@dataclass(frozen=True)
class Held:
    """Who holds a name, since when, and the detail of the claim."""

    aggregate_id: UUID
    detail: str | None
    position: int


@dataclass(frozen=True)
class ClaimsReport:
    """Where the table of claims differs from what the events say: by name, what stands in the table and what should.

    Nothing could be compared where an event is `unreadable`.
    """

    checked: int
    differences: dict[Name, tuple[Held | None, Held | None]]
    unreadable: str | None = None

    @property
    def is_intact(self) -> bool:
        """The table says what the events say."""
        return not self.differences and self.unreadable is None


def claims_by_events(connection: Connection, keyring: Keyring, upto: int | None = None) -> dict[Name, Held]:
    """The claims that hold after all events up to a position, told from the events alone."""
    held: dict[Name, Held] = {}
    for batch in read(connection, 0, upto):
        for fast in batch:
            if fast.topic not in claiming_topics() and fast.imported is None:  # type: ignore[attr-defined]
                continue
            for claim in claims_of(to_event(fast, keyring)):
                name = claim.kind, claim.value
                holder = held.get(name)
                if claim.released:
                    if holder is not None and holder.aggregate_id == fast.originator_id:
                        del held[name]
                elif claim.kind != IMPORT_ROW or holder is None or holder.aggregate_id == fast.originator_id:
                    held[name] = Held(fast.originator_id, claim.detail, fast.position)
    return held


def verify_claims(connection: Connection, keyring: Keyring) -> ClaimsReport:
    """Compare the table of claims with the events, both ways; give it a REPEATABLE READ transaction among writers."""
    try:
        by_events = claims_by_events(connection, keyring)
    except (Malformed, UnknownTopic) as error:
        return ClaimsReport(0, {}, str(error))
    rows: list[tuple[Any, ...]] = connection.execute(
        "SELECT kind, value, aggregate_id, detail, position FROM claims"
    ).fetchall()
    in_table = {(kind, value): Held(id_, detail, position) for kind, value, id_, detail, position in rows}
    names = sorted(in_table.keys() | by_events.keys())
    differences = {
        name: (in_table.get(name), by_events.get(name)) for name in names if in_table.get(name) != by_events.get(name)
    }
    return ClaimsReport(len(names), differences)
