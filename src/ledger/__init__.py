"""The event store: what happened, written once, in order, by one door, and read back fast."""
