"""A company at work: customers, opportunities and receivables to which things happen, as the rules allow."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from aggregates.base import Acting, Aggregate, DomainError, acting
from aggregates.business_days import Calendar
from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_STAGES, Pipeline
from aggregates.product import Product
from aggregates.receivable import Receivable
from aggregates.team import Team
from ledger.ledger import Ledger

STAGES = [stage.key for stage in DEFAULT_STAGES]
REGIONS = ["East", "West", None]
INDUSTRIES = ["retail", "software", None]


class Company:
    """Does what comes to its mind; what the rules refuse does not happen."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self.ledger = ledger
        self.chance = random.Random(seed)
        self.owned: dict[type[Aggregate], list[Any]] = {}
        with self._acting():
            self.stages = Pipeline.default()
            self._keep(self.stages)
            for _ in range(2):
                self._keep(Team.form(uuid4(), name="Team", region=self.chance.choice(REGIONS)))
                self._keep(Member.register(uuid4(), name="Ann", team_id=self._id(Team)))
                self._keep(Product.add(uuid4(), name=f"Product {uuid4()}"))
                self._customer()
                self._deal()
                self._owed()

    def works(self, steps: int) -> None:
        """Some more things happen."""
        for _ in range(steps):
            step = self.chance.choice([self._customer, self._deal, self._owed, *[self._change] * 9])
            with self._acting():
                step()

    def _acting(self) -> Any:
        return acting(Acting("member:test", uuid4(), "api", datetime.now(UTC)))

    @property
    def calendar(self) -> Calendar:
        """Now, in Shanghai."""
        return Calendar(datetime.now(UTC), ZoneInfo("Asia/Shanghai"))

    def _day(self) -> Any:
        return self.calendar.today - timedelta(days=self.chance.randrange(60))

    def _id(self, kind: type[Aggregate]) -> Any:
        return self.chance.choice(self.owned[kind]).id

    def _keep(self, aggregate: Any) -> None:
        self.ledger.save(aggregate)
        self.owned.setdefault(type(aggregate), []).append(aggregate)

    def _customer(self) -> None:
        facts = {"owner_id": self._id(Member), "industry": self.chance.choice(INDUSTRIES), "lead_source": "expo"}
        self._keep(Customer.register(uuid4(), code=f"C{uuid4()}", kind="company", name="某公司", **facts))

    def _deal(self) -> None:
        facts = {"owner_id": self._id(Member), "product_id": self._id(Product), "name": "商机", "currency": "CNY"}
        when = {"occurred_on": self.chance.choice([None, self._day()]), "stage": self.chance.choice(STAGES)}
        customer = self._id(Customer)
        self._keep(
            Opportunity.open(
                uuid4(), self.calendar, customer_id=customer, pipeline=self.stages, amount=None, **when, **facts
            )
        )

    def _owed(self) -> None:
        self._keep(
            Receivable.issue(
                uuid4(),
                self.calendar.today,
                customer_id=self._id(Customer),
                amount=Decimal(self.chance.randrange(1, 500)),
                issued_on=self._day(),
                terms_days=10,
                currency="CNY",
            )
        )

    def _change(self) -> None:
        kind = self.chance.choice([kind for kind in CHANGES if kind in self.owned])
        aggregate = self.chance.choice(self.owned[kind])
        try:
            self.chance.choice(CHANGES[kind])(self, aggregate)
        except DomainError:
            return
        if aggregate.pending_events:
            self.ledger.save(aggregate)


def _reversed(company: Company, owed: Receivable) -> None:
    if owed.payments:
        owed.reverse_payment(next(iter(owed.payments)), company.calendar.today, company.calendar.today, "bounced")


CHANGES: dict[type[Aggregate], list[Any]] = {
    Team: [
        lambda company, team: team.assign_region(company.chance.choice(REGIONS), company._day()),
        lambda company, team: team.rename(f"Team {uuid4()}"),
    ],
    Member: [
        lambda company, member: member.assign_team(company._id(Team), company._day()),
        lambda company, member: member.rename("Bob"),
    ],
    Product: [lambda company, product: product.revise(name=f"Product {uuid4()}")],
    Customer: [
        lambda company, customer: customer.revise_profile(industry=company.chance.choice(INDUSTRIES), name="新名"),
        lambda company, customer: customer.assign_owner(company._id(Member)),
    ],
    Opportunity: [
        lambda company, deal: deal.advance_stage(
            company.chance.choice(STAGES), company._day(), company.stages, company.calendar
        ),
        lambda company, deal: deal.move_stage_back("lead", None, company.stages, company.calendar, "slip"),
        lambda company, deal: deal.correct_stage_date(0, company._day(), company.calendar, "typo"),
        lambda company, deal: deal.revise_amount(Decimal(company.chance.randrange(900))),
        lambda company, deal: deal.assign_owner(company._id(Member)),
        lambda company, deal: deal.revise_details(plan="见面", product_id=company._id(Product)),
        lambda company, deal: deal.win(Decimal(7), None, company.calendar.today, company.calendar),
        lambda company, deal: deal.lose("price", company.calendar.today, company.calendar),
        lambda company, deal: deal.reopen(None, None, company.stages, company.calendar, "again"),
    ],
    Receivable: [
        lambda company, owed: owed.receive_payment(
            uuid4(), Decimal(company.chance.randrange(1, 99)), company._day(), company.calendar.today, note="谢谢"
        ),
        _reversed,
        lambda company, owed: owed.move_due_date(company._day()),
        lambda company, owed: owed.dispute(company._day(), company.calendar.today, "不对"),
        lambda company, owed: owed.settle_dispute(company.calendar.today, company.calendar.today),
        lambda company, owed: owed.record_reminder(company._day(), company.calendar.today, channel="phone"),
        lambda company, owed: owed.write_off(Decimal(1), company.calendar.today, company.calendar.today, "small"),
    ],
}
"""What may be tried with each kind of thing."""
