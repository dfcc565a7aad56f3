"""Who sells and what is sold: lists of members, teams, products and pipelines to choose from."""

from __future__ import annotations

from datetime import date
from typing import Any, LiteralString

from psycopg import Connection

from projections.engine.lists.filtering import Column
from projections.engine.lists.listing import Listing, Page
from projections.engine.lists.query import Query

_NAMED = Column("x.name", "text", sortable=True)
_KEY = Column("x.id", "uuid", nullable=False, sortable=True)

MEMBERS = Listing(
    columns={
        "id": _KEY,
        "name": _NAMED,
        "team_id": Column("x.team_id", "uuid"),
        "team": Column("x.team", "text", sortable=True),
        "region": Column("x.region", "text", sortable=True),
    },
    search=("x.name",),
    default_sort="name",
)
TEAMS = Listing(
    columns={
        "id": _KEY,
        "name": _NAMED,
        "region": Column("x.region", "text", sortable=True),
        "members": Column("x.members", "number", nullable=False, sortable=True),
    },
    search=("x.name",),
    default_sort="name",
)
PRODUCTS = Listing(
    columns={"id": _KEY, "name": _NAMED, "series": Column("x.series", "text", sortable=True)},
    search=("x.name", "x.series"),
    default_sort="name",
)
PIPELINES = Listing(
    columns={"id": _KEY, "name": _NAMED, "stages": Column("x.stages", "tags", nullable=False)},
    search=("x.name",),
    default_sort="name",
)

_MEMBERS: LiteralString = """(
    SELECT m.member_id AS id, m.name, mt.team_id, t.name AS team, tr.region
    FROM members m
        LEFT JOIN member_teams mt ON mt.member_id = m.member_id
            AND mt.from_on <= %(on)s AND (mt.until_on IS NULL OR mt.until_on > %(on)s)
        LEFT JOIN teams t ON t.team_id = mt.team_id
        LEFT JOIN team_regions tr ON tr.team_id = mt.team_id
            AND tr.from_on <= %(on)s AND (tr.until_on IS NULL OR tr.until_on > %(on)s)) x"""
_TEAMS: LiteralString = """(
    SELECT t.team_id AS id, t.name, tr.region,
        (SELECT count(*) FROM member_teams mt WHERE mt.team_id = t.team_id
            AND mt.from_on <= %(on)s AND (mt.until_on IS NULL OR mt.until_on > %(on)s)) AS members
    FROM teams t LEFT JOIN team_regions tr ON tr.team_id = t.team_id
        AND tr.from_on <= %(on)s AND (tr.until_on IS NULL OR tr.until_on > %(on)s)) x"""
_PRODUCTS: LiteralString = "(SELECT product_id AS id, name, series FROM products) x"
_PIPELINES: LiteralString = """(
    SELECT p.pipeline_id AS id, p.name,
        ARRAY(SELECT s.key FROM pipeline_stages s WHERE s.pipeline_id = p.pipeline_id ORDER BY s.seq) AS stages
    FROM pipelines p) x"""


def members(connection: Connection[Any], query: Query, on: date) -> Page:
    """Everybody who sells, with the team and region of that day. Raises QueryRefused."""
    return MEMBERS.page(connection, query, source=_MEMBERS, params={"on": on})


def teams(connection: Connection[Any], query: Query, on: date) -> Page:
    """The teams, with the region and the number of members of that day. Raises QueryRefused."""
    return TEAMS.page(connection, query, source=_TEAMS, params={"on": on})


def products(connection: Connection[Any], query: Query) -> Page:
    """What is sold. Raises QueryRefused."""
    return PRODUCTS.page(connection, query, source=_PRODUCTS)


def pipelines(connection: Connection[Any], query: Query) -> Page:
    """The pipelines, each with the keys of its stages in order. Raises QueryRefused."""
    return PIPELINES.page(connection, query, source=_PIPELINES)
