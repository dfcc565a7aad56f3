"""After a restoration of whatever kind: nobody who was erased is back, the ledger holds, and that is signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crm.proving import prove_ledger
from crm.services import Services
from ledger.erasing.applying import apply
from ledger.proof.statements import Signed


@dataclass(frozen=True)
class Confirmed:
    """What was found, how many keys of erased persons were destroyed once more, and what was signed, if anything."""

    found: dict[str, Any]
    destroyed: int
    signed: Signed | None

    @property
    def agreed_upto(self) -> int | None:
        """The last position about which a signed checkpoint agrees; None where there is none at hand."""
        upto: int | None = self.found["checkpoints"]["agreed_upto"]
        return upto

    @property
    def known_upto(self) -> int | None:
        """How far the ledger once was, by checkpoints about later positions than the restored one, if there are any."""
        cut = [each["position"] for each in self.found["checkpoints"]["disagreements"] if each["fault"] == "cut-off"]
        return max(cut, default=None)


def confirm(made: Services, progress: Callable[[int], None] = lambda _: None) -> Confirmed:
    """Apply the erasures, prove the ledger, and sign that it was restored to where it ends; read models come after.

    Checkpoints about later positions are what a restoration cuts off; any other disagreement leaves it unsigned.
    `progress` is told how many events were checked. Raises NotVouchedFor, Unreadable, OSError.
    """
    destroyed = len(apply(made.database, made.keyring, made.erasures).destroyed)
    found = prove_ledger(made, 1, progress)
    if not _holds(found):
        return Confirmed(found, destroyed, None)
    return Confirmed(found, destroyed, made.checkpoints.state_restored(made.database))


def _holds(found: dict[str, Any]) -> bool:
    claims, checkpoints = found["claims"], found["checkpoints"]
    return bool(
        found["chain"]["is_clean"]
        and claims
        and claims["is_clean"]
        and all(each["fault"] == "cut-off" for each in checkpoints["disagreements"])
    )
