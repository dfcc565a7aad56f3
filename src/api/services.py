"""What the routes need of the rest; the composition root makes one and hands it to `create_app`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from starlette.requests import Request

if TYPE_CHECKING:
    from commands.base import Door
    from ledger.database import Database
    from ledger.ledger import Ledger
    from ledger.proof.folder import Folder
    from ledger.sealing import Keyring
    from policy import Actor, Policy
    from policy.accesses import Accesses
    from policy.directory import Directory
    from policy.identity.identity import Identity
    from projections.engine.reader import Reader


class Tokens(Protocol):
    """Knows whose token it is."""

    def actor_of(self, token: str) -> Actor | None:
        """The member whose token this is; none when it is unknown or was revoked."""
        ...


class Checkpoints(Protocol):
    """Where signed checkpoints lie, and the public keys that count, the service's own first."""

    @property
    def folder(self) -> Folder: ...
    def known_keys(self) -> tuple[bytes, ...]: ...


class Services(Protocol):
    """The pieces of the service, put together elsewhere.

    `cursor_secret` must be the same in every process: it seals page cursors. `schema_is_current`
    says whether the database's schema is that of this release, and raises when the database cannot be reached.
    """

    @property
    def database(self) -> Database: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def door(self) -> Door: ...
    @property
    def reader(self) -> Reader: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def directory(self) -> Directory: ...
    @property
    def accesses(self) -> Accesses: ...
    @property
    def keyring(self) -> Keyring: ...
    @property
    def clock(self) -> Callable[[], datetime]: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def cursor_secret(self) -> bytes: ...
    @property
    def schema_is_current(self) -> Callable[[], bool]: ...
    @property
    def checkpoints(self) -> Checkpoints: ...


def services_of(request: Request) -> Any:
    """The services behind the app that this request came to."""
    return request.app.state.services
