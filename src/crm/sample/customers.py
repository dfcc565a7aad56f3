"""The customers: factories that do not exist, in cities that do, with persons to speak to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from commands.customers import AddContact, Categorise, RegisterCustomer
from crm.sample.script import Script
from crm.sample.staff import Member, Staff
from crm.sample.words import REGIONS, words

ABROAD = 40
"""Every so-manieth customer is abroad and pays in dollars."""
FOREIGN = (
    ("Saigon Precision Co., Ltd.", "越南", "Nguyen Van Minh"),
    ("Lion City Logistics Pte Ltd", "新加坡", "Tan Wei Ming"),
)
SOURCES = ("exhibition", "exhibition", "referral", "online_ads", "online_enquiry", "visit", "partner_referral")
PREFIXES = ("138", "139", "136", "150", "158", "186", "189")


@dataclass(frozen=True)
class Customer:
    """A customer as the rest of the story needs it."""

    id: UUID
    name: str
    owner: Member
    since: date
    contacts: tuple[tuple[UUID, str], ...]
    currency: str
    need: str


class Names:
    """Gives out company names, each once."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._taken: set[str] = set()

    def company(self, city: str, industry: str) -> str:
        """A company in that city and line of business."""
        known = words()
        while True:
            firm, trade = self._script.pick(known["words"]["firms"]), self._script.pick(known["industries"][industry])
            for name in (f"{city}{firm}{trade}有限公司", f"{city}市{firm}{trade}科技有限公司"):
                if name not in self._taken:
                    self._taken.add(name)
                    return name

    def person(self) -> str:
        """Somebody's name."""
        known = words()["words"]
        return f"{self._script.pick(known['surnames'])}{self._script.pick(known['given'])}"


def enter(script: Script, staff: Staff, names: Names, number: int, since: date) -> Customer:
    """Register one customer with its contacts on a day."""
    at = script.moment(since).replace(hour=8, minute=0)
    is_abroad = number % ABROAD == ABROAD // 2
    profile = _abroad(number) if is_abroad else _at_home(script, names)
    region = script.pick(REGIONS) if is_abroad else str(profile["region"])
    owner = script.pick(staff.members[region])
    need = script.pick(words()["needs"]["texts"])
    customer = script.new_id(at)
    command = RegisterCustomer(
        owner_id=owner.id,
        need=need,
        budget=script.pick(words()["needs"]["budgets"]),
        lead_source=script.pick(SOURCES),
        tier=script.chance.choices(("ordinary", "quality", "super_vip"), (6, 3, 1))[0],
        first_contact_on=since,
        tags=tuple(script.chance.sample(words()["words"]["tags"], script.pick((0, 0, 1, 1, 2)))),
        **profile,
    )
    script.do(at, command, makes=customer, by=owner.id)
    persons = (
        [FOREIGN[number // ABROAD % len(FOREIGN)][2]]
        if is_abroad
        else [names.person() for _ in range(script.pick((1, 1, 2, 3)))]
    )
    contacts = tuple(
        (_contact(script, customer, owner, since, person, place), person) for place, person in enumerate(persons)
    )
    if script.maybe(0.4):
        category = script.pick(("hot", "interested", "quality_potential", "ordinary_potential"))
        script.do(script.moment(since), Categorise(category=category), to=customer, by=owner.id)
    return Customer(customer, command.name, owner, since, contacts, "USD" if is_abroad else "CNY", need)


def _contact(script: Script, customer: UUID, owner: Member, since: date, name: str, place: int) -> UUID:
    at = script.moment(since).replace(hour=8, minute=10 + place)
    contact = script.new_id(at)
    title = script.pick(words()["words"]["titles"])
    command = AddContact(
        name=name,
        title=title,
        mobile=f"{script.pick(PREFIXES)}{script.chance.randrange(10**8):08d}",
        email=f"contact{script.chance.randrange(10**5):05d}@example.com" if script.maybe(0.5) else None,
        is_decision_maker="总" in title or title == "厂长",
    )
    script.do(at, command, to=customer, makes=contact, by=owner.id)
    return contact


def _at_home(script: Script, names: Names) -> dict[str, Any]:
    region = script.chance.choices(REGIONS, (5, 4, 3))[0]
    city, code = script.pick(list(words()["cities"][region].items()))
    industry = script.pick(list(words()["industries"]))
    is_shop = script.maybe(0.07)
    name = f"{names.person()}({city}{industry}加工部)" if is_shop else names.company(city, industry)
    return {
        "name": name,
        "kind": "person" if is_shop else "company",
        "market": "b2b",
        "industry": industry,
        "region": region,
        "country": "中国",
        "company_size": words()["words"]["sizes"][0] if is_shop else script.pick(words()["words"]["sizes"][1:]),
        "address": f"{city}市{script.pick(words()['words']['roads'])}{script.chance.randrange(1, 400)}号",
        "phone": None if is_shop else f"{code}-6{script.chance.randrange(10**7):07d}",
    }


def _abroad(number: int) -> dict[str, Any]:
    name, country, _ = FOREIGN[number // ABROAD % len(FOREIGN)]
    turn = number // ABROAD // len(FOREIGN)
    return {
        "name": f"{name} {turn + 1}" if turn else name,
        "kind": "company",
        "market": "b2b",
        "industry": "机械制造" if country == "越南" else "物流",
        "region": "海外",
        "country": country,
        "company_size": "100-300人",
    }
