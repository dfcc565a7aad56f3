"""Where the data lies: an embedded PostgreSQL or any other server, made ready in the same way."""
