"""What is held about one person, for that person to have: as JSON, or as a page to be printed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from aggregates.customer import Customer
from api.answers.encoding import to_json
from api.answers.shapes.disclosure import Disclosure
from api.documents.disclosed import page
from api.reads.history import LANG, lang_of
from api.reads.records import require_seen, state_of
from api.requests.asking import AFTER, ID, Asked, Parameter
from api.requests.reading import add_read, json_response, looking_at
from api.requests.standing import note_look
from api.services import Services
from ledger.errors import NotFound
from policy import Actor
from projections.history import queries
from projections.history.records import Reading

CONTACT = Parameter(
    "contact_id", "uuid", "The contact, be it a former one.", "0192f0c1-7d5a-7cc3-a1b2-0123456789ab", place="path"
)
FORMAT = Parameter("format", "enum", "A page to be read, or JSON.", "json", choices=("json", "html"))
HTML = "text/html"
PAGE = 500
DISCLOSE = "disclose-person"


def disclose_customer(crm: Services, asked: Asked) -> Any:
    """All that is held about a customer who is a person: the record, what happened, from where, and who looked at it.

    Its contacts are other persons, each with a disclosure of its own. Noted for auditors as an export.
    """
    return _disclosed(crm, asked, None)


def disclose_contact(crm: Services, asked: Asked) -> Any:
    """All that is held about a contact: the record, what happened, from where, and who looked at the customer.

    Of what is noted about the customer, the follow-ups with this contact. Noted for auditors as an export.
    """
    return _disclosed(crm, asked, asked.get("contact_id"))


def _disclosed(crm: Services, asked: Asked, contact_id: UUID | None) -> Response:
    customer = crm.ledger.load(Customer, asked.id)
    require_seen(customer, asked.sight)
    if contact_id is not None and not customer.is_known(contact_id):
        raise NotFound("contact", contact_id)
    wanted = queries.Asked(contact_id=contact_id, itself=customer.id if contact_id is None else None)
    with looking_at(crm, "history", asked) as moment:
        reading = Reading(moment.connection, crm.keyring, moment.opened)
        told = queries.of_customer(
            reading, customer.id, lang=lang_of(asked), asked=wanted, newest_first=False, limit=None
        ).items
    accesses = _accesses(crm, customer.id)

    def require(by: Actor) -> None:
        require_seen(customer, crm.policy.sight(by, DISCLOSE))

    note_look(crm, asked.actor, DISCLOSE, require, "export", customer_id=customer.id, rows=len(told))
    shown = {
        "kind": "customer" if contact_id is None else "contact",
        "customer_id": customer.id,
        "contact_id": contact_id,
        "drawn_up_at": crm.clock(),
        "record": _record(customer, contact_id),
        "events": told,
        "origins": _origins(told),
        "accesses": accesses,
        "position": moment.position,
    }
    if asked.get("format") != "html":
        return json_response(shown)
    return Response(page(to_json(shown), lang_of(asked)), media_type=f"{HTML}; charset=utf-8")


def _record(customer: Customer, contact_id: UUID | None) -> dict[str, Any] | None:
    state = state_of(customer)
    contacts = state.pop("contacts")
    if contact_id is None:
        return state
    return next((contact for contact in contacts if contact["contact_id"] == contact_id), None)


def _origins(told: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each origin once, in the order of the first event from there."""
    found: dict[str, dict[str, Any]] = {}
    for event in told:
        named = {"source": event["source"], "actor": event["actor"]["id"], "imported": event["imported"]}
        origin = found.setdefault(repr(named), {**named, "events": 0, "first_at": event["recorded_at"]})
        origin["events"] += 1
    return list(found.values())


def _accesses(crm: Services, customer_id: UUID) -> list[dict[str, Any]]:
    """Every access in which the customer is named, the newest first."""
    found = crm.accesses.page(PAGE, customer_id=customer_id)
    while found and (more := crm.accesses.page(PAGE, customer_id=customer_id, beyond=found[-1].id)):
        found += more
    return [vars(each) for each in found]


def add_disclosure_reads(router: APIRouter) -> None:
    """Puts these reads on the router."""
    for path, reading, takes in (
        ("/customers/{id}/disclosure", disclose_customer, (ID,)),
        ("/customers/{id}/contacts/{contact_id}/disclosure", disclose_contact, (ID, CONTACT)),
    ):
        takes = (*takes, FORMAT, LANG, AFTER)
        add_read(router, path, reading, shows=Disclosure, action=DISCLOSE, takes=takes, also=(HTML,))
