"""How telephone numbers, e-mail and postal addresses are shown to those who may not see them (SEC-2)."""

from __future__ import annotations

MASKED_FIELDS = frozenset({"mobile", "phone", "email", "address"})
"""The fields of customers and contacts that are masked; everything else a reader of the record sees as it is."""
HIDDEN = "****"
WHOLE, PART = 11, 7
"""Signs from which on the first three and the last four are shown, and the first two; less shows nothing."""


def masked(text: str | None) -> str | None:
    """The text with its middle hidden: 138****5678. What is short is hidden as a whole.

    The function `masked` of the database does the same.
    """
    if not text:
        return text
    if len(text) >= WHOLE:
        return f"{text[:3]}{HIDDEN}{text[-4:]}"
    return f"{text[:2]}{HIDDEN}" if len(text) >= PART else HIDDEN
