"""Every route that changes something, done once as it should be, and the conventions that all of them share."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from api.changes.writes import WRITES
from integration.serving import Api
from ledger.errors import DatabaseAway

DAY = "2026-01-10"


def test_every_command_is_done_over_http(api: Api) -> None:
    done: set[tuple[str, str]] = set()

    def do(method: str, path: str, body: Any = None, **ids: str) -> str:
        write = next(write for write in WRITES if (write.method, write.path) == (method, path))
        before = api.head()
        answered = api.request(method, path.format(**ids), json=body or {})
        assert answered.status_code == write.status, f"{method} {path}: {answered.text}"
        written = answered.json()
        assert set(written) == {"id", "version", "position"}
        assert answered.headers["etag"] == f'"{written["version"]}"'
        where = answered.headers["location"]
        assert api.get(where, after=written["position"]).status_code == 200
        assert written["position"] > before, f"{method} {path} wrote nothing"
        api.position = written["position"]
        done.add((method, path))
        return str(written["id"])

    do("PATCH", "/workspace", {"code_prefix": "K"})
    team = do("POST", "/teams", {"name": "一部"})
    do("PATCH", "/teams/{id}", {"name": "二部"}, id=team)
    do("POST", "/teams/{id}/region", {"region": "华东"}, id=team)
    member = do("POST", "/members", {"name": "赵"})
    do("PATCH", "/members/{id}", {"name": "钱"}, id=member)
    do("POST", "/members/{id}/team", {"team_id": team, "occurred_on": DAY}, id=member)
    do("POST", "/members/{id}/invitation", {"email": "zhao@example.com"}, id=member)
    do("POST", "/members/{id}/roles", {"roles": ["业务员", "supervisor"]}, id=member)
    do("POST", "/members/{id}/suspension", id=member)
    do("DELETE", "/members/{id}/suspension", id=member)
    former = do("POST", "/members", {"name": "孙"})
    do("POST", "/members/{id}/removal", id=former)
    do("POST", "/members/{id}/erasure", {"reason": "本人要求"}, id=former)
    do("POST", "/teams/{id}/parent", {"parent_id": do("POST", "/teams", {"name": "总部"})}, id=team)
    product = do("POST", "/products", {"name": "云", "price": "1.50"})
    do("PATCH", "/products/{id}", {"series": "A"}, id=product)
    stages = [{"key": "lead", "zh": "线索", "en": "Lead"}, {"key": "talk", "zh": "谈判", "en": "Talk"}]
    pipeline = do("POST", "/pipelines", {"name": "大客户", "stages": stages[:1]})
    do("POST", "/pipelines/{id}/stages", {"stages": stages}, id=pipeline)

    customer = do("POST", "/customers", {"kind": "企业客户", "name": "全部命令"})
    do("PATCH", "/customers/{id}", {"industry": "零售"}, id=customer)
    do("POST", "/customers/{id}/follow-ups", {"method": "微信", "content": "你好"}, id=customer)
    do("POST", "/customers/{id}/contacts", {"name": "李"}, id=customer)
    contact = api.get(f"/customers/{customer}").json()["contacts"][0]["contact_id"]
    do("PATCH", "/customers/{id}/contacts/{contact_id}", {"title": "经理"}, id=customer, contact_id=contact)
    do("DELETE", "/customers/{id}/contacts/{contact_id}", id=customer, contact_id=contact)
    do("POST", "/customers/{id}/owner", {"owner_id": member}, id=customer)
    do("POST", "/customers/{id}/category", {"category": "hot"}, id=customer)
    do("POST", "/customers/{id}/lifecycle", {"lifecycle": "interested"}, id=customer)
    do("POST", "/customers/{id}/intent", {"intent": "pending"}, id=customer)
    do("POST", "/customers/{id}/tags", {"tag": "高预算/急"}, id=customer)
    do("POST", "/customers/{id}/tags", {"tag": "老客户"}, id=customer)
    do("DELETE", "/customers/{id}/tags/{tag}", id=customer, tag="老客户")
    do("POST", "/customers/{id}/archive", id=customer)
    do("POST", "/customers/{id}/reopen", id=customer)

    deal = do("POST", "/customers/{id}/opportunities", {"name": "甲", "occurred_on": DAY}, id=customer)
    do("PATCH", "/opportunities/{id}", {"risks": "数据安全"}, id=deal)
    do("POST", "/opportunities/{id}/stage", {"stage": "方案", "occurred_on": "2026-01-12"}, id=deal)
    do("POST", "/opportunities/{id}/stage/back", {"stage": "need", "occurred_on": "2026-01-14", "reason": "x"}, id=deal)
    correction = {"occurred_on": "2026-01-11", "reason": "记错了"}
    do("PATCH", "/opportunities/{id}/stages/{entry}", correction, id=deal, entry="1")
    do("POST", "/opportunities/{id}/amount", {"amount": "100.00"}, id=deal)
    do("POST", "/opportunities/{id}/expected-close", {"expected_close_on": "2026-05-30"}, id=deal)
    do("POST", "/opportunities/{id}/owner", {"owner_id": str(api.member_id)}, id=deal)
    do("POST", "/opportunities/{id}/win", {"amount": "100.00", "occurred_on": "2026-01-20"}, id=deal)
    do("POST", "/opportunities/{id}/reopen", {"occurred_on": "2026-01-21", "reason": "误记"}, id=deal)
    do("POST", "/opportunities/{id}/loss", {"loss_reason": "价格", "occurred_on": "2026-01-22"}, id=deal)
    do("POST", "/opportunities", {"name": "乙", "customer_id": customer})

    owed = {"amount": "100.00", "issued_on": DAY, "due_on": "2026-01-31"}
    bill = do("POST", "/receivables", {**owed, "customer_id": customer})
    other = do("POST", "/customers/{id}/receivables", owed, id=customer)
    do("POST", "/receivables/{id}/payments", {"amount": "40.00", "occurred_on": DAY}, id=bill)
    payment = api.read(f"/receivables/{bill}")["movements"][0]["payment_id"]
    reversal = {"occurred_on": "2026-01-15", "reason": "退票"}
    do("POST", "/receivables/{id}/payments/{payment_id}/reversal", reversal, id=bill, payment_id=payment)
    do("POST", "/receivables/{id}/due-date", {"due_on": "2026-02-28"}, id=bill)
    do("POST", "/receivables/{id}/reminders", {"channel": "phone", "occurred_on": DAY}, id=bill)
    do("POST", "/receivables/{id}/dispute", {"note": "数量不符", "occurred_on": DAY}, id=bill)
    do("POST", "/receivables/{id}/dispute/settlement", {"occurred_on": "2026-01-12"}, id=bill)
    do("POST", "/receivables/{id}/write-off", {"occurred_on": "2026-01-20", "reason": "破产"}, id=other)

    successor = do("POST", "/members", {"name": "周"})
    do("POST", "/members/{id}/handover", {"member_id": successor}, id=member)
    assert api.get(f"/customers/{customer}").json()["owner_id"] == successor

    do("POST", "/customers/{id}/contacts/{contact_id}/erasure", {"reason": "本人要求"}, id=customer, contact_id=contact)
    do("POST", "/customers/{id}/erasure", {"reason": "本人要求"}, id=customer)
    assert done == {(write.method, write.path) for write in WRITES}


def test_what_is_away_is_said_and_when_to_try_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = api.customer("断线客户")

    def away(*_: Any, **__: Any) -> Any:
        raise DatabaseAway("gone")

    monkeypatch.setattr(api.services.database, "connection", away)
    for answered in (api.post(f"/customers/{customer}/tags", {"tag": "a"}), api.get("/tracking"), api.get("/events")):
        assert answered.status_code == 503
        assert answered.json()["code"] == "database-away"
        assert int(answered.headers["retry-after"]) > 0
    assert api.client.get("/readyz").status_code == 503
    assert "genjin_database_up 0" in api.client.get("/metrics").text
    assert api.client.get("/healthz").status_code == 200


def test_a_batch_goes_on_after_a_refusal_and_says_which(api: Api) -> None:
    customer = api.customer("批量二")
    items = [{"command": "tag", "to": customer, "if_match": 1, "body": {"tag": "a"}}]
    api.done(f"/customers/{customer}", {"industry": "零售"}, "PATCH")
    answered = api.post("/commands", {"commands": items}, headers={"Accept-Language": "zh"}).json()
    assert answered["results"][0]["status"] == 412
    assert answered["results"][0]["problem"]["title"] == "您的数据已过时"


@contextmanager
def listening(api: Api) -> Iterator[str]:
    """The same app on a real socket, where streams are streams."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(api.client.app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        server.should_exit = True
        thread.join()


def test_the_stream_of_events_goes_on_with_what_happens_next(api: Api) -> None:
    customer = api.customer("实时客户")
    head = api.head()
    headers = {**api.headers, "Accept": "text/event-stream", "Last-Event-ID": str(head - 1)}
    with listening(api) as url, httpx.stream("GET", f"{url}/events", headers=headers, timeout=10) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        seen = []
        for line in stream.iter_lines():
            if line.startswith("id: "):
                seen.append(int(line[4:]))
                if len(seen) == 1:
                    api.done(f"/customers/{customer}/tags", {"tag": "实时"})
                if len(seen) == 2:
                    break
    assert seen == [head, head + 1]
