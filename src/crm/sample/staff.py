"""Who sells, and what is sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from commands.members import AssignTeam, FormTeam, RegisterMember
from commands.products import AddProduct
from crm.sample.script import Script
from crm.sample.words import words

FOUNDED = timedelta(days=420)
"""How long ago the company set up its teams."""


@dataclass(frozen=True)
class Member:
    """A salesperson; the first of a team leads it."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Product:
    """Something to sell, and between how many of it a deal is about."""

    id: UUID
    name: str
    price: Decimal
    least: int
    most: int


@dataclass(frozen=True)
class Staff:
    """Members by the region that they sell in, and the products."""

    members: dict[str, list[Member]]
    products: list[Product]

    @property
    def director(self) -> Member:
        """Whom the token of the sample belongs to."""
        return next(iter(self.members.values()))[0]


def hire(script: Script) -> Staff:
    """Form the teams, register their members, and put the products on the list."""
    begun = script.working_day(script.today - FOUNDED)
    members: dict[str, list[Member]] = {}
    teams: list[tuple[UUID, list[Member]]] = []
    for number, team in enumerate(words()["teams"]):
        at = script.moment(begun).replace(hour=9, minute=number)
        team_id = script.new_id(at)
        script.do(at, FormTeam(name=team["name"], region=team["region"]), makes=team_id)
        hired = [_register(script, name, team_id, number) for name in team["members"]]
        members.setdefault(team["region"], []).extend(hired)
        teams.append((team_id, hired))
    changed_on = script.working_day(script.today - script.days(120, 150))
    moved = AssignTeam(team_id=teams[0][0], occurred_on=changed_on)
    script.do(script.moment(changed_on), moved, to=teams[1][1][-1].id, by=teams[0][1][0].id)
    return Staff(members, [_add(script, each) for each in words()["products"]])


def _register(script: Script, name: str, team_id: UUID, number: int) -> Member:
    on = script.working_day(script.today - FOUNDED + timedelta(days=1 + number))
    at = script.moment(on)
    member = Member(script.new_id(at), name)
    email = f"sales{len(script.deeds):02d}@yungongfang.example.com"
    script.do(at, RegisterMember(name=name, email=email, team_id=team_id, occurred_on=on), makes=member.id)
    return member


def _add(script: Script, product: dict[str, Any]) -> Product:
    at = script.moment(script.working_day(script.today - FOUNDED + timedelta(days=7)))
    listed = {name: product[name] for name in ("name", "code", "series", "price")}
    made = Product(script.new_id(at), product["name"], Decimal(product["price"]), *product.get("per_deal", (1, 1)))
    script.do(at, AddProduct(**listed), makes=made.id)
    return made
