"""What waits for one record, or for anything else, never holds up the rest of a process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from threading import Event, Thread
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from starlette.testclient import TestClient

from api.app import create_app
from api.changes import batches
from api.limits import queueing
from api.limits.queueing import Bulkhead
from commands.door import Door
from crm.processes.protocol import Protocol
from crm.surroundings import Surroundings
from integration.serving import Api
from keys import TOKEN
from projections.engine.failures import NotBuilt
from sheets.jobs import book

SHARED_THREADS = 40
"""Threads of a process that answer everything that has no threads of its own."""
PATIENCE = 30.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for what other threads do."""
    patience = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < patience, "it did not come to that"
        sleep(0.002)


def gauge(api: Api, name: str) -> float:
    """A figure of `/metrics`."""
    lines = api.client.get("/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).rpartition(" ")[2])


def waiting_commands(api: Api) -> int:
    """The commands that wait for their turn at a record."""
    return int(api.services.door.turns.waiting)


@contextmanager
def holding(api: Api, record: str) -> Iterator[Callable[[], None]]:
    """It is nobody else's turn at the record, until it is let go."""
    with ExitStack() as held:
        held.enter_context(api.services.door.turn(UUID(record)))
        yield held.close


@contextmanager
def asked(asking: Callable[[int], Any], count: int, let_go: Callable[[], object]) -> Iterator[list[Future[Any]]]:
    """So many requests at once that are held up, and are answered in any case once what holds them up is let go."""
    with ThreadPoolExecutor(count) as threads:
        try:
            yield [threads.submit(asking, number) for number in range(count)]
        finally:
            let_go()


@contextmanager
def another_app(api: Api, **pieces: Any) -> Iterator[Api]:
    """The same workspace behind another process, so to speak, some of whose pieces are others."""
    services: Any = SimpleNamespace(**{**vars(api.services), **pieces})
    with TestClient(create_app(services), raise_server_exceptions=False) as client:
        yield Api(client, services, api.member_id, api.actors)


def assert_served(api: Api, record: str) -> None:
    """A command on another record, a new record, a read and the health of the process are answered now."""
    apart = ThreadPoolExecutor(1)
    try:
        for ask in (
            lambda: api.post(f"/customers/{record}/tags", {"tag": "快"}),
            lambda: api.post("/customers", {"kind": "company", "name": "别的客户"}),
            lambda: api.get(f"/customers/{record}"),
            lambda: api.client.get("/metrics"),
        ):
            assert apart.submit(ask).result(PATIENCE).status_code in (200, 201)
    finally:
        apart.shutdown(wait=False)  # what is not answered is held up by what the caller lets go afterwards


def tags(number: int, count: int) -> dict[str, Any]:
    """The body of a batch that changes one record again and again; `to` is filled in by the caller."""
    return {"commands": [{"command": "tag", "body": {"tag": f"批{number}之{each}"}} for each in range(count)]}


def test_batches_and_commands_on_one_record_hold_up_nobody_else(api: Api) -> None:
    busy, other = api.customer("忙客户"), api.customer("闲客户")

    def batch(number: int) -> Any:
        body = tags(number, 12)
        for command in body["commands"]:
            command["to"] = busy
        return api.post("/commands", body)

    def command(number: int) -> Any:
        return api.post(f"/customers/{busy}/follow-ups", {"method": "phone", "content": f"第 {number} 次"})

    before = api.get(f"/customers/{busy}").json()["version"]
    with (
        holding(api, busy) as let_go,
        asked(batch, 8, let_go) as sent,
        asked(command, 60, let_go) as commands,
    ):
        until(lambda: waiting_commands(api) == 61 and gauge(api, 'genjin_bulkhead_waiting{work="batches"}') == 7)
        assert gauge(api, "genjin_commands_waiting") == 61
        assert gauge(api, 'genjin_bulkhead_running{work="batches"}') == 1
        assert_served(api, other)
        elsewhere = {"commands": [{"command": "tag", "to": other, "body": {"tag": "批"}}]}
        assert api.post("/commands", elsewhere).json()["done"] == 1
        assert not any(each.done() for each in (*sent, *commands))
    assert [each.result().status_code for each in commands] == [201] * 60
    assert [each.result().json()["done"] for each in sent] == [12] * 8
    assert api.get(f"/customers/{busy}").json()["version"] == before + 60 + 8 * 12
    assert waiting_commands(api) == gauge(api, 'genjin_bulkhead_running{work="batches"}') == 0
    assert len(api.services.door.turns) == 0


def test_beyond_the_bound_a_command_is_told_to_come_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "MAX_WAITING_COMMANDS", 2)
    busy, other = api.customer("挤客户"), api.customer("空客户")
    path = f"/customers/{busy}/tags"
    with (
        holding(api, busy) as let_go,
        asked(lambda number: api.post(path, {"tag": f"等{number}"}), 2, let_go) as waiting,
    ):
        until(lambda: waiting_commands(api) == 2)
        refused = api.post(path, {"tag": "多"}, headers={"Accept-Language": "zh"})
        assert (refused.status_code, refused.json()["code"]) == (503, "record-busy")
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["retry-after"] in refused.json()["detail"]
        assert refused.json()["title"] == "该记录正忙"
        assert_served(api, other)
    assert [each.result().status_code for each in waiting] == [200, 200]
    assert sorted(api.read(f"/customers/{busy}")["tags"]) == ["等0", "等1"]
    told = api.client.get("/api/v1/problems/record-busy")
    assert told.status_code == 200


