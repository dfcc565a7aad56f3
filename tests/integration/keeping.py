"""Places where backups are made and restored: a workspace, its folders, and the commands run there."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg import sql
from typer.testing import CliRunner, Result

from crm import settings, store
from crm.backups.contents import LEFT_OUT
from crm.cli import app
from crm.services import Services
from crm.services import services as made_for
from crm.zstd import decompressed
from keys import MASTER_KEY, as_setting
from workspaces import a_name, drop


@dataclass
class Place:
    """A workspace with folders of its own on a machine; `more` are further settings there."""

    server: str
    schema: str
    folder: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """In which commands find it."""
        return {
            "CRM_DATABASE_URL": self.server,
            "CRM_DATA_DIR": str(self.folder),
            "CRM_SCHEMA": self.schema,
            "CRM_MASTER_KEY": as_setting(MASTER_KEY),
            **self.more,
        }

    @property
    def keys(self) -> Path:
        """Where its key copy belongs."""
        return self.folder / "key-copy" / f"{self.schema}.keys"

    def run(self, *words: str | Path) -> Result:
        """Run a command there."""
        with patch.dict("os.environ", self.environment):
            return CliRunner().invoke(app, [str(word) for word in words])

    def done(self, *words: str | Path) -> Any:
        """Run one that must succeed, and answer what it told."""
        ran = self.run(*words, "--json")
        assert ran.exit_code == 0, (ran.output, ran.exception)
        return json.loads(ran.stdout)

    def refused(self, *words: str | Path) -> str:
        """Run one that must not succeed, and answer why not."""
        ran = self.run(*words)
        assert ran.exit_code != 0, ran.output
        assert ran.exception is not None
        return str(ran.exception) if not isinstance(ran.exception, SystemExit) else ran.output

    def backup(self) -> Path:
        """Make one."""
        return Path(self.done("backup")["file"])

    def is_there(self) -> bool:
        """There is a schema."""
        with closing(psycopg.connect(self.server, autocommit=True)) as connection:
            return bool(connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [self.schema]).fetchone())

    def rows(self, table: str, upto: int | None = None) -> list[str]:
        """The rows of a table as text, in their order; of events those up to a position."""
        query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(self.schema, table))
        if upto is not None:
            query += sql.SQL(" WHERE position <= {}").format(sql.Literal(upto))
        with closing(psycopg.connect(self.server, autocommit=True)) as connection:
            return sorted(row for (row,) in connection.execute(query))

    def tables(self) -> set[str]:
        """All its tables."""
        with closing(psycopg.connect(self.server, autocommit=True)) as connection:
            found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [self.schema])
            return {name for (name,) in found}

    def kept_tables(self) -> set[str]:
        """Those that backups have."""
        return self.tables() - LEFT_OUT.keys()

    @contextmanager
    def services(self) -> Iterator[Services]:
        """What works there."""
        with store.opened(settings.read(self.environment)) as opened, made_for(opened, connections=4) as made:
            yield made


@contextmanager
def elsewhere(server: str, folder: Path, **more: str) -> Iterator[Place]:
    """A place where there is nothing yet; what is made there is dropped afterwards."""
    name = a_name()
    try:
        yield Place(server, name, folder / name, more)
    finally:
        drop(server, name)


def everything_in(backup: Path) -> bytes:
    """All that a backup holds, taken apart with tar and zstd."""
    with tarfile.open(backup) as tar:
        pieces = [(each.name, file.read()) for each in tar if (file := tar.extractfile(each))]
    return b"".join(decompressed(data) if name.endswith(".zst") else data for name, data in pieces)
