"""Reads of the pipeline: opportunities, the funnel, conversion, and the lists that go with them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.answers.shapes.common import AnyObject, page_of
from api.answers.shapes.pipeline import Conversion, Funnel, Sources
from api.requests.asking import ID, MOMENT, Asked, Parameter, grouped_by
from api.requests.reading import add_read, looking_at, one_record, paged
from api.services import Services
from projections import pipeline
from projections.pipeline import directory

BY = grouped_by(pipeline.DIMENSIONS, "region")
FROM_ON = Parameter("from_on", "date", "Only customers that came on this day or later.", "2026-01-01")
UNTIL_ON = Parameter("until_on", "date", "Only customers that came on this day or earlier.", "2026-03-31")


def list_opportunities(crm: Services, asked: Asked) -> Any:
    """Opportunities as they stood on a day."""
    with looking_at(crm, "pipeline", asked) as moment:
        return paged(pipeline.page(moment.connection, asked.query, moment.on), moment)


def read_opportunity(crm: Services, asked: Asked) -> Any:
    """One opportunity as of a day: its stages with the days spent in each, and what was true of it when."""
    with looking_at(crm, "pipeline", asked) as moment:
        found = pipeline.one(moment.connection, asked.id, moment.on)
        return one_record("opportunity", asked.id, found, moment)


def read_funnel(crm: Services, asked: Asked) -> Any:
    """The conversion funnel on a day: count, share and amount by stage, wins and losses, days to win."""
    with looking_at(crm, "pipeline", asked) as moment:
        return pipeline.funnel(moment.connection, moment.on, asked.get("by", ())) | {"position": moment.position}


def read_conversion(crm: Services, asked: Asked) -> Any:
    """For each stage: how many entered it up to a day, went on, or were lost from it, and the days spent in it."""
    with looking_at(crm, "pipeline", asked) as moment:
        return pipeline.conversion(moment.connection, moment.on, asked.get("by", ())) | {"position": moment.position}


def read_sources(crm: Services, asked: Asked) -> Any:
    """Where the customers that came in a period came from, and how many of them were won by a day."""
    with looking_at(crm, "pipeline", asked) as moment:
        found = pipeline.sources(moment.connection, moment.on, asked.get("from_on"), asked.get("until_on"))
        return found | {"position": moment.position}


def list_members(crm: Services, asked: Asked) -> Any:
    """Everybody who sells, with the team and region of a day."""
    with looking_at(crm, "pipeline", asked) as moment:
        return paged(directory.members(moment.connection, asked.query, moment.on), moment)


def list_teams(crm: Services, asked: Asked) -> Any:
    """The teams, with the region and the number of members of a day."""
    with looking_at(crm, "pipeline", asked) as moment:
        return paged(directory.teams(moment.connection, asked.query, moment.on), moment)


def list_products(crm: Services, asked: Asked) -> Any:
    """What is sold."""
    with looking_at(crm, "pipeline", asked) as moment:
        return paged(directory.products(moment.connection, asked.query), moment)


def list_pipelines(crm: Services, asked: Asked) -> Any:
    """The pipelines, each with its stages in order."""
    with looking_at(crm, "pipeline", asked) as moment:
        return paged(directory.pipelines(moment.connection, asked.query), moment)


def add_pipeline_reads(router: APIRouter) -> None:
    """Puts these reads on the router."""
    add_read(
        router,
        "/opportunities",
        list_opportunities,
        shows=page_of("Opportunity", pipeline.OPPORTUNITIES),
        action="read-opportunities",
        takes=MOMENT,
        listing=pipeline.OPPORTUNITIES,
    )
    add_read(
        router,
        "/opportunities/{id}",
        read_opportunity,
        shows=AnyObject,
        action="read-opportunities",
        takes=(ID, *MOMENT),
    )
    reports: list[tuple[str, Any, Any, tuple[Parameter, ...]]] = [
        ("/funnel", read_funnel, Funnel, (BY,)),
        ("/funnel/conversion", read_conversion, Conversion, (BY,)),
        ("/funnel/sources", read_sources, Sources, (FROM_ON, UNTIL_ON)),
    ]
    for path, reading, shape, more in reports:
        add_read(router, path, reading, shows=shape, action="read-reports", takes=(*MOMENT, *more))
    lists: list[tuple[str, Any, str, Any]] = [
        ("/members", list_members, "Member", directory.MEMBERS),
        ("/teams", list_teams, "Team", directory.TEAMS),
        ("/products", list_products, "Product", directory.PRODUCTS),
        ("/pipelines", list_pipelines, "Pipeline", directory.PIPELINES),
    ]
    for path, reading, name, listing in lists:
        add_read(
            router,
            path,
            reading,
            shows=page_of(name, listing),
            action=f"read-{path[1:]}",
            takes=MOMENT,
            listing=listing,
        )
