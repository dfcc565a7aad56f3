"""The proof that nothing was altered: the ledger checked on demand, and the signed checkpoints it is compared with."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from threading import Lock
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.answers.problems import FieldFault, Problem, invalid
from api.answers.shapes.proof import Checkpoint, Checkpoints, PublicKeys, Verification
from api.limits.limiting import one_at_a_time
from api.requests.asking import Asked, Parameter
from api.requests.reading import add_read
from api.services import Services
from ledger.proof.claims import verify_claims
from ledger.proof.comparing import Comparison, compare
from ledger.proof.statements import Unreadable, parsed
from ledger.proof.stretches import verify_in_stretches
from projections.engine.lists.cursor import Cursors

FROM = Parameter("from", "number", "The first position to check; what is before it is trusted.", 1, least=1)
UPTO = Parameter("upto", "number", "The last position to check; the end when left out.", 1024, least=1)
LIMIT = Parameter("limit", "number", "Checkpoints a page.", 50, least=1, most=200)
CURSOR = Parameter("cursor", "text", "`next` of the page before, with everything else the same.")
POSITION = Parameter("position", "number", "The position that was signed.", 1024, least=0, place="path")
MOST_SHOWN = 100
"""Disagreements that are listed one by one; the others are only counted."""
_QUESTION = b"checkpoints"
_PROVING = Lock()


def read_verification(crm: Services, asked: Asked) -> Any:
    """Checks the chain of hashes over the ledger, compares signed checkpoints, and the table of claims with the events.

    A part of the chain can be chosen, the claims are compared when all of it was checked and holds. Checkpoints are
    compared with the whole ledger, as far as this process sees their folder.
    """
    start, upto = asked.get("from", 1), asked.get("upto")
    if start > 1 + (head := crm.ledger.head()):
        raise invalid(FieldFault("query", "/from", "position-ahead", {"after": start, "head": head}))
    with one_at_a_time(_PROVING), crm.database.connection(at_leisure=True) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        chain = verify_in_stretches(crm.database, connection, start, upto)
        checkpoints = compare(connection, crm.checkpoints.folder, crm.checkpoints.known_keys())
        is_whole = start == 1 and upto is None and chain.is_intact
        claims = verify_claims(connection, crm.keyring) if is_whole else None
    bad = [each for each in (chain.first_bad, checkpoints.first_bad) if each is not None]
    shown: dict[str, Any] = {
        "position": chain.head.position,
        "intact": chain.is_intact and checkpoints.is_clean and (claims is None or claims.is_intact),
        "first_bad": min(bad, default=None),
        "chain": {
            "from": start,
            "checked": chain.checked,
            "head": {"position": chain.head.position, "chain": chain.head.chain.hex()},
            "first_bad": chain.first_bad,
            "fault": chain.fault,
        },
        "checkpoints": _compared(checkpoints),
        "claims": None,
    }
    if claims is not None:
        differences = [
            {"kind": kind, "value": value, "held": held and held.aggregate_id, "expected": due and due.aggregate_id}
            for (kind, value), (held, due) in claims.differences.items()
        ]
        shown["claims"] = {
            "checked": claims.checked,
            "differences": differences,
            "unreadable": claims.unreadable,
            "doublings": [each.document for each in claims.doublings],
        }
    return shown


def _compared(found: Comparison) -> dict[str, Any]:
    return {
        "visible": found.is_visible,
        "compared": found.compared,
        "agreed_upto": found.agreed_upto,
        "knowingly_cut": found.knowingly_cut,
        "disagreeing": len(found.disagreements),
        "disagreements": [asdict(each) for each in found.disagreements[:MOST_SHOWN]],
    }


def list_checkpoints(crm: Services, asked: Asked) -> Any:
    """The signed checkpoints, the newest first, as they lie in their folder; statements of restorations, too."""
    folder, cursors = _visible(crm), Cursors(crm.cursor_secret)
    names = folder.names()[::-1]
    beyond = asked.beyond(cursors, _QUESTION)
    if beyond is not None:
        names = [name for name in names if name < beyond]
    limit = asked.get("limit", 50)
    items = []
    for name in names[:limit]:
        data = folder.read(name)
        if data is not None:
            items.append({"file": name, "statement": _statement(data)})
    following = cursors.write([names[limit - 1]], _QUESTION) if len(names) > limit else None
    return {"items": items, "next": following, "position": crm.ledger.head()}


def _statement(data: bytes) -> dict[str, Any] | None:
    try:
        return parsed(data).document
    except Unreadable:
        return None


def read_checkpoint(crm: Services, asked: Asked) -> Any:
    """The checkpoint of a position, byte for byte as it was signed, to be kept elsewhere; the newest of several."""
    folder, position = _visible(crm), asked.get("position")
    name = folder.at(position)
    data = None if name is None else folder.read(name)
    if data is None:
        raise Problem(404, "no-checkpoint", {"position": position})
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, headers=headers, media_type="application/json")


def read_public_key(crm: Services, _: Asked) -> Any:
    """The public key that checkpoints are signed with, and all those that count, each Ed25519 and in base64."""
    keys = [b64encode(key).decode() for key in crm.checkpoints.known_keys()]
    if not keys:
        raise _not_here()
    return {"algorithm": "Ed25519", "key": keys[0], "known": keys}


def _visible(crm: Services) -> Any:
    """The folder, if this process can see it."""
    folder = crm.checkpoints.folder
    if not folder.is_there:
        raise _not_here()
    return folder


def _not_here() -> Problem:
    return Problem(404, "checkpoints-not-here")


def add_proof_reads(router: APIRouter) -> None:
    """Puts these reads on the router."""
    pages = (LIMIT, CURSOR)
    add_read(
        router,
        "/audit/verification",
        read_verification,
        shows=Verification,
        action="read-audit",
        takes=(FROM, UPTO),
    )
    add_read(router, "/audit/checkpoints", list_checkpoints, shows=Checkpoints, action="read-audit", takes=pages)
    add_read(
        router,
        "/audit/checkpoints/{position}",
        read_checkpoint,
        shows=Checkpoint,
        action="read-audit",
        takes=(POSITION,),
    )
    add_read(router, "/audit/public-key", read_public_key, shows=PublicKeys, action="read-audit")
