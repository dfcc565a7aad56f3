"""Names claimed with a digest that were written twice: what was doubled, and what mends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec

from aggregates.customer import Customer
from aggregates.receivable import Receivable
from ledger.database import Connection
from ledger.encoded.forms import FastEvent, form

Remedy = Literal["reverse-payment", "remove-contact", "note-it", "none"]
"""What to do about an event that was written twice. `note-it`: no command takes such an event back. `none`: it set what
the first one had set."""

REMEDIES: Mapping[str, Remedy] = {
    Receivable.PaymentReceived.TOPIC: "reverse-payment",
    Receivable.ReminderRecorded.TOPIC: "note-it",
    Customer.ContactAdded.TOPIC: "remove-contact",
    Customer.FollowUpLogged.TOPIC: "note-it",
}
"""By the topic of an event that adds something; all others set something."""

MENDING: Mapping[str, str] = {
    Receivable.PaymentReversed.TOPIC: "payment_id",
    Customer.ContactRemoved.TOPIC: "contact_id",
    Customer.ContactErased.TOPIC: "contact_id",
}
"""The events that take such a part of an aggregate back, with the field that names the part."""


class Writing(msgspec.Struct, frozen=True, gc=False):
    """An event that a row became; `part_id` is the payment or contact that it added."""

    position: int
    topic: str
    aggregate_id: UUID
    part_id: UUID | None = None

    @property
    def remedy(self) -> Remedy:
        """What to do when it stands twice."""
        return REMEDIES.get(self.topic, "none")


class Suspicion(msgspec.Struct):
    """A second command that claims a name, as the fold comes upon it: `first` is a position of the first one."""

    kind: str
    value: str
    first: int
    second: list[Writing]


class Doubling(msgspec.Struct, frozen=True):
    """A name that two commands wrote: an event of the first, and what the second one wrote.

    It is a failure when it happened after rows were written once; `is_mended` when nothing is left to do about it.
    """

    kind: str
    value: str
    first: Writing
    second: tuple[Writing, ...]
    is_failure: bool
    is_mended: bool

    @property
    def profile(self) -> str:
        """The profile of an imported row."""
        return self.value.partition("/")[0]

    @property
    def row_key(self) -> str:
        """The key of an imported row within its profile."""
        return self.value.partition("/")[2]

    @property
    def to_mend(self) -> Writing:
        """The event that the remedy is about: the first that added something, else the first of all."""
        return next((each for each in self.second if each.remedy != "none"), self.second[0])

    @property
    def document(self) -> dict[str, Any]:
        """The doubling as a report shows it."""
        return {
            "profile": self.profile,
            "row": self.row_key,
            "record": {"kind": self.to_mend.topic.partition(".")[0], "id": self.to_mend.aggregate_id},
            "first": {"position": self.first.position, "event": self.first.topic},
            "second": [{"position": each.position, "event": each.topic} for each in self.second],
            "remedy": self.to_mend.remedy,
            "part_id": self.to_mend.part_id,
            "mended": self.is_mended,
            "failure": self.is_failure,
        }


def writing_of(event: FastEvent) -> Writing:
    """What is kept of an event that was written twice."""
    part = getattr(event, "payment_id", None) if event.topic == Receivable.PaymentReceived.TOPIC else None
    if event.topic == Customer.ContactAdded.TOPIC:
        part = event.contact_id  # type: ignore[attr-defined]
    return Writing(event.position, event.topic, event.originator_id, part)


def written_once_after(connection: Connection) -> int:
    """The position after which no name that is claimed with a digest may be written twice."""
    row = connection.execute("SELECT rows_once_after FROM meta").fetchone()
    assert row is not None
    return int(row[0])


def doublings(connection: Connection, suspicions: Sequence[Suspicion]) -> tuple[Doubling, ...]:
    """The suspicions with the events of the first commands, and what became of them since."""
    if not suspicions:
        return ()
    allowed_upto = written_once_after(connection)
    firsts = _at(connection, [each.first for each in suspicions])
    taken_back = _taken_back(connection, {each.aggregate_id for one in suspicions for each in one.second})
    return tuple(
        Doubling(
            one.kind,
            one.value,
            firsts[one.first],
            tuple(one.second),
            one.second[0].position > allowed_upto,
            all(_is_mended(each, firsts[one.first], taken_back) for each in one.second),
        )
        for one in suspicions
    )


def _is_mended(second: Writing, first: Writing, taken_back: set[UUID]) -> bool:
    """Whether one of the two was taken back, or nothing has to be."""
    return second.remedy == "none" or not taken_back.isdisjoint({second.part_id, first.part_id} - {None})


def _at(connection: Connection, positions: Iterable[int]) -> dict[int, Writing]:
    rows = connection.execute(
        "SELECT position, topic, originator_id, state FROM events WHERE position = ANY(%s)", [list(positions)]
    )
    found: dict[int, Writing] = {}
    for position, topic, originator_id, state in rows:
        event = form(topic).decode(state)
        event.position, event.originator_id = position, originator_id
        found[position] = writing_of(event)
    return found


def _taken_back(connection: Connection, aggregates: Iterable[UUID]) -> set[UUID]:
    """The payments and contacts of these aggregates that were taken back."""
    rows = connection.execute(
        "SELECT topic, state FROM events WHERE originator_id = ANY(%s) AND topic = ANY(%s)",
        [list(aggregates), list(MENDING)],
    )
    return {getattr(form(topic).decode(state), MENDING[topic]) for topic, state in rows}
