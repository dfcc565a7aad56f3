"""What reports group by: who sells, in which team and region, to whom; and on which days each of it held."""

from projections.dimensions.fold import Dimensions
from projections.dimensions.grouping import Dimension, Grouping, UnknownGrouping, amount, grouping, in_order
from projections.dimensions.timeline import day_of

__all__ = ["Dimension", "Dimensions", "Grouping", "UnknownGrouping", "amount", "day_of", "grouping", "in_order"]
