"""Which fields each event gives a new value, so that the history can say what they were before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from aggregates.base import Event, personal_fields
from aggregates.customer.events import CONTACT
from aggregates.registry import event_classes

ENTRY_TOPICS = frozenset(
    {
        "opportunity.opened",
        "opportunity.stage-advanced",
        "opportunity.stage-moved-back",
        "opportunity.won",
        "opportunity.lost",
        "opportunity.reopened",
    }
)
"""Events by which an opportunity enters a stage, or is won or lost; `stage-date-corrected` counts them from 0."""

SET: Mapping[str, tuple[str, ...]] = {
    "customer.contact-removed": CONTACT,
    "customer.owner-assigned": ("owner_id",),
    "customer.categorised": ("category",),
    "customer.lifecycle-moved": ("lifecycle", "churn_reason"),
    "customer.intent-set": ("intent", "call_back"),
    "opportunity.stage-advanced": ("stage",),
    "opportunity.stage-moved-back": ("stage",),
    "opportunity.amount-revised": ("amount", "currency"),
    "opportunity.expected-close-revised": ("expected_close_on",),
    "opportunity.owner-assigned": ("owner_id",),
    "opportunity.won": ("stage", "amount", "currency"),
    "opportunity.lost": ("stage", "loss_reason"),
    "opportunity.reopened": ("stage", "loss_reason"),
    "receivable.due-date-moved": ("due_on",),
    "team.renamed": ("name",),
    "team.region-assigned": ("region",),
    "member.renamed": ("name",),
    "team.placed": ("parent_id",),
    "member.invited": ("email",),
    "member.team-assigned": ("team_id",),
    "member.roles-given": ("roles",),
    "pipeline.stages-revised": ("stages",),
    "workspace.configured": ("time_zone", "currency", "code_prefix", "code_width"),
}
"""By topic; an event with `changed` names its fields itself, a first event has nothing before it."""

CLOSING = {"opportunity.won": "won", "opportunity.lost": "lost"}
"""Events that end an opportunity stand for a stage of that name."""


@dataclass(frozen=True)
class Plan:
    """How the events of one topic are written down."""

    clear: tuple[str, ...]
    personal: tuple[str, ...]
    subject: str
    by_changed: bool
    sets: tuple[str, ...]
    of_contact: bool
    day: str | None
    is_entry: bool


@cache
def plan(topic: str) -> Plan:
    """The plan for a topic; KeyError for one that no aggregate has."""
    event_class = event_classes()[topic]
    envelope = {each.name for each in fields(Event)} | {"originator_topic"}
    personal = personal_fields(event_class)
    names = [each.name for each in fields(event_class) if each.name not in envelope]
    return Plan(
        clear=tuple(name for name in names if name not in personal),
        personal=tuple(name for name in names if name in personal),
        subject=event_class.SUBJECT,
        by_changed="changed" in names,
        sets=SET.get(topic, ()),
        of_contact=topic in ("customer.contact-revised", "customer.contact-removed"),
        day=next((name for name in ("occurred_on", "occurred_at", "issued_on") if name in names), None),
        is_entry=topic in ENTRY_TOPICS,
    )


def value_of(topic: str, body: Mapping[str, Any], field: str) -> Any:
    """What an event says of a field."""
    if field == "stage" and topic in CLOSING:
        return CLOSING[topic]
    return body.get(field)
