"""Commands over HTTP: many clients with one token, and one record that all of them want."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from statistics import median
from uuid import UUID

import psycopg

from benchmarks import company, measure
from benchmarks.client import API, Client
from benchmarks.load import load, post
from benchmarks.measure import Figure
from benchmarks.place import Running, bare_service

CLIENT_COUNT = 16
RUN_SECONDS = 5.0
COMMAND_CLIENTS, BATCH_CLIENTS, BATCH_COMMANDS = 40, 40, 10
"""Clients that want one record: those that send a command at a time, those that send a batch, and its commands."""
HAMMERING_SECONDS = 8.0
BEGINNING_SECONDS = 1.5
"""After which all of them wait."""
MAX_CUSTOMERS_WRITTEN_TO = 20_000
"""Customers that are written to."""
Requests = Callable[[int, int], bytes]


def follow_ups(customers: int, token: str) -> Requests:
    """Requests that log a follow-up with one customer after the other, each client with its own customers."""
    body = json.dumps({"method": "phone", "content": "x" * 180, "occurred_at": a_minute_ago()}).encode()
    number_of = min(customers, MAX_CUSTOMERS_WRITTEN_TO)
    paths = [f"{API}/customers/{company.made('customer', number)}/follow-ups" for number in range(number_of)]
    return lambda client, number: post(paths[(client + number * CLIENT_COUNT) % number_of], body, token)


def registrations(token: str) -> Requests:
    """Requests that register a new customer each."""
    serial = count()

    def request(_client: int, _number: int) -> bytes:
        body = {"kind": "company", "name": f"新客户{next(serial)}有限公司", "need": "x" * 180}
        return post(f"{API}/customers", json.dumps(body).encode(), token)

    return request


def a_minute_ago() -> str:
    """When a conversation was that is entered now."""
    return (datetime.now(UTC) - timedelta(minutes=1)).isoformat()


def one_token(running: Running, token: str, conninfo: str, customers: int) -> Iterator[Figure]:
    """Commands by sixteen clients with one token, against the bare route under the same load, in turn."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS bare_notes "
            "(id bigserial PRIMARY KEY, number integer, content text, method text)"
        )
    bare_body = json.dumps({"content": "x" * 180, "method": "phone"}).encode()
    ways = {
        "follow-up": partial(load, running.port, follow_ups(customers, token)),
        "new customer": partial(load, running.port, registrations(token)),
    }
    rates: dict[str, list[float]] = {}
    times: dict[str, list[float]] = {}
    with bare_service(conninfo, workers=2) as port:
        ways["bare"] = partial(load, port, lambda client, _: post(f"/notes/{client}", bare_body))
        for _ in range(measure.RUNS):
            for name, run in ways.items():
                found = run(clients=CLIENT_COUNT, seconds=RUN_SECONDS)
                rates.setdefault(name, []).append(found.rate)
                times.setdefault(name, []).append(measure.p95(found.seconds))
    for name, least, most in (("follow-up", 0.5, 3.0), ("new customer", 0.4, 4.0)):
        what = f"POST a {name}, 2 processes, 16 clients"
        yield measure.ratio(f"{what}: ours / bare route with one INSERT", rates[name], rates["bare"], least)
        yield measure.ratio_below(f"{what}, one token, p95: ours / bare route", times[name], times["bare"], most, "ms")


def beside_a_busy_record(running: Running, token: str, customers: int) -> Iterator[Figure]:
    """Commands on other records and reads, one after the other, while many clients want one record."""
    client = Client(running.port, token)
    commands, reads, hammered = list[float](), list[float](), list[float]()
    for run in range(measure.RUNS):
        busy = company.made("customer", customers - 1 - run)
        with hammering(running.port, token, busy) as rate:
            time.sleep(BEGINNING_SECONDS)
            slowest_command, slowest_read = _asked_meanwhile(client, customers, HAMMERING_SECONDS - BEGINNING_SECONDS)
        commands.append(slowest_command)
        reads.append(slowest_read)
        hammered.append(rate[0])
    waiting = f"{COMMAND_CLIENTS} commands and {BATCH_CLIENTS} batches of {BATCH_COMMANDS} wait"
    beside = f"{waiting}, {median(hammered):,.0f} done/s"
    what = f"while {COMMAND_CLIENTS} wait for one, 1 process, p95"
    yield measure.below(f"a command on another record {what}", commands, 100, "ms", beside)
    yield measure.below(f"a customer is read {what}", reads, 100, "ms")


def _asked_meanwhile(client: Client, customers: int, seconds: float) -> tuple[float, float]:
    """The 95th percentiles of commands on other records and of reads of them, in milliseconds."""
    commands, reads = list[float](), list[float]()
    begun = time.perf_counter()
    for number in count():
        other = f"/customers/{company.made('customer', number % (customers // 2))}"
        commands.append(client.seconds_of(client.post, f"{other}/follow-ups", {"method": "phone"}))
        reads.append(client.seconds_of(client.get, other))
        if time.perf_counter() - begun > seconds:
            return measure.p95(commands), measure.p95(reads)
        time.sleep(0.02)
    raise AssertionError("unreachable")


@contextmanager
def hammering(port: int, token: str, busy: UUID) -> Iterator[list[float]]:
    """Clients that all want one record; afterwards the list holds how many commands a second were done with it.

    A client that is turned away comes again after a moment.
    """
    follow_up = {"method": "phone", "content": "x" * 180}
    single = post(f"{API}/customers/{busy}/follow-ups", json.dumps(follow_up).encode(), token)
    batch = {"commands": [{"command": "log-follow-up", "to": str(busy), "body": follow_up}] * BATCH_COMMANDS}
    several = post(f"{API}/commands", json.dumps(batch).encode(), token)
    rate: list[float] = []
    want = partial(load, port, seconds=HAMMERING_SECONDS, retries_503=True)
    with ThreadPoolExecutor(2) as threads:
        loads = [
            threads.submit(want, _always(single), clients=COMMAND_CLIENTS),
            threads.submit(want, _always(several), clients=BATCH_CLIENTS),
        ]
        yield rate
        singles, batches = (each.result() for each in loads)
    done = sum(json.loads(each)["done"] for each in batches.answers)
    rate.append((len(singles.answers) + done) / HAMMERING_SECONDS)


def _always(request: bytes) -> Requests:
    return lambda _client, _number: request
