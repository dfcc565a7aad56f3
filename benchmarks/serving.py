"""The service over HTTP with a hundred thousand customers in it: commands, lists, searches, histories, moments."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psutil
import psycopg

from aggregates.base import Acting, acting
from aggregates.business_days import Calendar
from aggregates.customer import Customer
from benchmarks import company, measure
from benchmarks.load import load, post
from benchmarks.measure import Figure
from benchmarks.place import Place, Running, bare_service, crm, database_of, keyring_of, serving
from ledger.ledger import Ledger

CLIENTS = 16
SECONDS = 5.0
LONG_HISTORY = 1_000
KEPT = 2.0
"""Seconds that a client trusts an idle connection; the server closes it after five."""
API = "/api/v1"


class Client:
    """One kept connection with a token."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._used_at = time.monotonic()
        self._connect()

    def _connect(self) -> None:
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str) -> bytes:
        """The body of a 200; anything else fails the measurement."""
        status, body = self._ask(path)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {body[:500]!r}")
        return body

    def get_in_time(self, path: str) -> bytes:
        """The body of a 200, asked for again while it is being made (202), for a minute at most."""
        deadline = time.monotonic() + 60
        while True:
            status, body = self._ask(path)
            if status == 200:
                return body
            if status != 202 or time.monotonic() > deadline:
                raise RuntimeError(f"GET {path}: {status} {body[:500]!r}")
            time.sleep(0.05)

    def _ask(self, path: str) -> tuple[int, bytes]:
        """Status and body; a connection that idled for too long is made anew."""
        if time.monotonic() - self._used_at > KEPT:
            self._connection.close()
            self._connect()
        self._used_at = time.monotonic()
        self._connection.request("GET", API + path, headers=self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def seconds(self, path: str) -> float:
        """How long the answer took."""
        begun = time.perf_counter()
        self.get(path)
        return time.perf_counter() - begun


def follow_up(customers: int) -> Callable[[int, int], bytes]:
    """Requests that log a follow-up with one customer after the other, each client with its own customers."""
    body = json.dumps({"method": "phone", "content": "x" * 180, "occurred_at": _a_minute_ago()}).encode()

    def request(client: int, number: int) -> bytes:
        return body_of[(client + number * CLIENTS) % customers]

    def path(number: int) -> str:
        return f"{API}/customers/{company.made('customer', number)}/follow-ups"

    body_of = [post(path(number), body, token="{token}") for number in range(min(customers, 20_000))]
    return request


def _a_minute_ago() -> str:
    return (datetime.now(UTC) - timedelta(minutes=1)).isoformat()


def _with_token(request: Callable[[int, int], bytes], token: str) -> Callable[[int, int], bytes]:
    return lambda client, number: request(client, number).replace(b"{token}", token.encode(), 1)


def commands(running: Running, token: str, conninfo: str, customers: int) -> Iterator[Figure]:
    """Follow-ups a second over HTTP, against the bare route, in turn."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS bare_notes "
            "(id bigserial PRIMARY KEY, number integer, content text, method text)"
        )
    bare_body = json.dumps({"content": "x" * 180, "method": "phone"}).encode()

    def bare_request(client: int, _: int) -> bytes:
        return post(f"/notes/{client}", bare_body)

    ours, bare = [], []
    request = _with_token(follow_up(min(customers, 20_000)), token)
    with bare_service(conninfo, workers=2) as port:
        for _ in range(measure.RUNS):
            ours.append(load(running.port, request, clients=CLIENTS, seconds=SECONDS).rate)
            bare.append(load(port, bare_request, clients=CLIENTS, seconds=SECONDS).rate)
    yield measure.ratio("POST a follow-up, 2 processes, 16 clients: ours / bare route with one INSERT", ours, bare, 0.5)


def visible(running: Running, token: str, customers: int) -> Iterator[Figure]:
    """From an answered command to its row in `tracking`, as a client sees it, while 100 commands a second come in."""
    request = _with_token(follow_up(min(customers, 20_000)), token)
    delays: list[float] = []

    def watch(until: float) -> None:
        writing, reading = Client(running.port, token), Client(running.port, token)
        connection = writing._connection
        number = 0
        while time.perf_counter() < until:
            number += 1
            body = json.dumps({"method": "wechat", "occurred_at": _a_minute_ago()})
            customer = company.made("customer", number)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request("POST", f"{API}/customers/{customer}/follow-ups", body, headers)
            answer = connection.getresponse()
            position = json.loads(answer.read())["position"]
            answered = time.perf_counter()
            reading.get(f"/tracking?limit=1&after={position}")
            delays.append(time.perf_counter() - answered)
            time.sleep(0.02)

    watcher = threading.Thread(target=watch, args=(time.perf_counter() + 10,))
    watcher.start()
    reached = load(running.port, request, clients=4, seconds=10, rate=100)
    watcher.join()
    yield measure.below(
        "command answered -> visible in tracking (the asking included), 100 commands/s, p95",
        [measure.p95(delays)],
        50,
        "ms",
        f"{reached.rate:.0f} commands/s, {len(delays)} looks",
    )


def pages(client: Client) -> Iterator[Figure]:
    """Pages of fifty, filtered and sorted in the ways a salesperson does."""
    members = [company.made("member", number) for number in range(40)]
    chance = random.Random(3)
    sorts = ("next_contact_on", "-last_followed_up_at", "name", "-open_balance")
    kinds: list[dict[str, str]] = []
    for _ in range(200):
        asked = {"limit": "50", "sort": chance.choice(sorts[:3])}
        if chance.random() < 0.7:
            asked["owner_id[eq]"] = str(chance.choice(members))
        if chance.random() < 0.4:
            asked["region[eq]"] = chance.choice(company.PLACES)
        if chance.random() < 0.3:
            asked["lifecycle[eq]"] = chance.choice(("potential", "won"))
        kinds.append(asked)
    taken = [client.seconds("/tracking?" + urlencode(asked)) for asked in kinds]
    yield measure.below(
        "page of 50 from tracking at 100,000 customers, filtered and sorted, p95", [measure.p95(taken)], 25, "ms"
    )


def searches(port: int, token: str, customers: int) -> Iterator[Figure]:
    """Parts of company names, each asked once."""
    chance = random.Random(11)
    for length in (3, 2):
        terms = set[str]()
        while len(terms) < 60:
            name = company.company_name(chance.randrange(customers)).removesuffix("有限公司")
            at = chance.randrange(max(1, len(name) - length))
            terms.add(name[at : at + length])
        client = Client(port, token)
        taken = [client.seconds(f"/tracking?limit=50&q={quote(term)}") for term in sorted(terms)]
        yield measure.below(
            f"search for {length} characters of a Chinese company name, fresh process, distinct terms, p95",
            [measure.p95(taken)],
            60,
            "ms",
        )


def long_customer(place: Place) -> UUID:
    """A customer with a history of a thousand events."""
    own = uuid4()
    zone = ZoneInfo("Asia/Shanghai")
    with place.store() as store, database_of(store) as database:
        ledger = Ledger(database, keyring_of(store, database))
        who = Acting(actor="member:bench", command_id=uuid4(), source="api", now=datetime.now(UTC))
        with acting(who):
            customer = Customer.register(own, code=f"B{own.hex[:12]}", kind="company", name="长历史有限公司")
            for _ in range(LONG_HISTORY - 1):
                calendar = Calendar(datetime.now(UTC), zone)
                at = calendar.now - timedelta(minutes=1)
                customer.log_follow_up(uuid4(), at, calendar, method="phone", content="例行回访, 一切正常")
        ledger.save(customer)
        ledger.close()
    return own


def one_customer(client: Client, customer: UUID) -> Iterator[Figure]:
    """The history of a long customer, page by page, and the customer as of its middle."""
    page = [client.seconds(f"/customers/{customer}/history?limit=200") for _ in range(50)]
    yield measure.below("history of a customer with 1,000 events (page of 200), p95", [measure.p95(page)], 40, "ms")
    middle = [client.seconds(f"/customers/{customer}?version={LONG_HISTORY // 2}") for _ in range(50)]
    yield measure.below("that customer as of event 500, p95", [measure.p95(middle)], 40, "ms")


def moments(client: Client, moment: datetime) -> Iterator[Figure]:
    """The tracking table as of a moment in the middle of everything: the first answer, and those after it."""
    as_of = quote(moment.isoformat())
    begun = time.perf_counter()
    client.get_in_time(f"/tracking?limit=50&as_of={as_of}")
    first = time.perf_counter() - begun
    yield measure.below("as_of the middle of the ledger: first answer", [first], 8, "s")
    later = [client.seconds(f"/tracking?limit=50&sort=name&as_of={as_of}") for _ in range(50)]
    yield measure.below("as_of the middle of the ledger: later answers, p95", [measure.p95(later)], 50, "ms")


def figures(place: Place, customers: int, customer: UUID, moment: datetime) -> Iterator[Figure]:
    """Everything that is asked over HTTP."""
    token = json.loads(crm(place, "token", "create", "--name", "bench", "--json"))["token"]
    with serving(place, workers=2) as running, place.store() as store:
        client = Client(running.port, token)
        client.get("/tracking?limit=1")
        yield from one_customer(client, customer)
        yield from pages(client)
        yield from visible(running, token, customers)
        yield from commands(running, token, store.conninfo, customers)
        yield from moments(client, moment)
    with serving(place, workers=1) as running:
        yield from searches(running.port, token, customers)
    yield from starting(place, token)


def starting(place: Place, token: str) -> Iterator[Figure]:
    """Start to ready over the existing store, and what one process that answers holds in memory."""
    seconds, megabytes = [], []
    for _ in range(measure.RUNS):
        with serving(place, workers=1) as running:
            seconds.append(running.seconds_to_ready)
            client = Client(running.port, token)
            for _ in range(50):
                client.get("/tracking?limit=50")
            web = [
                child
                for child in psutil.Process(running.process.pid).children(recursive=True)
                if any("web" in word for word in child.cmdline())
            ]
            megabytes.append(max(child.memory_info().rss for child in web) / 1e6)
    yield measure.below("start to ready with an existing embedded store", seconds, 3, "s")
    yield measure.below("memory of one API process", megabytes, 150, "MB")
