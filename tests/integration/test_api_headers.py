"""Headers that keep a browser from doing what was not meant: on every answer, the docs page and mistakes included."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from unittest.mock import patch

import pytest
from starlette.testclient import TestClient

from api.operations import health
from integration.serving import Api

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def answers(api: Api) -> dict[str, Any]:
    """An answer of each kind."""
    customer = api.customer("标头客户")
    return {
        "a read": api.get(f"/customers/{customer}"),
        "a list": api.get("/customers"),
        "a write": api.post(f"/customers/{customer}/tags", {"tag": "x"}),
        "no token": api.client.get("/api/v1/customers"),
        "no such thing": api.get("/customers/0192f0c1-7d5a-7cc3-a1b2-0123456789ab"),
        "no such address": api.client.get("/nowhere"),
        "no such method": api.client.put("/api/v1/customers"),
        "unfit": api.get("/customers", nothing="x"),
        "too large": api.request("POST", "/customers", content=b"x" * 2_000_000, headers=JSON),
        "a head that is too large": api.request("GET", "/customers", headers={"X": "x" * 20_000}),
        "a mistake of ours": broken(api),
        "alive": api.client.get("/healthz"),
        "figures": api.client.get("/metrics"),
        "the document": api.client.get("/api/v1/openapi.json"),
        "the page": api.client.get("/api/v1/docs"),
        "a part of the page": api.client.get("/api/v1/docs/swagger-ui.css"),
        "the first page": api.client.get("/", follow_redirects=False),
    }


JSON = {"Content-Type": "application/json"}


def broken(api: Api) -> Any:
    """The answer to a mistake in our own code."""
    with patch.object(health, "readiness", side_effect=KeyError("欧阳")):
        answered = api.client.get("/readyz")
    assert answered.status_code == 500
    assert "欧阳" not in answered.text
    assert answered.json()["detail"].rstrip(".").endswith(answered.headers["x-request-id"])
    return answered


def test_every_answer_has_them(api: Api) -> None:
    for kind, answered in answers(api).items():
        for name, value in ALWAYS.items():
            assert answered.headers.get(name) == value, (kind, name)
        assert "camera=()" in answered.headers["permissions-policy"], kind
        assert "default-src 'none'" in answered.headers["content-security-policy"], kind
        assert "frame-ancestors 'none'" in answered.headers["content-security-policy"], kind
        assert re.fullmatch(r"[0-9a-f]{16}", answered.headers["x-request-id"]), kind
        assert "strict-transport-security" not in answered.headers, kind
        kept = kind == "a part of the page"
        assert answered.headers["cache-control"] == ("public, max-age=86400" if kept else "no-store"), kind


def test_a_browser_stays_with_tls_where_there_is_some(api: Api) -> None:
    with TestClient(api.client.app, base_url="https://crm.example") as client:
        assert client.get("/healthz").headers["strict-transport-security"] == "max-age=31536000"


def test_the_docs_page_may_do_what_it_needs_and_no_more(api: Api) -> None:
    page = api.client.get("/api/v1/docs")
    policy = page.headers["content-security-policy"]
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'sha256-" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    scripts = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert re.findall(r"\son\w+=", page.text) == [], "handlers in attributes would not run"
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 3
    for address in addresses:
        assert address.startswith("/api/v1/docs/")
        assert api.client.get(address).status_code == 200


@pytest.mark.parametrize("given", ["short", "x" * 65, "with blank 1234", "zeile\x7f12345", "欧阳无名欧阳无名".encode()])
def test_a_request_id_that_is_not_sane_is_not_taken_over(api: Api, given: str | bytes) -> None:
    answered = api.request("GET", "/customers", headers={"X-Request-Id": given})
    assert re.fullmatch(r"[0-9a-f]{16}", answered.headers["x-request-id"])


def test_a_sane_request_id_is_answered_back(api: Api) -> None:
    answered = api.request("GET", "/nowhere", headers={"X-Request-Id": "0192f0c1-7d5a-7cc3-a1b2-0123456789ab"})
    assert answered.headers["x-request-id"] == "0192f0c1-7d5a-7cc3-a1b2-0123456789ab"