def test_every_answer_503_is_documented_with_when_to_come_again(api: Api) -> None:
    document = api.client.get("/api/v1/openapi.json").json()
    for path in document["paths"].values():
        for operation in path.values():
            told = operation["responses"]["503"]
            assert "record-busy" in told["description"]
            assert told["headers"]["Retry-After"]["schema"] == {"type": "integer"}


def test_a_turn_that_does_not_come_in_time_is_told_and_nothing_is_written(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queueing, "COMMAND_WAIT_SECONDS", 0.05)
    busy = api.customer("久客户")
    before = api.head()
    with api.services.door.turn(UUID(busy)):
        refused = api.post(f"/customers/{busy}/tags", {"tag": "久"})
        assert (refused.status_code, refused.json()["code"]) == (503, "record-busy")
        assert int(refused.headers["retry-after"]) > 0
    assert api.head() == before
    assert len(api.services.door.turns) == 0
    assert api.post(f"/customers/{busy}/tags", {"tag": "久"}).status_code == 200


def test_a_command_of_a_batch_whose_turn_does_not_come_is_refused_alone(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = api.services.door.turns
    monkeypatch.setattr(api.services.door, "turn", lambda to: turns.turn(to, 0.05))
    busy, other = api.customer("批忙"), api.customer("批闲")
    body = {"commands": [{"command": "tag", "to": to, "body": {"tag": "批"}} for to in (busy, other)]}
    with turns.turn(UUID(busy)):
        answered = api.post("/commands", body).json()
    assert (answered["done"], answered["refused"]) == (1, 1)
    first, second = answered["results"]
    assert (first["status"], first["problem"]["code"], second["status"]) == (503, "record-busy", 200)


def test_what_is_refused_anyway_does_not_wait_first(api: Api) -> None:
    busy = api.customer("先验客户")
    auditor = api.signed_in("auditor")
    with api.services.door.turn(UUID(busy)):
        assert api.post(f"/customers/{busy}/tags", {"label": "x"}).status_code == 422
        assert api.post(f"/customers/{busy}/tags", {"tag": "x", "tag ": 1}).status_code == 422
        assert auditor.post(f"/customers/{busy}/tags", {"tag": "x"}).status_code == 403


def test_only_so_many_batches_wait_for_a_thread(api: Api) -> None:
    records = [api.customer("批客户") for _ in range(3)]
    busy = records[0]

    def batch(number: int) -> Any:
        command = {"command": "tag", "to": records[number], "body": {"tag": "批"}}
        return crowded.post("/commands", {"commands": [command]})

    with another_app(api) as crowded:
        batches = Bulkhead(threads=1, max_waiting=1, seconds=PATIENCE)
        crowded.client.app.state.bulkheads["batches"] = batches  # type: ignore[attr-defined]
        with (
            holding(api, busy) as let_go,
            asked(batch, 1, let_go) as running,
        ):
            until(lambda: (batches.running, batches.waiting) == (1, 0))
            with asked(lambda _: batch(1), 1, let_go) as waiting:
                until(lambda: (batches.running, batches.waiting) == (1, 1))
                refused = batch(2)
                assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
                assert int(refused.headers["retry-after"]) > 0
        assert [each.result().status_code for each in (*running, *waiting)] == [200, 200]


def test_a_client_that_goes_away_leaves_the_queue(api: Api) -> None:
    busy = api.customer("走客户")
    body = b'{"tag": "gone"}'
    head = f"POST /api/v1/customers/{busy}/tags HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    before = api.head()
    with listening(api) as port, api.services.door.turn(UUID(busy)):
        clients = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(3)]
        for client in clients:
            client.sendall(head.encode() + body)
        until(lambda: waiting_commands(api) == 3)
        for client in clients:
            client.close()
        until(lambda: waiting_commands(api) == 0)
    assert api.head() == before
    assert len(api.services.door.turns) == 0


