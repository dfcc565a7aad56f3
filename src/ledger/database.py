"""Connections to the workspace's schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from ledger import packing
from ledger.errors import DatabaseAway, DatabaseBusy
from ledger.patience import Patience, Watch

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]
TRIED_AGAIN_WITHIN = 5.0
"""Seconds; what took longer to fail would only take as long once more."""


class Database:
    """A pool of connections that all look at one schema, in one role, with the clock in UTC."""

    def __init__(
        self,
        conninfo: str,
        schema: str,
        *,
        role: str | None = None,
        min_size: int = 1,
        max_size: int = 10,
        timeout: float = 5.0,
        patience: Patience | None = None,
        cursors: type[psycopg.Cursor[Any]] = psycopg.Cursor,
    ) -> None:
        """`timeout` is how long a connection is waited for; `patience` bounds everything else, where it is given.

        `cursors` is for whoever wants to watch the statements.
        """
        self.conninfo = conninfo
        self.schema = schema
        self.role = role
        self.most = max_size
        self._patience = patience
        self._cursors = cursors
        self._watch = None if patience is None or not patience.statement else Watch(patience.longest)
        self._in_use: set[int] = set()
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            conninfo,
            min_size=min_size,
            max_size=max_size,
            timeout=timeout,
            max_waiting=0 if patience is None else patience.most_waiting,
            configure=self._configure,
            check=_check,
            reconnect_timeout=timeout,
            open=True,
            name=f"genjin-{schema}",
        )

    @contextmanager
    def connection(self, *, autocommit: bool = False, at_leisure: bool = False) -> Iterator[Connection]:
        """A connection for one unit of work: committed when the block ends well, rolled back otherwise.

        With `autocommit` every statement is a transaction of its own, which saves the round trips of BEGIN and COMMIT.
        What is done `at_leisure` takes as long as it takes.
        Raises DatabaseAway when none can be had in time, DatabaseBusy when that is because all are in use.
        """
        try:
            connection = self._pool.getconn()
        except TooManyRequests as error:
            raise DatabaseBusy(str(error)) from error
        except (PoolTimeout, PoolClosed) as error:
            raise (DatabaseBusy if len(self._in_use) >= self.most else DatabaseAway)(str(error)) from error
        self._in_use.add(id(connection))
        if self._watch is not None and not at_leisure:
            self._watch.begin(connection)
        try:
            connection.autocommit = autocommit
            if at_leisure and not autocommit:
                connection.execute("SET LOCAL statement_timeout = 0")
            yield connection
            if not autocommit:
                connection.commit()
        except BaseException:
            if not connection.closed:
                _quietly(connection.rollback)
            raise
        finally:
            if self._watch is not None:
                self._watch.end(connection)
            self._in_use.discard(id(connection))
            self._pool.putconn(connection)

    @property
    def standing(self) -> dict[str, int]:
        """How many connections there are, how many of them are in use, and how many threads wait for one."""
        found = self._pool.get_stats()
        return {"size": found["pool_size"], "in_use": len(self._in_use), "waiting": found["requests_waiting"]}

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do some reading, once more on a fresh connection when the first turns out to be lost.

        Raises DatabaseAway when the second is lost too, or when the first took so long that nobody waits any more.
        """
        began = monotonic()
        try:
            return self._read(work)
        except psycopg.OperationalError as error:
            if not was_lost(error) or monotonic() - began > TRIED_AGAIN_WITHIN:
                raise DatabaseAway(str(error)) from error
            self.refresh()
        try:
            return self._read(work)
        except psycopg.OperationalError as error:
            raise DatabaseAway(str(error)) from error

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self.connection(autocommit=True) as connection:
            return work(connection)

    def connect(self, *, autocommit: bool = True) -> Connection:
        """A connection outside the pool, for whoever keeps one for long (listening, leading); the caller closes it."""
        try:
            connection = psycopg.connect(self.conninfo, autocommit=True)
        except psycopg.OperationalError as error:
            raise DatabaseAway(str(error)) from error
        self._configure(connection)
        connection.autocommit = autocommit
        return connection

    def refresh(self) -> None:
        """Replace the connections that the server has closed meanwhile."""
        self._pool.check()

    def close(self) -> None:
        """Close every connection; nothing can be asked afterwards."""
        if self._watch is not None:
            self._watch.close()
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _configure(self, connection: Connection) -> None:
        packing.register(connection)
        connection.cursor_factory = self._cursors
        connection.autocommit = True
        connection.execute(
            "SELECT set_config('search_path', quote_ident(%s) || ', public', false),"
            " set_config('TimeZone', 'UTC', false)",
            [self.schema],
        )
        if self.role is not None:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self.role)))
        if self._patience is not None:
            connection.execute(
                "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)",
                [f"{self._patience.statement * 1000:.0f}ms", f"{self._patience.lock * 1000:.0f}ms"],
            )
        connection.autocommit = False


def was_lost(error: psycopg.Error) -> bool:
    """The connection broke, or the server is going down; anything else is the server's own refusal."""
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))


def _check(connection: Connection) -> None:
    """See whether an idle connection still lives; only one on which something arrived unasked costs a round trip."""
    if select([connection.fileno()], [], [], 0)[0]:
        connection.execute("")
        if not connection.autocommit:
            connection.rollback()


def _quietly(action: Callable[[], None]) -> None:
    """Do it if the connection still can; a connection that cannot is about to be thrown away."""
    try:
        action()
    except psycopg.Error:
        return
