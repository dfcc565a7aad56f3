"""Crashes under load: what was acknowledged is there, once, and the read models go on exactly where they were."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from end_to_end.load import Load
from end_to_end.proof import prove
from end_to_end.running import Service, is_alive, soon

STRETCH = 10
"""Accidents between two proofs."""


def kill(processes: list[psutil.Process]) -> None:
    """End all of them the hard way, at the same moment as far as that can be."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def database(service: Service) -> list[psutil.Process]:
    """The main process of the embedded database; none while there is none."""
    try:
        mark = (service.data / "postgres" / "data" / "postmaster.pid").read_text()
        process = psutil.Process(int(mark.splitlines()[0]))
        return [process] if process.name() == "postgres" else []
    except (OSError, IndexError, ValueError, psutil.NoSuchProcess):
        return []


def lose_a_web_process(service: Service) -> None:
    """One of the processes that answer is gone; it is replaced."""
    kill(service.children("crm.processes.web")[:1])


def lose_the_worker(service: Service) -> None:
    """The process of the read models is gone; it is replaced."""
    kill(service.children("crm.processes.work"))


def lose_the_database(service: Service) -> None:
    """The database is gone; the service runs it again."""
    kill(database(service))


def lose_the_supervisor(service: Service) -> None:
    """The process that looks after the others is gone; they end with it, and a person starts the service again."""
    children = service.children()
    service.kill()
    assert soon(lambda: not any(map(is_alive, children)), 40), service.all_said
    restart(service)


def lose_everything_but_the_database(service: Service) -> None:
    """All our processes are gone at once, and a person starts the service again."""
    kill([*service.children(), service.process])
    restart(service)


def lose_everything(service: Service) -> None:
    """As in a power failure, as far as a test can have one."""
    kill([*database(service), *service.children(), service.process])
    restart(service)


def stop_the_database(service: Service) -> None:
    """Somebody stops the database under a running service."""
    stopped = database(service)
    for process in stopped:
        process.send_signal(random.choice([signal.SIGINT, signal.SIGQUIT]))
    assert soon(lambda: not any(map(is_alive, stopped)), 30)


def restart(service: Service) -> None:
    """Start a service again that was killed."""
    service.kill()
    service.printed.clear()
    service.start()


ACCIDENTS: list[Callable[[Service], None]] = [
    lose_a_web_process,
    lose_the_worker,
    lose_the_database,
    lose_the_supervisor,
    lose_everything_but_the_database,
    lose_everything,
    stop_the_database,
]


def survive(data: Path, accidents: Sequence[Callable[[Service], None]]) -> None:
    """Let these accidents happen to a service under load, and look again and again whether anything was lost."""
    with Service(data, workers=2) as service:
        token = service.token
        load = Load(service.url, token)
        for first in range(0, len(accidents), STRETCH):
            with load:
                for accident in accidents[first : first + STRETCH]:
                    time.sleep(random.uniform(0.1, 1.2))
                    accident(service)
            prove(service, load, token)
        assert len(load.promised) > 10 * len(accidents)
    assert not (data / "postgres" / "data" / "postmaster.pid").exists()


def test_everything_promised_is_there_once_after_every_kind_of_accident(place: Path) -> None:
    survive(place / "data", ACCIDENTS)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(5))
def test_again_and_again(place: Path, seed: int) -> None:
    random.seed(seed)
    survive(place / "data", random.choices(ACCIDENTS, k=60))
