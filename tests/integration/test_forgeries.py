"""Whatever somebody with every right in the database forges is found, by every way to verify, and where it was done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.auditing import Audited, audited
from integration.bookkeeping import superuser
from integration.forging import EVENTS, FORGERIES, SIGNED, forge
from ledger.proof.chain import verify_chain


@pytest.fixture
def signed(server: str, workspace: str, tmp_path: Path) -> Iterator[Audited]:
    """A ledger of a few events, of which some positions were signed."""
    with audited(server, workspace, tmp_path) as store:
        for position in SIGNED:
            store.grow(position)
            assert store.sign() == position
        store.grow(EVENTS)
        yield store


def test_nothing_is_found_where_nothing_was_done(signed: Audited, tmp_path: Path) -> None:
    found = signed.verified()
    assert found["is_clean"]
    assert (found["chain"]["checked"], found["checkpoints"]["compared"]) == (EVENTS, len(SIGNED))
    answered = signed.answered()
    assert (answered["intact"], answered["first_bad"]) == (True, None)
    assert answered["checkpoints"] == {
        "visible": True,
        "compared": len(SIGNED),
        "agreed_upto": SIGNED[-1],
        "knowingly_cut": 0,
        "disagreeing": 0,
        "disagreements": [],
    }
    assert signed.scripted(tmp_path) == (0, f"{EVENTS} events and {len(SIGNED)} signed statements hold.")


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forgery_is_found_where_it_was_done(
    what: str, signed: Audited, server: str, workspace: str, tmp_path: Path
) -> None:
    forgery = FORGERIES[what]
    with superuser(server, workspace) as connection:
        forge(connection, forgery)

    with signed.services.database.connection() as reading:
        report = verify_chain(reading)
    by_chain = forgery.chain or (None, None)
    assert (report.first_bad, report.fault) == by_chain

    found = signed.verified()
    assert not found["is_clean"]
    assert (found["chain"]["first_bad"], found["chain"]["fault"]) == by_chain
    assert first_of(found["checkpoints"]["disagreements"]) == (forgery.checkpoints or (None, None))

    answered = signed.answered()
    assert answered["intact"] is False
    assert (answered["chain"]["first_bad"], answered["chain"]["fault"]) == by_chain
    assert answered["checkpoints"]["disagreements"] == found["checkpoints"]["disagreements"]
    places = [place[0] for place in (forgery.chain, forgery.checkpoints) if place and place[0] is not None]
    assert answered["first_bad"] == min(places, default=None)

    code, said = signed.scripted(tmp_path)
    assert code == 1
    assert expected_of_script(what) in said


def first_of(disagreements: list[dict[str, Any]]) -> tuple[int | None, str | None]:
    """The first bad position by the checkpoints, and the fault there."""
    return (disagreements[0]["first_bad"], disagreements[0]["fault"]) if disagreements else (None, None)


def expected_of_script(what: str) -> str:
    """What the script must say: the fault of the chain, or else that of the checkpoints."""
    forgery = FORGERIES[what]
    if forgery.chain and forgery.chain[1] != "cut-off":
        return f"position {max(forgery.chain[0], 1)}: {forgery.chain[1]}"
    assert forgery.checkpoints is not None
    position, fault = forgery.checkpoints
    return f"cut-off, first missing: {position}" if fault == "cut-off" else fault


def test_a_worker_signs_nothing_of_a_ledger_that_was_rewritten(signed: Audited, server: str, workspace: str) -> None:
    """Else the forgery would be vouched for by the next checkpoint."""
    from ledger.proof.checkpointing import NotVouchedFor

    with superuser(server, workspace) as connection:
        forge(connection, FORGERIES["everything, with a valid chain"])
    signed.grow(EVENTS + 1)
    with pytest.raises(NotVouchedFor, match="rewritten"):
        signed.checkpoints.write(signed.services.database, waiting=True)
    refused = signed.run("checkpoints", "write")
    assert refused.exit_code == 1
    assert "Nothing was signed" in refused.output
    assert len(signed.folder.names()) == len(SIGNED)


def test_a_worker_signs_nothing_that_was_changed_since_the_last_checkpoint(
    signed: Audited, server: str, workspace: str
) -> None:
    from ledger.proof.checkpointing import NotVouchedFor

    signed.grow(EVENTS + 3)
    with superuser(server, workspace) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        connection.execute("UPDATE events SET topic = 'team.renamed' WHERE position = %s", [EVENTS + 2])
        connection.execute("ALTER TABLE events ENABLE TRIGGER ALL")
    with pytest.raises(NotVouchedFor, match=f"position {EVENTS + 2}: changed"):
        signed.checkpoints.write(signed.services.database, waiting=True)
