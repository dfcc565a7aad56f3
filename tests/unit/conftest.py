"""Scenarios to begin with."""

from __future__ import annotations

import pytest

from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import Pipeline
from aggregates.receivable import Receivable
from unit.scenario import Scenario


@pytest.fixture
def nothing() -> Scenario:
    """An empty workspace."""
    return Scenario()


@pytest.fixture
def customer() -> Scenario:
    """A customer is registered, and a member."""
    return Scenario().given(Member.Registered).given(Customer.Registered)


@pytest.fixture
def opportunity(customer: Scenario) -> Scenario:
    """An opportunity of 500 CNY was opened on 1 June as a lead."""
    return customer.given(Pipeline.Defined).given(Opportunity.Opened)


@pytest.fixture
def receivable(customer: Scenario) -> Scenario:
    """A receivable of 100 CNY was issued on 1 June, due on 1 July."""
    return customer.given(Receivable.Issued)
