"""What can be seen: one room a read model, and the engine that builds, keeps and proves them."""
