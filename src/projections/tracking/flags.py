"""What a row is marked with on a day, and how a sheet shows it (LIF-2, LIF-4 to LIF-6, LIF-8, REM-5, REM-10, FUP-5).

Each mark is a condition that is never null; it is what the `flags` column lists and what a filter asks for.

`churn_suspected` marks a won customer that may be lost (LIF-2): for three calendar months no deal and no payment, and
no answer; and somebody tried, since the last deal or payment, without one. A deal is a won opportunity, a deal at a
follow-up, or the day the customer became won; one entered as won counts from the day of entry. Who was never tried is
not suspected but `no_follow_up_long`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, LiteralString

FLAGS: dict[str, LiteralString] = {
    "due_today": "(NOT c.archived AND c.next_contact_on IS NOT NULL AND c.next_contact_on = %(on)s::date)",
    "overdue_contact": "(NOT c.archived AND c.next_contact_on IS NOT NULL AND c.next_contact_on < %(on)s::date)",
    "no_follow_up_long": "(NOT c.archived AND c.follow_up_due_on IS NOT NULL AND c.follow_up_due_on < %(on)s::date)",
    "intent_none": "(c.intent IS NOT NULL AND c.intent = 'none')",
    "intent_pending": "(c.intent IS NOT NULL AND c.intent = 'pending')",
    "intent_yes": "(c.intent IS NOT NULL AND c.intent = 'yes')",
    "won": "(c.lifecycle = 'won')",
    "churned": "(c.lifecycle = 'churned')",
    "churn_suspected": """(NOT c.archived AND c.lifecycle = 'won' AND c.unanswered > 0
        AND coalesce(c.last_answered_on + interval '3 months' <= %(on)s::date, true)
        AND coalesce(c.lifecycle_on, c.registered_on) + interval '3 months' <= %(on)s::date
        AND coalesce(c.lifecycle_on, c.registered_on) < c.last_followed_up_on
        AND NOT EXISTS (SELECT FROM dealings d WHERE d.customer_id = c.customer_id
            AND (d.occurred_on + interval '3 months' > %(on)s::date OR d.occurred_on >= c.last_followed_up_on)
            OFFSET 0))""",
    "final_paid": "(c.receivables > 0 AND c.open_receivables = 0)",
    "payment_overdue": """(c.open_receivables > 0 AND EXISTS (SELECT FROM receivables r
        WHERE r.customer_id = c.customer_id AND r.open_amount > 0 AND r.due_on < %(on)s::date OFFSET 0))""",
    "problem_order": "(c.disputed_receivables > 0)",
    "entered_late": "(c.last_entered_late)",
    "archived": "(c.archived)",
}

COLOURS = (
    ("problem_order", "dark_red"),
    ("final_paid", "light_blue"),
    ("won", "green"),
    ("intent_yes", "red"),
    ("intent_pending", "blue"),
)
"""The first that applies; the sources use red twice, so a problem order is the darker one (CATALOGUE 19.11)."""


def style(flags: Collection[str]) -> dict[str, Any]:
    """How a sheet shows a row with these marks: its colour, and light with a line through it when nothing is wanted."""
    unwanted = "intent_none" in flags and not {"won", "final_paid"} & set(flags)
    colour = None if unwanted else next((colour for flag, colour in COLOURS if flag in flags), None)
    return {"colour": colour, "light": unwanted, "strikethrough": unwanted}
