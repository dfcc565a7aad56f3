"""The documentation: the OpenAPI document, a page to try it on, what problems mean; all of it served from here."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from api.answers.problems import Problem
from api.answers.refusals import STATUS
from api.texts import LANGUAGES, catalogue

_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon.png": "image/png",
}


def add_docs(router: APIRouter, app: FastAPI) -> None:
    """Puts the documentation on the router; none of it needs a token."""

    async def document(_: Request) -> Response:
        return JSONResponse(app.openapi())

    async def page(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "") + router.prefix
        shown = get_swagger_ui_html(
            openapi_url=f"{root}/openapi.json",
            title=app.title,
            swagger_js_url=f"{root}/docs/swagger-ui-bundle.js",
            swagger_css_url=f"{root}/docs/swagger-ui.css",
            swagger_favicon_url=f"{root}/docs/favicon.png",
            swagger_ui_parameters={"validatorUrl": None, "persistAuthorization": True, "docExpansion": "none"},
        )
        shown.headers["Content-Security-Policy"] = content_security(bytes(shown.body))
        return shown

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _ASSETS:
            raise Problem(404, "no-route", {"path": request.url.path[:200]})
        content = Path(str(files("fastapi_offline"))).joinpath("static", name).read_bytes()
        return Response(content, media_type=_ASSETS[name], headers={"Cache-Control": "public, max-age=86400"})

    async def first_page(_: Request) -> Response:
        return RedirectResponse(f"{router.prefix}/docs")

    async def problem(request: Request) -> Response:
        return JSONResponse(explained(request.path_params["code"], request.url.path))

    router.add_api_route("/openapi.json", document, include_in_schema=False)
    router.add_api_route("/docs", page, include_in_schema=False)
    router.add_api_route("/docs/{name}", asset, include_in_schema=False)
    router.add_api_route("/problems/{code}", problem, include_in_schema=False)
    app.add_api_route("/", first_page, include_in_schema=False)


def content_security(page: bytes) -> str:
    """What a browser may do with the page: run the scripts that stand in it and those served here, and nothing else."""
    scripts = "".join(
        f" 'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in _SCRIPT.findall(page) if script.strip()
    )
    return (
        f"default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )


def explained(code: str, path: str) -> dict[str, object]:
    """What a problem's `type` leads to: its title and sentence in each language, names of values in braces."""
    if code not in catalogue("en")["problems"]:
        raise Problem(404, "no-route", {"path": path[:200]})
    texts = {language: catalogue(language)["problems"][code] for language in LANGUAGES}
    return {"code": code, "status": STATUS.get(code), "texts": texts}
