"""A long time at full load, with processes killed at random: nothing is lost, nothing doubled, nothing grows.

`make soak` takes ten minutes of it, `make test` one; CRM_SOAK_SECONDS says how long.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import psutil

from end_to_end.proof import prove_store
from end_to_end.running import Service, soon
from end_to_end.soak import CUSTOMERS, Soak
from end_to_end.test_crashes import database, kill

SECONDS = float(os.environ.get("CRM_SOAK_SECONDS") or 60)
BETWEEN = (3.0, 9.0)
"""Seconds between two accidents, the least and the most."""
SETTLED = 0.3
"""From this part of the time on, what lives on should no longer grow."""
GROWTH = 32 * 1024**2
"""Bytes that a process may still grow by."""


def lose(service: Service, spared: psutil.Process) -> None:
    """One of the processes is gone, by chance; never the one whose memory is looked at."""
    web = [each for each in service.children("crm.processes.web") if each.pid != spared.pid]
    kill(random.choice([web[:1], service.children("crm.processes.work"), database(service)]))


def test_at_full_load_nothing_is_lost_and_nothing_grows(place: Path) -> None:
    with Service(place / "data", workers=2, CRM_TOKEN_RATE="0", CRM_ADDRESS_RATE="0") as service:
        token, spared = service.token, service.children("crm.processes.web")[0]
        sizes: list[int] = []
        accidents = 0
        begun = time.monotonic()
        with Soak(service.port, token) as soak:
            while (passed := time.monotonic() - begun) < SECONDS:
                time.sleep(min(random.uniform(*BETWEEN), max(0.1, SECONDS - passed)))
                if passed > SETTLED * SECONDS:
                    sizes.append(spared.memory_info().rss)
                if passed < SECONDS - BETWEEN[1]:
                    lose(service, spared)
                    accidents += 1
        took = time.monotonic() - begun
        assert soak.unexpected == [], service.all_said
        assert soak.given_up == 0, service.all_said
        assert all(size - sizes[0] < GROWTH for size in sizes), sizes
        prove_promises(service, token, soak)
        prove_store(service)
    print(
        f"\n{len(soak.written):,} commands in {took:.0f} s ({len(soak.written) / took:.0f}/s), {accidents} processes"
        f" killed, memory {sizes[0] / 1e6:.0f} to {sizes[-1] / 1e6:.0f} MB, answers {dict(soak.statuses)}"
    )


def prove_promises(service: Service, token: str, soak: Soak) -> None:
    """Every event that was promised is at its position, and there is none that was not."""
    found: dict[int, tuple[str, int]] = {}
    after, more = 0, True
    with service.client(token) as client:
        assert soon(lambda: client.get("/workspace").status_code == 200, 60), service.all_said
        while more:
            page = client.get("/events", params={"after": after, "limit": 1000}).json()
            after, more = page["next"], page["more"]
            for event in page["items"]:
                if event["topic"] in ("customer.registered", "customer.follow-up-logged"):
                    found[event["position"]] = (event["id"], event["version"])
    assert found == soak.written
    assert len({customer for customer, _ in found.values()}) == CUSTOMERS
