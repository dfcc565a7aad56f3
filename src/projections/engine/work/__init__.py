"""The worker: who leads a projection, which jobs it takes, what it clears away."""
