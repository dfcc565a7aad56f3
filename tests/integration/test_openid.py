"""Signing in at an OpenID provider, a real one on the loopback, and everything that it or a browser may bring wrong."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from commands.members import SuspendMember
from end_to_end.running import free_port
from integration.signing_in import ORIGIN, House, Person, an_address, house
from policy.identity import provider
from policy.identity.chosen import Client, SigningIn
from workspaces import dropped_afterwards

CALLBACK = "/api/v1/session/openid/callback"
PROGRAM = Path(__file__).parents[1] / "openid_provider.py"


@dataclass
class Elsewhere:
    """The provider's process, as the test speaks to it."""

    issuer: str
    client_id: str
    secret: str

    def lets_in(self, email: str | None, **wrong: Any) -> dict[str, int]:
        """From now on this person signs in there, and this is wrong."""
        answer = httpx2.post(f"{self.issuer}control", json={"email": email, **wrong})
        told: dict[str, int] = answer.raise_for_status().json()
        return told


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    """A provider that runs."""
    port, client_id, secret = free_port(), f"genjin-{secrets.token_hex(4)}", secrets.token_urlsafe(24)
    words = [sys.executable, str(PROGRAM), str(port), client_id, secret]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield Elsewhere(f"http://127.0.0.1:{port}/", client_id, secret)
        finally:
            process.kill()


def known_to(elsewhere: Elsewhere, **more: Any) -> SigningIn:
    """We as the provider knows us."""
    given = {"issuer": elsewhere.issuer, "id": elsewhere.client_id, "secret": elsewhere.secret}
    return SigningIn(public_url=ORIGIN, openid=Client(**{**given, **more}, redirect_uri=f"{ORIGIN}{CALLBACK}"))


@pytest.fixture(scope="module")
def home(server: str, elsewhere: Elsewhere) -> Iterator[House]:
    """A workspace that people sign in to at the provider."""
    with dropped_afterwards(server) as name, house(server, name, known_to(elsewhere)) as made:
        yield made


@pytest.fixture(scope="module")
def ann(home: House) -> Person:
    """Somebody with an address that is known here."""
    return home.member("sales", "administrator")


def sent_to_provider(browser: TestClient, return_to: str = "/tracking") -> str:
    """Where the browser is sent, as the provider's page sends it back."""
    begun = browser.get("/api/v1/session/openid", params={"return_to": return_to}, follow_redirects=False)
    assert begun.status_code == 303, begun.text
    return str(httpx2.get(begun.headers["location"], follow_redirects=False).headers["location"])


def come_back(browser: TestClient, where: str) -> Any:
    """What the browser is answered when it comes back."""
    assert where.startswith(f"{ORIGIN}{CALLBACK}?")
    return browser.get(where.removeprefix(ORIGIN), follow_redirects=False)


def tried(home: House) -> tuple[TestClient, Any]:
    """The browser after the whole way, and what it was answered."""
    browser = home.browser()
    return browser, come_back(browser, sent_to_provider(browser))


def test_a_known_member_comes_in_and_goes_where_it_wanted(home: House, elsewhere: Elsewhere, ann: Person) -> None:
    elsewhere.lets_in(ann.address.upper())
    browser, answer = tried(home)
    assert (answer.status_code, answer.headers["location"]) == (303, "/tracking"), answer.text
    session = browser.get("/api/v1/session").json()
    assert (session["member"]["id"], session["begun_by"]) == (str(ann.id), "openid")
    sent = {"X-CSRF-Token": session["csrf_token"]}
    assert browser.post("/api/v1/teams", json={"name": "x"}, headers=sent).status_code == 201
    assert (
        browser.get("/api/v1/session/openid", follow_redirects=False).headers["location"].startswith(elsewhere.issuer)
    )


def test_auditors_see_who_came_by_the_provider_and_who_was_refused(home: House, elsewhere: Elsewhere) -> None:
    bo = home.member("sales")
    for address, status in ((bo.address, 303), (an_address(), 401), (bo.address, 401)):
        elsewhere.lets_in(address)
        assert tried(home)[1].status_code == status
        home.do(SuspendMember(), bo.id)
    home.identity.refused.write()
    kept = set(home.sql("SELECT kind, actor, member_id FROM accesses WHERE action = 'sign-in-by-openid'"))
    assert kept >= {
        ("sign-in", f"member:{bo.id}", bo.id),
        ("sign-in-refused", "nobody", bo.id),
        ("sign-in-refused", "nobody", None),
    }


