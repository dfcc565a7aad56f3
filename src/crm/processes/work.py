"""A process that keeps the read models up to date, does the jobs asked for and looks after the ledger."""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # what is read at the start stays for good: looking for what does not takes a tenth of the start

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread

from crm import checkpoints, logs, settings, stopping, store, worker
from crm.database.roles import APP
from crm.processes import lifeline
from crm.services import Services, services
from crm.store import Store
from ledger.database import Database
from ledger.sealing import Keyring
from projections import ALL
from projections.engine.ground import Ground
from projections.engine.work.working import Worker


def main() -> None:
    """Work until SIGTERM, or until the process that started this one is gone."""
    gc.enable()
    parser = argparse.ArgumentParser(prog="python -m crm.processes.work")
    parser.add_argument("--lifeline", type=int)
    run(parser.parse_args().lifeline)


def run(descriptor: int | None) -> None:
    """Work, in the foreground."""
    stopping.unwind_on_signals()
    if descriptor is not None:
        lifeline.hold(descriptor)
    chosen = settings.read()
    logs.configure(chosen.log_level, chosen.log_format)
    with store.opened(chosen) as opened:
        opened.prepare()
        with services(opened) as made, _in_thread(partial(_work, made)) as ended:
            try:
                while not ended.wait(1.0):
                    pass
            finally:
                stopping.ignore_signals()


def _work(made: Services, stop: Event) -> None:
    worker.run(made, stop, partial(checkpoints.keep_writing, made.checkpoints, made.database))


@contextmanager
def working(opened: Store) -> Iterator[Event]:
    """The read models are kept up for as long as the block lasts; where another worker leads, this one stands by."""
    with Database(opened.conninfo, opened.settings.schema, role=APP, min_size=1, max_size=8) as database:
        ground = Ground(database, Keyring(database, opened.master_key, former_key=opened.settings.former_key))
        with _in_thread(lambda stop: Worker(ground, ALL, stop).run()) as ended:
            yield ended


@contextmanager
def _in_thread(work: Callable[[Event], None]) -> Iterator[Event]:
    """The work in a thread; gives what is set at its end: a `join` that a signal interrupts forgets the thread."""
    stop, ended = Event(), Event()

    def run() -> None:
        try:
            work(stop)
        finally:
            ended.set()

    thread = Thread(target=run, name="worker")
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    main()
