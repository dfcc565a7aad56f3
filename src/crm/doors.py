"""The door to a workspace's ledger, put together in one place for every process that does commands."""

from __future__ import annotations

from commands.base import Door
from crm.surroundings import Surroundings
from ledger.database import Database
from ledger.ledger import Ledger
from policy import Policy
from policy.directory import Directory
from projections.engine.reader import Reader


def open_door(ledger: Ledger, directory: Directory, policy: Policy | None = None, reader: Reader | None = None) -> Door:
    """A door with the policy, the members and the read models of the ledger's database."""
    database: Database = ledger.database
    surroundings = Surroundings(ledger, reader or Reader(database), directory)
    return Door(ledger, policy or Policy(directory), directory=directory, surroundings=surroundings)
