"""Opportunities without an owner: the customer's owner gets them, else the member who opened them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from commands.opportunities import AssignOpportunityOwner
from crm.repairs.repair import Finding, Repair
from ledger.encoded.forms import form

if TYPE_CHECKING:
    from crm.services import Services

READ_TIMEOUT_SECONDS = 60.0
"""How long a read model that is still being built is waited for."""
OPENINGS_PER_READ = 1_000

_UNOWNED = """
    SELECT o.opportunity_id, o.version, f.owner_id
    FROM opportunities o
        LEFT JOIN customer_facts f ON f.customer_id = o.customer_id AND f.until_on IS NULL
    WHERE o.owner_id IS NULL ORDER BY o.opportunity_id"""
_OPENINGS = "SELECT originator_id, topic, state FROM events WHERE originator_id = ANY(%s) AND originator_version = 1"


class UnownedOpportunities(Repair):
    """Opportunities that belong to nobody, opened before each of them had an owner, or by an import or a rule."""

    name: ClassVar[str] = "unowned-opportunities"
    purpose: ClassVar[str] = "give every opportunity an owner: the customer's owner, else the member who opened it"

    def find(self, services: Services) -> Sequence[Finding]:
        """Find every opportunity without an owner, open or closed, and the active member who is to own it."""
        head = services.ledger.head()
        with services.reader.at("pipeline", after=head, timeout=READ_TIMEOUT_SECONDS) as view:
            unowned = view.connection.execute(_UNOWNED).fetchall()
        openers = _read_openers([row[0] for row in unowned], services)
        return [
            _examine(opportunity_id, version, owner_id, openers[opportunity_id], services)
            for opportunity_id, version, owner_id in unowned
        ]


def _examine(
    opportunity_id: UUID, version: int, customer_owner_id: UUID | None, opener: str, services: Services
) -> Finding:
    opener_id = _parse_member_id(opener)
    for owner_id, role in ((customer_owner_id, "the customer's owner"), (opener_id, "the member who opened it")):
        if owner_id is not None and _is_active(owner_id, services):
            return Finding(
                "opportunity",
                opportunity_id,
                version,
                "owner-missing",
                command=AssignOpportunityOwner(owner_id=owner_id, reason=f"It had no owner; given to {role}."),
                remedy=f"{role}, {owner_id}",
            )
    customers = "its customer has no owner" if customer_owner_id is None else "its customer's owner is not active"
    openers = (
        f"{opener}, which opened it, is no member" if opener_id is None else "the member who opened it is not active"
    )
    return Finding(
        "opportunity",
        opportunity_id,
        version,
        "owner-missing",
        obstacle=f"{customers}, and {openers}: assign one with POST /api/v1/opportunities/{opportunity_id}/owner",
    )


def _read_openers(opportunity_ids: Sequence[UUID], services: Services) -> Mapping[UUID, str]:
    """Read the actors of the events that opened them."""
    openers: dict[UUID, str] = {}
    with services.database.connection() as connection:
        for start in range(0, len(opportunity_ids), OPENINGS_PER_READ):
            portion = opportunity_ids[start : start + OPENINGS_PER_READ]
            for opportunity_id, topic, state in connection.execute(_OPENINGS, [portion]):
                opened: Any = form(topic).decode(state)
                openers[opportunity_id] = opened.actor
    return openers


def _parse_member_id(actor: str) -> UUID | None:
    """Parse the id of a member who acted; none for imports and rules."""
    kind, _, name = actor.partition(":")
    try:
        return UUID(name) if kind == "member" else None
    except ValueError:
        return None


def _is_active(member_id: UUID, services: Services) -> bool:
    member = services.directory.member(member_id)
    return member is not None and member.may_act
