"""The language in which a read model is declared: tables, rows, and what an event does to them."""
