"""Owners over HTTP: opportunities belong to somebody, and what a leaver looked after is handed over as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from integration.serving import Api, serving


@pytest.fixture(scope="module")
def api(server: str) -> Iterator[Api]:
    """The service, with an administrator signed in."""
    with serving(server) as served:
        yield served


def owner_of(api: Api, opportunity: str) -> str | None:
    """The present owner."""
    owner_id: str | None = api.read(f"/opportunities/{opportunity}")["owner_id"]
    return owner_id


def refused(answer: Any, code: str, status: int = 409) -> dict[str, Any]:
    """The problem document of a refusal."""
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), answer.text
    return found


def test_a_salespersons_deal_is_its_own_with_team_and_region(api: Api) -> None:
    team = api.done("/teams", {"name": "T1b", "region": "华东"})["id"]
    chen = api.signed_in("sales", team_id=team)
    api.done(f"/members/{chen.member_id}", {"name": "小陈"}, method="PATCH")
    customer = chen.customer("甲公司", region="华东")
    deal = chen.opportunity(customer, "礼盒", amount="100")
    chen.position = api.head()
    found = chen.read(f"/opportunities/{deal}")
    assert (found["owner"], found["team"], found["region"]) == ("小陈", "T1b", "华东")
    assert (found["customer_region"], found["team_region"]) == ("华东", "华东")
    answer = chen.post(f"/opportunities/{deal}/owner", {"owner_id": str(chen.member_id)})
    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == 1
    groups = api.read("/funnel", by="region,team")["groups"]
    assert [each["key"]["team"] for each in groups if each["key"]["region"] == "华东"] == ["T1b"]


def test_a_salesperson_takes_what_nobody_owns_and_gives_nothing_away(api: Api) -> None:
    ann, ben = api.signed_in("sales"), api.signed_in("sales")
    deal = ann.opportunity(ann.customer("乙公司"))
    away = ann.post(f"/opportunities/{deal}/owner", {"owner_id": str(ben.member_id)})
    assert refused(away, "beyond-reach")["errors"][0]["pointer"] == "/owner_id"
    nobody = ann.post(f"/opportunities/{deal}/owner", {"owner_id": None})
    assert refused(nobody, "opportunity-owner-missing", 422)["errors"][0]["pointer"] == "/owner_id"
    api.done(f"/opportunities/{deal}/owner", {"owner_id": str(ben.member_id)})
    taken = ann.post(f"/opportunities/{deal}/owner", {"owner_id": str(ann.member_id)})
    assert refused(taken, "opportunity-owned-by-another")["detail"].startswith("The opportunity belongs to")
    assert ben.post(f"/opportunities/{deal}/owner", {"owner_id": str(ben.member_id)}).status_code == 200
    others = api.opportunity(api.customer("丙公司"))
    assert ann.post(f"/opportunities/{others}/owner", {"owner_id": str(ann.member_id)}).status_code == 404


def test_a_batch_gives_every_opportunity_an_owner(api: Api) -> None:
    ann = api.signed_in("sales")
    hers, nobodys = ann.customer("丁公司"), api.customer("戊公司")
    commands = [
        {"command": "open-opportunity", "to": to, "body": {"name": "x", "amount": "1"}} for to in (hers, nobodys)
    ]
    results = api.post("/commands", {"commands": commands}).json()["results"]
    assert [each["status"] for each in results] == [200, 200], results
    api.position = api.head()
    assert owner_of(api, results[0]["id"]) == str(ann.member_id)
    assert owner_of(api, results[1]["id"]) == str(api.member_id)


def test_all_that_a_leaver_owns_is_handed_over_but_what_it_won(api: Api) -> None:
    leaver, heir = api.signed_in("sales"), api.signed_in("sales")
    archived, kept, erased = (leaver.customer(name) for name in ("己公司", "庚公司", "辛公司"))
    running, lost, won, of_erased = (leaver.opportunity(each) for each in (kept, kept, kept, erased))
    leaver.done(f"/opportunities/{lost}/loss", {"loss_reason": "价格"})
    leaver.done(f"/opportunities/{won}/win", {"amount": "1"})
    leaver.done(f"/customers/{archived}/archive")
    api.done(f"/customers/{erased}/erasure", {"reason": "客户要求"})
    removal = f"/members/{leaver.member_id}/removal"
    said = refused(api.post(removal), "member-still-owns")["detail"]
    assert "3 customers (archived ones among them) and 3 opportunities" in said
    handover = f"/members/{leaver.member_id}/handover"
    assert refused(api.post(handover, {"member_id": str(leaver.member_id)}), "hand-over-to-self", 422)
    api.done(handover, {"member_id": str(heir.member_id), "reason": "离职"})
    api.position = api.head()
    for customer in (archived, kept, erased):
        assert api.read(f"/customers/{customer}")["owner_id"] == str(heir.member_id)
    for deal in (running, lost, of_erased):
        assert owner_of(api, deal) == str(heir.member_id), deal
    assert owner_of(api, won) == str(leaver.member_id)
    api.done(removal)
    api.done(f"/opportunities/{won}/reopen", {"reason": "合同未生效"})
    assert owner_of(api, won) == str(heir.member_id)


def test_what_was_put_away_while_its_owner_was_here_does_not_come_back_as_a_suspended_members(api: Api) -> None:
    away, manager = api.signed_in("sales"), api.signed_in("manager")
    customer = away.customer("壬公司")
    deal = away.opportunity(customer)
    away.done(f"/opportunities/{deal}/loss", {"loss_reason": "价格"})
    away.done(f"/customers/{customer}/archive")
    api.done(f"/members/{away.member_id}/suspension")
    manager.done(f"/customers/{customer}/reopen")
    assert api.get(f"/customers/{customer}").json()["owner_id"] == str(manager.member_id)
    manager.done(f"/opportunities/{deal}/reopen")
    api.position = api.head()
    assert owner_of(api, deal) == str(manager.member_id)
    for path, body in (
        (f"/customers/{customer}/opportunities", {"name": "x", "owner_id": str(away.member_id)}),
        (f"/opportunities/{deal}/owner", {"owner_id": str(away.member_id)}),
        (f"/customers/{customer}/owner", {"owner_id": str(away.member_id)}),
        (f"/customers/{customer}/follow-ups", {"method": "phone", "follower_id": str(away.member_id)}),
    ):
        refused(api.post(path, body), "member-suspended")
    unknown = {"method": "phone", "follower_id": str(uuid4())}
    refused(api.post(f"/customers/{customer}/follow-ups", unknown), "invalid-fields", 422)
