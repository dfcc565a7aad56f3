"""Starting together: however many processes come up at once, on a fresh store or an old one, all of them do."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from conftest import folder_for_a_server
from crm import settings, store
from crm.services import services
from integration.starting import Start, start_together
from ledger.proof.chain import verify_chain
from ledger.proof.claims import verify_claims

PROCESSES = 4
AGAIN = 3
"""Times that they come up together on one store: when it is fresh, and when it is not."""

Place = Callable[[Path], AbstractContextManager[dict[str, str]]]


@contextmanager
def embedded(folder: Path) -> Iterator[dict[str, str]]:
    """A folder in which there is no server yet."""
    with folder_for_a_server() as place:
        yield {"CRM_DATA_DIR": str(place / "data")}
        assert not (place / "data" / "postgres" / "data" / "postmaster.pid").exists()


@pytest.fixture
def named(server: str) -> Place:
    """The name of a database that is not there yet, on the tests' server."""

    @contextmanager
    def fresh(folder: Path) -> Iterator[dict[str, str]]:
        conninfo = make_conninfo(server, dbname=f"t_{secrets.token_hex(4)}")
        yield {"CRM_DATABASE_URL": conninfo, "CRM_DATA_DIR": str(folder / secrets.token_hex(4))}
        with closing(psycopg.connect(server, autocommit=True)) as connection:
            name = sql.Identifier(str(conninfo_to_dict(conninfo)["dbname"]))
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    return fresh


def check_together(environment: dict[str, str]) -> None:
    """They all come up, again and again, make one token, write without gaps, and leave a sound ledger."""
    came_up = [each for _ in range(AGAIN) for each in start_together(PROCESSES, environment)]
    assert len([each for each in came_up if each.token]) == 1
    check_ledger(environment, came_up)


def check_ledger(environment: dict[str, str], came_up: list[Start]) -> None:
    """What they wrote is there once: their customers, and the member to whom the token belongs."""
    with (
        store.opened(settings.read(environment)) as opened,
        services(opened, connections=2) as made,
        made.database.connection() as connection,
    ):
        found = connection.execute("SELECT position, topic, originator_id FROM events ORDER BY position").fetchall()
        codes = connection.execute("SELECT count(*) FROM claims WHERE kind = 'customer-code'").fetchone()
        setup = connection.execute("SELECT count(*) FROM one_time_codes WHERE purpose = 'setup'").fetchone()
        assert verify_chain(connection).is_intact
        assert verify_claims(connection, made.keyring).is_intact
    assert [position for position, _, _ in found] == list(range(1, len(came_up) + 2))
    registered = {(position, str(aggregate)) for position, topic, aggregate in found if topic == "customer.registered"}
    assert registered == {(each.position, each.customer) for each in came_up}
    assert codes == (len(came_up),)
    assert setup == (1,)
    assert len({aggregate for _, _, aggregate in found}) == len(found)


def test_on_an_embedded_store(tmp_path: Path) -> None:
    with embedded(tmp_path) as environment:
        check_together(environment)


def test_on_a_server_of_yours(named: Place, tmp_path: Path) -> None:
    with named(tmp_path) as environment:
        check_together(environment)


@pytest.mark.torture
@pytest.mark.parametrize("round", range(50))
def test_on_an_embedded_store_again_and_again(tmp_path: Path, round: int) -> None:
    test_on_an_embedded_store(tmp_path)


@pytest.mark.torture
@pytest.mark.parametrize("round", range(100))
def test_on_a_server_of_yours_again_and_again(named: Place, tmp_path: Path, round: int) -> None:
    test_on_a_server_of_yours(named, tmp_path)
