"""Contact details shown with a reason to those who see them masked, and the list of who looked at what."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from aggregates.customer import Customer
from api.answers.shapes.accesses import Accesses, ContactDetails, RevealAsked
from api.reads.records import require_seen
from api.requests.asking import ID, Asked, Parameter, ask
from api.requests.bodies import read_json_bytes, read_model
from api.requests.identity import identify
from api.requests.reading import add_read, json_response
from api.requests.standing import note_look
from api.services import Services, services_of
from policy import Actor, Sight
from policy.accesses import KINDS
from projections.engine.lists.cursor import Cursors

KIND = Parameter("kind", "enum", "Only these kinds, with commas between.", "reveal", choices=KINDS, many=True)
ACTOR = Parameter("actor", "text", "Only what these did, with commas between.", "import:maven-pipeline", many=True)
EXAMPLE_ID = "0192f0c1-7d5a-7cc3-a1b2-0123456789ab"
CUSTOMER = Parameter("customer_id", "uuid", "Only this customer's.", EXAMPLE_ID)
MEMBER = Parameter("member_id", "uuid", "Only about this member's account and tokens.", EXAMPLE_ID)
AT_FROM = Parameter("at_from", "instant", "Not before this moment.", "2026-01-01T00:00:00+08:00")
AT_UNTIL = Parameter("at_until", "instant", "Before this moment.", "2026-02-01T00:00:00+08:00")
LIMIT = Parameter("limit", "number", "Accesses a page.", 50, least=1, most=200)
CURSOR = Parameter("cursor", "text", "`next` of the page before, with everything else the same.")
DETAILS = ("phone", "email", "address")
REVEAL = "reveal-contacts"
OF_CONTACT = ("name", "mobile", "phone", "email")


def list_accesses(crm: Services, asked: Asked) -> Any:
    """Who looked at personal data and why, what was refused to whom, and who signed in, the newest first.

    `reveal` is a look at masked details with a reason, `bulk` a read of more than fifty rows with open details,
    `export` a file that was written, `refused` what somebody may not do. `sign-in`, `sign-out`, `token-made` and
    `token-revoked` say by `member_id` whose account or token it was; so does `sign-in-refused`, whose actor is nobody:
    without it, no member has the account that was tried. It is noted once a minute at most for each account.
    """
    names = ("customer_id", "member_id", "at_from", "at_until")
    given = {name: asked.get(name) for name in names} | {f"{name}s": asked.get(name, ()) for name in ("kind", "actor")}
    cursors = Cursors(crm.cursor_secret)
    question = b"accesses" + msgspec.json.encode([asked.actor.id, given])
    beyond = asked.beyond(cursors, question)
    limit = asked.get("limit", 50)
    found = crm.accesses.page(limit + 1, **given, beyond=beyond)
    following = cursors.write([found[limit - 1].id], question) if len(found) > limit else None
    return {"items": [vars(each) for each in found[:limit]], "next": following}


async def reveal_contact_details(request: Request) -> Response:
    """A customer's telephone numbers and addresses as they are, for those who see them masked; the reason is kept.

    Auditors find every such look under `/audit/accesses`.
    """
    actor = await identify(request)
    crm = services_of(request)
    asked = ask(request, (ID,), None, b"", actor)
    body = await read_json_bytes(request)
    return await run_in_threadpool(_revealed, crm, actor, asked, body)


def _revealed(crm: Services, actor: Actor, asked: Asked, body: bytes) -> Response:
    crm.policy.require(actor, REVEAL)
    reason = read_model(RevealAsked, body).reason
    customer = crm.ledger.load(Customer, asked.id)

    def require(by: Actor) -> None:
        require_seen(customer, Sight(records=crm.policy.require(by, REVEAL)))

    note_look(crm, actor, REVEAL, require, "reveal", customer_id=customer.id, rows=1, reason=reason)
    profile = customer.profile
    return json_response(
        {
            "customer_id": customer.id,
            **{name: profile.get(name) for name in DETAILS},
            "contacts": [
                {"contact_id": key, **{name: contact.get(name) for name in OF_CONTACT}}
                for key, contact in customer.contacts.items()
            ],
        }
    )


def add_access_reads(router: APIRouter) -> None:
    """Puts these reads on the router."""
    takes = (KIND, ACTOR, CUSTOMER, MEMBER, AT_FROM, AT_UNTIL, LIMIT, CURSOR)
    add_read(router, "/audit/accesses", list_accesses, shows=Accesses, action="read-audit", takes=takes)
    schema = {"$ref": "#/components/schemas/RevealAsked"}
    content = {"application/json": {"schema": schema, "example": {"reason": "催收电话"}}}
    router.add_api_route(
        "/customers/{id}/contact-details",
        reveal_contact_details,
        methods=["POST"],
        response_model=ContactDetails,
        operation_id="reveal_contact_details",
        summary="A customer's telephone numbers and addresses as they are; the reason is kept",
        tags=["customers"],
        openapi_extra={"parameters": [ID.openapi], "requestBody": {"required": True, "content": content}},
    )
