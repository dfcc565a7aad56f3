"""Letting members in: codes for one time, and what is done with them."""

from __future__ import annotations

from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from aggregates.choices import Role
from api.identity.account import begun
from api.identity.asking import OTHERS, member_asking
from api.identity.bodies import AcceptCode, SetUp, read_body
from api.identity.working import hashing, private
from api.requests.asking import ID, ask
from api.requests.pages import SESSION, cookie, require_same_origin
from api.requests.standing import admission
from api.services import Services, services_of
from commands.base import Command, execute
from commands.members import InviteMember, RenameMember
from policy import Actor
from policy.identity.codes import Purpose
from policy.identity.refusals import LimitedToken

ACCEPT_AT: dict[Purpose, str] = {
    "invitation": "/api/v1/invitations/accept",
    "password-reset": "/api/v1/password-resets/accept",
}


async def make_invitation_link(request: Request) -> Response:
    """A code with which an invited member chooses a password and signs in, for an administrator to hand over.
    It is shown this once, works once and for seven days; a newer one, another address, and the end of the token or the
    member that made it make it void. A token that is for some roles makes none (403 `limited-token`)."""
    return await _make(request, "invitation")


async def make_password_reset_link(request: Request) -> Response:
    """A code with which a member chooses a new password, for an administrator to hand over.
    It is shown this once, works once and for a day; all sessions of the member end when it is used. It ends with the
    token or the member that made it. A token that is for some roles makes none (403 `limited-token`)."""
    return await _make(request, "password-reset")


async def accept_invitation(request: Request) -> Response:
    """Choose a password with the code of an invitation, and sign in."""
    return await _accept(request, "invitation")


async def accept_password_reset(request: Request) -> Response:
    """Choose a new password with the code for it, and sign in; all other sessions end."""
    return await _accept(request, "password-reset")


async def set_up(request: Request) -> Response:
    """Become the first administrator with the code that the first start has printed, and sign in."""
    ask(request, (), None, b"")
    require_same_origin(request)
    given = await read_body(request, SetUp)
    crm: Services = services_of(request)

    def named(member_id: UUID) -> None:
        by = Actor(f"member:{member_id}", member_id, given.name, "web", frozenset({str(Role.ADMINISTRATOR)}))
        commands: tuple[Command, ...] = (RenameMember(name=given.name), InviteMember(email=given.email))
        crm.identity.entrance.require_free(given.email, member_id)
        for command in commands:
            execute(command, to=member_id, by=by, door=crm.door)

    session = await hashing(
        request,
        crm.identity.entrance.by_code,
        given.code.get_secret_value(),
        "setup",
        given.password.get_secret_value(),
        names=(given.name, given.email),
        meanwhile=named,
        instead_of=cookie(request, SESSION),
    )
    return await begun(request, session)


async def _make(request: Request, purpose: Purpose) -> Response:
    asking = await member_asking(request, OTHERS)
    member_id = ID.read(request.path_params["id"])
    if asking.actor.only is not None:
        raise LimitedToken
    admit = admission(asking.crm, asking.actor, OTHERS)
    make_code, actor = asking.crm.identity.entrance.make_code, asking.actor
    made = await run_in_threadpool(make_code, purpose, member_id, actor.id, admit, actor.credential)
    shown = {"code": made.text, "accept_at": ACCEPT_AT[purpose], "expires_at": made.expires_at}
    return private(shown, 201)


async def _accept(request: Request, purpose: Purpose) -> Response:
    ask(request, (), None, b"")
    require_same_origin(request)
    given = await read_body(request, AcceptCode)
    crm: Services = services_of(request)
    session = await hashing(
        request,
        crm.identity.entrance.by_code,
        given.code.get_secret_value(),
        purpose,
        given.password.get_secret_value(),
        instead_of=cookie(request, SESSION),
    )
    return await begun(request, session)
