"""Several imports of one file at the same time write each row once, and none of them fails for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aggregates.customer import Customer
from commands.base import Door
from integration.bookkeeping import all_at_once
from integration.overlapping import (
    ACTING,
    CUSTOMERS,
    another_process,
    import_of,
    require_all_in,
    require_each_once,
    write_profile,
    write_sheet,
)
from ledger.database import Database
from ledger.errors import ClaimTaken
from ledger.ledger import Ledger
from sheets.importing import Importer
from sheets.opening import load

ROWS = 40


@pytest.mark.parametrize("rounds", [2, pytest.param(60, marks=pytest.mark.torture)])
@pytest.mark.parametrize("kind", ACTING)
def test_what_acts_on_something_that_is_there_is_written_once(
    ledger: Ledger, server: str, workspace: str, tmp_path: Path, kind: str, rounds: int
) -> None:
    profile = write_profile(tmp_path, kind)
    for number in range(1, rounds + 1):
        prefix = f"R{number}"
        import_of(profile, write_sheet(tmp_path, prefix, ROWS, is_acting=False), ledger)()
        sheet = write_sheet(tmp_path, prefix, ROWS)
        with another_process(server, workspace) as one, another_process(server, workspace) as other:
            reports = all_at_once([import_of(profile, sheet, each) for each in (one, other)])
        require_all_in(reports, ROWS)
        require_each_once(ledger, [kind], number * ROWS)


@pytest.mark.parametrize("rounds", [2, pytest.param(60, marks=pytest.mark.torture)])
def test_what_is_new_is_written_once_and_can_be_read(
    ledger: Ledger, server: str, workspace: str, tmp_path: Path, rounds: int
) -> None:
    """The key of a person that was made for a refused append seals nothing."""
    profile = write_profile(tmp_path, *ACTING)
    for number in range(1, rounds + 1):
        prefix = f"N{number}"
        sheet = write_sheet(tmp_path, prefix, ROWS)
        with another_process(server, workspace) as one, another_process(server, workspace) as other:
            reports = all_at_once([import_of(profile, sheet, each) for each in (one, one, other)])
        require_all_in(reports, CUSTOMERS + ROWS * (1 + len(ACTING)))
        require_each_once(ledger, tuple(ACTING), number * ROWS)
        for customer in range(CUSTOMERS):
            id_ = load(str(profile)).id_of("customers", (f"{prefix}客户{customer}",))
            assert ledger.load(Customer, id_).profile["name"] == f"{prefix}客户{customer}"


def test_a_row_that_another_import_wrote_meanwhile_is_unchanged_or_changed(ledger: Ledger, tmp_path: Path) -> None:
    """Between looking whether a row is in and writing it, another import writes it: as it is, or otherwise."""
    profile = write_profile(tmp_path, "payments")
    same, other = write_sheet(tmp_path, "S", 3), tmp_path / "other.csv"
    other.write_text(same.read_text(encoding="utf-8").replace("SL001,300.00", "SL001,200.00"), encoding="utf-8")
    import_of(profile, write_sheet(tmp_path, "S", 3, is_acting=False), ledger)()

    class Late(Ledger):
        """A ledger on which another import is faster once."""

        def save(self, *aggregates: object, **more: object):  # type: ignore[no-untyped-def]
            """Write when the other one has."""
            if not done:
                done.append(import_of(profile, other, ledger)())
            return super().save(*aggregates, **more)  # type: ignore[arg-type]

    done: list[object] = []
    late = Late(ledger.database, ledger.keyring)
    report = Importer(load(str(profile)), Door(late), late, writers=1).run(same)
    late.close()
    counts = {count.record: count for count in report.counts}["payments"]
    assert (counts.imported, counts.unchanged, counts.changed, counts.refused) == (0, 2, 1, 0)
    assert [(each.code, each.line) for each in report.changed] == [("changed-row", 3)]
    require_all_in(done, 3)


def test_a_row_that_was_given_back_meanwhile_is_written(ledger: Ledger, database: Database, tmp_path: Path) -> None:
    profile = write_profile(tmp_path, "payments")

    class Hesitant(Ledger):
        """A ledger in which a row is held for a moment only."""

        def save(self, *aggregates: object, **more: object):  # type: ignore[no-untyped-def]
            """Refuse it once."""
            if not refused and any("payment" in type(each).__name__.lower() for each in _events(aggregates)):
                refused.append(True)
                raise ClaimTaken("import-row", "overlap/payments/GL000", _events(aggregates)[0].originator_id)
            return super().save(*aggregates, **more)  # type: ignore[arg-type]

    refused: list[bool] = []
    hesitant = Hesitant(database, ledger.keyring)
    report = Importer(load(str(profile)), Door(hesitant), hesitant, writers=1).run(write_sheet(tmp_path, "G", 2))
    hesitant.close()
    assert refused
    assert report.is_complete
    require_each_once(ledger, ["payments"], 2)


def _events(aggregates: tuple[object, ...]) -> list:  # type: ignore[type-arg]
    return [event for each in aggregates for event in each.pending_events]  # type: ignore[attr-defined]
