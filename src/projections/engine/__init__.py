"""What read models are written with: tables and folds. How they are built, served and proven lies inside."""

from projections.engine.model.declaration import Projection, Table, folds, folds_every, table
from projections.engine.model.memory import fold
from projections.engine.model.rows import DuplicateRow, Rows

__all__ = ["DuplicateRow", "Projection", "Rows", "Table", "fold", "folds", "folds_every", "table"]
