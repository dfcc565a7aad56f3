"""The least a web service can do: a sync FastAPI route that inserts one row through a pool and commits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from psycopg_pool import ConnectionPool
from pydantic import BaseModel

from crm.processes.listening import listen
from crm.processes.web import SharedSocket

app = FastAPI()
pool = ConnectionPool(os.environ["BARE_DATABASE_URL"], min_size=4, max_size=20, kwargs={"autocommit": True}, open=False)


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
    """Serve it with processes that share a socket as evenly as ours do.

    `uvicorn --workers` makes one that asyncio does not know as TCP, so that Nagle's algorithm stays on: answers come
    44 ms late. And it lets the process that wakes first take all connections that come together.
    """
    with listen("127.0.0.1", port) as listening:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.bare_service", "--socket", str(listening.fileno())],
                pass_fds=[listening.fileno()],
            )
            for _ in range(workers)
        ]

        def stop(*_: Any) -> None:
            for process in processes:
                process.terminate()

        signal.signal(signal.SIGTERM, stop)
        for process in processes:
            process.wait()


if __name__ == "__main__":
    if sys.argv[1] == "--socket":
        pool.open()
        served = uvicorn.Server(uvicorn.Config(app, log_level="warning", backlog=1))
        served.run(sockets=[SharedSocket(fileno=int(sys.argv[2]))])
    else:
        main(int(sys.argv[1]), int(sys.argv[2]))
