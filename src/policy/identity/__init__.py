"""Who is asking: passwords, tokens, sessions and codes, kept beside the ledger and never in it."""
