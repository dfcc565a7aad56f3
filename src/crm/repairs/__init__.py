"""Repairs of records that rules of today would not have made, each by events with a reason."""

from collections.abc import Mapping

from crm.repairs.repair import Finding, Repair
from crm.repairs.unowned_opportunities import UnownedOpportunities

REPAIRS: Mapping[str, Repair] = {repair.name: repair for repair in (UnownedOpportunities(),)}
"""Every repair by its name, in the order in which they run."""

__all__ = ["REPAIRS", "Finding", "Repair"]
