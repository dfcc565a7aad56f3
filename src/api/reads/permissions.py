"""What whoever asks may do, and why."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from aggregates.member import Member
from api.answers.shapes.permissions import Permissions
from api.requests.asking import Asked, Parameter
from api.requests.reading import add_read
from api.services import Services
from ledger.errors import NotFound
from policy import Actor
from policy.actions import NEEDED_BY
from policy.table import Scope

EXPLAIN = Parameter("explain", "bool", "Also say which roles allow it, and to whom else; administrators only.", True)
MEMBER = Parameter(
    "member_id",
    "uuid",
    "Of another member than the one who asks; administrators only.",
    "0192f0c1-7d5a-7cc3-a1b2-0123456789ab",
)


def list_permissions(crm: Services, asked: Asked) -> Any:
    """What you may do, and with whose records: your own, those of your team and the teams below it, or all.

    An administrator may ask why, and for anybody.
    """
    explain, member_id = bool(asked.get("explain")), asked.get("member_id")
    actor = asked.actor
    if explain or member_id is not None:
        crm.policy.require(actor, "explain-permissions")
    if member_id is not None:
        actor = _acting_as(crm, member_id)
    scopes = crm.policy.permissions(actor)
    return {
        "member_id": actor.member_id,
        "roles": sorted(actor.roles),
        "permissions": [
            {"permission": name, "scope": None if scope is Scope.NONE else scope.value}
            | (_why(crm, actor, name) if explain else {})
            for name, scope in scopes.items()
        ],
    }


def _why(crm: Services, actor: Actor, permission: str) -> dict[str, Any]:
    """The actions that need it, the roles that have it, and whose records the actor's own roles reach."""
    granted = crm.policy.granted(permission)
    reach = crm.policy.reach(actor, permission)
    return {
        "actions": list(NEEDED_BY.get(permission, ())),
        "granted_to": {str(role): scope.value for role, scope in granted.items() if scope is not Scope.NONE},
        "because_of": [str(role) for role, scope in granted.items() if scope is not Scope.NONE and role in actor.roles],
        "members": None if reach.members is None else sorted(reach.members),
    }


def _acting_as(crm: Services, member_id: Any) -> Actor:
    """Another member, as it could act now; raises NotFound."""
    person = crm.directory.member(member_id)
    if person is None:
        raise NotFound(str(vars(Member)["TOPIC"]), member_id)
    roles = person.roles if person.may_act else frozenset[str]()
    return Actor(f"member:{member_id}", member_id, "", "api", roles)


def add_permission_reads(router: APIRouter) -> None:
    """Puts this read on the router."""
    add_read(
        router,
        "/me/permissions",
        list_permissions,
        shows=Permissions,
        action="read-own-permissions",
        takes=(EXPLAIN, MEMBER),
    )
