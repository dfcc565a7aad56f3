"""Whatever is sent: a clear problem that names the field, in the reader's language; nothing written, never a 500."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest

from integration.serving import Api

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
IN_TWO_DAYS = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
UNKNOWN = str(uuid4())
NEW = {"kind": "company", "name": "客户"}
CALL = {"method": "phone"}
OWED = {"amount": "10.00", "issued_on": "2026-01-01", "due_on": "2026-01-31"}

# The route, the body, then the status and the pointer that the answer must have.
BODIES: list[tuple[str, dict[str, Any], int, str]] = [
    ("/customers", {**NEW, "colour": "red"}, 422, "/colour"),
    ("/customers", {"kind": "company"}, 422, "/name"),
    ("/customers", {**NEW, "name": 5}, 422, "/name"),
    ("/customers", {**NEW, "name": None}, 422, "/name"),
    ("/customers", {**NEW, "name": ["客户"]}, 422, "/name"),
    ("/customers", {**NEW, "name": ""}, 422, "/name"),
    ("/customers", {**NEW, "name": "  "}, 422, "/name"),
    ("/customers", {**NEW, "name": "长" * 201}, 422, "/name"),
    ("/customers", {**NEW, "notes": "长" * 10_001}, 422, "/notes"),
    ("/customers", {**NEW, "name": "a\0b"}, 422, "/name"),
    ("/customers", {**NEW, "contacts": [{"name": "a\0"}]}, 422, "/contacts/0/name"),
    ("/customers", {**NEW, "kind": "robot"}, 422, "/kind"),
    ("/customers", {**NEW, "first_contact_on": "2025-02-29"}, 422, "/first_contact_on"),
    ("/customers", {**NEW, "first_contact_on": 20250228}, 422, "/first_contact_on"),
    ("/customers", {**NEW, "first_contact_on": "0000-00-00"}, 422, "/first_contact_on"),
    ("/customers", {**NEW, "email": "nobody"}, 422, "/email"),
    ("/customers", {**NEW, "phone": "12"}, 422, "/phone"),
    ("/customers", {**NEW, "owner_id": "nobody"}, 422, "/owner_id"),
    ("/customers", {**NEW, "owner_id": UNKNOWN}, 422, "/owner_id"),
    ("/customers", {**NEW, "contacts": [{"name": "李", "mobile": "1381234567"}]}, 422, "/contacts/0/mobile"),
    ("/customers", {**NEW, "contacts": [{"name": "李", "mobile": "138123456789"}]}, 422, "/contacts/0/mobile"),
    ("/customers", {**NEW, "contacts": [{"name": "李", "mobile": "1395678"}]}, 422, "/contacts/0/mobile"),
    ("/customers", {**NEW, "contacts": {"name": "李"}}, 422, "/contacts"),
    ("/customers/{customer}/follow-ups", {"method": "pigeon"}, 422, "/method"),
    ("/customers/{customer}/follow-ups", {**CALL, "occurred_at": TOMORROW}, 422, "/occurred_at"),
    ("/customers/{customer}/follow-ups", {**CALL, "occurred_at": "2026-01-31T09:30:00"}, 422, "/occurred_at"),
    ("/customers/{customer}/follow-ups", {**CALL, "occurred_at": "0001-01-01T00:00:00+14:00"}, 422, "/occurred_at"),
    ("/customers/{customer}/follow-ups", {**CALL, "progress": 101}, 422, "/progress"),
    ("/customers/{customer}/follow-ups", {**CALL, "progress": 10**400}, 422, "/progress"),
    ("/customers/{customer}/follow-ups", {**CALL, "contact_id": UNKNOWN}, 422, "/contact_id"),
    ("/customers/{customer}/follow-ups", {**CALL, "result": "won"}, 422, "/deal_on"),
    ("/customers/{customer}/owner", {}, 422, "/owner_id"),
    ("/customers/{customer}/lifecycle", {"lifecycle": "won"}, 422, "/basis"),
    ("/customers/{customer}/lifecycle", {"lifecycle": "potential"}, 409, "/lifecycle"),
    ("/customers/{customer}/opportunities", {"name": "x", "amount": "-1"}, 422, "/amount"),
    ("/customers/{customer}/opportunities", {"name": "x", "amount": "1.005"}, 422, "/amount"),
    ("/customers/{customer}/opportunities", {"name": "x", "amount": "NaN"}, 422, "/amount"),
    ("/customers/{customer}/opportunities", {"name": "x", "amount": "1e99"}, 422, "/amount"),
    ("/customers/{customer}/opportunities", {"name": "x", "amount": 1e308}, 422, "/amount"),
    ("/customers/{customer}/opportunities", {"name": "x", "amount": True}, 422, "/amount"),
    ("/customers/{customer}/opportunities", {"name": "x", "currency": "XYZW"}, 422, "/currency"),
    ("/customers/{customer}/opportunities", {"name": "x", "stage": "no-such-stage"}, 422, "/stage"),
    ("/customers/{customer}/opportunities", {"name": "x", "product_id": UNKNOWN}, 422, "/product_id"),
    ("/customers/{customer}/opportunities", {"name": "x", "pipeline_id": UNKNOWN}, 422, "/pipeline_id"),
    ("/customers/{customer}/opportunities", {"name": "x", "occurred_on": IN_TWO_DAYS}, 422, "/occurred_on"),
    ("/opportunities", {"name": "x", "customer_id": UNKNOWN}, 422, "/customer_id"),
    ("/opportunities", {"name": "x"}, 422, "/customer_id"),
    ("/opportunities/{opportunity}/stage", {"stage": "不在流程中"}, 422, "/stage"),
    ("/opportunities/{opportunity}/stage", {"stage": "need", "occurred_on": "1999-01-01"}, 409, "/occurred_on"),
    ("/opportunities/{opportunity}/win", {"amount": "5.00", "currency": "USD"}, 409, "/currency"),
    ("/opportunities/{opportunity}/loss", {}, 422, "/loss_reason"),
    ("/receivables", {**OWED, "amount": "0"}, 422, "/amount"),
    ("/customers/{customer}/receivables", {**OWED, "amount": "0.001"}, 422, "/amount"),
    ("/customers/{customer}/receivables", {**OWED, "due_on": "2025-12-31"}, 422, "/due_on"),
    ("/customers/{customer}/receivables", {**OWED, "instalment": 0}, 422, "/instalment"),
    ("/customers/{customer}/receivables", {**OWED, "invoice_no": "TAKEN"}, 409, "/invoice_no"),
    ("/receivables/{receivable}/payments", {"amount": "10.01"}, 409, "/amount"),
    ("/receivables/{receivable}/payments", {"amount": "-5"}, 422, "/amount"),
    ("/receivables/{receivable}/payments", {"amount": "1", "currency": "USD"}, 409, "/currency"),
    ("/receivables/{receivable}/payments", {"amount": "1", "occurred_on": IN_TWO_DAYS}, 422, "/occurred_on"),
    ("/pipelines", {"name": "x", "stages": []}, 422, "/stages"),
    ("/pipelines", {"name": "x", "stages": [{"key": "won", "zh": "赢", "en": "Won"}]}, 422, "/stages"),
    ("/customers/{customer}/receivables", {**OWED, "amount": 1.005}, 422, "/amount"),
    ("/customers/{customer}/receivables", {**OWED, "amount": 0.1 + 0.2}, 422, "/amount"),
    ("/customers/{customer}/follow-ups", {**CALL, "answered": "perhaps"}, 422, "/answered"),
    ("/customers/{customer}/follow-ups", {**CALL, "progress": 1.5}, 422, "/progress"),
    ("/workspace/no-such", {}, 404, ""),
    ("/commands", {"commands": []}, 422, "/commands"),
    ("/commands", {"commands": [{"command": "tag", "to": "x"}]}, 422, "/commands/0/to"),
    ("/commands", {"commands": [{"command": "tag"}] * 501}, 422, "/commands"),
]

QUERIES: list[tuple[str, int, str]] = [
    ("/customers?colour=red", 422, "/colour"),
    ("/customers?colour[eq]=red", 422, "/colour[eq]"),
    ("/customers?name[like]=x", 422, "/name[like]"),
    ("/customers?name[eq]=" + "x" * 501, 422, "/name[eq]"),
    ("/customers?name[contains]=%00", 422, "/name[contains]"),
    ("/customers?follow_ups[gt]=many", 422, "/follow_ups[gt]"),
    ("/customers?follow_ups[gt]=" + "9" * 400, 422, "/follow_ups[gt]"),
    ("/customers?next_contact_on[lt]=2025-02-29", 422, "/next_contact_on[lt]"),
    ("/customers?owner_id[eq]=me", 422, "/owner_id[eq]"),
    ("/customers?lifecycle[in]=won,lost", 422, "/lifecycle[in]"),
    ("/customers?name[isnull]=perhaps", 422, "/name[isnull]"),
    ("/customers?sort=colour", 422, "/sort"),
    ("/customers?sort=name,-name", 422, "/sort"),
    ("/customers?limit=201", 422, "/limit"),
    ("/customers?limit=0", 422, "/limit"),
    ("/customers?limit=-1", 422, "/limit"),
    ("/customers?limit=5&limit=6", 422, "/limit"),
    ("/customers?cursor=abc", 422, "/cursor"),
    ("/customers?cursor=%FF%FE", 422, "/cursor"),
    ("/customers?q=" + "x" * 201, 422, "/q"),
    ("/customers?q=%00", 422, "/q"),
    ("/customers?include_total=yes", 422, "/include_total"),
    ("/tracking?on=2025-02-29", 422, "/on"),
    ("/tracking?on=2025-01-01&on=2025-01-02", 422, "/on"),
    ("/tracking?as_of=2025-01-01", 422, "/as_of"),
    ("/tracking?as_of=2025-01-01T00:00:00", 422, "/as_of"),
    ("/tracking?as_of=2999-01-01T00:00:00Z", 422, "/as_of"),
    ("/tracking?as_of=0001-01-01T00:00:00%2B14:00", 422, "/as_of"),
    ("/tracking?after=soon", 422, "/after"),
    ("/tracking?after=-1", 422, "/after"),
    ("/tracking?after=999999999999", 422, "/after"),
    ("/funnel?by=colour", 422, "/by"),
    ("/funnel?by=region,region", 422, "/by"),
    ("/receivables/statements?from_on=2025-01-01", 422, "/customer_id"),
    ("/events?after=x", 422, "/after"),
    ("/events?limit=1001", 422, "/limit"),
    ("/events?after=999999999", 422, "/after"),
    ("/events?topic=bogus", 422, "/topic"),
    ("/events?topic=customer.registered,bogus", 422, "/topic"),
    ("/audit/events?topic=bogus", 422, "/topic"),
    ("/audit/events?cursor=abc", 422, "/cursor"),
    ("/audit/verification?dry_run=true", 422, "/dry_run"),
    ("/projections?name=tracking", 422, "/name"),
    ("/customers?q=%C3%F7%D4%B6", 422, "/q"),
    ("/customers?archived[eq]=perhaps", 422, "/archived[eq]"),
    ("/customers/{customer}?as_of=2001-01-01T00:00:00Z", 404, ""),
    ("/customers/not-an-id", 422, "/id"),
    ("/customers/{unknown}", 404, ""),
    ("/customers/{unknown}/history", 404, ""),
    ("/opportunities/{unknown}", 404, ""),
    ("/receivables/{unknown}", 404, ""),
    ("/customers/{customer}?version=0", 422, "/version"),
    ("/customers/{customer}?version=99", 404, "/version"),
    ("/customers/{customer}?version=1&as_of=2026-01-01T00:00:00Z", 422, "/version"),
    ("/projections/no-such/rebuilds", 422, "/name"),
    ("/projections/tracking/rebuilds/{unknown}", 404, ""),
    ("/no-such-place", 404, ""),
]

RAW: list[tuple[bytes, int, str]] = [
    (b"", 400, ""),
    (b"{", 400, ""),
    (b"nonsense", 400, ""),
    (b"\xff\xfe{}", 400, ""),
    ('{"kind": "company", "name": "客户"}'.encode("gbk"), 400, ""),
    (b"[" * 50_000, 400, ""),
    (b'{"a":' * 50_000, 400, ""),
    (b"null", 422, ""),
    (b"[]", 422, ""),
    (b'"text"', 422, ""),
    (b'{"kind": "company", "name": "a", "name": "b"}', 400, ""),
    (b'{"kind": "company", "name": "\\ud800"}', 422, "/name"),
    (b'{"kind": "company", "name": "a", "tags": ["x\\udfff"]}', 422, "/tags/0"),
    (b'{"kind": "company", "name": "\\u0000"}', 422, "/name"),
    (b'{"kind": "company", "name": "a\x00b"}', 400, ""),
    (b'{"kind": "company", "name": NaN}', 422, "/name"),
    (b'{"kind": "company", "name": "a", "lifecycle": 1' + b"0" * 5_000 + b"}", 400, ""),
    (b'{"kind": "company", "name": "a", "\\ud800": 1}', 422, ""),
    (b'{"kind": "company", "name": "a", "notes": nonsense}', 400, ""),
]


@pytest.fixture(scope="module")
def ids(api: Api) -> dict[str, str]:
    """Things to do it to."""
    customer = api.customer("现有客户")
    return {
        "customer": customer,
        "opportunity": api.opportunity(customer, amount="5.00", currency="CNY", occurred_on="2026-01-01"),
        "receivable": api.receivable(customer, "10.00", currency="CNY", invoice_no="TAKEN"),
        "unknown": UNKNOWN,
    }


CHINESE = re.compile("[一-鿿]+")


def check(answered: Any, status: int, pointer: str, language: str) -> None:
    """It is a problem document of that status, all of it in that language, and names the field."""
    assert answered.status_code == status, answered.text
    assert answered.headers["content-type"] == "application/problem+json"
    problem = answered.json()
    assert problem["status"] == status
    assert {"type", "title", "status", "detail", "instance", "code", "errors"} == set(problem)
    assert answered.headers["content-language"] == language
    for said in (problem["title"], problem["detail"], *(error["message"] for error in problem["errors"])):
        in_chinese = [word for word in CHINESE.findall(said) if word not in given(answered.request)]
        assert bool(in_chinese) == (language == "zh-CN"), said
        assert "(s)" not in said, said
        assert not re.search(r"[:：] ?-|、、|, ,|\bNone\b", said), said
    if pointer:
        assert pointer in [error["pointer"] for error in problem["errors"]], problem
        for error in problem["errors"]:
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", error["code"])
            assert f"({error['code']})" not in error["message"]


def given(request: Any) -> str:
    """What the client wrote itself, and may be shown back."""
    address = unquote(str(request.url))
    try:
        return address + json.dumps(json.loads(request.content), ensure_ascii=False)
    except (ValueError, RecursionError, RuntimeError):  # no JSON, or a body that was streamed
        return address


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(("path", "body", "status", "pointer"), BODIES)
def test_a_body_that_does_not_fit_names_the_field_and_writes_nothing(
    api: Api, ids: dict[str, str], path: str, body: dict[str, Any], status: int, pointer: str, language: str
) -> None:
    before = api.head()
    answered = api.request(
        "POST",
        path.format(**ids),
        content=json.dumps(body),
        headers={"Accept-Language": language, "Content-Type": "application/json"},
    )
    check(answered, status, pointer, language)
    assert api.head() == before


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(("path", "status", "pointer"), QUERIES)
def test_a_question_that_does_not_fit_names_the_parameter(
    api: Api, ids: dict[str, str], path: str, status: int, pointer: str, language: str
) -> None:
    check(api.request("GET", path.format(**ids), headers={"Accept-Language": language}), status, pointer, language)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("path", ["/customers", "/commands", "/customers/{customer}/tags"])
@pytest.mark.parametrize(("body", "status", "pointer"), RAW)
def test_what_is_no_clear_json_is_refused(
    api: Api, ids: dict[str, str], body: bytes, status: int, pointer: str, path: str, language: str
) -> None:
    before = api.head()
    headers = {"Content-Type": "application/json", "Accept-Language": language}
    answered = api.request("POST", path.format(**ids), content=body, headers=headers)
    assert answered.status_code in (400, 422), answered.text
    if path == "/customers":
        check(answered, status, pointer, language)
    assert answered.headers["content-type"] == "application/problem+json"
    assert api.head() == before


def test_a_body_over_the_limit_is_refused_also_in_chunks(api: Api) -> None:
    before = api.head()
    big = b'{"kind": "company", "name": "' + b"x" * 1_100_000 + b'"}'

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(big), 65_536):
            yield big[start : start + 65_536]

    for content in (big, chunks()):
        answered = api.request("POST", "/customers", content=content, headers={"Content-Type": "application/json"})
        check(answered, 413, "", "en")
    assert api.head() == before


@pytest.mark.parametrize(
    "kind", ["text/plain", "", "application/x-www-form-urlencoded", "application/json; charset=gbk"]
)
def test_only_json_is_taken(api: Api, kind: str) -> None:
    answered = api.request("POST", "/customers", content=json.dumps(NEW), headers={"Content-Type": kind})
    check(answered, 415, "", "en")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("If-Match", "3"),
        ("If-Match", "3, 4"),
        ("If-Match", '"x"'),
        ("If-Match", '"' + "9" * 30 + '"'),
        ("Idempotency-Key", "a b"),
        ("Idempotency-Key", "k" * 201),
        ("Idempotency-Key", ""),
    ],
)
def test_a_header_that_cannot_be_read_is_named(api: Api, ids: dict[str, str], name: str, value: str) -> None:
    answered = api.post(f"/customers/{ids['customer']}/tags", {"tag": "a"}, headers={name: value})
    check(answered, 400, f"/{name}", "en")
    headers = {name: value, "Accept-Language": "zh"}
    check(api.post(f"/customers/{ids['customer']}/tags", {"tag": "a"}, headers=headers), 400, f"/{name}", "zh-CN")


@pytest.mark.parametrize("value", ["zz", "-1", "1.5", "9" * 30, "٣"])
def test_a_stream_cannot_be_taken_up_where_no_event_can_be(api: Api, value: str) -> None:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": value.encode()}
    check(api.request("GET", "/events", headers=headers), 400, "/Last-Event-ID", "en")


def test_a_stream_cannot_be_taken_up_after_what_has_not_happened(api: Api) -> None:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "999999"}
    answered = api.request("GET", "/events", headers=headers)
    check(answered, 422, "/Last-Event-ID", "en")
    assert str(api.head()) in answered.json()["errors"][0]["message"]


def test_a_feed_that_is_ahead_is_told_where_the_ledger_ends(api: Api) -> None:
    assert api.get("/events", after=api.head()).json()["next"] == api.head()
    answered = api.get("/events", after=api.head() + 1)
    check(answered, 422, "/after", "en")
    assert f"the last one is {api.head()}." in answered.json()["detail"]


def test_an_unknown_topic_is_told_which_there_are(api: Api) -> None:
    for path in ("/events", "/audit/events"):
        assert "customer.registered" in api.get(path, topic="bogus").json()["errors"][0]["message"]


def test_an_unknown_field_is_told_which_there_are(api: Api) -> None:
    error = api.post("/customers", {**NEW, "colour": "red"}).json()["errors"][0]
    assert error["code"] == "unknown-field"
    assert {"name", "kind", "contacts", "reason"} <= set(re.findall(r"[a-z_]+", error["message"]))
    inside = api.post("/customers", {**NEW, "contacts": [{"name": "李", "sex": "f"}]}).json()["errors"][0]
    assert inside["pointer"] == "/contacts/0/sex"
    assert "is_decision_maker" in inside["message"]
    assert "first_contact_on" not in inside["message"]
    item = api.post("/commands", {"commands": [{"command": "tag", "body": {"tag": "a"}, "when": 1}]}).json()["errors"][
        0
    ]
    assert "if_match" in item["message"]


def test_a_body_of_unknown_fields_is_not_answered_without_end(api: Api) -> None:
    answered = api.post("/customers", {**NEW, **{f"{number}" * 50: 1 for number in range(1_000, 3_000)}})
    assert answered.status_code == 422
    assert len(answered.json()["errors"]) == 100
    assert "1997 more" in answered.json()["detail"]


def test_a_missing_version_says_which_is_the_last(api: Api, ids: dict[str, str]) -> None:
    last = api.get(f"/customers/{ids['customer']}").json()["version"]
    problem = api.get(f"/customers/{ids['customer']}", version=999).json()
    assert problem["code"] == "no-such-version"
    assert f"has no version 999; its last one is {last}." in problem["detail"]
    assert api.get(f"/customers/{UNKNOWN}", version=999).json()["code"] == "not-found"


def test_a_version_ahead_of_the_record_says_which_is_current(api: Api, ids: dict[str, str]) -> None:
    path = f"/customers/{ids['customer']}/tags"
    answered = api.post(path, {"tag": "a"}, headers={"If-Match": '"999"'})
    check(answered, 412, "/If-Match", "en")
    assert answered.json()["code"] == "version-ahead"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_stale_version_names_each_field(api: Api, language: str) -> None:
    customer = api.customer("两处改动")
    path = f"/customers/{customer}"
    etag = api.get(path).headers["etag"]
    api.done(path, {"industry": "零售", "region": "华东"}, "PATCH")
    headers = {"If-Match": etag, "Accept-Language": language}
    answered = api.request("PATCH", path, json={"notes": "晚了"}, headers=headers)
    check(answered, 412, "/industry", language)
    assert {(error["pointer"], error["code"]) for error in answered.json()["errors"]} == {
        ("/industry", "changed-since"),
        ("/region", "changed-since"),
    }


def test_a_command_without_anything_to_give_needs_no_body(api: Api) -> None:
    customer = api.customer("无正文")
    assert api.request("POST", f"/customers/{customer}/archive").status_code == 200
    assert api.request("POST", f"/customers/{customer}/reopen", content=b"").status_code == 200
    check(api.request("POST", f"/customers/{customer}/tags"), 422, "/tag", "en")
    typed = {"Content-Type": "text/plain"}
    answered = api.request("POST", f"/customers/{customer}/archive", content=b"{}", headers=typed)
    check(answered, 415, "", "en")
    assert "text/plain" in answered.json()["detail"]
    check(api.request("DELETE", f"/customers/{customer}/tags/a", content=b"nonsense"), 415, "", "en")


@pytest.mark.parametrize(
    ("written", "amount"),
    [("1200.5", "1200.50"), ("0.1", "0.10"), ("7", "7.00"), ("1.2e3", "1200.00"), ('"400000"', "400000.00")],
)
def test_an_amount_is_taken_as_it_was_written_and_answered_with_its_cents(api: Api, written: str, amount: str) -> None:
    product = f"价格 {written}".replace('"', "")
    body = json.dumps({"name": product})[:-1] + f', "price": {written}}}'
    made = api.request("POST", "/products", content=body.encode(), headers={"Content-Type": "application/json"})
    assert made.status_code == 201, made.text
    assert f'"price":"{amount}"' in api.get(f"/products/{made.json()['id']}").text


@pytest.mark.parametrize("written", ["1.005", "0.30000000000000004", "1200.500000000000000001", "1e-3"])
def test_an_amount_that_a_number_cannot_carry_is_to_be_sent_as_a_string(api: Api, written: str) -> None:
    body = f'{{"name": "x", "price": {written}}}'.encode()
    answered = api.request("POST", "/products", content=body, headers={"Content-Type": "application/json"})
    check(answered, 422, "/price", "en")
    assert "as a string" in answered.json()["errors"][0]["message"]


def test_another_language_is_answered_in_english_and_says_so(api: Api, ids: dict[str, str]) -> None:
    french = {"Accept-Language": "fr"}
    check(api.request("GET", f"/customers/{UNKNOWN}", headers=french), 404, "", "en")
    for path in (f"/customers/{ids['customer']}/history", "/audit/events"):
        assert api.request("GET", path, headers=french).headers["content-language"] == "en"
        assert api.request("GET", f"{path}?lang=zh", headers=french).headers["content-language"] == "zh-CN"
        assert api.request("GET", path, headers={"Accept-Language": "zh"}).headers["content-language"] == "zh-CN"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer nonsense", "Basic dGVzdDp0ZXN0", "Bearer " + "x" * 600])
def test_who_is_not_signed_in_is_told_how(api: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answered = api.client.get("/api/v1/customers", headers=headers)
    check(answered, 401, "", "en")
    assert answered.headers["www-authenticate"].startswith("Bearer")


def test_an_address_says_which_methods_it_takes(api: Api) -> None:
    answered = api.request("DELETE", "/customers")
    check(answered, 405, "", "en")
    assert answered.headers["allow"] == "GET, POST"


def test_query_parameters_of_a_command_are_refused(api: Api) -> None:
    check(api.post("/customers?dry_run=true", NEW), 422, "/dry_run", "en")


def test_a_body_and_an_address_that_differ_are_refused(api: Api, ids: dict[str, str]) -> None:
    path = f"/customers/{ids['customer']}/contacts/{UNKNOWN}"
    answered = api.request("PATCH", path, json={"contact_id": str(uuid4()), "title": "经理"})
    check(answered, 422, "/contact_id", "en")
    check(api.request("PATCH", path, json={"title": "经理"}), 422, "/contact_id", "en")


def test_a_landline_and_a_foreign_number_pass(api: Api) -> None:
    contacts = [
        {"name": "李", "mobile": "+85291234567", "phone": "010-62345678"},
        {"name": "王", "mobile": "13812345678"},
    ]
    api.done("/customers", {**NEW, "contacts": contacts})
