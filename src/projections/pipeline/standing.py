"""The pipeline as it stood on a day: the entry each opportunity stood in, its facts, and whose it was."""

from __future__ import annotations

from typing import LiteralString

from projections.dimensions import Dimension

STANDING: LiteralString = """stages s
    JOIN opportunities o ON o.opportunity_id = s.opportunity_id
    JOIN opportunity_facts f ON f.opportunity_id = s.opportunity_id
        AND f.from_on <= %(on)s AND (f.until_on IS NULL OR f.until_on > %(on)s)"""
STANDS: LiteralString = "s.entered_on <= %(on)s AND (s.left_on IS NULL OR s.left_on > %(on)s)"

MEMBER: LiteralString = "LEFT JOIN members m ON m.member_id = f.owner_id"
MEMBER_TEAM: LiteralString = """LEFT JOIN member_teams mt ON mt.member_id = f.owner_id
        AND mt.from_on <= %(on)s AND (mt.until_on IS NULL OR mt.until_on > %(on)s)"""
TEAM: LiteralString = "LEFT JOIN teams t ON t.team_id = mt.team_id"
TEAM_REGION: LiteralString = """LEFT JOIN team_regions tr ON tr.team_id = mt.team_id
        AND tr.from_on <= %(on)s AND (tr.until_on IS NULL OR tr.until_on > %(on)s)"""
CUSTOMER: LiteralString = "LEFT JOIN customers c ON c.customer_id = o.customer_id"
CUSTOMER_FACTS: LiteralString = """LEFT JOIN customer_facts cf ON cf.customer_id = o.customer_id
        AND cf.from_on <= %(on)s AND (cf.until_on IS NULL OR cf.until_on > %(on)s)"""
PRODUCT: LiteralString = "LEFT JOIN products p ON p.product_id = f.product_id"
PIPELINE: LiteralString = "LEFT JOIN pipelines pl ON pl.pipeline_id = o.pipeline_id"

DIMENSIONS = {
    "owner": Dimension((("owner_id", "f.owner_id"),), (MEMBER,), label=("owner", "m.name")),
    "team": Dimension((("team_id", "mt.team_id"),), (MEMBER_TEAM, TEAM), label=("team", "t.name")),
    "region": Dimension((("region", "coalesce(cf.region, tr.region)"),), (CUSTOMER_FACTS, MEMBER_TEAM, TEAM_REGION)),
    "team_region": Dimension((("team_region", "tr.region"),), (MEMBER_TEAM, TEAM_REGION)),
    "product": Dimension((("product_id", "f.product_id"),), (PRODUCT,), label=("product", "p.name")),
    "product_series": Dimension((("product_series", "p.series"),), (PRODUCT,)),
    "customer": Dimension((("customer_id", "o.customer_id"),), (CUSTOMER,), label=("customer", "c.name")),
    "industry": Dimension((("industry", "cf.industry"),), (CUSTOMER_FACTS,)),
    "customer_region": Dimension((("customer_region", "cf.region"),), (CUSTOMER_FACTS,)),
    "country": Dimension((("country", "cf.country"),), (CUSTOMER_FACTS,)),
    "source": Dimension((("source", "coalesce(f.source, cf.source)"),), (CUSTOMER_FACTS,)),
    "pipeline": Dimension((("pipeline_id", "o.pipeline_id"),), (PIPELINE,), label=("pipeline", "pl.name")),
    "month": Dimension((("month", "to_char(o.opened_on, 'YYYY-MM')"),)),
    "quarter": Dimension((("quarter", "to_char(o.opened_on, 'YYYY\"-Q\"Q')"),)),
}
"""How the pipeline may be grouped. A source is the opportunity's own, else its customer's; a region is the customer's
on the day, else that of the owner's team (`customer_region` and `team_region` are each alone); the team is that of the
owner on the day; month and quarter are those in which it was opened."""
