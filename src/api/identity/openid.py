"""Signing in at an OpenID provider: a browser is sent there, and comes back."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.answers.problems import FieldFault, invalid
from api.identity.account import give_session
from api.limits.queueing import bulkhead
from api.requests.pages import OPENID, SESSION, cookie, drop_cookie, set_cookie
from api.services import Services, services_of

HOME = "/"
PATIENCE_SECONDS = 600
_WITHIN = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


async def begin_openid(request: Request) -> Response:
    """Sends the browser to the provider; `return_to` is where in this service it goes afterwards."""
    return_to = request.query_params.get("return_to", HOME)
    if not _WITHIN.fullmatch(return_to) or len(return_to) > 1000:
        raise invalid(FieldFault("query", "/return_to", "not-within"))
    crm: Services = services_of(request)
    where, sealed = await bulkhead(request, "openid").run(
        request, lambda: crm.identity.openid.begin(quote(return_to, safe="/?=&%#+,:;@~!$'()*-._"))
    )
    answer = _sent(where)
    set_cookie(request, answer, OPENID, sealed, PATIENCE_SECONDS)
    return answer


async def finish_openid(request: Request) -> Response:
    """Reads what the browser came back with from the provider, and signs the member in."""
    crm: Services = services_of(request)
    brought, before = cookie(request, OPENID), cookie(request, SESSION)
    answered = dict(request.query_params)
    session, return_to = await bulkhead(request, "openid").run(
        request, crm.identity.by_openid, brought, answered, instead_of=before
    )
    answer = _sent(return_to)
    give_session(request, answer, session)
    drop_cookie(request, answer, OPENID)
    return answer


def _sent(where: str) -> Response:
    return RedirectResponse(where, 303, {"Cache-Control": "no-store"})
