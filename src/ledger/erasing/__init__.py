"""Erasures: kept in a register outside the database, and applied again wherever older keys come back."""
