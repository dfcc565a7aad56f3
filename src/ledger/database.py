"""Connections to the workspace's schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from ledger import packing
from ledger.errors import DatabaseAway

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]


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
    ) -> None:
        self.conninfo = conninfo
        self.schema = schema
        self.role = role
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            conninfo,
            min_size=min_size,
            max_size=max_size,
            timeout=timeout,
            configure=self._configure,
            check=_check,
            reconnect_timeout=timeout,
            open=True,
            name=f"genjin-{schema}",
        )

    @contextmanager
    def connection(self, *, autocommit: bool = False) -> Iterator[Connection]:
        """A connection for one unit of work: committed when the block ends well, rolled back otherwise.

        With `autocommit` every statement is a transaction of its own, which saves the round trips of BEGIN and COMMIT.
        Raises DatabaseAway when none can be had in time.
        """
        try:
            connection = self._pool.getconn()
        except (PoolTimeout, PoolClosed) as error:
            raise DatabaseAway(str(error)) from error
        try:
            connection.autocommit = autocommit
            yield connection
            if not autocommit:
                connection.commit()
        except BaseException:
            if not connection.closed:
                _quietly(connection.rollback)
            raise
        finally:
            self._pool.putconn(connection)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do some reading, once more on a fresh connection when the first turns out to be lost.

        Raises DatabaseAway when the second is lost too.
        """
        try:
            return self._read(work)
        except psycopg.OperationalError:
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
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _configure(self, connection: Connection) -> None:
        packing.register(connection)
        connection.autocommit = True
        connection.execute(
            "SELECT set_config('search_path', quote_ident(%s) || ', public', false),"
            " set_config('TimeZone', 'UTC', false)",
            [self.schema],
        )
        if self.role is not None:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self.role)))
        connection.autocommit = False


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
