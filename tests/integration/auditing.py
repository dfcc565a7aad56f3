"""A store that is audited: its ledger, the checkpoints beside it, and every way to have it verified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from typer.testing import CliRunner, Result

from crm import settings, store
from crm.checkpoints import Checkpoints
from crm.cli import app
from crm.console.asking import answer
from crm.services import Services
from crm.services import services as made_for
from integration.bookkeeping import customer, team
from keys import MASTER_KEY, as_setting
from ledger.proof.folder import Folder
from scripted import verify_export


@dataclass(frozen=True)
class Audited:
    """The services on the store, and the environment in which commands find it."""

    environment: dict[str, str]
    services: Services

    @property
    def checkpoints(self) -> Checkpoints:
        """What is signed about it."""
        return self.services.checkpoints

    @property
    def folder(self) -> Folder:
        """Where that lies."""
        return self.checkpoints.folder

    def grow(self, upto: int) -> None:
        """Let things happen until the ledger has so many events: teams, and every fifth a customer."""
        for number in range(self.services.ledger.head() + 1, upto + 1):
            self.services.ledger.save(customer(f"C{number}") if number % 5 == 0 else team(f"Team {number}"))

    def sign(self) -> int:
        """Write a checkpoint of the head; its position."""
        signed = self.checkpoints.write(self.services.database, waiting=True)
        assert signed is not None
        return signed.statement.position

    def run(self, *words: str | Path) -> Result:
        """Run a command there."""
        with patch.dict("os.environ", self.environment):
            return CliRunner().invoke(app, [str(word) for word in words])

    def verified(self, *words: str) -> dict[str, Any]:
        """What `crm verify` finds of the ledger."""
        done = self.run("verify", "--ledger", "--json", *words)
        found: dict[str, Any] = json.loads(done.stdout)
        assert done.exit_code == (0 if found["is_clean"] else 1)
        return found

    def answered(self, path: str = "/audit/verification", **asked: str) -> Any:
        """What the API answers."""
        return answer(self.services, path, asked.items())

    def scripted(self, folder: Path) -> tuple[int, str]:
        """What the standalone script says of an export and the checkpoints."""
        export = folder / "ledger.jsonl.gz"
        done = self.run("export", "ledger", export, "--force")
        assert done.exit_code == 0, done.output
        return verify_export(export, self.folder.path / "public.key", self.folder.path)


@contextmanager
def audited(server: str, schema: str, folder: Path, **more: str) -> Iterator[Audited]:
    """A workspace with a data folder of its own."""
    environment = {
        "CRM_DATABASE_URL": server,
        "CRM_DATA_DIR": str(folder),
        "CRM_SCHEMA": schema,
        "CRM_MASTER_KEY": as_setting(MASTER_KEY),
        **more,
    }
    with store.opened(settings.read(environment)) as opened, made_for(opened, connections=4) as made:
        yield Audited(environment, made)
