"""The process that looks after the others: it keeps them running and ends them, and the database, in order."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from crm.processes.child import Child

PATIENCE = 15.0
"""Seconds for all processes together to finish what they are at."""


def supervise(children: Sequence[Child], every_second: Callable[[], None]) -> None:
    """Keep the children running until SIGTERM or SIGINT; the same again ends them without waiting."""
    with _signals() as wakened:
        asked = 0
        while not asked:
            for child in children:
                child.keep_running()
            every_second()
            asked = wakened(min([1.0, *(due for child in children if (due := child.due_in) is not None)]))
        for child in children:
            child.ask_to_stop()
        deadline = time.monotonic() + PATIENCE
        for child in children:
            while child.is_running and time.monotonic() < deadline and asked < 2:
                asked += wakened(0.5)
            child.wait(0)


@contextmanager
def begun(children: Sequence[Child]) -> Iterator[None]:
    """The children are started now and looked after later; what goes wrong before that ends them."""
    try:
        for child in children:
            child.keep_running()
        yield
    except BaseException:
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.wait(PATIENCE)
        raise


@contextmanager
def _signals() -> Iterator[Callable[[float], int]]:
    """A function that sleeps until a signal comes, and counts those that ask us to stop."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    stopping = (signal.SIGTERM, signal.SIGINT)
    before = {each: signal.signal(each, lambda *_: None) for each in (*stopping, signal.SIGCHLD)}
    previous = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def wakened(seconds: float) -> int:
        if not select.select([reading], [], [], seconds)[0]:
            return 0
        return sum(number in stopping for number in os.read(reading, 512))

    try:
        yield wakened
    finally:
        signal.set_wakeup_fd(previous)
        for each, handler in before.items():
            signal.signal(each, handler)
        os.close(reading)
        os.close(writing)
