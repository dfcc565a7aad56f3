"""A server that is really stopped: 503 that says when to try again, nothing half done, and recovery by itself."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from crm.database.embedded import EmbeddedServer
from crm.database.server import make_ready
from integration.serving import Api, serving

KINDLY, AT_ONCE = signal.SIGINT, signal.SIGKILL


class OwnServer:
    """A PostgreSQL server that a test can stop and start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = EmbeddedServer(folder)
        self._server.start()
        self.conninfo = self._server.conninfo("genjin_test")
        make_ready(self.conninfo)

    def stop(self, how: signal.Signals) -> None:
        """Stop it, kindly or not."""
        postmaster = psutil.Process(int((self._folder / "data" / "postmaster.pid").read_text().split()[0]))
        postmaster.send_signal(how)
        until = time.monotonic() + 30
        while postmaster.is_running() and postmaster.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < until, "the server does not stop"
            time.sleep(0.05)

    def start(self) -> None:
        """Start it again."""
        self._server.keep_running()

    def close(self) -> None:
        """Need it no longer."""
        self._server.stop()


@pytest.fixture
def own_server(place: Path) -> Iterator[OwnServer]:
    """A server of a test's own, running at first."""
    server = OwnServer(place / "postgres")
    yield server
    server.close()


def asked(api: Api, customer: str) -> list[Any]:
    """What the API says to a write, a batch and reads from the ledger and the read models, asked at the same time."""
    batch = {"commands": [{"command": "tag", "to": customer, "body": {"tag": "在外"}}]}
    with ThreadPoolExecutor(5) as threads:
        waiting = [
            threads.submit(api.post, f"/customers/{customer}/tags", {"tag": "离线"}, headers={"Idempotency-Key": "t"}),
            threads.submit(api.get, f"/customers/{customer}"),
            threads.submit(api.get, "/tracking"),
            threads.submit(api.get, "/events"),
            threads.submit(api.post, "/commands", batch),
        ]
        return [each.result() for each in waiting]


@pytest.mark.parametrize("how", [KINDLY, AT_ONCE])
def test_a_stopped_server_is_told_as_503_and_missed_no_longer_than_it_is_away(
    own_server: OwnServer, how: signal.Signals
) -> None:
    with serving(own_server.conninfo, patience=2.0) as api:
        customer = api.customer("停机客户")
        before = api.get(f"/customers/{customer}").json()["version"]
        own_server.stop(how)
        *away, batch = asked(api, customer)
        for answered in away:
            assert answered.status_code == 503, answered.text
            assert answered.headers["content-type"] == "application/problem+json"
            assert answered.json()["code"] == "database-away"
            assert int(answered.headers["retry-after"]) > 0
        result = batch.json()["results"][0]
        assert (result["status"], result["problem"]["code"]) == (503, "database-away")
        assert api.client.get("/healthz").status_code == 200
        assert api.client.get("/readyz").status_code == 503

        own_server.start()
        until = time.monotonic() + 40
        while (answered := api.get(f"/customers/{customer}")).status_code == 503:
            assert time.monotonic() < until, "the service does not come back"
            time.sleep(0.2)
        assert answered.json()["version"] == before
        again = {"Idempotency-Key": "t"}
        assert api.done(f"/customers/{customer}/tags", {"tag": "离线"}, headers=again)["version"] == before + 1
        assert api.read("/tracking", **{"tags[contains]": "离线"})["items"][0]["customer_id"] == customer
