"""Reads straight from the ledger: a customer at any version or moment, members, teams and the rest, the settings."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, is_dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from aggregates.base import Aggregate
from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.pipeline import Pipeline
from aggregates.product import Product
from aggregates.team import Team
from aggregates.workspace import WORKSPACE_ID, Workspace
from api.answers.problems import FieldFault, Problem, invalid
from api.answers.shapes.common import AnyObject
from api.requests.asking import AFTER, AS_OF, ID, Asked, Parameter
from api.requests.days import settings_at
from api.requests.reading import add_read, json_response, require_reached
from api.services import Services
from ledger.errors import NotFound
from policy import Sight
from policy.masking import MASKED_FIELDS, masked

VERSION = Parameter("version", "number", "The record as it was at this version.", 2, least=1)
HIDDEN = frozenset({"modified_on", "created_on", "pending_events", "people", "erased_people"})


def read_customer(crm: Services, asked: Asked) -> Any:
    """One customer with its profile, contacts and tags: now, at a version, or as of a moment."""
    return record(crm, Customer, asked)


def read_member(crm: Services, asked: Asked) -> Any:
    """One member: now, at a version, or as of a moment."""
    return record(crm, Member, asked)


def read_team(crm: Services, asked: Asked) -> Any:
    """One team: now, at a version, or as of a moment."""
    return record(crm, Team, asked)


def read_product(crm: Services, asked: Asked) -> Any:
    """One product: now, at a version, or as of a moment."""
    return record(crm, Product, asked)


def read_pipeline(crm: Services, asked: Asked) -> Any:
    """One pipeline with its stages and what they are called: now, at a version, or as of a moment."""
    return record(crm, Pipeline, asked)


def read_workspace(crm: Services, asked: Asked) -> Any:
    """The settings of the workspace: time zone, currency, numbering; the defaults until the first change."""
    position = _position(crm, asked)
    version = 0
    with suppress(NotFound):
        version = crm.ledger.load(Workspace, WORKSPACE_ID, position=position).version
    shown = {"id": WORKSPACE_ID, "version": version, **asdict(settings_at(crm, position)), "position": position}
    return json_response(shown, headers={"ETag": f'"{version}"'} if version else None)


def record(crm: Services, kind: type[Aggregate], asked: Asked) -> Any:
    """An aggregate as JSON, with its version as ETag."""
    version = asked.get("version")
    if version is not None and asked.as_of is not None:
        raise invalid(FieldFault("query", "/version", "together", {"other": "as_of"}))
    position = _position(crm, asked)
    try:
        found = crm.ledger.load(kind, asked.id, version=version, position=None if version else position)
    except NotFound as missing:
        raise _not_then(crm, kind, asked, missing) from None
    shown = {"id": found.id, "version": found.version, **state_of(found)}
    if isinstance(found, (Customer, Member)) and not asked.sight.is_full:
        owner_id = _owner_today(crm, found, version is not None or asked.as_of is not None)
        if not asked.sight.records.covers(owner_id):
            raise NotFound(str(vars(kind)["TOPIC"]), asked.id)
        if not asked.sight.contacts.covers(owner_id):
            shown = masked_fields(shown)
    shown |= {"changed_at": found.modified_on, "position": position}
    return json_response(shown, headers={"ETag": f'"{found.version}"'})


def require_seen(customer: Customer, sight: Sight) -> None:
    """Goes on with a customer as it is today that is within sight; raises NotFound."""
    if not sight.records.covers(customer.owner_id):
        raise NotFound(str(vars(Customer)["TOPIC"]), customer.id)


def masked_fields(shown: Any) -> Any:
    """The same with its contact details masked, those of its contacts too."""
    if isinstance(shown, dict):
        return {name: masked(value) if name in MASKED_FIELDS else masked_fields(value) for name, value in shown.items()}
    return [masked_fields(each) for each in shown] if isinstance(shown, list) else shown


def _owner_today(crm: Services, found: Customer | Member, is_earlier: bool) -> UUID | None:
    """Whose it is now, however early it was looked at; a member is its own."""
    if isinstance(found, Member):
        return found.id
    return crm.ledger.load(Customer, found.id).owner_id if is_earlier else found.owner_id


def _not_then(crm: Services, kind: type[Aggregate], asked: Asked, missing: NotFound) -> Problem:
    """404 that says whether the record itself is missing, or was only not there then; raises NotFound."""
    present = crm.ledger.load(kind, asked.id)
    if isinstance(present, Customer):
        require_seen(present, asked.sight)
    last = present.version
    values = dict(missing.values)
    if asked.get("version") is None:
        return Problem(404, "no-such-moment", {**values, "as_of": asked.as_of})
    values |= {"version": asked.get("version"), "last": last}
    return Problem(404, "no-such-version", values, [FieldFault("query", "/version", "no-such-version", values)])


def _position(crm: Services, asked: Asked) -> int:
    """The ledger itself knows everything at once; a position that does not exist yet is refused all the same."""
    require_reached(crm, asked.after)
    return crm.ledger.head() if asked.as_of is None else crm.ledger.position_at(asked.as_of)


def state_of(found: Aggregate) -> dict[str, Any]:
    """What the aggregate knows of itself; its inner bookkeeping left out, its data and profile spread out."""
    state = {name: value for name, value in vars(found).items() if not name.startswith("_") and name not in HIDDEN}
    for spread in ("profile", "data"):
        inner = state.pop(spread, {})
        state = {**inner, **state}
    contacts = state.pop("contacts", None)
    if contacts is not None:
        state["contacts"] = [{"contact_id": key, **value} for key, value in contacts.items()]
    return {name: _plain(value) for name, value in state.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(item) for name, item in asdict(value).items()}
    if isinstance(value, dict):
        return {_name(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _name(key: Any) -> str:
    return str(key) if isinstance(key, UUID) else key


def add_record_reads(router: APIRouter) -> None:
    """Puts these reads on the router."""
    for path, reading in (
        ("/customers/{id}", read_customer),
        ("/members/{id}", read_member),
        ("/teams/{id}", read_team),
        ("/products/{id}", read_product),
        ("/pipelines/{id}", read_pipeline),
    ):
        action = f"read-{path.split('/')[1]}"
        add_read(router, path, reading, shows=AnyObject, action=action, takes=(ID, VERSION, AS_OF, AFTER))
    add_read(router, "/workspace", read_workspace, shows=AnyObject, action="read-workspace", takes=(AS_OF, AFTER))
