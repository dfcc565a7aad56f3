"""The fields that commands are made of: what each takes, how it is tidied up, and what it refuses."""

from commands.fields.chosen import (
    AttitudeField,
    BasisField,
    CategoryField,
    InclinationField,
    IntentField,
    InteractionField,
    KindField,
    LeadSourceField,
    LifecycleField,
    MarketField,
    MethodField,
    ResultField,
    RoleField,
    TierField,
)
from commands.fields.days import Day, Moment
from commands.fields.money import Amount, CurrencyField, Money, Percent
from commands.fields.reaching import Email, Mobile, Phone
from commands.fields.text import Code, Label, Line, Prose

__all__ = [
    "Amount",
    "AttitudeField",
    "BasisField",
    "CategoryField",
    "Code",
    "CurrencyField",
    "Day",
    "Email",
    "InclinationField",
    "IntentField",
    "InteractionField",
    "KindField",
    "Label",
    "LeadSourceField",
    "LifecycleField",
    "Line",
    "MarketField",
    "MethodField",
    "Mobile",
    "Moment",
    "Money",
    "Percent",
    "Phone",
    "Prose",
    "ResultField",
    "RoleField",
    "TierField",
]
