"""The proof of the ledger as the command line gives it: the chain, the signed checkpoints and the claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from crm.services import Services
from ledger.proof.claims import ClaimsReport, verify_claims
from ledger.proof.comparing import compare
from ledger.proof.doublings import Doubling
from ledger.proof.stretches import verify_in_stretches


def prove_ledger(made: Services, start: int, progress: Callable[[int], None]) -> dict[str, Any]:
    """All of them, looked at in one snapshot while writing goes on; the chain from a position on.

    The claims are told from the events, and are only compared where the chain holds.
    """
    with made.database.connection() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        chain = verify_in_stretches(made.database, connection, start, progress=progress)
        compared = compare(connection, made.checkpoints.folder, made.checkpoints.known_keys())
        claims = verify_claims(connection, made.keyring) if chain.is_intact else None
    return {
        "chain": {
            "is_clean": chain.is_intact,
            "from": start,
            "checked": chain.checked,
            "head": {"position": chain.head.position, "chain": chain.head.chain.hex()},
            "first_bad": chain.first_bad,
            "fault": chain.fault,
        },
        "checkpoints": {
            "is_clean": compared.is_clean,
            "visible": compared.is_visible,
            "compared": compared.compared,
            "agreed_upto": compared.agreed_upto,
            "knowingly_cut": compared.knowingly_cut,
            "first_bad": compared.first_bad,
            "disagreements": [asdict(each) for each in compared.disagreements],
        },
        "claims": None if claims is None else _shown(claims),
    }


def _shown(claims: ClaimsReport) -> dict[str, Any]:
    wrong = [
        {"kind": kind, "value": value, "table": table, "events": events}
        for (kind, value), (table, events) in claims.differences.items()
    ]
    return {
        "is_clean": claims.is_intact,
        "checked": claims.checked,
        "differences": wrong,
        "unreadable": claims.unreadable,
        "doublings": [each.document | {"what_to_do": what_to_do(each)} for each in claims.doublings],
    }


WHAT_TO_DO = {
    "reverse-payment": "Reverse the later payment, with a reason: "
    "POST /api/v1/receivables/{record}/payments/{part}/reversal.",
    "remove-contact": "Remove the later contact: DELETE /api/v1/customers/{record}/contacts/{part}.",
    "note-it": "No command takes such an entry back: enter one more that says which of the two counts.",
    "none": "Nothing: it set what the first one had set. Where something else was set in between, set that again.",
}
"""By remedy."""


def what_to_do(doubling: Doubling) -> str:
    """The remedy in words, with the address that it needs."""
    event = doubling.to_mend
    return WHAT_TO_DO[event.remedy].format(record=event.aggregate_id, part=event.part_id)
