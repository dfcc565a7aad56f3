"""Tokens over HTTP: a member's own, and for administrators those of others."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from aggregates.member import Member
from api.answers.problems import Problem
from api.identity.asking import OTHERS, OWN, Asking, member_asking, with_token
from api.identity.bodies import MakeToken, read_body
from api.identity.working import private
from api.requests.asking import ID
from policy.identity import tokens
from policy.identity.refusals import OutlivesItsMaker, RoleNotHeld

TOKEN_ID = replace(ID, name="token_id", says="The token.")


async def list_tokens(request: Request) -> Response:
    """Your tokens, without their texts, the oldest first."""
    asking = await member_asking(request, OWN)
    return await _listed(asking, asking.member_id)


async def make_token(request: Request) -> Response:
    """Make a token for yourself; its text is shown this once.
    Made with a token, it has no other roles than that one and ends no later."""
    asking = await member_asking(request, OWN)
    given = await read_body(request, MakeToken)
    return await run_in_threadpool(_make_own, asking, request, given)


async def revoke_token(request: Request) -> Response:
    """Take one of your tokens out of use, for good; every process notices within seconds."""
    asking = await member_asking(request, OWN)
    return await _revoked(asking, request, asking.member_id)


async def list_tokens_of_member(request: Request) -> Response:
    """The tokens of a member, without their texts; for administrators."""
    asking = await member_asking(request, OTHERS)
    return await _listed(asking, ID.read(request.path_params["id"]))


async def make_token_for_member(request: Request) -> Response:
    """Make a token for a member; its text is shown this once. For administrators."""
    asking = await member_asking(request, OTHERS)
    given = await read_body(request, MakeToken)
    return await run_in_threadpool(_make, asking, ID.read(request.path_params["id"]), given)


async def revoke_token_of_member(request: Request) -> Response:
    """Take a token of a member out of use, for good; for administrators."""
    asking = await member_asking(request, OTHERS)
    return await _revoked(asking, request, ID.read(request.path_params["id"]))


def _make_own(asking: Asking, request: Request, given: MakeToken) -> Response:
    """A token is no way to have more, or for longer, than one has."""
    maker = with_token(asking, request).token
    until = maker.expires_at if maker else None
    if until and given.days and asking.crm.clock() + timedelta(days=given.days) > until:
        raise OutlivesItsMaker(expires_at=until)
    if maker is not None and maker.roles is not None and given.roles is None:
        given = given.model_copy(update={"roles": tuple(maker.roles)})
    _require_held(given, asking.actor.roles)
    return _written(asking, asking.member_id, given, until)


def _make(asking: Asking, member_id: UUID, given: MakeToken) -> Response:
    _require_held(given, frozenset(asking.crm.identity.entrance.require_able(member_id).roles))
    return _written(asking, member_id, given, None)


def _require_held(given: MakeToken, held: frozenset[str]) -> None:
    if not set(given.roles or ()) <= held:
        raise RoleNotHeld(given=tuple(given.roles or ()), held=tuple(sorted(held)))


def _written(asking: Asking, member_id: UUID, given: MakeToken, until: Any) -> Response:
    with asking.crm.database.connection() as connection:
        made, text = tokens.create(
            connection,
            given.name,
            member_id,
            roles=given.roles,
            days=given.days,
            until=until,
            made_by=asking.actor.id,
        )
    return private({**asdict(made), "token": text}, 201)


async def _listed(asking: Asking, member_id: UUID) -> Response:
    def listed() -> list[dict[str, Any]]:
        asking.crm.ledger.load(Member, member_id)
        return [asdict(each) for each in asking.crm.database.read(lambda with_: tokens.all_of(with_, member_id))]

    return private({"items": await run_in_threadpool(listed)})


async def _revoked(asking: Asking, request: Request, member_id: UUID) -> Response:
    token_id = TOKEN_ID.read(request.path_params["token_id"])

    def revoke() -> Any:
        with asking.crm.database.connection() as connection:
            return tokens.revoke(connection, token_id, member_id, asking.actor.id)

    revoked = await run_in_threadpool(revoke)
    if revoked is None:
        raise Problem(404, "not-found", {"kind": "token", "id": token_id})
    return private(asdict(revoked))
