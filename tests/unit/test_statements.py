"""Signed statements: one way to write them, and every byte of them is covered by the signature."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from ledger.proof.statements import Signed, Signer, Statement, Unreadable, parsed

SIGNER = Signer(secrets.token_bytes(32))
STATEMENT = Statement(
    kind="checkpoint",
    ledger_id=UUID("5d0a4c57-9a5e-4f4f-8f0b-7c116b0f3c1e"),
    position=1024,
    chain=bytes(range(32)),
    recorded_at=datetime(2026, 1, 31, 1, 29, 57, 120934, tzinfo=UTC),
    signed_at=datetime(2026, 1, 31, 1, 30, tzinfo=UTC),
)


def test_the_form_of_a_statement_never_changes() -> None:
    fixed = Signed(STATEMENT, bytes(32), bytes(64))
    assert fixed.to_bytes() == (
        b'{"chain":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","format":1,'
        b'"key":"' + b"A" * 43 + b'=","kind":"checkpoint","ledger_id":"5d0a4c57-9a5e-4f4f-8f0b-7c116b0f3c1e",'
        b'"position":1024,"recorded_at":"2026-01-31T01:29:57.120934Z","signature":"' + b"A" * 86 + b'==",'
        b'"signed_at":"2026-01-31T01:30:00.000000Z"}\n'
    )


def test_what_was_signed_is_read_back_genuine() -> None:
    signed = SIGNER.sign(STATEMENT)
    assert signed.is_genuine
    assert signed.key == SIGNER.public
    assert parsed(signed.to_bytes()) == signed
    empty = SIGNER.sign(replace(STATEMENT, kind="restored", position=0, chain=bytes(16), recorded_at=None))
    assert parsed(empty.to_bytes()) == empty


def test_a_moment_is_written_in_utc() -> None:
    local = STATEMENT.signed_at.astimezone(timezone(timedelta(hours=8)))
    assert SIGNER.sign(replace(STATEMENT, signed_at=local)).to_bytes() == SIGNER.sign(STATEMENT).to_bytes()


@pytest.mark.parametrize(
    "changed",
    [
        replace(STATEMENT, kind="restored"),
        replace(STATEMENT, ledger_id=UUID(int=1)),
        replace(STATEMENT, position=1025),
        replace(STATEMENT, chain=bytes(32)),
        replace(STATEMENT, recorded_at=None),
        replace(STATEMENT, signed_at=STATEMENT.signed_at + timedelta(microseconds=1)),
    ],
)
def test_no_part_can_be_changed_unnoticed(changed: Statement) -> None:
    signed = SIGNER.sign(STATEMENT)
    assert not replace(signed, statement=changed).is_genuine
    assert not replace(signed, key=Signer(secrets.token_bytes(32)).public).is_genuine


def test_every_changed_byte_is_noticed() -> None:
    data = SIGNER.sign(STATEMENT).to_bytes()
    for at in range(len(data)):
        spoilt = bytearray(data)
        spoilt[at] ^= 1
        try:
            assert not parsed(bytes(spoilt)).is_genuine
        except Unreadable:
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null\n",
        b"[" * 100_000,
        b"\xff\n",
        b'{"kind":"checkpoint"}\n',
        SIGNER.sign(STATEMENT).to_bytes()[:-1],
        json.dumps(SIGNER.sign(STATEMENT).document).encode() + b"\n",
        SIGNER.sign(STATEMENT).to_bytes().replace(b'"format":1', b'"format":2'),
        SIGNER.sign(STATEMENT).to_bytes().replace(b'"position":1024', b'"position":true'),
        SIGNER.sign(STATEMENT).to_bytes().replace(b"checkpoint", b"promise"),
    ],
)
def test_anything_else_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        parsed(data)
