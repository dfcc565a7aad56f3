"""What a request says: who asks, for what, in which body."""
