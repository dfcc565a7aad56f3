"""Routes that FastAPI documents and has no other part in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, request_response
from starlette.types import Scope


class Direct(APIRoute):
    """A route whose endpoint is given the request and makes the whole answer: nothing is injected or validated."""

    def __init__(self, path: str, endpoint: Callable[[Request], Awaitable[Response]], **documented: Any) -> None:
        super().__init__(path, endpoint, **documented)
        self.app = request_response(endpoint)
        self._beginning = path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the request is for this route; most of the others are ruled out by how their addresses begin."""
        return super().matches(scope) if self._beginning in scope["path"] else (Match.NONE, {})
