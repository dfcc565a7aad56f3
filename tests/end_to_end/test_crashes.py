"""Crashes under load: what was acknowledged is there, once, and the read models go on exactly where they were."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from end_to_end.load import Load
from end_to_end.running import Service, crm, is_alive, soon


def kill(processes: list[psutil.Process]) -> None:
    """End all of them the hard way, at the same moment as far as that can be."""
    for process in processes:
        process.kill()


def database(service: Service) -> psutil.Process:
    """The main process of the embedded database."""
    pid = int((service.data / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
    return psutil.Process(pid)


def lose_a_web_process(service: Service) -> None:
    """One of the processes that answer is gone; it is replaced."""
    kill(service.children("crm.processes.web")[:1])


def lose_the_worker(service: Service) -> None:
    """The process of the read models is gone; it is replaced."""
    kill(service.children("crm.processes.work"))


def lose_everything_but_the_database(service: Service) -> None:
    """All our processes are gone at once, and a person starts the service again."""
    kill([*service.children(), service.process])
    restart(service)


def lose_everything(service: Service) -> None:
    """As in a power failure, as far as a test can have one."""
    kill([database(service), *service.children(), service.process])
    restart(service)


def stop_the_database(service: Service) -> None:
    """Somebody stops the database under a running service."""
    stopped = database(service)
    stopped.send_signal(random.choice([signal.SIGINT, signal.SIGQUIT]))
    assert soon(lambda: not is_alive(stopped), 30)


def restart(service: Service) -> None:
    """Start a service again that was killed."""
    service.kill()
    service.printed.clear()
    service.start()


ACCIDENTS: list[Callable[[Service], None]] = [
    lose_a_web_process,
    lose_the_worker,
    lose_everything_but_the_database,
    lose_everything,
    stop_the_database,
]


def survive(data: Path, accidents: list[Callable[[Service], None]]) -> None:
    """Let these accidents happen to a service under load, then look whether anything was lost or doubled."""
    with Service(data, workers=2) as service:
        token = service.token
        with Load(service.url, token) as load:
            for accident in accidents:
                time.sleep(random.uniform(0.2, 1.5))
                accident(service)
        assert load.statuses.keys() <= {201, 503}, (load.statuses, service.all_said)
        assert soon(lambda: _all_read(service, token) == load.promised, 60), service.all_said
        proven = crm(data, "verify", "--json")
        assert proven.returncode == 0, proven.stdout + proven.stderr
        assert json.loads(proven.stdout)["is_clean"] is True
    assert not (data / "postgres" / "data" / "postmaster.pid").exists()


def _all_read(service: Service, token: str) -> dict[str, str] | None:
    """The id of each customer by name, as the read model has them; None while the service is not ready."""
    found: list[tuple[str, str]] = []
    with service.client(token) as client:
        asked: dict[str, str] | None = {"limit": "200"}
        while asked is not None:
            answer = client.get("/customers", params=asked)
            if answer.status_code != 200:
                return None
            page = answer.json()
            found += [(each["name"], each["customer_id"]) for each in page["items"]]
            asked = {"limit": "200", "cursor": page["next"]} if page["next"] else None
    names = Counter(name for name, _ in found)
    assert not [name for name, times in names.items() if times > 1]
    return dict(found)


def test_everything_promised_is_there_once_after_every_kind_of_accident(place: Path) -> None:
    survive(place / "data", ACCIDENTS)


@pytest.mark.torture
@pytest.mark.parametrize("round", range(60))
def test_again_and_again(place: Path, round: int) -> None:
    random.seed(round)
    survive(place / "data", random.choices(ACCIDENTS, k=5))
