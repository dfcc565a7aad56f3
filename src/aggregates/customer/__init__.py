"""A customer: somebody we sell to, and every word we have had with them."""

from aggregates.customer.customer import Customer

__all__ = ["Customer"]
