"""A receivable: an amount that a customer owes us, until it is paid or written off."""

from aggregates.receivable.receivable import Payment, Receivable

__all__ = ["Payment", "Receivable"]
