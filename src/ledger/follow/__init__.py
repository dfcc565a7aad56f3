"""How the ledger is read in bulk and followed as it grows."""
