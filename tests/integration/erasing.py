"""What tests of erasures look at: read models of before and after, tables of keys, and putting these back."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg
from psycopg import sql

from integration.planting import tables_with
from integration.serving import Api
from projections import ALL
from projections.engine.build import jobs
from projections.engine.ground import Ground
from projections.engine.tables import builds
from projections.engine.verifying import verify

WHY = {"reason": "本人要求"}
Keys = list[tuple[Any, ...]]


def only_current(api: Api, server: str) -> None:
    """Read models of before the erasure are gone, as they soon are by themselves."""
    services = api.services
    ground = Ground(services.database, services.keyring)
    for projection in ALL:
        with ground.connection() as connection:
            job = jobs.request(connection, "rebuild", projection.name, projection.version)
        while not job.is_over:
            with ground.connection() as connection:
                found = jobs.find(connection, job.job_id)
            assert found is not None
            job = found
        assert job.state == "done", job
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(
            sql.SQL("UPDATE {} SET retired_at = now() - interval '1 day' WHERE state = 'retired'").format(
                sql.Identifier(services.database.schema, "projection_builds")
            )
        )
    with ground.connection() as connection:
        builds.drop_retired(connection, 1.0)


def proven(api: Api) -> None:
    """The read models are what the ledger says."""
    for projection in ALL:
        verified = verify(Ground(api.services.database, api.services.keyring), projection)
        assert verified.is_clean, verified


def live_tables_with(api: Api, server: str, words: set[str]) -> dict[str, set[str]]:
    """The same of the workspace's own tables and of the read models that are read, without those that are retired."""
    found = tables_with(server, api.services.database.schema, words)
    return {table: here for table, here in found.items() if _is_live(api, table)}


def _is_live(api: Api, table: str) -> bool:
    schema, _, _ = table.partition(".")
    with api.services.database.connection() as connection:
        row = connection.execute("SELECT FROM projections WHERE live = %s", [schema]).fetchone()
    return row is not None or schema == api.services.database.schema


def keys_of(api: Api, server: str) -> Keys:
    """The table of keys, as a backup has it."""
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        return connection.execute(
            sql.SQL("SELECT subject, wrapped, master FROM {}").format(_keys(api.services.database.schema))
        ).fetchall()


def put_back(api: Api, server: str, keys: Keys) -> None:
    """What restoring that backup does."""
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        for subject, wrapped, master in keys:
            connection.execute(
                sql.SQL("UPDATE {} SET wrapped = %s, master = %s, destroyed_at = NULL WHERE subject = %s").format(
                    _keys(api.services.database.schema)
                ),
                [wrapped, master, subject],
            )


def _keys(schema: str) -> sql.Identifier:
    return sql.Identifier(schema, "sealing_keys")
