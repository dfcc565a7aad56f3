"""The rows that reports group by: who sells, in which team and region, what is sold, and to whom."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec


class MemberRow(msgspec.Struct):
    """A member of the sales staff, as named now."""

    member_id: UUID
    name: str | None


class MemberTeamRow(msgspec.Struct):
    """The team a member belonged to from one day until before another."""

    member_id: UUID
    from_on: date
    until_on: date | None
    team_id: UUID | None


class TeamRow(msgspec.Struct):
    """A team, as named now."""

    team_id: UUID
    name: str


class TeamRegionRow(msgspec.Struct):
    """The region a team worked in from one day until before another."""

    team_id: UUID
    from_on: date
    until_on: date | None
    region: str | None


class SettingsRow(msgspec.Struct):
    """What the workspace has settled and the folds must know."""

    settings_id: UUID
    time_zone: str


class CustomerRow(msgspec.Struct):
    """A customer, as named now; `came_on` is the first contact, else the day it was registered."""

    customer_id: UUID
    code: str | None
    name: str | None
    placeholder: bool
    came_on: date
    won_on: date | None


class CustomerFactsRow(msgspec.Struct):
    """What a customer was from one day until before another, as far as reports group by it."""

    customer_id: UUID
    from_on: date
    until_on: date | None
    owner_id: UUID | None
    industry: str | None
    source: str | None
    region: str | None
    country: str | None