@contextmanager
def listening(api: Api) -> Iterator[int]:
    """Where the app answers real connections."""
    with closing(socket.socket()) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen()
        app: Any = api.client.app
        server = uvicorn.Server(uvicorn.Config(app, http=Protocol, log_config=None, lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [opened]})
        thread.start()
        try:
            yield opened.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


class Behind:
    """A reader whose read models are not far enough until they are let: who may wait for them does."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.waiting = 0
        self.go_on = Event()

    @contextmanager
    def at(self, name: str, as_of: Any = None, after: Any = None, timeout: float = 5.0, *more: Any) -> Iterator[Any]:
        """As `Reader.at`."""
        if not self.go_on.is_set():
            if timeout <= 0:
                raise NotBuilt(name, None, after)
            self.waiting += 1
            assert self.go_on.wait(PATIENCE)
        with self._reader.at(name, as_of, after, timeout, *more) as view:
            yield view

    def seen(self, sight: Any) -> Any:
        """As `Reader.seen`."""
        return self._reader.seen(sight)


@pytest.mark.parametrize("params", [{}, {"after": 1}, {"as_of": "2026-01-01T00:00:00Z"}], ids=["now", "after", "as of"])
def test_reads_that_wait_hold_up_neither_commands_nor_other_reads(api: Api, params: dict[str, Any]) -> None:
    other = api.customer("等读客户")
    behind = Behind(api.services.reader)
    with another_app(api, reader=behind) as late:
        with asked(lambda _: late.get("/tracking", **params), 60, behind.go_on.set) as reads:
            until(lambda: behind.waiting == 24)
            assert_served(late, other)
            assert not any(each.done() for each in reads)
        assert {each.result().status_code for each in reads} <= {200, 202}


def test_reads_of_a_moment_do_not_hold_up_those_that_wait_for_a_position(api: Api) -> None:
    api.customer("两种等")
    behind = Behind(api.services.reader)
    with another_app(api, reader=behind) as late:
        with (
            asked(lambda _: late.get("/tracking", as_of="2026-01-01T00:00:00Z"), 40, behind.go_on.set) as moments,
            asked(lambda _: late.get("/tracking", after=1), 1, behind.go_on.set) as positions,
        ):
            until(lambda: behind.waiting == 24 + len(positions))
        assert {each.result().status_code for each in (*moments, *positions)} <= {200, 202}


def test_commands_that_wait_for_read_models_hold_up_no_others(api: Api) -> None:
    other = api.customer("交接客户")
    members = [api.done("/members", {"name": f"成员{number}"})["id"] for number in range(SHARED_THREADS + 5)]
    behind = Behind(api.services.reader)
    given = api.services.door
    around = Surroundings(api.services.ledger, behind, api.services.directory)  # type: ignore[arg-type]
    door = Door(given.ledger, given.policy, given.clock, given.directory, around)
    with another_app(api, door=door) as late:
        with asked(
            lambda number: late.post(f"/members/{members[number]}/removal"), len(members), behind.go_on.set
        ) as removals:
            until(lambda: behind.waiting == 24)
            assert_served(late, other)
            assert not any(each.done() for each in removals)
        assert {each.result().status_code for each in removals} == {200}


def held(go_on: Event, seen: list[int], work: Callable[..., Any]) -> Callable[..., Any]:
    """The same work, which does not begin before it is let."""

    def slow(*given: Any, **named: Any) -> Any:
        seen.append(1)
        assert go_on.wait(PATIENCE)
        return work(*given, **named)

    return slow


def assert_apart(api: Api, ask: Callable[[int], Any], go_on: Event, seen: Sequence[int]) -> list[Any]:
    """While more of these requests wait than there are shared threads, everything else is answered."""
    other = api.customer("旁客户")
    with asked(ask, SHARED_THREADS + 4, go_on.set) as slow:
        until(lambda: len(seen) == 4)
        assert_served(api, other)
        assert not any(each.done() for each in slow)
    return [each.result() for each in slow]


def test_uploads_have_threads_of_their_own(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, seen = Event(), list[int]()
    monkeypatch.setattr(book, "request", held(go_on, seen, book.request))
    monkeypatch.setattr(book, "is_full", lambda _: False)

    def ask(_: int) -> Any:
        return api.request("POST", "/imports", params={"profile": "ibm-receivables"}, files={"file": ("x.csv", b"x")})

    answers = assert_apart(api, ask, go_on, seen)
    assert {each.status_code for each in answers} == {202}


def test_sign_ins_that_wait_for_their_provider_have_threads_of_their_own(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, seen = Event(), list[int]()
    begin = held(go_on, seen, lambda _: ("https://login.example.com/", "sealed"))
    monkeypatch.setattr(api.services.identity, "_openid", SimpleNamespace(begin=begin))

    def ask(_: int) -> Any:
        return api.client.get("/api/v1/session/openid", follow_redirects=False)

    answers = assert_apart(api, ask, go_on, seen)
    assert {each.status_code for each in answers} == {303}


def test_deals_opened_with_one_customer_wait_for_its_turn(api: Api) -> None:
    """They are decided on the customer: without its turn each would conflict with whatever else is done to it."""
    busy, other = api.customer("热客户"), api.customer("冷客户")

    def open_deal(number: int) -> Any:
        return api.post("/opportunities", {"name": f"第 {number} 单", "customer_id": busy})

    with holding(api, busy) as let_go, asked(open_deal, 50, let_go) as deals:
        until(lambda: waiting_commands(api) == 50)
        assert_served(api, other)
        assert api.post("/opportunities", {"name": "别的单", "customer_id": other}).status_code == 201
        assert not any(each.done() for each in deals)
    assert [each.result().status_code for each in deals] == [201] * 50


def test_a_batch_that_takes_too_long_does_no_more_of_its_commands(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_SECONDS", -1.0)
    record = api.customer("久客户")
    command = {"command": "tag", "to": record, "body": {"tag": "久"}}
    answered = api.post("/commands", {"commands": [command, command]}).json()
    assert [(each["status"], each["problem"]["code"]) for each in answered["results"]] == [(503, "record-busy")] * 2
    assert api.get(f"/customers/{record}").json()["tags"] == []


def test_batches_about_one_record_leave_the_threads_to_others(api: Api) -> None:
    busy, other = api.customer("道客户"), api.customer("旁客户")

    def batch(record: str) -> Any:
        return api.post("/commands", {"commands": [{"command": "tag", "to": record, "body": {"tag": "道"}}]})

    with another_app(api) as crowded:
        crowded.client.app.state.bulkheads["batches"] = Bulkhead(2, max_waiting=3, seconds=PATIENCE)  # type: ignore[attr-defined]
        threads: Bulkhead = crowded.client.app.state.bulkheads["batches"]  # type: ignore[attr-defined]
        api = crowded
        with holding(api, busy) as let_go, asked(lambda _: batch(busy), 4, let_go) as waiting:
            until(lambda: (threads.running, threads.waiting) == (1, 3))
            assert batch(other).json()["done"] == 1
            refused = batch(busy)
            assert (refused.status_code, refused.json()["code"]) == (503, "record-busy")
        assert [each.result().json()["done"] for each in waiting] == [1] * 4
