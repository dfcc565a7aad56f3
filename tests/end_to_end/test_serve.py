"""The running service: it starts, answers, survives the loss of a process, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import secrets
import signal
from pathlib import Path

import httpx
import pytest

from end_to_end.running import Service, crm, is_alive, soon


def test_it_starts_answers_and_stops_with_everything(place: Path) -> None:
    with Service(place / "data") as service:
        token = service.token
        assert "readyz" not in service.all_said, "whoever starts it reads a welcome, and no log"
        with service.client(token) as client:
            written = client.post("/customers", json={"name": "上海明远科技", "kind": "company"})
            assert written.status_code == 201, written.text
            read = client.get("/tracking", params={"after": written.json()["position"]})
            assert read.status_code == 200, read.text
            assert "上海明远科技" in read.text
        everything = service.everything()
        assert any(each.name() == "postgres" for each in everything)
        assert service.stop() == 0
        assert soon(lambda: not any(map(is_alive, everything)))

    with Service(place / "data") as again:
        assert "genjin_" not in again.said
        with again.client(token) as client:
            kept = client.get(f"/customers/{written.json()['id']}")
            assert kept.status_code == 200, kept.text
            assert kept.json()["name"] == "上海明远科技"
        everything = again.everything()
        assert again.stop(signal.SIGINT) == 0
        assert soon(lambda: not any(map(is_alive, everything)))


def test_nothing_is_left_when_it_is_killed(place: Path) -> None:
    with Service(place / "data", workers=2) as service:
        everything = service.everything()
        assert len(everything) >= 5
        service.kill()
        assert soon(lambda: not any(map(is_alive, everything)), 40), [each for each in everything if is_alive(each)]


def test_what_it_prints_at_the_first_start_works(service: Service) -> None:
    assert service.said.count(service.token) == 2
    assert f"curl {service.url}/api/v1/customers" in service.said
    assert httpx.get(f"{service.url}/api/v1/docs").status_code == 200


def test_the_code_that_it_prints_makes_the_first_administrator(service: Service) -> None:
    (code,) = re.findall(r'"code": "([^"]+)"', service.said)
    assert f"curl {service.url}/api/v1/setup" in service.said
    body = {"code": code, "name": "赵管理", "email": "zhao@example.com", "password": secrets.token_urlsafe(18)}
    with httpx.Client(base_url=f"{service.url}/api/v1") as browser:
        shown = browser.post("/setup", json=body)
        assert shown.status_code == 201, shown.text
        assert shown.json()["member"]["roles"] == ["administrator"]
        assert browser.get("/me").json()["signed_in_by"] == "session"
    with service.client(service.token) as client:
        assert client.get("/me").json()["name"] == "赵管理"
    again = httpx.post(f"{service.url}/api/v1/setup", json=body)
    assert (again.status_code, again.json()["code"]) == (422, "code-unusable")


def test_tls_before_it_is_known_by_a_proxy_that_is_trusted(service: Service) -> None:
    made = crm(service.data, "token", "create", "--name", "proxy", "--json")
    assert made.returncode == 0, made.stderr
    headers = {"Authorization": f"Bearer {json.loads(made.stdout)['token']}"}
    body = {"email": "proxy@example.com", "password": secrets.token_urlsafe(18)}
    with httpx.Client(base_url=f"{service.url}/api/v1", headers=headers) as client:
        me = client.get("/me").json()["id"]
        client.post(f"/members/{me}/invitation", json={"email": body["email"]}).raise_for_status()
        code = client.post(f"/members/{me}/invitation-link").raise_for_status().json()["code"]
    chosen = httpx.post(f"{service.url}/api/v1/invitations/accept", json={"code": code, "password": body["password"]})
    assert chosen.headers["set-cookie"].startswith("genjin_session=")
    behind = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
    signed_in = httpx.post(f"{service.url}/api/v1/session", json=body, headers=behind)
    assert signed_in.status_code == 201, signed_in.text
    assert signed_in.headers["set-cookie"].startswith("__Host-genjin_session=")


@pytest.mark.parametrize("module", ["crm.processes.web", "crm.processes.work"])
def test_a_process_that_dies_is_replaced(service: Service, module: str) -> None:
    (dead,) = service.children(module)
    dead.kill()
    assert soon(lambda: [each for each in service.children(module) if each.pid != dead.pid and is_alive(each)])
    with service.client(service.token) as client:
        written = client.post("/customers", json={"name": "Acme", "kind": "company"}).raise_for_status().json()
        asked = {"after": written["position"]}
        assert soon(lambda: client.get("/tracking", params=asked).status_code == 200, 40), service.all_said


def test_the_database_is_run_again_when_it_crashes(service: Service) -> None:
    with service.client(service.token) as client:
        client.post("/customers", json={"name": "Acme", "kind": "company"}).raise_for_status()
        pid = int((service.data / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
        (postmaster,) = [each for each in service.everything() if each.pid == pid]
        postmaster.kill()

        def answers() -> bool:
            answer = client.post("/customers", json={"name": "Beta", "kind": "company"})
            assert answer.status_code in (201, 503), answer.text
            return answer.status_code == 201

        assert soon(answers, 40), service.all_said


def test_an_address_in_use_is_refused_in_a_sentence(service: Service, place: Path) -> None:
    second = crm(place / "other", "serve", CRM_PORT=str(service.port))
    assert second.returncode == 1
    assert second.stderr.startswith(f"crm: Port {service.port} of 127.0.0.1 is in use")
    assert "Traceback" not in second.stderr
