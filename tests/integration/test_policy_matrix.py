"""Every route, in every role, with records of one's own, of one's team and of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from aggregates.choices import Role
from api.changes.writes import WRITES
from api.identity.routes import ROUTES
from integration.serving import Api, serving
from policy.masking import masked
from policy.table import GRANTS, Scope
from projections.engine.tables.builds import live_build
from projections.tracking import Tracking

READS: Mapping[str, str] = {
    "GET /customers": "customers.read",
    "GET /customers/{id}": "customers.read",
    "GET /customers/{id}/history": "history.read",
    "GET /tracking": "customers.read",
    "GET /tracking/due": "customers.read",
    "GET /tracking/won": "customers.read",
    "GET /opportunities": "opportunities.read",
    "GET /opportunities/{id}": "opportunities.read",
    "GET /receivables": "receivables.read",
    "GET /receivables/overdue": "receivables.read",
    "GET /receivables/{id}": "receivables.read",
    "GET /receivables/aging": "reports.read",
    "GET /receivables/statuses": "reports.read",
    "GET /receivables/punctuality": "reports.read",
    "GET /receivables/statements": "reports.read",
    "GET /funnel": "reports.read",
    "GET /funnel/conversion": "reports.read",
    "GET /funnel/sources": "reports.read",
    "GET /members": "directory.read",
    "GET /members/{id}": "directory.read",
    "GET /teams": "directory.read",
    "GET /teams/{id}": "directory.read",
    "GET /products": "directory.read",
    "GET /products/{id}": "directory.read",
    "GET /pipelines": "directory.read",
    "GET /pipelines/{id}": "directory.read",
    "GET /workspace": "directory.read",
    "GET /audit/events": "audit.read",
    "GET /audit/verification": "audit.read",
    "GET /audit/accesses": "audit.read",
    "POST /customers/{id}/contact-details": "contacts.reveal",
    "GET /customers/{id}/disclosure": "personal.disclose",
    "GET /customers/{id}/contacts/{contact_id}/disclosure": "personal.disclose",
    "GET /audit/checkpoints": "audit.read",
    "GET /audit/checkpoints/{position}": "audit.read",
    "GET /audit/public-key": "audit.read",
    "GET /events": "events.read",
    "GET /me/permissions": "permissions.read",
    "GET /imports": "imports.run",
    "POST /imports": "imports.run",
    "GET /imports/profiles": "imports.run",
    "GET /imports/{id}": "imports.run",
    "GET /imports/{id}/events": "imports.run",
    "DELETE /imports/{id}": "imports.run",
    "GET /projections": "projections.read",
    "GET /projections/{name}/rebuilds": "projections.read",
    "GET /projections/{name}/rebuilds/{job_id}": "projections.read",
    "POST /projections/{name}/rebuilds": "projections.rebuild",
    "DELETE /projections/{name}/rebuilds/{job_id}": "projections.rebuild",
    "GET /projections/{name}/copies": "projections.read",
    "GET /projections/{name}/copies/{job_id}": "directory.read",
}
WRITTEN: Mapping[str, str] = {
    "POST /customers": "customers.register",
    "PATCH /customers/{id}": "customers.change",
    "POST /customers/{id}/follow-ups": "customers.change",
    "POST /customers/{id}/contacts": "customers.change",
    "PATCH /customers/{id}/contacts/{contact_id}": "customers.change",
    "DELETE /customers/{id}/contacts/{contact_id}": "customers.change",
    "POST /customers/{id}/owner": "customers.assign",
    "POST /customers/{id}/category": "customers.change",
    "POST /customers/{id}/lifecycle": "customers.change",
    "POST /customers/{id}/intent": "customers.change",
    "POST /customers/{id}/tags": "customers.change",
    "DELETE /customers/{id}/tags/{tag}": "customers.change",
    "POST /customers/{id}/archive": "customers.archive",
    "POST /customers/{id}/reopen": "customers.archive",
    "POST /customers/{id}/contacts/{contact_id}/erasure": "personal.erase",
    "POST /customers/{id}/erasure": "personal.erase",
    "POST /customers/{id}/opportunities": "opportunities.change",
    "POST /customers/{id}/receivables": "receivables.change",
    "POST /opportunities": "opportunities.change",
    "PATCH /opportunities/{id}": "opportunities.change",
    "POST /opportunities/{id}/stage": "opportunities.change",
    "POST /opportunities/{id}/stage/back": "opportunities.change",
    "PATCH /opportunities/{id}/stages/{entry}": "opportunities.correct",
    "POST /opportunities/{id}/amount": "opportunities.change",
    "POST /opportunities/{id}/expected-close": "opportunities.change",
    "POST /opportunities/{id}/owner": "opportunities.assign",
    "POST /opportunities/{id}/win": "opportunities.change",
    "POST /opportunities/{id}/loss": "opportunities.change",
    "POST /opportunities/{id}/reopen": "opportunities.change",
    "POST /receivables": "receivables.change",
    "POST /receivables/{id}/payments": "receivables.settle",
    "POST /receivables/{id}/payments/{payment_id}/reversal": "receivables.settle",
    "POST /receivables/{id}/due-date": "receivables.change",
    "POST /receivables/{id}/reminders": "receivables.remind",
    "POST /receivables/{id}/dispute": "receivables.change",
    "POST /receivables/{id}/dispute/settlement": "receivables.change",
    "POST /receivables/{id}/write-off": "receivables.settle",
    "POST /teams": "members.change",
    "PATCH /teams/{id}": "members.change",
    "POST /teams/{id}/region": "members.change",
    "POST /teams/{id}/parent": "members.change",
    "POST /members": "members.change",
    "PATCH /members/{id}": "members.change",
    "POST /members/{id}/team": "members.change",
    "POST /members/{id}/invitation": "members.change",
    "POST /members/{id}/roles": "members.change",
    "POST /members/{id}/suspension": "members.change",
    "DELETE /members/{id}/suspension": "members.change",
    "POST /members/{id}/removal": "members.change",
    "POST /members/{id}/erasure": "personal.erase",
    "POST /members/{id}/handover": "customers.assign",
    "POST /products": "catalogue.change",
    "PATCH /products/{id}": "catalogue.change",
    "POST /pipelines": "catalogue.change",
    "POST /pipelines/{id}/stages": "catalogue.change",
    "PATCH /workspace": "settings.change",
}
OF_EACH_COMMAND = "POST /commands"
"""A batch asks for each of its commands."""
SOMEBODYS = ("customers", "opportunities", "receivables")
"""What belongs to somebody."""
MOBILE = "13812345678"


@dataclass
class Office:
    """A company of two teams with a record of each kind in each hand, and somebody in every role in the first team."""

    api: Api
    as_role: Mapping[Role, Api]
    ids: Mapping[str, Mapping[str, str]]
    """By whose it is (mine, team, other) and kind; `mine` differs by role."""
    anything: Mapping[str, str]

    def id_of(self, kind: str, whose: str, role: Role) -> str:
        """A record of that kind."""
        return self.ids[f"{whose} {role}" if whose == "mine" else whose][kind]


@pytest.fixture(scope="module")
def office(server: str) -> Iterator[Office]:
    """The company."""
    with serving(server) as api:
        above = api.done("/teams", {"name": "总部"})["id"]
        first = api.done("/teams", {"name": "一部", "parent_id": above})["id"]
        below = api.done("/teams", {"name": "一组", "parent_id": first})["id"]
        second = api.done("/teams", {"name": "二部", "parent_id": above})["id"]
        as_role = {role: api.signed_in(role, team_id=first) for role in Role}
        ids = {f"mine {role}": _records(api, str(as_role[role].member_id)) for role in Role}
        ids["team"] = _records(api, str(api.signed_in("sales", team_id=below).member_id))
        ids["other"] = _records(api, str(api.signed_in("sales", team_id=second).member_id))
        anything = {
            "members": str(api.signed_in("sales").member_id),
            "teams": api.done("/teams", {"name": "三部"})["id"],
            "products": api.done("/products", {"name": "云"})["id"],
            "pipelines": api.done("/pipelines", {"name": "甲", "stages": [{"key": "a", "zh": "a", "en": "a"}]})["id"],
        }
        api.read("/tracking")
        yield Office(api, as_role, ids, anything)


def _records(api: Api, owner_id: str) -> dict[str, str]:
    customer = api.customer(f"公司{owner_id[-6:]}", owner_id=owner_id, contacts=[{"name": "王", "mobile": MOBILE}])
    return {
        "owner_id": owner_id,
        "customers": customer,
        "opportunities": api.opportunity(customer),
        "receivables": api.receivable(customer),
    }


def test_every_route_is_in_the_table(office: Office) -> None:
    document = office.api.client.get("/api/v1/openapi.json").json()
    routes = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, operations in document["paths"].items()
        for method in operations
        if path.startswith("/api/v1/")
    }
    signing_in = {f"{route.method} {route.path}" for route in ROUTES}
    assert routes - OPEN - signing_in == {*READS, *WRITTEN, OF_EACH_COMMAND}
    assert WRITTEN.keys() == {f"{write.method} {write.path}" for write in WRITES}


OPEN = {"GET /openapi.json", "GET /docs", "GET /problems/{code}"}
"""What anybody may read who reaches the service: how it is used."""


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("whose", ["mine", "team", "other"])
def test_a_role_reaches_what_the_table_says_by_every_route(office: Office, role: Role, whose: str) -> None:
    api = office.as_role[role]
    for route, permission in {**READS, **WRITTEN}.items():
        method, _, path = route.partition(" ")
        kind = path.split("/")[1]
        body, where = _body(office, route, whose, role), _filled(office, path, kind, whose, role)
        answer = api.request(method, where, json=body, params=_asked(route))
        scope = GRANTS[permission][role]
        if scope is Scope.NONE:
            assert answer.status_code == 403, f"{role} {route}: {answer.status_code} {answer.text}"
            assert answer.json()["code"] == "forbidden"
        elif kind in SOMEBODYS and "{id}" in path and not _reaches(scope, whose):
            assert answer.status_code == 404, f"{role} {route} of {whose}: {answer.status_code} {answer.text}"
            assert answer.json()["code"] == "not-found"
        else:
            assert answer.status_code not in (401, 403, 500), f"{role} {route} of {whose}: {answer.text}"
            is_made_up = kind in ("imports", "audit") or "{job_id}" in path or path.endswith("{contact_id}/disclosure")
            assert answer.status_code != 404 or is_made_up, f"{role} {route} of {whose}: {answer.text}"


def _reaches(scope: Scope, whose: str) -> bool:
    return scope is Scope.ALL or whose == "mine" or (whose == "team" and scope is Scope.TEAM)


def _filled(office: Office, path: str, kind: str, whose: str, role: Role) -> str:
    """The address with the ids it needs."""
    found = office.id_of(kind, whose, role) if kind in SOMEBODYS else office.anything.get(kind, str(uuid4()))
    values = {"id": found, "contact_id": str(uuid4()), "payment_id": str(uuid4()), "job_id": str(uuid4())}
    return path.format(**values, tag="a", entry="0", name="tracking", position="1")


def _body(office: Office, route: str, whose: str, role: Role) -> Any:
    write = next((write for write in WRITES if f"{write.method} {write.path}" == route), None)
    if route.endswith("/contact-details"):
        return {"reason": "回访"}
    if write is None:
        return None
    if route.endswith("/erasure"):
        return {}
    body = dict(write.example)
    body = {name: value for name, value in body.items() if not name.endswith("_id")}
    if route.endswith("/owner"):
        body["owner_id"] = office.id_of("owner_id", whose, role)
    return body | ({"team_id": None} if route == "POST /members/{id}/team" else {})


def _asked(route: str) -> dict[str, Any]:
    if route == "GET /tracking/won":
        return {"from_on": "2026-01-01", "until_on": "2026-12-31"}
    return {}


@pytest.mark.parametrize("role", Role)
def test_a_batch_does_only_what_the_role_may(office: Office, role: Role) -> None:
    customer = office.id_of("customers", "other", role)
    command = {"command": "tag", "to": customer, "body": {"tag": "批量"}}
    result = office.as_role[role].post("/commands", {"commands": [command]}).json()["results"][0]
    scope = GRANTS["customers.change"][role]
    expected = {Scope.ALL: 200, Scope.NONE: 403}.get(scope, 404)
    assert result["status"] == expected, result


@pytest.mark.parametrize("role", Role)
def test_lists_hold_what_the_role_reaches(office: Office, role: Role) -> None:
    api, head = office.as_role[role], office.api.head()
    for path, kind, key in LISTS:
        found = {row[key] for row in api.get(path, limit=200, after=head).json()["items"]}
        for whose in ("mine", "team", "other"):
            reached = _reaches(GRANTS[f"{kind}.read"][role], whose)
            assert (office.id_of(kind, whose, role) in found) == reached, (path, whose)


LISTS = (
    ("/tracking", "customers", "customer_id"),
    ("/customers", "customers", "customer_id"),
    ("/opportunities", "opportunities", "id"),
    ("/receivables", "receivables", "id"),
    ("/receivables/overdue", "receivables", "id"),
)


@pytest.mark.parametrize("role", Role)
def test_numbers_are_masked_for_who_may_not_see_them(office: Office, role: Role) -> None:
    api, head = office.as_role[role], office.api.head()
    sees = GRANTS["contacts.see"][role] is not Scope.NONE
    shown = MOBILE if sees else masked(MOBILE)
    customer = office.id_of("customers", "mine", role)
    rows = api.get("/tracking", limit=200, after=head).json()["items"]
    assert next(row for row in rows if row["customer_id"] == customer)["contact_mobile"] == shown
    assert api.get(f"/customers/{customer}").json()["contacts"][0]["mobile"] == shown
    history = api.get(f"/customers/{customer}/history", after=head).text
    events = api.get("/events", limit=1000).text
    for text in (history, events, str(rows)):
        assert (MOBILE in text) == sees
    for asked in ({"contact_mobile[eq]": MOBILE}, {"phone[contains]": "138"}, {"address[isnull]": "true"}):
        answer = api.get("/tracking", **asked)
        assert answer.status_code == (200 if sees else 403), answer.text
        assert sees or answer.json()["code"] == "masked-field"


def test_a_number_is_found_whole_by_who_sees_it_in_part_only(office: Office) -> None:
    finance, manager = office.as_role[Role.FINANCE], office.as_role[Role.MANAGER]
    every = len(manager.get("/tracking", q=MOBILE, limit=200).json()["items"])
    assert every > 1
    assert len(finance.get("/tracking", q=MOBILE, limit=200).json()["items"]) == every
    assert len(manager.get("/tracking", q=MOBILE[:8], limit=200).json()["items"]) == every
    assert finance.get("/tracking", q=MOBILE[:8], limit=200).json()["items"] == []


def test_what_was_handed_over_is_seen_by_its_new_owner_alone_also_in_the_past(office: Office) -> None:
    api, role = office.api, Role.SALES
    giver, taker = api.signed_in("sales"), api.signed_in("sales")
    customer = api.customer("交接公司", owner_id=str(giver.member_id))
    seen = api.read("/tracking", limit=1)["position"]
    event = next(each for each in api.get("/events", after=seen - 1).json()["items"] if each["position"] == seen)
    api.done(f"/customers/{customer}/owner", {"owner_id": str(taker.member_id)})
    api.read("/tracking")
    for who, sees in ((giver, False), (taker, True)):
        for path, moment in (("/tracking", {"as_of": event["recorded_at"]}), ("/tracking", {})):
            rows = who.get(path, limit=200, **moment).json()["items"]
            assert (customer in {row["customer_id"] for row in rows}) == sees
        for path in (f"/customers/{customer}", f"/customers/{customer}/history"):
            assert (who.get(path).status_code == 200) == sees
            assert (who.get(path, as_of=event["recorded_at"]).status_code == 200) == sees
        assert (who.get(f"/customers/{customer}", version=1).status_code == 200) == sees
    assert office.as_role[role].get(f"/customers/{customer}").status_code == 404


def test_an_answer_is_not_repeated_to_a_former_owner(office: Office) -> None:
    api, giver = office.api, office.api.signed_in("sales")
    customer, key = giver.customer("重复公司"), {"Idempotency-Key": str(uuid4())}
    path = f"/customers/{customer}/tags"
    assert giver.post(path, {"tag": "a"}, headers=key).status_code == 200
    assert giver.post(path, {"tag": "a"}, headers=key).headers["idempotency-replayed"] == "true"
    api.done(f"/customers/{customer}/owner", {"owner_id": None})
    assert giver.post(path, {"tag": "a"}, headers=key).status_code == 404


def test_what_is_not_theirs_looks_as_if_it_were_not_there(office: Office) -> None:
    sales = office.as_role[Role.SALES]
    other = office.id_of("customers", "other", Role.SALES)
    nothing = str(uuid4())
    for path in ("/customers/{}", "/customers/{}/history", "/customers/{}?version=1", "/customers/{}?version=99"):
        theirs, none = sales.get(path.format(other)), sales.get(path.format(nothing))
        assert theirs.status_code == none.status_code == 404
        assert theirs.text.replace(other, "") == none.text.replace(nothing, "")
    for command in ("tags", "archive"):
        theirs = sales.post(f"/customers/{other}/{command}", {"tag": "a"} if command == "tags" else {})
        none = sales.post(f"/customers/{nothing}/{command}", {"tag": "a"} if command == "tags" else {})
        assert theirs.text.replace(other, "") == none.text.replace(nothing, "")


def test_a_code_that_is_taken_does_not_tell_by_whom(office: Office) -> None:
    office.api.customer("占号公司", legacy_code="A-77")
    refused = office.as_role[Role.SALES].post("/customers", {"kind": "company", "name": "x", "legacy_code": "A-77"})
    assert (refused.status_code, refused.json()["code"]) == (409, "claim-taken-elsewhere")
    assert "holder" not in refused.text


def test_who_makes_only_its_own_makes_it_its_own(office: Office) -> None:
    sales, other = office.as_role[Role.SALES], office.api.signed_in("sales")
    made = sales.done("/customers", {"kind": "company", "name": "自己的"})
    assert sales.get(f"/customers/{made['id']}").json()["owner_id"] == str(sales.member_id)
    refused = sales.post("/customers", {"kind": "company", "name": "x", "owner_id": str(other.member_id)})
    assert (refused.status_code, refused.json()["code"]) == (409, "beyond-reach")


def test_a_cursor_leads_nobody_else_on(office: Office) -> None:
    manager = office.as_role[Role.MANAGER]
    page = manager.get("/tracking", limit=1).json()
    assert manager.get("/tracking", limit=1, cursor=page["next"]).status_code == 200
    other = office.api.get("/tracking", limit=1, cursor=page["next"])
    assert (other.status_code, other.json()["errors"][0]["code"]) == (422, "unfit-cursor")


def test_the_feed_skips_what_is_not_seen_and_says_how_far_it_looked(office: Office) -> None:
    office.api.position = office.api.head()
    office.api.read("/tracking")
    office.api.read("/opportunities")
    sales, everything = office.as_role[Role.SALES], office.api.get("/events", limit=1000).json()
    mine = office.ids[f"mine {Role.SALES}"]["customers"]
    found = sales.get("/events", limit=1000).json()
    assert {event["customer_id"] for event in found["items"]} >= {mine}
    assert office.ids["other"]["customers"] not in {event["customer_id"] for event in found["items"]}
    assert (found["next"], found["position"]) == (everything["next"], everything["position"])


def test_reports_add_up_what_is_seen(office: Office) -> None:
    sales, manager = office.as_role[Role.SALES], office.as_role[Role.MANAGER]
    few, many = (each.get("/receivables/aging", after=office.api.head()).json()["groups"] for each in (sales, manager))
    assert few[0]["invoiced"]["count"] < many[0]["invoiced"]["count"]


def test_what_may_be_done_is_told_and_explained_to_administrators(office: Office) -> None:
    supervisor, administrator = office.as_role[Role.SUPERVISOR], office.as_role[Role.ADMINISTRATOR]
    told = {each["permission"]: each["scope"] for each in supervisor.get("/me/permissions").json()["permissions"]}
    assert told == {
        name: None if granted[Role.SUPERVISOR] is Scope.NONE else granted[Role.SUPERVISOR].value
        for name, granted in GRANTS.items()
    }
    assert supervisor.get("/me/permissions", explain="true").status_code == 403
    asked = {"explain": "true", "member_id": str(supervisor.member_id)}
    explained = administrator.get("/me/permissions", **asked).json()
    reading = next(each for each in explained["permissions"] if each["permission"] == "customers.read")
    assert reading["because_of"] == ["supervisor"]
    assert str(supervisor.member_id) in reading["members"]
    assert administrator.get("/me/permissions", member_id=str(uuid4())).status_code == 404


def test_the_database_masks_as_the_service_does(office: Office) -> None:
    texts = [None, "", "1", "1234567", "1234567890", "12345678901", "王" * 7, "+8613812345678", "a@b.example.com"]
    with office.api.services.database.connection() as connection:
        found = [connection.execute("SELECT masked(%s)", [text]).fetchone()[0] for text in texts]
    assert found == [masked(text) for text in texts]


def test_a_new_state_and_new_roles_are_known_at_once(office: Office) -> None:
    directory, member = office.api.services.directory, office.api.signed_in("sales")
    where = f"/members/{member.member_id}"
    assert directory.member(member.member_id).may_act
    office.api.done(f"{where}/suspension")
    assert not directory.member(member.member_id).may_act
    office.api.request("DELETE", f"{where}/suspension")
    office.api.done(f"{where}/roles", {"roles": ["finance"]})
    assert directory.member(member.member_id).roles == {"finance"}
    office.api.done(f"{where}/removal")
    assert (directory.member(member.member_id).may_act, directory.member(member.member_id).roles) == (False, set())


def test_a_batch_tells_nothing_of_what_others_own(office: Office) -> None:
    sales = office.as_role[Role.SALES]
    new = {"command": "register-customer", "if_match": 1, "body": {"kind": "company", "name": "y"}}
    told = []
    for to in (office.ids["other"]["customers"], office.ids["other"]["receivables"], str(uuid4())):
        result = sales.post("/commands", {"commands": [{**new, "to": to}]}).json()["results"][0]
        told.append({name: value for name, value in result.items() if name not in ("id", "position")})
    assert told[0] == told[1] == told[2]


def test_the_feed_loses_nothing_that_is_ones_own(office: Office) -> None:
    sales = office.as_role[Role.SALES]
    at, own = office.api.head(), set()
    for number in range(20):
        made = sales.post("/customers", {"kind": "company", "name": f"新{number}"}).json()
        own.add(made["id"])
        page = sales.get("/events", after=at).json()
        at = page["next"]
        own -= {event["customer_id"] for event in page["items"]}
    while own and at < office.api.head():
        page = sales.get("/events", after=at).json()
        at = page["next"]
        own -= {event["customer_id"] for event in page["items"]}
    assert not own


def test_without_views_nothing_is_seen(office: Office) -> None:
    services, sales = office.api.services, office.as_role[Role.SALES]
    with services.database.connection(autocommit=True) as connection:
        build = live_build(connection, Tracking)
        assert build is not None
        live = build.schema_name
        connection.execute(f'ALTER SCHEMA "{live}_s" RENAME TO "{live}_away"'.encode())
        try:
            assert sales.get("/tracking").status_code >= 500
        finally:
            connection.execute(f'ALTER SCHEMA "{live}_away" RENAME TO "{live}_s"'.encode())
    assert sales.get("/tracking").status_code == 200


def test_a_changed_number_is_seen_to_be_another_though_both_are_masked(office: Office) -> None:
    api, finance = office.api, office.as_role[Role.FINANCE]
    customer = api.customer("换号公司", contacts=[{"name": "李", "mobile": "13811115678"}])
    contact = api.get(f"/customers/{customer}").json()["contacts"][0]["contact_id"]
    api.request("PATCH", f"/customers/{customer}/contacts/{contact}", json={"mobile": "13822225678"})
    newest = finance.get(f"/customers/{customer}/history", after=api.head(), limit=1).json()["items"][0]
    assert [(each["field"], each["before"], each["after"]) for each in newest["changes"]] == [
        ("mobile", "138****5678", "138****5678")
    ]
    assert "138****5678" in newest["sentence"]


def test_somebody_in_two_roles_sees_what_either_sees(office: Office) -> None:
    both = office.api.signed_in("sales", "finance")
    own = both.customer("双角色", contacts=[{"name": "赵", "mobile": "13966667777"}])
    rows = {
        row["customer_id"]: row for row in both.get("/tracking", limit=200, after=office.api.head()).json()["items"]
    }
    assert rows[own]["contact_mobile"] == "13966667777"
    assert rows[office.ids["other"]["customers"]]["contact_mobile"] == masked(MOBILE)
    assert both.get("/tracking", **{"phone[isnull]": "true"}).status_code == 403


def test_a_supervisor_hands_over_only_what_its_own_people_look_after(office: Office) -> None:
    api, supervisor = office.api, office.as_role[Role.SUPERVISOR]
    team_id = api.get(f"/members/{supervisor.member_id}").json()["team_id"]
    leaver, heir, stranger = (api.signed_in("sales", team_id=team_id if own else None) for own in (True, True, False))
    customers = [leaver.customer(f"离职{number}") for number in range(3)]
    deal = leaver.opportunity(customers[0])
    api.read("/tracking")
    refused = supervisor.post(f"/members/{stranger.member_id}/handover", {"member_id": str(heir.member_id)})
    assert refused.status_code == 404
    assert api.post(f"/members/{leaver.member_id}/removal").json()["code"] == "member-still-owns"
    supervisor.done(f"/members/{leaver.member_id}/handover", {"member_id": str(heir.member_id), "reason": "离职"})
    assert api.get(f"/customers/{customers[2]}").json()["owner_id"] == str(heir.member_id)
    assert leaver.get(f"/customers/{customers[0]}").status_code == 404
    assert heir.get(f"/opportunities/{deal}", after=api.head()).status_code == 200
    events = [each for each in api.get("/events", limit=1000).json()["items"] if each["reason"] == "离职"]
    assert len({each["command_id"] for each in events}) == 1
    assert [each["topic"] for each in events].count("customer.owner-assigned") == 3
    api.done(f"/members/{leaver.member_id}/removal")
