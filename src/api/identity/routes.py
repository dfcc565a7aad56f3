"""The routes of signing in: one line each, as everywhere."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.identity import account, letting_in, openid, tokens
from api.identity.bodies import AcceptCode, Body, ChangePassword, MakeToken, SetUp, SignIn
from api.identity.shapes import (
    CodeMade,
    Me,
    PasswordChanged,
    SessionEnded,
    SessionShown,
    TokenMade,
    TokenShown,
    TokensRevoked,
    TokensShown,
)
from api.requests.asking import ID

_SLOWED = {
    "429": {"description": "Too many wrong passwords, or too many requests at once; try again after Retry-After."}
}
_PARAMETERS = {"id": ID, "token_id": tokens.TOKEN_ID}


@dataclass(frozen=True)
class Route:
    """A route, what it takes and shows; an open one is for whoever has not signed in yet."""

    method: str
    path: str
    handler: Callable[[Request], Awaitable[Response]]
    shows: type[BaseModel]
    body: type[Body] | None = None
    status: int = 200
    is_open: bool = False


ROUTES = (
    Route("GET", "/me", account.read_me, Me),
    Route("POST", "/me/password", account.change_password, PasswordChanged, ChangePassword),
    Route("POST", "/session", account.sign_in, SessionShown, SignIn, 201, is_open=True),
    Route("GET", "/session", account.read_session, SessionShown),
    Route("DELETE", "/session", account.sign_out, SessionEnded),
    Route("GET", "/tokens", tokens.list_tokens, TokensShown),
    Route("POST", "/tokens", tokens.make_token, TokenMade, MakeToken, 201),
    Route("DELETE", "/tokens", tokens.revoke_tokens, TokensRevoked),
    Route("DELETE", "/tokens/{token_id}", tokens.revoke_token, TokenShown),
    Route("GET", "/members/{id}/tokens", tokens.list_tokens_of_member, TokensShown),
    Route("POST", "/members/{id}/tokens", tokens.make_token_for_member, TokenMade, MakeToken, 201),
    Route("DELETE", "/members/{id}/tokens", tokens.revoke_tokens_of_member, TokensRevoked),
    Route("DELETE", "/members/{id}/tokens/{token_id}", tokens.revoke_token_of_member, TokenShown),
    Route("POST", "/members/{id}/invitation-link", letting_in.make_invitation_link, CodeMade, status=201),
    Route("POST", "/members/{id}/password-reset-link", letting_in.make_password_reset_link, CodeMade, status=201),
    Route("POST", "/invitations/accept", letting_in.accept_invitation, SessionShown, AcceptCode, 201, is_open=True),
    Route(
        "POST", "/password-resets/accept", letting_in.accept_password_reset, SessionShown, AcceptCode, 201, is_open=True
    ),
    Route("POST", "/setup", letting_in.set_up, SessionShown, SetUp, 201, is_open=True),
)


def add_identity(router: APIRouter) -> None:
    """Puts these routes on the router."""
    for route in ROUTES:
        _add(router, route)
    router.add_api_route("/session/openid", openid.begin_openid, include_in_schema=False)
    router.add_api_route("/session/openid/callback", openid.finish_openid, include_in_schema=False)


def _add(router: APIRouter, route: Route) -> None:
    summary, _, more = inspect.cleandoc(route.handler.__doc__ or "").partition("\n")
    taken = [each.openapi for name, each in _PARAMETERS.items() if f"{{{name}}}" in route.path]
    documented: dict[str, Any] = {"parameters": taken}
    if route.body is not None:
        schema = {"$ref": f"#/components/schemas/{route.body.__name__}"}
        content = {"application/json": {"schema": schema, "example": route.body.example}}
        documented["requestBody"] = {"required": True, "content": content}
    if route.is_open:
        documented["security"] = []
    if route.is_open or route.body is ChangePassword:
        documented["responses"] = _SLOWED
    router.add_api_route(
        route.path,
        route.handler,
        methods=[route.method],
        status_code=route.status,
        response_model=route.shows,
        operation_id=route.handler.__name__,
        summary=summary,
        description=more.strip() or summary,
        tags=["signing in"],
        openapi_extra=documented,
    )
