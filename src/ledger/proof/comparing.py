"""The ledger compared with what was signed about it: only this finds a tail cut off, or everything written anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from ledger.database import Connection
from ledger.proof.chain import head_of
from ledger.proof.folder import PUBLIC_KEY, Folder
from ledger.proof.statements import Statement, Unreadable, parsed

Fault = Literal["unreadable", "bad-signature", "other-key", "other-ledger", "cut-off", "missing", "rewritten"]
Filed = tuple[str, Statement]


@dataclass(frozen=True)
class Disagreement:
    """A file that does not agree with the ledger, and why.

    `unreadable` is no statement, `bad-signature` was changed after it was signed, `other-key` was signed with a key
    that is not known, `other-ledger` speaks of another ledger. `cut-off`: the ledger ends earlier, and `first_bad` is
    the first position that is gone. `missing`: the event at its position is gone. `rewritten`: another hash stands at
    its position, so that what was changed lies after `agreed_upto`, where an earlier statement agrees.
    """

    file: str
    fault: Fault
    position: int | None = None
    first_bad: int | None = None
    agreed_upto: int | None = None


@dataclass(frozen=True)
class Comparison:
    """What came of it: how many statements were compared, and all that do not agree, those about the ledger first."""

    is_visible: bool
    compared: int = 0
    agreed_upto: int | None = None
    knowingly_cut: int = 0
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Every statement there is agrees with the ledger, or speaks of what was knowingly cut by a restoration."""
        return not self.disagreements

    @property
    def first_bad(self) -> int | None:
        """The first position that is not as it was signed."""
        return min((each.first_bad for each in self.disagreements if each.first_bad is not None), default=None)


def compare(
    connection: Connection, folder: Folder, known: Collection[bytes], names: Sequence[str] | None = None
) -> Comparison:
    """Compare the ledger with the statements in the folder (all, or those named); the known keys are those that count.

    Statements about positions after that of a restoration, and older than it, speak of what it cut: they are counted,
    and are no disagreement. What is before a restoration must be as it was signed.
    """
    if not folder.is_there:
        return Comparison(is_visible=False)
    wrong: list[Disagreement] = []
    if (text := folder.read(PUBLIC_KEY)) is not None and (key := folder.public_key()) not in known:
        wrong.append(Disagreement(PUBLIC_KEY, "other-key" if text and key else "unreadable"))
    ledger_id = ledger_id_of(connection)
    sound: list[Filed] = []
    compared = 0
    for name in folder.names() if names is None else names:
        if (data := folder.read(name)) is None:
            continue  # thinned out meanwhile
        compared += 1
        found = _checked(name, data, known, ledger_id)
        if isinstance(found, Disagreement):
            wrong.append(found)
        else:
            sound.append((name, found))
    standing = _standing(sound)
    about_ledger, agreed_upto = _against(connection, ledger_id, standing)
    disagreements = (*about_ledger, *wrong)
    return Comparison(True, compared, agreed_upto, len(sound) - len(standing), disagreements)


def ledger_id_of(connection: Connection) -> UUID:
    """The random id that the chain begins with."""
    row = connection.execute("SELECT ledger_id FROM meta").fetchone()
    assert row is not None
    return UUID(str(row[0]))


def _checked(name: str, data: bytes, known: Collection[bytes], ledger_id: UUID) -> Statement | Disagreement:
    """The statement in a file, if it is genuine and about this ledger."""
    try:
        signed = parsed(data)
    except Unreadable:
        return Disagreement(name, "unreadable")
    position = signed.statement.position
    if not signed.is_genuine:
        return Disagreement(name, "bad-signature", position)
    if signed.key not in known:
        return Disagreement(name, "other-key", position)
    if signed.statement.ledger_id != ledger_id:
        return Disagreement(name, "other-ledger", position)
    return signed.statement


def _standing(sound: list[Filed]) -> list[Filed]:
    """Those that no later restoration has cut, by position."""
    standing: list[Filed] = []
    lowest: int | None = None
    for name, each in sorted(sound, key=lambda filed: filed[1].signed_at, reverse=True):
        if lowest is None or each.position <= lowest:
            standing.append((name, each))
        if each.kind == "restored":
            lowest = each.position if lowest is None else min(lowest, each.position)
    return sorted(standing, key=lambda filed: filed[1].position)


def _against(connection: Connection, ledger_id: UUID, standing: list[Filed]) -> tuple[list[Disagreement], int | None]:
    """What does not agree with the ledger, and the last position before that which does."""
    head = head_of(connection)
    chains = {0: ledger_id.bytes} | {
        position: bytes(chain)
        for position, chain in connection.execute(
            "SELECT position, chain FROM events WHERE position = ANY(%s)", [[each.position for _, each in standing]]
        ).fetchall()
    }
    wrong: list[Disagreement] = []
    agreed_upto: int | None = None
    for name, each in standing:
        position = each.position
        if position > head:
            wrong.append(Disagreement(name, "cut-off", position, head + 1, agreed_upto))
        elif position not in chains:
            wrong.append(Disagreement(name, "missing", position, position, agreed_upto))
        elif chains[position] != each.chain:
            wrong.append(Disagreement(name, "rewritten", position, position, agreed_upto))
        elif not wrong:
            agreed_upto = position
    return wrong, agreed_upto
