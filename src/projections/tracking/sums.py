"""Sums of money by currency, as they stand in a row."""

from __future__ import annotations

from decimal import Decimal

Sums = dict[str, str]


def added(sums: Sums | None, amount: Decimal | None, currency: str) -> Sums | None:
    """The sums with the amount, if it is known, added to its currency; what comes to nothing is left out."""
    if not amount:
        return sums
    total = Decimal((sums or {}).get(currency, 0)) + amount
    rest = {other: value for other, value in (sums or {}).items() if other != currency}
    if total:
        rest[currency] = f"{total:.2f}"
    return dict(sorted(rest.items())) or None
