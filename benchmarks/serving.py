"""The service over HTTP with a hundred thousand customers in it: commands, lists, searches, histories, moments."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psutil

from aggregates.base import Acting, acting
from aggregates.business_days import Calendar
from aggregates.customer import Customer
from benchmarks import company, measure
from benchmarks.client import Client
from benchmarks.commands import a_minute_ago, beside_a_busy_record, follow_ups, one_token
from benchmarks.load import load
from benchmarks.measure import Figure
from benchmarks.place import Place, Running, crm, database_of, keyring_of, serving
from ledger.ledger import Ledger

LONG_HISTORY = 1_000
PARTS = ("history", "pages", "visible", "one-token", "moments", "searches", "busy-record", "starting")
"""What can be measured for itself."""


def visible(running: Running, token: str, customers: int) -> Iterator[Figure]:
    """From an answered command to its row in `tracking`, as a client sees it, while 100 commands a second come in."""
    request = follow_ups(customers, token)
    delays: list[float] = []

    def watch(until: float) -> None:
        writing, reading = Client(running.port, token), Client(running.port, token)
        number = 0
        while time.perf_counter() < until:
            number += 1
            path = f"/customers/{company.made('customer', number % customers)}/follow-ups"
            position = writing.post(path, {"method": "wechat", "occurred_at": a_minute_ago()})["position"]
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


Parts = Mapping[str, Callable[[], Iterator[Figure]]]


def figures(
    place: Place, customers: int, customer: UUID, moment: datetime, wanted: Collection[str] = PARTS
) -> Iterator[Figure]:
    """Everything that is asked over HTTP, or the wanted parts of it."""
    token = json.loads(crm(place, "token", "create", "--name", "bench", "--json"))["token"]
    parts: Parts
    if set(wanted) & {"history", "pages", "visible", "one-token", "moments"}:
        with serving(place, workers=2) as running, place.store() as store:
            client = Client(running.port, token)
            client.get("/tracking?limit=1")
            parts = {
                "history": lambda: one_customer(client, customer),
                "pages": lambda: pages(client),
                "visible": lambda: visible(running, token, customers),
                "one-token": lambda: one_token(running, token, store.conninfo, customers),
                "moments": lambda: moments(client, moment),
            }
            yield from _those(parts, wanted)
    if set(wanted) & {"searches", "busy-record"}:
        with serving(place, workers=1) as running:
            parts = {
                "searches": lambda: searches(running.port, token, customers),
                "busy-record": lambda: beside_a_busy_record(running, token, customers),
            }
            yield from _those(parts, wanted)
    if "starting" in wanted:
        yield from starting(place, token)


def _those(parts: Parts, wanted: Collection[str]) -> Iterator[Figure]:
    for name, measured in parts.items():
        if name in wanted:
            yield from measured()


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
