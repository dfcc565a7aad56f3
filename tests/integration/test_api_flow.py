"""A salesperson's weeks over HTTP: every command and every read that is part of the main job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.testclient import TestClient

from api.app import create_app
from api.limits.buckets import Allowance, Limits
from integration.serving import Api


def test_a_customer_is_registered_followed_up_and_seen_in_the_tracking_table(api: Api) -> None:
    written = api.done("/customers", {"kind": "company", "name": "贸易商行", "contacts": [{"name": "李女士"}]})
    assert written["version"] >= 1
    customer = written["id"]
    answered = api.post(
        f"/customers/{customer}/follow-ups",
        {"method": "电话", "content": "物流成本方案", "next_contact_on": "2099-01-05", "progress": 40},
    )
    assert answered.status_code == 201
    assert answered.headers["location"] == f"/api/v1/customers/{customer}"
    assert answered.headers["etag"] == f'"{answered.json()["version"]}"'
    api.position = answered.json()["position"]
    rows = api.read("/tracking", q="贸易商")["items"]
    assert [row["customer_id"] for row in rows] == [customer]
    assert rows[0]["last_content"] == "物流成本方案"
    assert rows[0]["next_contact_on"] == "2099-01-05"


def test_a_customer_is_read_from_the_ledger_at_a_version_and_as_of_a_moment(api: Api) -> None:
    customer = api.customer("旧名称")
    registered = api.get(f"/customers/{customer}")
    before = datetime.now(UTC)
    api.done(f"/customers/{customer}", {"name": "新名称", "industry": "零售"}, "PATCH")
    now = api.get(f"/customers/{customer}").json()
    assert (now["name"], now["industry"]) == ("新名称", "零售")
    assert api.get(f"/customers/{customer}", version=registered.json()["version"]).json()["name"] == "旧名称"
    assert api.get(f"/customers/{customer}", as_of=before.isoformat()).json()["name"] == "旧名称"
    assert registered.headers["etag"] == f'"{registered.json()["version"]}"'


def test_the_whole_profile_is_in_the_record_and_in_the_history(api: Api) -> None:
    """CUS-9, CUS-13: what the tracking table has no column for."""
    customer = api.customer("五金商行")
    profile = {
        "distance": "35公里",
        "business_category": "五金批发",
        "unsuitable_visiting_time": "周一上午例会",
        "personality": "谨慎型",
    }
    api.done(f"/customers/{customer}", profile, "PATCH")
    found = api.get(f"/customers/{customer}").json()
    assert {name: found[name] for name in profile} == profile
    history = api.read(f"/customers/{customer}/history")["items"]
    changes = {change["field"]: change["after"] for change in history[0]["changes"]}
    assert changes == profile


def test_an_opportunity_goes_through_its_stages_and_the_funnel_shows_it(api: Api) -> None:
    customer = api.customer("漏斗客户")
    won = api.opportunity(customer, amount="500000.00", currency="EUR", occurred_on="2026-01-05")
    api.done(f"/opportunities/{won}/stage", {"stage": "proposal", "occurred_on": "2026-01-10"})
    api.done(f"/opportunities/{won}/win", {"amount": "480000.00", "occurred_on": "2026-01-25"})
    still = api.opportunity(customer, amount="100.00", currency="EUR", occurred_on="2026-01-06")
    funnel = api.read("/funnel", on="2026-01-31")
    group = next(group for group in funnel["groups"] if group["key"] == {"currency": "EUR"})
    assert (group["won"], group["lost"], group["won_amount"], group["win_rate"]) == (1, 0, "480000.00", 1.0)
    assert group["cycle_days"] == {"mean": 20.0, "median": 20.0}
    assert [stage for stage in group["stages"] if stage["count"]] == [
        {"stage": "lead", "count": 1, "share": 1.0, "amount": "100.00"}
    ]
    assert set(funnel) == {"on", "position", "groups"}
    one = api.read(f"/opportunities/{won}", on="2026-01-31")
    assert [entry["stage"] for entry in one["stages"]][:2] == ["lead", "proposal"]
    page = api.read("/opportunities", **{"customer_id[eq]": customer, "sort": "-amount", "include_total": "true"})
    assert [row["id"] for row in page["items"]] == [won, still]
    assert page["total"] == 2
    assert api.get(f"/customers/{customer}").json()["lifecycle"] == "won"


def test_receivables_are_paid_aged_and_stated(api: Api) -> None:
    customer = api.customer("应收客户")
    receivable = api.receivable(customer, "1500.00", currency="USD", invoice_no="0007")
    api.done(f"/receivables/{receivable}/payments", {"amount": "500.00", "occurred_on": "2026-01-20"})
    aging = api.read("/receivables/aging", on="2026-02-10")
    group = next(group for group in aging["groups"] if group["key"] == {"currency": "USD"})
    assert group["invoiced"] == {"count": 1, "amount": "1500.00"}
    assert group["collected"] == {"amount": "500.00"}
    assert group["overdue"] == {"count": 1, "amount": "1000.00", "max_days_past_due": 10}
    assert {"bucket": "1-30", "count": 1, "amount": "1000.00"} in group["buckets"]
    overdue = api.read("/receivables/overdue", on="2026-02-10", **{"currency[eq]": "USD"})
    assert [row["invoice_no"] for row in overdue["items"]] == ["0007"]
    statement = api.read("/receivables/statements", customer_id=customer, from_on="2026-01-01", until_on="2026-02-28")
    assert statement["accounts"][0]["closing"] == "1000.00"


def test_pages_go_on_where_the_last_one_ended(api: Api) -> None:
    names = [f"翻页{number:02}" for number in range(7)]
    for name in names:
        api.customer(name)
    found, cursor = [], None
    while True:
        page = api.read("/customers", q="翻页", sort="-code", limit=3, **({"cursor": cursor} if cursor else {}))
        found += [row["name"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == list(reversed(names))


def test_the_tables_as_of_an_earlier_moment_do_not_know_what_came_later(api: Api) -> None:
    api.customer("早先的客户")
    moment = datetime.now(UTC)
    api.customer("后来的客户")
    then = api.get("/tracking", as_of=moment.isoformat(), q="的客户")
    assert then.status_code == 200, then.text
    assert [row["name"] for row in then.json()["items"]] == ["早先的客户"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    refused = api.get("/tracking", as_of=tomorrow)
    assert (refused.status_code, refused.json()["code"]) == (422, "future-moment")


def test_the_same_key_and_body_give_the_same_answer_and_another_body_is_refused(api: Api) -> None:
    body = {"kind": "person", "name": "一次"}
    first = api.post("/customers", body, headers={"Idempotency-Key": "k-1"})
    again = api.post("/customers", body, headers={"Idempotency-Key": "k-1"})
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = api.post("/customers", {**body, "name": "二次"}, headers={"Idempotency-Key": "k-1"})
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")


def test_a_stale_version_is_told_what_changed_since(api: Api) -> None:
    customer = api.customer("版本客户")
    etag = api.get(f"/customers/{customer}").headers["etag"]
    api.done(f"/customers/{customer}", {"industry": "零售"}, "PATCH", headers={"If-Match": etag})
    stale = api.request("PATCH", f"/customers/{customer}", json={"notes": "晚了"}, headers={"If-Match": etag})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-version")
    assert "industry" in stale.json()["detail"]


def test_a_batch_does_each_command_for_itself(api: Api) -> None:
    customer = api.customer("批量客户")
    commands = [
        {"command": "tag", "to": customer, "body": {"tag": "高预算"}},
        {"command": "tag", "to": customer, "body": {"tag": ""}},
        {"command": "no-such", "body": {}},
        {"command": "register-customer", "body": {"kind": "person", "name": "批量新客户"}},
    ]
    answered = api.post("/commands", {"commands": commands}, headers={"Idempotency-Key": "batch"})
    assert answered.status_code == 200, answered.text
    result = answered.json()
    assert (result["done"], result["refused"]) == (2, 2)
    assert [item["status"] for item in result["results"]] == [200, 422, 422, 200]
    assert result["results"][1]["problem"]["errors"][0]["pointer"] == "/commands/1/body/tag"
    again = api.post("/commands", {"commands": commands}, headers={"Idempotency-Key": "batch"})
    assert again.json() == result


def test_the_feed_is_contiguous_and_opens_personal_fields(api: Api) -> None:
    customer = api.customer("流水客户")
    seen: list[int] = []
    after = 0
    while True:
        page = api.get("/events", after=after, limit=10).json()
        seen += [event["position"] for event in page["items"]]
        after = page["next"]
        if not page["more"]:
            break
    assert seen == list(range(1, page["position"] + 1))
    last = next(event for event in reversed(page["items"]) if event["id"] == customer)
    assert last["data"]["name"] == "流水客户"
    assert last["actor"] == f"member:{api.member_id}"


def test_a_rebuild_is_ordered_followed_and_done(api: Api) -> None:
    ordered = api.post("/projections/tracking/rebuilds")
    assert ordered.status_code == 202, ordered.text
    place = ordered.headers["location"]
    with api.client.stream("GET", place, headers={**api.headers, "Accept": "text/event-stream"}) as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("event: ")]
    assert lines[-1] == "event: done"
    assert api.request("GET", place).json()["state"] == "done"
    assert place.endswith(api.get("/projections/tracking/rebuilds").json()["items"][0]["job_id"])
    over = api.request("DELETE", place)
    assert (over.status_code, over.json()["code"]) == (409, "job-finished")


def test_health_and_figures_need_no_token(api: Api) -> None:
    assert api.client.get("/healthz").json() == {"alive": True}
    ready = api.client.get("/readyz")
    assert ready.status_code == 200, ready.text
    figures = api.client.get("/metrics").text
    assert 'route="/api/v1/customers"' in figures
    assert 'genjin_projection_events_behind{projection="tracking"}' in figures


def test_a_customers_history_tells_who_did_what_in_either_language(api: Api) -> None:
    customer = api.customer("历史客户")
    api.done(f"/customers/{customer}/lifecycle", {"lifecycle": "interested"})
    api.done(f"/customers/{customer}", {"industry": "零售"}, "PATCH")
    first = api.read(f"/customers/{customer}/history", limit=2, lang="en")
    rest = api.read(f"/customers/{customer}/history", limit=2, lang="en", cursor=first["next"])
    topics = [entry["topic"] for entry in first["items"] + rest["items"]]
    assert topics[0] == "customer.profile-revised"
    assert topics[-1] == "customer.registered"
    chinese = api.request("GET", f"/customers/{customer}/history", headers={"Accept-Language": "zh-CN"}).json()
    assert chinese["items"][0] != first["items"][0]
    foreign = api.get("/audit/events", cursor=first["next"])
    assert (foreign.status_code, foreign.json()["errors"][0]["code"]) == (422, "unfit-cursor")


def test_the_audit_shows_everything_and_proves_the_ledger(api: Api) -> None:
    team = api.done("/teams", {"name": "华东一部", "region": "华东"})["id"]
    found = api.read("/audit/events", aggregate_id=team)
    assert [entry["topic"] for entry in found["items"]] == ["team.formed"]
    proof = api.get("/audit/verification").json()
    assert proof["intact"] is True
    assert proof["chain"]["checked"] == proof["position"] == api.head()
    assert proof["claims"]["differences"] == []


def test_members_teams_products_and_pipelines_are_kept_and_listed(api: Api) -> None:
    team = api.done("/teams", {"name": "华南一部", "region": "华南"})["id"]
    member = api.done("/members", {"name": "李专员", "team_id": team, "occurred_on": "2026-01-01"})["id"]
    api.done(f"/members/{member}", {"name": "李顾问"}, "PATCH")
    product = api.done("/products", {"name": "GTX Pro", "series": "GTX", "price": "4821"})["id"]
    api.done(f"/products/{product}", {"price": "4990.00"}, "PATCH")
    pipeline = api.done("/pipelines", {"name": "大客户", "stages": [{"key": "lead", "zh": "线索", "en": "Lead"}]})["id"]
    members = api.read("/members", **{"team_id[eq]": team})["items"]
    assert [(row["name"], row["team"], row["region"]) for row in members] == [("李顾问", "华南一部", "华南")]
    assert product in {row["id"] for row in api.read("/products")["items"]}
    assert api.get(f"/products/{product}").json()["price"] == "4990.00"
    assert {"id": pipeline, "name": "大客户", "stages": ["lead"]} in api.read("/pipelines")["items"]
    assert api.get(f"/pipelines/{pipeline}").json()["stages"] == [{"key": "lead", "zh": "线索", "en": "Lead"}]
    assert api.get("/workspace").json()["time_zone"] == "Asia/Shanghai"


def test_figures_count_refusals_and_commands_and_show_connections(api: Api) -> None:
    customer = api.customer("数字客户")
    key = {"Idempotency-Key": "figures"}
    for _ in range(2):
        api.done(f"/customers/{customer}/follow-ups", {"method": "phone", "content": "数"}, headers=key)
    assert api.post(f"/customers/{customer}/reopen").status_code == 409
    assert api.client.get("/api/v1/customers").status_code == 401
    figures = api.client.get("/metrics").text
    for expected in (
        'genjin_commands_total{action="register-customer",outcome="done"}',
        'genjin_commands_total{action="log-follow-up",outcome="done"}',
        'genjin_commands_total{action="log-follow-up",outcome="repeated"} 1.0',
        'genjin_commands_total{action="reopen-customer",outcome="',
        'genjin_refusals_total{code="unauthenticated"}',
        "genjin_database_connections_in_use ",
        "genjin_database_connections_waiting 0",
        'genjin_projection_seconds_behind{projection="tracking"}',
    ):
        assert expected in figures
    assert customer not in figures
    assert "数" not in figures


def test_requests_that_come_too_fast_are_counted(api: Api) -> None:
    app = create_app(api.services, Limits(token=Allowance(0.01, 1)))
    client = TestClient(app)
    asked = [client.get("/api/v1/customers", headers=api.headers) for _ in range(2)]
    assert [each.status_code for each in asked] == [200, 429]
    assert asked[1].headers["x-request-id"]
    assert asked[1].headers["x-content-type-options"] == "nosniff"
    assert 'genjin_rate_limited_requests_total{code="too-many-requests"} 1.0' in client.get("/metrics").text
