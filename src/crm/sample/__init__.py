"""A made-up sales company and the year behind it, to try things with."""

from crm.sample.performing import perform
from crm.sample.year import Deed, year_of

__all__ = ["Deed", "perform", "year_of"]
