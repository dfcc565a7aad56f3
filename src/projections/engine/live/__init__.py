"""The step from one position to the next: what a batch needs, and how it is applied."""
