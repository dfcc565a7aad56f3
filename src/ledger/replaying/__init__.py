"""How an aggregate comes back from its events."""
