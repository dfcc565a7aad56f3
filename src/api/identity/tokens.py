"""Tokens over HTTP: a member's own, and for administrators those of others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from aggregates.member import Member
from api.answers.problems import Problem
from api.identity.asking import OTHERS, OWN, Asking, member_asking
from api.identity.bodies import MakeToken, read_body
from api.identity.working import private
from api.requests.asking import ID
from api.requests.standing import standing
from ledger.database import Connection
from policy.identity import tokens
from policy.identity.refusals import LimitedToken, OutlivesItsMaker, RoleNotHeld
from policy.identity.standing import require_active

TOKEN_ID = replace(ID, name="token_id", says="The token.")


async def list_tokens(request: Request) -> Response:
    """Your tokens, without their texts, the oldest first.
    A token that is for some roles sees itself and those that were made with it."""
    asking = await member_asking(request, OWN)
    return await _list(asking, asking.member_id)


async def make_token(request: Request) -> Response:
    """Make a token for yourself; its text is shown this once. It ends after 90 days unless `days` says otherwise.
    Made with a token, it has no other roles than that one, ends no later, and is revoked with it. A member has at most
    50 tokens in use."""
    asking = await member_asking(request, OWN)
    return await _make(request, asking, None, asking.member_id)


async def revoke_token(request: Request) -> Response:
    """Revoke one of your tokens, for good, with those that were made with it.
    Nothing is written with them from then on, and reads end within seconds. A token that is for some roles revokes
    itself and those that were made with it, and no others."""
    asking = await member_asking(request, OWN)
    return await _revoke(request, asking, None, asking.member_id)


async def revoke_tokens(request: Request) -> Response:
    """Revoke all your tokens, for good, with those that were made with them; the answer says how many.
    In a session it goes on. With a token, that one is revoked as well; one that is for some roles revokes itself and
    those that were made with it, and no others."""
    asking = await member_asking(request, OWN)
    return await _revoke_all(request, asking, None, asking.member_id)


async def list_tokens_of_member(request: Request) -> Response:
    """The tokens of a member, without their texts; for administrators.
    A token that is for some roles sees itself and those that were made with it, and none of other members (403
    `limited-token`)."""
    asking, member_id = await _asking_about_member(request)
    return await _list(asking, member_id)


async def make_token_for_member(request: Request) -> Response:
    """Make a token for a member; its text is shown this once. For administrators.
    Made with a token, it ends no later than that one and is revoked with it. For yourself it is as `POST /tokens`. A
    token that is for some roles makes none for other members (403 `limited-token`)."""
    asking, member_id = await _asking_about_member(request)
    return await _make(request, asking, OTHERS, member_id)


async def revoke_token_of_member(request: Request) -> Response:
    """Revoke a token of a member, for good, with those that were made with it; for administrators.
    A token that is for some roles revokes itself and those that were made with it, and none of other members (403
    `limited-token`)."""
    asking, member_id = await _asking_about_member(request)
    return await _revoke(request, asking, OTHERS, member_id)


async def revoke_tokens_of_member(request: Request) -> Response:
    """Revoke all tokens of a member, for good, with those that were made with them; for administrators.
    The answer says how many. A token that is for some roles revokes itself and those that were made with it, and none
    of other members (403 `limited-token`)."""
    asking, member_id = await _asking_about_member(request)
    return await _revoke_all(request, asking, OTHERS, member_id)


async def _asking_about_member(request: Request) -> tuple[Asking, UUID]:
    """The administrator who asks, and the member whose tokens are meant; raises LimitedToken for those of others."""
    asking = await member_asking(request, OTHERS)
    member_id = ID.read(request.path_params["id"])
    if asking.actor.only is not None and member_id != asking.member_id:
        raise LimitedToken
    return asking, member_id


async def _list(asking: Asking, member_id: UUID) -> Response:
    def listed(connection: Connection) -> list[tokens.Token]:
        return tokens.all_of(connection, member_id, _limit(connection, asking))

    def shown() -> list[dict[str, Any]]:
        asking.crm.ledger.load(Member, member_id)
        return [asdict(each) for each in asking.crm.database.read(listed)]

    return private({"items": await run_in_threadpool(shown)})


async def _make(request: Request, asking: Asking, action: str | None, member_id: UUID) -> Response:
    given = await read_body(request, MakeToken)

    def make() -> tuple[tokens.Token, str]:
        asking.crm.ledger.load(Member, member_id)
        with standing(asking.crm, asking.actor, action) as (connection, actor):
            maker = tokens.asking_token(connection, actor.credential)
            is_own = member_id == actor.member_id
            held = actor.roles if is_own else require_active(connection, member_id).roles
            return tokens.create(
                connection,
                given.name,
                member_id,
                roles=_roles(given, held, maker.roles if maker is not None and is_own else None),
                days=given.days,
                until=_end(given, maker, asking.crm.clock()),
                made_by=actor.id,
                parent_id=None if maker is None else maker.id,
            )

    made, text = await run_in_threadpool(make)
    return private({**asdict(made), "token": text}, 201)


def _roles(given: MakeToken, held: frozenset[str], limit: Collection[str] | None) -> Collection[str] | None:
    """The roles that the token is for, those of the token that makes it where none are given; raises RoleNotHeld."""
    roles = limit if given.roles is None else given.roles
    if not set(roles or ()) <= held:
        raise RoleNotHeld(given=tuple(roles or ()), held=tuple(sorted(held)))
    return roles


def _end(given: MakeToken, maker: tokens.Token | None, now: datetime) -> datetime | None:
    """When the token that makes it ends; raises OutlivesItsMaker where more was asked for."""
    until = None if maker is None else maker.expires_at
    if until is None or "days" not in given.model_fields_set:
        return until
    if given.days is None or now + timedelta(days=given.days) > until:
        raise OutlivesItsMaker(expires_at=until)
    return until


async def _revoke(request: Request, asking: Asking, action: str | None, member_id: UUID) -> Response:
    token_id = TOKEN_ID.read(request.path_params["token_id"])

    def revoke() -> tokens.Token | None:
        with standing(asking.crm, asking.actor, action) as (connection, actor):
            return tokens.revoke(connection, token_id, member_id, actor.id, _limit(connection, asking))

    revoked = await run_in_threadpool(revoke)
    request.app.state.identities.forget()
    if revoked is None:
        raise Problem(404, "not-found", {"kind": "token", "id": token_id})
    return private(asdict(revoked))


async def _revoke_all(request: Request, asking: Asking, action: str | None, member_id: UUID) -> Response:
    def revoke() -> int:
        asking.crm.ledger.load(Member, member_id)
        with standing(asking.crm, asking.actor, action) as (connection, actor):
            return tokens.revoke_all(connection, member_id, actor.id, _limit(connection, asking))

    revoked = await run_in_threadpool(revoke)
    request.app.state.identities.forget()
    return private({"revoked": revoked})


def _limit(connection: Connection, asking: Asking) -> UUID | None:
    """The id of the asking token where it is for some roles, as it reaches itself and its descendants alone."""
    if asking.actor.only is None:
        return None
    token = tokens.asking_token(connection, asking.actor.credential)
    return None if token is None else token.id
