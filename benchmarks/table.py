"""One table of every figure, printed as it comes and written to benchmarks/results.md."""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from rich.console import Console

from benchmarks import company, measure, rebuilding, saving, serving
from benchmarks.measure import Figure
from benchmarks.place import Place, database_of, keyring_of, place

RESULTS = Path(__file__).with_name("results.md")
SECTIONS = ("saving", "rebuilding", "serving")
PARTS = tuple(f"serving.{part}" for part in serving.PARTS)
console = Console()


def main() -> None:
    """Measure what is asked for; only a whole run is written down."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument(
        "sections",
        nargs="*",
        choices=[*SECTIONS, *PARTS, []],
        metavar="section",
        help=f"only these, of {', '.join((*SECTIONS, *PARTS))}; nothing is written then",
    )
    asked.add_argument(
        "--customers", type=int, default=100_000, help="ten events each; with 2000, rows are tried in a minute"
    )
    given = asked.parse_args()
    wanted = given.sections or SECTIONS
    found: list[Figure] = []
    for figure in _figures(wanted, given.customers):
        found.append(figure)
        mark = {True: "[green]reached[/]", False: "[red]missed[/]", None: ""}[figure.reached]
        console.print(f"{figure.what}: [bold]{figure.figure}[/] ({figure.target}) {mark}  {figure.beside}")
    if not given.sections and given.customers == 100_000:
        RESULTS.write_text(_report(found), encoding="utf-8")
        console.print(f"Written to {RESULTS.relative_to(Path.cwd())}.")


def _figures(wanted: Sequence[str], customers: int) -> Iterator[Figure]:
    served = [part for part in serving.PARTS if {"serving", f"serving.{part}"} & set(wanted)]
    yield _probes()
    if "saving" in wanted:
        with place() as apart:
            yield from saving.figures(apart)
    if served or "rebuilding" in wanted:
        with place() as filled:
            long, middle = _filled(filled, customers)
            if "rebuilding" in wanted:
                yield from rebuilding.figures(filled)
            if served:
                yield from serving.figures(filled, customers, long, middle, served)
    yield _probes()


def _probes() -> Figure:
    cpu, fsync = measure.cpu_probe(), measure.fsync_probe()
    return Figure("the machine at that moment", f"{cpu:,.0f} MB/s SHA-256, {fsync:,.0f} fdatasync/s", "", None)


def _filled(where: Place, customers: int) -> tuple[UUID, datetime]:
    """A store with the company's whole history; the id of a customer with a long one, and a moment in the middle."""
    with where.store() as store, database_of(store) as database:
        begun = time.perf_counter()
        written = company.fill(store.conninfo, store.settings.schema, customers, keyring_of(store, database))
        console.print(f"[dim]{written:,} events of {customers:,} customers in {time.perf_counter() - begun:.0f} s[/]")
        with database.connection() as connection:
            row = connection.execute("SELECT recorded_at FROM events WHERE position = %s", [written // 2]).fetchone()
    assert row is not None
    return serving.long_customer(where), row[0] + timedelta(microseconds=1)


def _report(found: list[Figure]) -> str:
    taken = datetime.now(UTC).date()
    lines = [
        "# Benchmark",
        "",
        f"Taken {taken} by `make bench` on {os.cpu_count()} cores ({platform.machine()}), Python"
        f" {platform.python_version()}, the embedded PostgreSQL with its durable settings; client, service and database"
        " share the machine. Each ratio is the median of three pairs of runs against a baseline of the same run.",
        "",
        "| measured | figure | target | | beside it |",
        "|---|---|---|---|---|",
    ]
    mark = {True: "reached", False: "**missed**", None: ""}
    lines += [f"| {f.what} | {f.figure} | {f.target} | {mark[f.reached]} | {f.beside} |" for f in found]
    return "\n".join(lines) + "\n"
