"""The worker process keeps the real read models up to date, and takes the snapshots that are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread

from crm import worker
from integration.engine_help import wait_until
from integration.shops import Trade
from integration.shops import working as acting
from ledger.database import Database
from ledger.erasing.key_copy import KeyCopy
from ledger.erasing.register import Register
from ledger.ledger import Ledger
from ledger.sealing import Keyring
from projections import ALL
from projections.engine.status import Status, status


@dataclass(frozen=True)
class Services:
    """What a worker needs."""

    database: Database
    keyring: Keyring
    ledger: Ledger
    erasures: Register
    key_copy: KeyCopy


def test_it_leads_every_read_model_and_looks_after_the_ledger(
    database: Database, keyring: Keyring, ledger: Ledger, trade: Trade, tmp_path: Path
) -> None:
    with acting():
        shop = trade.open()
        for item in range(500):
            shop.sell(item % 4, Decimal(1), date(2026, 1, 1), None)
        ledger.save(shop)
    stop = Event()
    needed = Services(database, keyring, ledger, Register(tmp_path / "erasures"), KeyCopy(tmp_path / "keys"))
    thread = Thread(target=worker.run, args=(needed, stop))
    thread.start()
    try:
        wait_until(lambda: {each.projection for each in every(database) if each.leader} == {each.name for each in ALL})
        wait_until(lambda: snapshots(database) == 1)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    wait_until(lambda: all(each.leader is None for each in every(database)))  # once the server has let its locks go


def every(database: Database) -> list[Status]:
    with database.connection() as connection:
        return status(connection)


def snapshots(database: Database) -> int:
    with database.connection() as connection:
        row = connection.execute("SELECT count(*) FROM snapshots").fetchone()
    assert row is not None
    return int(row[0])