def test_what_the_provider_is_asked(home: House) -> None:
    begun = home.browser().get("/api/v1/session/openid", follow_redirects=False)
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{ORIGIN}{CALLBACK}"]
    assert (asked["code_challenge_method"], len(asked["code_challenge"][0])) == (["S256"], 43)
    assert len(asked["state"][0]) >= 32
    assert len(asked["nonce"][0]) >= 32
    cookie = begun.headers["set-cookie"].lower()
    assert cookie.startswith("__host-genjin_openid=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert asked["state"][0] not in begun.headers["set-cookie"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"aud": "another-service"}},
        {"claims": {"aud": ["another-service"]}},
        {"claims": {"aud": None}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"iss": None}},
        {"claims": {"azp": "another-service"}},
        {"claims": {"sub": None}},
        {"claims": {"exp": None}},
        {"exp_in": -120},
        {"iat_in": 600},
        {"nbf_in": 600},
        {"claims": {"email_verified": False}},
        {"claims": {"email_verified": None}},
        {"claims": {"email": None}},
        {"claims": {"email": ["a@example.com"]}},
        {"signature": "none"},
        {"signature": "secret"},
        {"signature": "another key"},
        {"state": "another"},
        {"error": "access_denied"},
    ],
    ids=str,
)
def test_what_is_wrong_lets_nobody_in(home: House, elsewhere: Elsewhere, ann: Person, wrong: dict[str, Any]) -> None:
    elsewhere.lets_in(ann.address, **wrong)
    browser, answer = tried(home)
    assert (answer.status_code, answer.json()["code"]) == (401, "openid-refused")
    assert browser.get("/api/v1/session").status_code == 401


def test_nobody_is_registered_by_coming_in(home: House, elsewhere: Elsewhere) -> None:
    before = home.services.ledger.head()
    elsewhere.lets_in(an_address())
    _, answer = tried(home)
    assert (answer.status_code, answer.json()["code"]) == (401, "openid-refused")
    assert home.services.ledger.head() == before


def test_a_suspended_member_does_not_come_in(home: House, elsewhere: Elsewhere) -> None:
    bob = home.member()
    home.do(SuspendMember(), bob.id)
    elsewhere.lets_in(bob.address)
    assert tried(home)[1].status_code == 401


def test_a_clock_that_is_a_little_off_does_not_matter(home: House, elsewhere: Elsewhere, ann: Person) -> None:
    elsewhere.lets_in(ann.address, exp_in=-20, iat_in=20)
    assert tried(home)[1].status_code == 303


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_provider_may_change_its_keys(
    home: House, elsewhere: Elsewhere, ann: Person, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "ASKED_AGAIN_AFTER", 0.0)
    elsewhere.lets_in(ann.address)
    assert tried(home)[1].status_code == 303
    elsewhere.lets_in(ann.address, rotate=algorithm)
    assert tried(home)[1].status_code == 303


def test_keys_are_not_asked_for_at_every_made_up_token(home: House, elsewhere: Elsewhere, ann: Person) -> None:
    elsewhere.lets_in(ann.address)
    tried(home)
    before = elsewhere.lets_in(ann.address, signature="another key")["jwks"]
    for _ in range(5):
        tried(home)
    assert elsewhere.lets_in(ann.address)["jwks"] - before <= 2


def test_an_answer_is_good_for_the_browser_that_asked_and_once(home: House, elsewhere: Elsewhere, ann: Person) -> None:
    elsewhere.lets_in(ann.address)
    one, other = home.browser(), home.browser()
    where = sent_to_provider(one)
    sent_to_provider(other)
    assert come_back(other, where).status_code == 401
    assert come_back(home.browser(), where).status_code == 401
    assert come_back(one, where).status_code == 303
    assert come_back(one, where).status_code == 401


def test_what_the_browser_brings_cannot_be_made_up(home: House, elsewhere: Elsewhere, ann: Person) -> None:
    elsewhere.lets_in(ann.address)
    browser = home.browser()
    where = sent_to_provider(browser)
    for made_up in ("", "00" * 60, "not hex"):
        browser.cookies.clear()
        browser.cookies.set("__Host-genjin_openid", made_up, domain="crm.example.com")
        assert come_back(browser, where).status_code == 401


@pytest.mark.parametrize(
    "return_to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\r\nB: c"]
)
def test_nobody_is_sent_to_another_service(home: House, return_to: str) -> None:
    refused = home.browser().get("/api/v1/session/openid", params={"return_to": return_to}, follow_redirects=False)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "not-within")


def test_a_wrong_secret_lets_nobody_in(server: str, elsewhere: Elsewhere, schema: str) -> None:
    with house(server, schema, known_to(elsewhere, secret=secrets.token_hex(8))) as home:
        elsewhere.lets_in(home.member().address)
        assert tried(home)[1].json()["code"] == "openid-refused"


def test_a_provider_that_is_another_one_or_away_is_told(server: str, elsewhere: Elsewhere, schema: str) -> None:
    with house(server, schema, known_to(elsewhere, issuer=f"http://127.0.0.1:{free_port()}/")) as home:
        away = home.browser().get("/api/v1/session/openid", follow_redirects=False)
        assert (away.status_code, away.json()["code"]) == (503, "openid-away")
    elsewhere.lets_in(None, says_issuer="https://evil.example")
    with house(server, schema, known_to(elsewhere)) as home:
        assert home.browser().get("/api/v1/session/openid", follow_redirects=False).status_code == 503


def test_without_a_provider_there_is_no_such_way_in(server: str, schema: str) -> None:
    with house(server, schema) as home:
        for path in ("/api/v1/session/openid", CALLBACK):
            off = home.browser().get(path, follow_redirects=False)
            assert (off.status_code, off.json()["code"]) == (404, "openid-off")
