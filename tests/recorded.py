"""Events as a ledger gives them back: their personal fields sealed, their positions counted from 1."""

from __future__ import annotations

from collections.abc import Iterable

from aggregates.base import Event
from ledger.encoded.codec import decode, encode
from ledger.encoded.forms import FastEvent, form_of
from ledger.new_keys import NewKeys
from ledger.sealing import Keyring


def recorded(events: Iterable[Event], keyring: Keyring) -> list[FastEvent]:
    """Each event written down and read again."""
    return [
        decode(
            form_of(type(event)).topic,
            encode(event, keyring, NewKeys()),
            originator_id=event.originator_id,
            originator_version=event.originator_version,
            recorded_at=event.timestamp,
            customer_id=event.customer_id,
            position=position,
        )
        for position, event in enumerate(events, start=1)
    ]
