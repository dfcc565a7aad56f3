"""Checkpoints of one store: which folder they lie in, which keys are known, and who writes them when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

import structlog

from crm.keys import signing
from crm.settings import Settings
from ledger.database import Database
from ledger.errors import DatabaseAway
from ledger.proof.checkpointing import NotVouchedFor, sign_head, sign_restored
from ledger.proof.folder import Folder, signed_at
from ledger.proof.statements import Signed, Signer

log = structlog.get_logger(__name__)
THINNING_APART = 3600.0
LAST_TRY_SECONDS = 5.0
"""How long a stop may be held up to check what came since the last checkpoint."""


@dataclass(frozen=True)
class Checkpoints:
    """What the settings say about checkpoints."""

    settings: Settings

    @property
    def folder(self) -> Folder:
        """Where those of this workspace lie; another ledger that takes its place is found out by them."""
        return Folder(self.settings.checkpoint_dir / self.settings.schema)

    def known_keys(self) -> tuple[bytes, ...]:
        """The public keys that count, the store's own first; that of the folder only where there is no other."""
        seed = self.settings.signing_key or signing.found_in(self.settings.data_dir)
        own = () if seed is None else (Signer(seed).public,)
        if keys := (*own, *self.settings.trusted_keys):
            return keys
        public_key = self.folder.public_key()
        return () if public_key is None else (public_key,)

    def write(
        self, database: Database, *, waiting: bool = False, is_enough: Callable[[], bool] = lambda: False
    ) -> Signed | None:
        """Sign how far the ledger is, if it has grown and nobody else is doing so. Raises NotVouchedFor."""
        signer = self.signer()
        known = (signer.public, *self.settings.trusted_keys)
        return sign_head(
            database, self.folder, signer, known, now=datetime.now(UTC), is_enough=is_enough, waiting=waiting
        )

    def state_restored(self, database: Database) -> Signed:
        """Sign that the ledger was restored to where it ends now, once that is proven. Raises NotVouchedFor."""
        signer = self.signer()
        known = (signer.public, *self.settings.trusted_keys)
        return sign_restored(database, self.folder, signer, known, now=datetime.now(UTC))

    def can_sign(self) -> bool:
        """Whether the key at hand is one that the folder knows; none is made for finding out."""
        there = self.folder.public_key()
        seed = self.settings.signing_key or signing.found_in(self.settings.data_dir)
        if there is None:
            return True
        return seed is not None and there in (Signer(seed).public, *self.settings.trusted_keys)

    def signer(self) -> Signer:
        """Signs with the store's own key, which is made at the first call."""
        return Signer(self.settings.signing_key or signing.in_folder(self.settings.data_dir))


def keep_writing(checkpoints: Checkpoints, database: Database, stop: Event) -> None:
    """Write one whenever it is time, and one more at the stop; any number of workers may do so on one store."""
    apart = float(checkpoints.settings.checkpoint_seconds)
    if not apart:
        return
    tried_at = thinned_at = -THINNING_APART
    while not stop.wait(_seconds_left(checkpoints.folder, tried_at, apart)):
        tried_at = time.monotonic()
        _write(checkpoints, database, stop.is_set)
        if tried_at - thinned_at >= THINNING_APART:
            _thin(checkpoints.folder)
            thinned_at = tried_at
    deadline = time.monotonic() + LAST_TRY_SECONDS
    _write(checkpoints, database, lambda: time.monotonic() > deadline)


def _seconds_left(folder: Folder, tried_at: float, apart: float) -> float:
    """How long to wait until the next one, this worker's last try and any other worker's last checkpoint considered."""
    left = apart - (time.monotonic() - tried_at) if tried_at >= 0 else 0.0
    try:
        newest = folder.names()[-1:]
    except OSError:
        return apart
    for name in newest:
        left = max(left, apart - (datetime.now(UTC) - signed_at(name)).total_seconds())
    return min(max(left, 0.0), apart)


def _write(checkpoints: Checkpoints, database: Database, is_enough: Callable[[], bool]) -> None:
    try:
        signed = checkpoints.write(database, is_enough=is_enough)
    except NotVouchedFor as refused:
        log.error("no checkpoint is signed, since the ledger is not as it was: see crm verify", reason=str(refused))
    except DatabaseAway as away:
        log.warning("no checkpoint for now", error=str(away))
    except Exception:
        log.exception("a checkpoint could not be written and will be tried again")
    else:
        if signed is not None:
            log.debug("a checkpoint was signed", position=signed.statement.position)


def _thin(folder: Folder) -> None:
    try:
        if removed := folder.thin(datetime.now(UTC)):
            log.info("older checkpoints were thinned out", removed=removed)
    except OSError:
        log.exception("older checkpoints could not be thinned out")
