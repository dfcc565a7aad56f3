"""Which business day a read is about when it names none."""

from __future__ import annotations

from datetime import date, datetime

from aggregates.business_days import Calendar
from aggregates.workspace import DEFAULT_SETTINGS, WORKSPACE_ID, Settings, Workspace
from api.services import Services
from ledger.errors import NotFound


def business_day(crm: Services, as_of: datetime | None, position: int | None) -> date:
    """The business day of a moment, in the time zone that was set then; today when there is none."""
    settings = crm.door.settings() if position is None else settings_at(crm, position)
    return Calendar(as_of or crm.clock(), settings.zone).today


def settings_at(crm: Services, position: int | None) -> Settings:
    """The workspace's settings at a position (now when there is none), the defaults before there are any."""
    try:
        return crm.ledger.load(Workspace, WORKSPACE_ID, position=position).settings
    except NotFound:
        return DEFAULT_SETTINGS
