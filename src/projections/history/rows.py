"""The rows of the history: every event, and what is needed to say what was there before it and who is who."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec


class EventRow(msgspec.Struct):
    """One event. `body` is what happened, as JSON; `sealed` its personal part, which only the subject's key opens.

    `before` says for each field that the event changed at which position it got the value it had until then: 0 where
    that was when its aggregate (or its contact) began.
    """

    position: int
    customer_id: UUID | None
    originator_id: UUID
    version: int
    topic: str
    recorded_at: datetime
    occurred_on: date
    actor: str
    source: str
    command_id: UUID
    reason: str | None
    body: bytes
    before: bytes | None
    subject: UUID | None
    sealed: bytes | None


class LatestRow(msgspec.Struct):
    """At which positions the fields of an aggregate, or of a contact, were last changed."""

    subject_id: UUID
    fields: dict[str, int]


class MemberRow(msgspec.Struct):
    """Somebody of ours, as named now."""

    member_id: UUID
    name: str | None


class TeamRow(msgspec.Struct):
    """A team, as named now."""

    team_id: UUID
    name: str


class ProductRow(msgspec.Struct):
    """A product, as named now."""

    product_id: UUID
    name: str


class StageRow(msgspec.Struct):
    """A stage of a pipeline, as named now; one that was taken out keeps its names."""

    pipeline_id: UUID
    key: str
    zh: str
    en: str


class SettingsRow(msgspec.Struct):
    """The business time zone."""

    settings_id: UUID
    time_zone: str
