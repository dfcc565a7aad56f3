"""How events get into the ledger."""
