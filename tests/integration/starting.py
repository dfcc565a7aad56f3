"""Processes that come up together: each opens the store of its settings, prepares it and registers a customer."""

from __future__ import annotations

import os
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from typing import NamedTuple

from commands.base import execute
from commands.customers import RegisterCustomer
from crm import settings, store
from crm.members import first_access
from crm.services import services
from policy import Actor

PATIENCE = 120.0
_processes = get_context("forkserver")
_processes.set_forkserver_preload(["commands", "crm.members", "crm.services"])


class Start(NamedTuple):
    """What one process came to: the first token (or none), and the id and position of its customer."""

    token: str | None
    customer: str
    position: int


def start_together(number: int, environment: dict[str, str]) -> list[Start]:
    """So many processes, none of which waits for another; all of them must come up."""
    barrier, answers = _processes.Barrier(number), _processes.SimpleQueue()
    started = [_processes.Process(target=_start, args=(barrier, answers, environment)) for _ in range(number)]
    for process in started:
        process.start()
    for process in started:
        process.join(PATIENCE)
    codes = [process.exitcode for process in started]
    for process in started:
        process.close()
    assert codes == [0] * number
    return [answers.get() for _ in started]


def _start(barrier: Barrier, answers: SimpleQueue[Start], environment: dict[str, str]) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    chosen = settings.read({**clean, **environment})
    by = Actor("rule:test", None, "test", "rule")
    barrier.wait(PATIENCE)
    with store.opened(chosen) as opened:
        opened.prepare()
        first = first_access(opened)
        with services(opened, connections=2) as made:
            outcome = execute(RegisterCustomer(name="上海明远科技", kind="company"), to=None, by=by, door=made.door)
            answers.put(Start(first.token if first else None, str(outcome.id), outcome.position))
