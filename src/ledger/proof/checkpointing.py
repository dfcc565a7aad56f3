"""Signing how far the ledger is: what was signed last must still be there, and what came since must hold.

So nothing that was tampered with is vouched for, and a checkpoint says that the chain held when it was signed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from ledger.database import Connection, Database
from ledger.proof.chain import verify_chain
from ledger.proof.comparing import compare, ledger_id_of
from ledger.proof.folder import PUBLIC_KEY, Folder, signed_at
from ledger.proof.statements import Kind, Signed, Signer, Statement

STEP = 20_000
"""Events that are checked at a time; in between, whoever has to stop can."""
_TICK = timedelta(microseconds=1)


class NotVouchedFor(Exception):
    """Nothing is signed, since the ledger is not as it was signed before, or its chain is broken since."""


def sign_head(
    database: Database,
    folder: Folder,
    signer: Signer,
    known: Collection[bytes],
    *,
    now: datetime,
    is_enough: Callable[[], bool] = lambda: False,
    waiting: bool = False,
) -> Signed | None:
    """Write a checkpoint of the head; None when there is one already, or another process is writing it.

    With `waiting` the other one is waited for. Once `is_enough` says so, the check is broken off and nothing written.
    Raises NotVouchedFor.
    """
    with database.connection() as connection:
        if not _locked(connection, database.schema, waiting=waiting):
            return None
        _make_ready(folder, signer, known)
        statement = _statement(connection, folder, "checkpoint", now)
        last = compare(connection, folder, known, folder.names()[-1:])
        if not last.is_clean:
            raise NotVouchedFor("; ".join(f"{each.file}: {each.fault}" for each in last.disagreements))
        start = 1 + (last.agreed_upto or 0)
        if statement.position < start or not _is_sound(connection, start, statement.position, is_enough):
            return None
        return _kept(folder, signer.sign(statement))


def sign_restored(
    database: Database, folder: Folder, signer: Signer, known: Collection[bytes], *, now: datetime
) -> Signed:
    """State that the ledger was restored to where it ends now: what was signed before about later positions is cut.

    For whoever has just restored it and seen that it is sound; nothing may have been recorded since.
    """
    with database.connection() as connection:
        _locked(connection, database.schema, waiting=True)
        _make_ready(folder, signer, known)
        return _kept(folder, signer.sign(_statement(connection, folder, "restored", now)))


def _locked(connection: Connection, schema: str, *, waiting: bool) -> bool:
    """Nobody else signs for this ledger until the transaction ends."""
    key = f"genjin checkpoints {schema}"
    if waiting:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        return True
    row = connection.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key]).fetchone()
    return bool(row and row[0])


def _make_ready(folder: Folder, signer: Signer, known: Collection[bytes]) -> None:
    """The folder with the signer's public key in it; it takes the place only of one that is still trusted."""
    folder.make()
    there = folder.public_key()
    if there == signer.public:
        return
    if folder.read(PUBLIC_KEY) is not None and there not in known:
        raise NotVouchedFor(f"{PUBLIC_KEY}: other-key")
    folder.publish(signer.public)


def _statement(connection: Connection, folder: Folder, kind: Kind, now: datetime) -> Statement:
    """What can be said of the ledger as it is, later than whatever was signed before."""
    row = connection.execute(
        "SELECT position, chain, recorded_at FROM events ORDER BY position DESC LIMIT 1"
    ).fetchone()
    ledger_id = ledger_id_of(connection)
    position, chain, recorded_at = row or (0, ledger_id.bytes, None)
    moment = max([now, *(signed_at(name) + _TICK for name in folder.names()[-1:])])
    return Statement(kind, ledger_id, position, bytes(chain), recorded_at, moment)


def _is_sound(connection: Connection, start: int, upto: int, is_enough: Callable[[], bool]) -> bool:
    """The chain holds between two positions; raises NotVouchedFor where it does not, False when there is no time."""
    while start <= upto:
        if is_enough():
            return False
        report = verify_chain(connection, start, min(start + STEP - 1, upto))
        if not report.is_intact:
            raise NotVouchedFor(f"position {report.first_bad}: {report.fault}")
        start += STEP
    return True


def _kept(folder: Folder, signed: Signed) -> Signed:
    folder.keep(signed)
    return signed
