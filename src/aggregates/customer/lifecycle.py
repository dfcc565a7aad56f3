"""How a customer's lifecycle and intent may move (LIF-1 to LIF-5)."""

from __future__ import annotations

from aggregates.choices import Basis, Intent, Lifecycle

USUAL_MOVES: dict[str, tuple[str, ...]] = {
    Lifecycle.POTENTIAL: (Lifecycle.INTERESTED, Lifecycle.WON),
    Lifecycle.INTERESTED: (Lifecycle.WON,),
    Lifecycle.WON: (Lifecycle.CHURNED,),
    Lifecycle.CHURNED: (Lifecycle.INTERESTED, Lifecycle.WON),
}
"""Where a customer goes from where it is. Whoever was lost may show interest or buy again; who never bought is not
lost but without intent. LIF-2's three silent months are what a report points out: the decision is a person's."""

BASES_OF_WON = (Basis.CONTRACT, Basis.PAYMENT, Basis.FOLLOW_UP)

MOST_CALL_BACKS = 3


def is_decided(intent: str | None) -> bool:
    """Whether call-backs have come to their end: with an intent or without one, but not pending."""
    return intent in (Intent.YES, Intent.NONE)
