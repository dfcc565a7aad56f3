"""The least a web service can do: a sync FastAPI route that inserts one row through a pool and commits."""

from __future__ import annotations

import os
from typing import Any

from fastapi import FastAPI
from psycopg_pool import ConnectionPool
from pydantic import BaseModel

app = FastAPI()
pool = ConnectionPool(os.environ["BARE_DATABASE_URL"], min_size=4, max_size=20, kwargs={"autocommit": True}, open=True)


class Note(BaseModel):
    """A body like a follow-up's."""

    content: str
    method: str


@app.post("/notes/{number}", status_code=201)
def add(number: int, note: Note) -> dict[str, Any]:
    """Insert it and say its id."""
    with pool.connection() as connection:
        row = connection.execute(
            "INSERT INTO bare_notes (number, content, method) VALUES (%s, %s, %s) RETURNING id",
            (number, note.content, note.method),
        ).fetchone()
    return {"id": row[0] if row else None}
