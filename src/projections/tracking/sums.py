"""Sums of money by currency, as they stand in a row."""

from __future__ import annotations

from decimal import Decimal

Sums = dict[str, str]


def added(sums: Sums | None, amount: Decimal | None, currency: str) -> Sums | None:
    """The sums with the amount, if it is known, added to its currency; what comes to nothing is left out."""
    if not amount:
        return sums
    if sums is None:
        return {currency: f"{amount:.2f}"}
    before = sums.get(currency)
    total = amount if before is None else Decimal(before) + amount
    if total and (before is None or len(sums) > 1):
        return dict(sorted({**sums, currency: f"{total:.2f}"}.items()))
    if total:
        return {currency: f"{total:.2f}"}
    return {other: value for other, value in sums.items() if other != currency} or None
