"""PostgreSQL is stopped and started under load: 503 meanwhile, and the service recovers by itself."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from crm.database.embedded import EmbeddedServer
from end_to_end.load import Load
from end_to_end.proof import prove
from end_to_end.running import Service, is_alive, soon

CUSTOMER = {"name": "上海明远科技", "kind": "company"}
RECOVERED_WITHIN = 20.0


class OwnServer:
    """A PostgreSQL server that the service uses and does not look after."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = EmbeddedServer(folder)
        self._server.start()
        self.conninfo = self._server.conninfo("genjin")

    def stop(self, how: signal.Signals) -> None:
        """Stop it, kindly or not."""
        pid = int((self._folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        process = psutil.Process(pid)
        process.send_signal(how)
        assert soon(lambda: not is_alive(process), 30)

    def start(self) -> None:
        """Start it again."""
        self._server.keep_running()

    def close(self) -> None:
        """Need it no longer."""
        self._server.stop()


@pytest.fixture
def server_of_ones_own(place: Path) -> Iterator[OwnServer]:
    """A server of a test's own, running at first."""
    server = OwnServer(place / "postgres")
    yield server
    server.close()


@pytest.mark.parametrize("rounds", [2, pytest.param(120, marks=pytest.mark.torture)])
def test_503_meanwhile_and_recovery_by_itself(place: Path, server_of_ones_own: OwnServer, rounds: int) -> None:
    random.seed(rounds)
    conninfo = server_of_ones_own.conninfo
    with Service(place / "data", workers=2, CRM_DATABASE_URL=conninfo) as service:
        token, processes = service.token, service.children()
        load = Load(service.url, token)
        with load, service.client(token) as client:
            for _ in range(rounds):
                time.sleep(random.uniform(0.1, 0.6))
                server_of_ones_own.stop(random.choice([signal.SIGINT, signal.SIGQUIT, signal.SIGKILL]))
                check_away(client, service)
                server_of_ones_own.start()
                check_back(client, service, load)
        assert load.statuses[503] > rounds
        assert service.children() == processes, service.all_said
        prove(service, load, token)


def check_away(client: httpx.Client, service: Service) -> None:
    """Writing and reading say that the database is away and when to try again; the process itself is well."""
    with ThreadPoolExecutor() as asking:
        asked = [asking.submit(client.post, "/customers", json=CUSTOMER), asking.submit(client.get, "/tracking")]
    for answer in (each.result() for each in asked):
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "database-away"
        assert int(answer.headers["retry-after"]) > 0
    assert httpx.get(f"{service.url}/healthz").status_code == 200
    assert httpx.get(f"{service.url}/readyz").status_code == 503


def check_back(client: httpx.Client, service: Service, load: Load) -> None:
    """Soon the clients get their answers again, the read models know them, and the service says that it is ready."""
    before = len(load.promised)
    assert soon(lambda: len(load.promised) > before, RECOVERED_WITHIN), service.all_said
    position = load.position
    assert soon(lambda: client.get("/tracking", params={"after": position}).status_code == 200, RECOVERED_WITHIN), (
        service.all_said
    )
    assert soon(lambda: httpx.get(f"{service.url}/readyz").status_code == 200, RECOVERED_WITHIN), service.all_said
