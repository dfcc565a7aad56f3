"""Who looked at personal data, and who was refused what, is kept for auditors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import errors, sql

from integration.serving import Api, serving
from policy.accesses import BULK

MOBILE, EMAIL = "13912345678", "wang@example.com"


@pytest.fixture(scope="module")
def api(server: str) -> Iterator[Api]:
    """A company with more customers than a page has."""
    with serving(server) as api:
        for number in range(BULK + 1):
            contact = {"name": "王", "mobile": MOBILE, "email": EMAIL}
            api.customer(f"客户{number}", phone="010-62345678", address="北京路1号", contacts=[contact])
        api.read("/tracking")
        yield api


@pytest.fixture(scope="module")
def auditor(api: Api) -> Api:
    """Somebody who looks at who looked."""
    return api.signed_in("auditor")


def seen(auditor: Api, **asked: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = auditor.get("/audit/accesses", limit=200, **asked).json()["items"]
    return found


def test_masked_details_are_revealed_with_a_reason_that_is_kept(api: Api, auditor: Api) -> None:
    finance = api.signed_in("finance")
    customer = finance.get("/tracking", limit=1, after=api.position).json()["items"][0]["customer_id"]
    assert MOBILE not in finance.get(f"/customers/{customer}").text
    revealed = finance.post(f"/customers/{customer}/contact-details", {"reason": "催收电话"}).json()
    assert (revealed["phone"], revealed["address"]) == ("+861062345678", "北京路1号")
    assert [(each["mobile"], each["email"]) for each in revealed["contacts"]] == [(MOBILE, EMAIL)]
    kept = seen(auditor, customer_id=customer, kind="reveal")
    assert [(each["actor"], each["reason"]) for each in kept] == [(f"member:{finance.member_id}", "催收电话")]


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": 1}, {"reason": "x", "why": 1}])
def test_nothing_is_revealed_without_a_reason(api: Api, auditor: Api, body: dict[str, object]) -> None:
    finance = api.signed_in("finance")
    customer = api.customer()
    before = len(seen(auditor))
    refused = finance.post(f"/customers/{customer}/contact-details", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-fields")
    assert len(seen(auditor)) == before


def test_details_of_others_are_not_revealed(api: Api) -> None:
    sales, customer = api.signed_in("sales"), api.customer()
    assert sales.post(f"/customers/{customer}/contact-details", {"reason": "x"}).status_code == 404
    assert api.signed_in("auditor").post(f"/customers/{customer}/contact-details", {}).status_code == 403


def test_what_was_refused_is_kept_and_what_a_rule_forbids_is_not(api: Api, auditor: Api) -> None:
    sales, customer = api.signed_in("sales"), api.customer()
    actor = f"member:{sales.member_id}"
    sales.post("/products", {"name": "云"})
    sales.get("/audit/events")
    sales.post("/customers", {"kind": "company", "name": "x", "owner_id": str(api.member_id)})
    sales.post("/commands", {"commands": [{"command": "add-product", "body": {"name": "云"}}]})
    own = sales.done("/customers", {"kind": "company", "name": "y"})["id"]
    sales.post(f"/customers/{own}/reopen")
    sales.post(f"/customers/{customer}/tags", {"tag": "a"})
    kept = [each["action"] for each in reversed(seen(auditor, actor=actor))]
    assert kept == ["add-product", "read-audit", "beyond-reach", "add-product"]


def test_a_masked_field_that_is_asked_by_is_kept(api: Api, auditor: Api) -> None:
    finance = api.signed_in("finance")
    assert finance.get("/tracking", **{"phone[eq]": "010-62345678"}).status_code == 403
    assert [each["action"] for each in seen(auditor, actor=f"member:{finance.member_id}")] == ["phone"]


@pytest.mark.parametrize(
    "typed", ["010-62345678", "+86 10 6234 5678", "0086 10 62345678", "139 1234 5678", "+86 13912345678"]
)
def test_a_number_is_found_by_all_of_its_digits_alone(api: Api, typed: str) -> None:
    finance = api.signed_in("finance")
    assert len(finance.get("/tracking", q=typed, limit=200, after=api.position).json()["items"]) > BULK
    assert finance.get("/tracking", q=typed[:-1], limit=200).json()["items"] == []


def test_reading_in_bulk_is_kept_and_a_page_is_not(api: Api, auditor: Api) -> None:
    manager, finance = api.signed_in("manager"), api.signed_in("finance")
    api.read("/tracking")
    for who in (manager, finance):
        assert len(who.get("/tracking", limit=BULK).json()["items"]) == BULK
        assert len(who.get("/tracking", limit=BULK + 1).json()["items"]) == BULK + 1
        assert who.get("/events", limit=BULK + 1).status_code == 200
    kept = seen(auditor, actor=f"member:{manager.member_id}", kind="bulk")
    assert [(each["action"], each["rows"]) for each in kept] == [("read-events", BULK + 1), ("read-tracking", BULK + 1)]
    assert seen(auditor, actor=f"member:{finance.member_id}") == []


def test_accesses_come_in_pages_the_newest_first(api: Api, auditor: Api) -> None:
    sales = api.signed_in("sales")
    actor = f"member:{sales.member_id}"
    for _ in range(3):
        sales.get("/audit/events")
    first = auditor.get("/audit/accesses", actor=actor, limit=2).json()
    rest = auditor.get("/audit/accesses", actor=actor, limit=2, cursor=first["next"]).json()
    ids = [each["id"] for each in (*first["items"], *rest["items"])]
    assert (len(ids), ids, rest["next"]) == (3, sorted(ids, reverse=True), None)
    other = auditor.get("/audit/accesses", actor=actor, limit=2, kind="bulk", cursor=first["next"])
    assert other.json()["errors"][0]["code"] == "unfit-cursor"


def test_accesses_are_found_by_when_they_were(api: Api, auditor: Api) -> None:
    sales = api.signed_in("sales")
    actor, now = f"member:{sales.member_id}", datetime.now(UTC)
    sales.get("/audit/events")
    soon = (now + timedelta(minutes=1)).isoformat()
    assert len(seen(auditor, actor=actor, at_from=(now - timedelta(minutes=1)).isoformat(), at_until=soon)) == 1
    assert seen(auditor, actor=actor, at_from=soon) == []


def test_the_service_cannot_change_what_was_kept(api: Api, server: str) -> None:
    schema = api.services.database.schema
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute("SET ROLE genjin_app")
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        for statement in ("UPDATE accesses SET reason = NULL", "DELETE FROM accesses", "TRUNCATE accesses"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)
