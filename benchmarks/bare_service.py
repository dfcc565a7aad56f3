"""The least a web service can do: a sync FastAPI route that inserts one row through a pool and commits."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from psycopg_pool import ConnectionPool
from pydantic import BaseModel
from uvicorn.supervisors import Multiprocess

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


def main(port: int, workers: int) -> None:
    """Serve it with uvicorn's own processes.

    The socket says that it is TCP, or asyncio does not switch off Nagle's algorithm: `uvicorn --workers` forgets that,
    and answers 44 ms late.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    config = uvicorn.Config("benchmarks.bare_service:app", workers=workers, log_level="warning")
    Multiprocess(config, sockets=[listening]).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
