"""What proves that the ledger and its side tables are as they were written."""
