"""Sessions of a page: signing in and out, cookies, and changes that only our own page may ask for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from commands.members import RemoveMember, SuspendMember
from integration.signing_in import ORIGIN, House, a_password, house, sign_in, signed_in
from policy.identity.chosen import SigningIn
from workspaces import dropped_afterwards

PLAIN = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def home(server: str) -> Iterator[House]:
    """A workspace that people sign in to."""
    with dropped_afterwards(server) as name, house(server, name) as made:
        yield made


def test_a_member_signs_in_acts_from_the_web_and_signs_out(home: House) -> None:
    ann = home.member("sales", "administrator")
    with home.browser() as browser:
        answer = sign_in(browser, ann)
        assert answer.status_code == 201, answer.text
        shown = answer.json()
        assert shown["member"]["id"] == str(ann.id)
        assert shown["member"]["roles"] == ["sales", "administrator"]
        assert (shown["begun_by"], shown["member"]["signed_in_by"]) == ("password", "session")
        assert answer.headers["cache-control"] == "no-store"
        again = browser.get("/api/v1/session").json()
        assert again["csrf_token"] == shown["csrf_token"]
        sent = {"X-CSRF-Token": shown["csrf_token"]}
        made = browser.post("/api/v1/teams", json={"name": "华东一部"}, headers=sent)
        assert made.status_code == 201, made.text
        ((state,),) = home.sql(
            "SELECT convert_from(state, 'UTF8')::jsonb FROM events WHERE originator_id = %s", made.json()["id"]
        )
        assert (state["source"], state["actor"]) == ("web", f"member:{ann.id}")
        assert browser.delete("/api/v1/session", headers=sent).json() == {"ended": True}
        assert browser.get("/api/v1/session").status_code == 401


def test_the_cookie_is_for_this_service_alone(home: House) -> None:
    ann = home.member()
    cookie = sign_in(home.browser(), ann).headers["set-cookie"]
    parts = {each.strip().lower() for each in cookie.split(";")}
    assert cookie.startswith("__Host-genjin_session=")
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= parts
    assert not any(each.startswith("domain") for each in parts)
    plain = sign_in(home.browser(base=PLAIN), ann).headers["set-cookie"]
    assert plain.startswith("genjin_session=")
    assert "secure" not in plain.lower()


def test_the_database_keeps_no_cookie_and_no_password(home: House) -> None:
    ann = home.member()
    browser = signed_in(home.browser(), ann)
    held = browser.cookies["__Host-genjin_session"]
    rows = str(home.sql("SELECT * FROM sessions")) + str(home.sql("SELECT * FROM passwords"))
    assert held not in rows
    assert ann.password not in rows
    assert "$argon2id$" in rows


def test_a_session_is_a_new_one_at_each_sign_in(home: House) -> None:
    ann = home.member()
    browser = signed_in(home.browser(), ann)
    before = browser.cookies["__Host-genjin_session"]
    signed_in(browser, ann)
    assert browser.cookies["__Host-genjin_session"] != before
    old = home.browser()
    old.cookies.set("__Host-genjin_session", before)
    assert old.get("/api/v1/me").status_code == 401


def test_a_cookie_that_was_planted_lets_nobody_in(home: House) -> None:
    browser = home.browser()
    browser.cookies.set("__Host-genjin_session", "chosen-by-another", domain="crm.example.com")
    ann = home.member()
    signed_in(browser, ann)
    assert browser.cookies["__Host-genjin_session"] != "chosen-by-another"
    behind_tls = home.browser()
    behind_tls.cookies.set("genjin_session", browser.cookies["__Host-genjin_session"])
    assert behind_tls.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("sent", [{}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": "ü"}])
def test_a_change_needs_the_token_of_the_session(home: House, sent: dict[str, str]) -> None:
    browser = home.browser()
    sign_in(browser, home.member())
    refused = browser.post(
        "/api/v1/teams", json={"name": "x"}, headers=[(name.encode(), value.encode()) for name, value in sent.items()]
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf-token-missing")
    assert browser.get("/api/v1/me").status_code == 200


def test_the_token_of_another_session_does_not_do(home: House) -> None:
    one, other = signed_in(home.browser(), home.member()), signed_in(home.browser(), home.member())
    one.headers["X-CSRF-Token"] = other.headers["X-CSRF-Token"]
    assert one.post("/api/v1/teams", json={"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://crm.example.com"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": ORIGIN},
    ],
)
def test_another_sites_page_changes_nothing_and_signs_nobody_in(home: House, sent: dict[str, str]) -> None:
    ann = home.member()
    browser = signed_in(home.browser(), ann)
    refused = browser.post("/api/v1/teams", json={"name": "x"}, headers=sent)
    assert (refused.status_code, refused.json()["code"]) == (403, "foreign-origin")
    body = {"email": ann.address, "password": ann.password}
    assert home.browser().post("/api/v1/session", json=body, headers=sent).status_code == 403


def test_our_own_page_is_known_by_its_origin(home: House) -> None:
    browser = signed_in(home.browser(), home.member())
    sent = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/api/v1/teams", json={"name": "x"}, headers=sent).status_code == 201


def test_a_token_needs_no_proof_of_the_page_and_is_asked_first(home: House) -> None:
    ann, bob = home.member(), home.member()
    browser = signed_in(home.browser(), ann)
    del browser.headers["X-CSRF-Token"]
    made = browser.post("/api/v1/teams", json={"name": "x"}, headers=home.token(bob))
    assert made.status_code == 201, made.text
    assert browser.get("/api/v1/me", headers=home.token(bob)).json()["id"] == str(bob.id)
    assert browser.get("/api/v1/me", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_session_ends_unused_and_ends_anyway(home: House) -> None:
    browser = signed_in(home.browser(), home.member())
    home.sql("UPDATE sessions SET seen_at = seen_at - interval '13 hours'")
    assert browser.get("/api/v1/me").status_code == 401
    browser = signed_in(home.browser(), home.member())
    home.sql("UPDATE sessions SET expires_at = clock_timestamp()")
    assert browser.get("/api/v1/me").status_code == 401


def test_use_keeps_a_session_and_is_noted_beside_the_request(home: House) -> None:
    ann = home.member()
    browser = signed_in(home.browser(), ann)
    home.sql("UPDATE sessions SET seen_at = clock_timestamp() - interval '2 minutes' WHERE member_id = %s", ann.id)
    assert browser.get("/api/v1/me").status_code == 200
    query = "SELECT bool_or(seen_at > clock_timestamp() - interval '1 minute') FROM sessions WHERE member_id = %s"
    for _ in range(100):
        home.identity.uses.write()
        if home.sql(query, ann.id) == [(True,)]:
            return
        time.sleep(0.05)
    pytest.fail("the use was not noted within seconds")


@pytest.mark.parametrize("ends", [SuspendMember(), RemoveMember()])
def test_who_may_not_act_any_more_is_out(home: House, ends: SuspendMember | RemoveMember) -> None:
    ann = home.member("sales")
    browser, token = signed_in(home.browser(), ann), home.token(ann)
    assert browser.get("/api/v1/me").status_code == 200
    home.do(ends, ann.id)
    assert browser.get("/api/v1/me").status_code == 401
    assert home.browser().get("/api/v1/me", headers=token).status_code == 401
    assert sign_in(home.browser(), ann).status_code == 401


def test_a_password_is_changed_and_every_other_session_ends(home: House) -> None:
    ann = home.member()
    here, there = signed_in(home.browser(), ann), signed_in(home.browser("203.0.113.9"), ann)
    new = a_password()
    wrong = here.post("/api/v1/me/password", json={"current_password": a_password(), "new_password": new})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/current_password")
    done = here.post("/api/v1/me/password", json={"current_password": ann.password, "new_password": new})
    assert done.status_code == 200, done.text
    assert done.json()["sessions_ended"] >= 1
    assert here.get("/api/v1/me").status_code == 200
    assert there.get("/api/v1/me").status_code == 401
    assert sign_in(home.browser(), ann).status_code == 401
    assert sign_in(home.browser(), ann, new).status_code == 201


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("tea4two", "password-too-short"),
        ("x7" * 101, "password-too-long"),
        ("passwordpassword", "password-too-plain"),
        ("赵顾问", "password-too-short"),
    ],
)
def test_a_password_that_does_not_do_is_refused_in_words(home: House, password: str, code: str) -> None:
    ann = home.member()
    browser = signed_in(home.browser(), ann)
    body = {"current_password": ann.password, "new_password": password}
    refused = browser.post("/api/v1/me/password", json=body, headers={"Accept-Language": "zh-CN"})
    assert refused.status_code == 422
    shown = refused.json()
    assert (shown["code"], shown["errors"][0]["pointer"]) == (code, "/new_password")
    assert shown["detail"].endswith("。")
    assert password not in refused.text


def test_the_operator_may_say_where_the_service_is_reached(server: str) -> None:
    with (
        dropped_afterwards(server) as name,
        house(server, name, SigningIn(public_url="https://crm.example.org")) as home,
    ):
        browser = home.browser(base=PLAIN)
        answer = browser.post(
            "/api/v1/session",
            json={"email": (ann := home.member()).address, "password": ann.password},
            headers={"Origin": "https://crm.example.org"},
        )
        assert answer.status_code == 201
        assert answer.headers["set-cookie"].startswith("__Host-")


def test_how_long_a_session_lasts_is_told(home: House) -> None:
    shown = sign_in(home.browser(), home.member()).json()
    assert home.identity.sessions.lifetimes.most == timedelta(days=14)
    assert shown["created_at"] < shown["idle_until"] < shown["expires_at"]
