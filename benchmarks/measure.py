"""How a figure is taken: three runs, the median quoted, beside what the machine itself can do at that moment."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

RUNS = 3


@dataclass(frozen=True)
class Figure:
    """One row of the table: what was measured, what it came to, and what it should reach."""

    what: str
    figure: str
    target: str
    reached: bool | None = None
    beside: str = ""


def ratio(what: str, ours: Sequence[float], baseline: Sequence[float], at_least: float, unit: str = "/s") -> Figure:
    """The median of the ratios of runs taken in pairs, so that a machine changing speed cancels out."""
    value = median(o / b for o, b in zip(ours, baseline, strict=True))
    beside = f"{median(ours):,.0f}{unit} against {median(baseline):,.0f}{unit}"
    return Figure(what, f"{value:.2f}", f">= {at_least}", value >= at_least, beside)


def ratio_below(what: str, ours: Sequence[float], baseline: Sequence[float], limit: float, unit: str) -> Figure:
    """The same where less is better: a time against the baseline's."""
    value = median(o / b for o, b in zip(ours, baseline, strict=True))
    beside = f"{median(ours):,.1f} {unit} against {median(baseline):,.1f} {unit}"
    return Figure(what, f"{value:.2f}", f"<= {limit}", value <= limit, beside)


def below(what: str, values: Sequence[float], limit: float, unit: str, beside: str = "") -> Figure:
    """The median of the runs, to stay under a limit."""
    value = median(values)
    return Figure(what, f"{value:,.1f} {unit}", f"< {limit:g} {unit}", value < limit, beside)


def at_least(what: str, values: Sequence[float], limit: float, unit: str, beside: str = "") -> Figure:
    """The median of the runs, to reach a floor."""
    value = median(values)
    return Figure(what, f"{value:,.0f} {unit}", f">= {limit:,g} {unit}", value >= limit, beside)


def p95(seconds: Sequence[float]) -> float:
    """The 95th percentile, in milliseconds."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] * 1000


def per_second(threads: int, seconds: float, step: Callable[[int], Callable[[], None]]) -> float:
    """How often a second the threads repeat their steps, for a bounded time; a failing step fails the run."""
    steps = [step(number) for number in range(threads)]
    counts, failures = [0] * threads, list[BaseException]()
    started = threading.Barrier(threads + 1)
    deadline = [0.0]

    def work(number: int) -> None:
        do = steps[number]
        started.wait()
        try:
            while time.perf_counter() < deadline[0]:
                do()
                counts[number] += 1
        except BaseException as failure:
            failures.append(failure)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    begun = time.perf_counter()
    deadline[0] = begun + seconds
    started.wait()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return sum(counts) / (time.perf_counter() - begun)


def cpu_probe() -> float:
    """Megabytes of SHA-256 a second on one core."""
    block = b"\0" * 1_048_576
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < 0.5:
        hashlib.sha256(block).digest()
        done += 1
    return done / (time.perf_counter() - begun)


def fsync_probe(folder: str | None = None) -> float:
    """Small durable writes a second to the disk that holds the data."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        begun, done = time.perf_counter(), 0
        while time.perf_counter() - begun < 0.5:
            os.pwrite(file.fileno(), b"\0" * 512, 0)
            os.fdatasync(file.fileno())
            done += 1
        return done / (time.perf_counter() - begun)
