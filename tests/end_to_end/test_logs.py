"""The log of a running service: a line a request, with what an operator needs and nothing that is personal."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import httpx

from end_to_end.running import Service, soon

NAME, PHONE, MAIL, NOTE = "欧阳无名有限公司", "13987654321", "ouyang.wuming@example.com", "他说下月离职"
PERSONAL = (NAME, "欧阳", "无名", PHONE, MAIL, "wuming", NOTE, "离职")
"""None of these, nor how they look in an address, may be found in a log."""


def test_nothing_personal_is_logged_whatever_is_asked(place: Path) -> None:
    with Service(place / "data", CRM_LOG_FORMAT="json", CRM_LOG_LEVEL="debug") as service:
        token = service.token
        with service.client(token) as client:
            ids = ask_everything(client)
            head = int(client.get("/events", params={"after": 0}).json()["position"])
            client.get("/tracking", params={"after": head})
        malformed(service.port)
        assert soon(lambda: any('"route":"/api/v1/tracking"' in line for line in service.logged))
        service.stop()
        logged = "".join(service.logged) + database_log(service.data)
        for secret in (*PERSONAL, *(httpx.QueryParams({"q": each})["q"] for each in PERSONAL), token):
            assert secret not in logged, [line for line in logged.splitlines() if secret in line]
            assert httpx.URL("http://x/", params={"q": secret}).query.decode()[2:] not in logged
            assert json.dumps(secret)[1:-1] not in logged
        assert ids["customer"] not in "".join(line for line in service.logged if '"event":"request"' in line)
        check_lines([json.loads(line) for line in service.logged if '"event":"request"' in line])


def ask_everything(client: httpx.Client) -> dict[str, str]:
    """Requests that hold personal data wherever it may stand, well-formed and not; the ids of what was made."""
    contact = {"name": "欧阳无名", "mobile": PHONE, "email": MAIL}
    customer = client.post(
        "/customers", json={"name": NAME, "kind": "company"}, headers={"X-Request-Id": "asked-by-me"}
    )
    assert customer.status_code == 201, customer.text
    assert customer.headers["x-request-id"] == "asked-by-me"
    one = f"/customers/{customer.json()['id']}"
    said = [
        client.post(f"{one}/contacts", json=contact),
        client.post(f"{one}/contacts", json=contact | {"mobile": f"{PHONE}{PHONE}"}),
        client.post(f"{one}/follow-ups", json={"method": "phone", "content": NOTE}),
        client.post(f"{one}/follow-ups", json={"method": NOTE, "content": NOTE, NAME: PHONE}),
        client.post(f"{one}/tags", json={"tag": NAME}),
        client.delete(f"{one}/tags/{NAME}"),
        client.post("/customers", json={"name": NAME, "kind": "company", "legacy_code": NAME}),
        client.post("/customers", json={"name": NAME, "kind": "company", "legacy_code": NAME}),
        client.post("/customers", json={"name": NAME, "kind": "company", "legacy_code": "OY-9911"}),
        client.post("/customers", json={"name": NAME, "kind": "company", "legacy_code": "OY-9911"}),
        client.post("/customers", content=f'{{"name": "{NAME}", "name": "{NAME}"}}', headers=JSON),
        client.post("/customers", content=f'{{"name": {NAME}', headers=JSON),
        client.post("/commands", json={"commands": [{"command": NAME, "to": None, "body": {"name": NAME}}]}),
        client.post("/commands", json={"commands": [{"command": "tag", "to": one[11:], "body": {"tag": NOTE}}] * 3}),
        client.get("/customers", params={"q": NAME}),
        client.get("/customers", params={"q": PHONE}),
        client.get("/customers", params={"name[eq]": NAME, "sort": NAME}),
        client.get("/customers", params={NAME: PHONE}),
        client.get(f"/customers/{NAME}"),
        client.get(f"/{NAME}/{PHONE}"),
        client.request("PUT", f"/customers/{NAME}", content=NAME.encode()),
        client.get(one, headers={"If-Match": "x", "Authorization": f"Bearer {MAIL}", "X-Request-Id": f"{MAIL} x"}),
        client.post(f"{one}/tags", json={"tag": "x"}, headers={"Idempotency-Key": f"{MAIL} x"}),
        client.post("/imports", params={"profile": NAME}, files={"file": (f"{NAME}.csv", f"{NAME},{PHONE}".encode())}),
        client.post("/imports", params={"profile": "ibm-receivables"}, files={"f": (f"{NAME}.csv", NAME.encode())}),
        client.get(f"{one}/history"),
        client.get(one),
        client.get("/events"),
    ]
    assert {each.status_code for each in said} >= {200, 201, 202, 400, 401, 404, 405, 409, 422}, said
    assert all(each.status_code < 500 for each in said), said
    assert len({each.headers["x-request-id"] for each in said}) == len(said)
    return {"customer": customer.json()["id"]}


JSON = {"Content-Type": "application/json"}


def malformed(port: int) -> None:
    """Bytes that are no request, with a name in them."""
    for sent in (f"GET /{NAME}\r\n\r\n", f"{NAME}\r\n\r\n", f"GET / HTTP/1.1\r\n{NAME}\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(sent.encode())
            connection.recv(4096)


def database_log(data: Path) -> str:
    """What the embedded server has written down."""
    logs = sorted((data / "postgres" / "data" / "log").glob("*.log"))
    assert logs
    return "".join(each.read_text(encoding="utf-8") for each in logs)


def check_lines(lines: list[dict[str, Any]]) -> None:
    """Each has what an operator needs; commands, actors and refusals are named by ids and codes."""
    assert all(
        {"request_id", "method", "route", "status", "milliseconds", "level", "timestamp"} <= set(e) for e in lines
    )
    first = next(each for each in lines if each["request_id"] == "asked-by-me")
    assert (first["method"], first["route"], first["status"]) == ("POST", "/api/v1/customers", 201)
    assert first["actor"].startswith("member:")
    assert len(first["command"]) == 36
    for least, level in ((200, "info"), (400, "warning")):
        seen = {
            each["level"] for each in lines if least <= each["status"] < least + 100 and each["route"][:4] == "/api"
        }
        assert seen == {level}
    assert {"malformed-json", "invalid-fields", "claim-taken", "no-route"} <= {each.get("refusal") for each in lines}
    batch = next(each for each in lines if each["route"] == "/api/v1/commands" and each.get("count"))
    assert batch["count"] == 3


def test_the_log_is_text_unless_json_is_asked_for(service: Service) -> None:
    with service.client(service.token) as client:
        client.get("/tracking", headers={"X-Request-Id": "a-line-of-text"})
    assert soon(lambda: any("request_id=a-line-of-text" in line for line in service.logged))
    (line,) = [line for line in service.logged if "request_id=a-line-of-text" in line]
    assert "[info     ] request " in line
    assert "method=GET route=/api/v1/tracking status=200" in line
