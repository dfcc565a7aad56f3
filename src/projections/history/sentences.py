"""From an event and what was before it to a sentence and a list of changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from policy.masking import MASKED_FIELDS
from projections.history.fields import plan
from projections.history.labels import field_label, word
from projections.history.names import Names
from projections.history.records import Record, fields_in_order
from projections.history.templates import rendered
from projections.history.texts import BETWEEN, CHANGE, CLEARED, FILLED, NOTHING, TEXTS, UNANSWERED

UNSAID = frozenset({"changed", "imported"})
REFERENCES = frozenset({"contact_id", "follow_up_id", "payment_id", "opportunity_id", "pipeline_id"})
"""Ids that a client may want and a reader does not."""


@dataclass(frozen=True)
class Past:
    """What the events of a page refer to: earlier events by position, and how aggregates and contacts began."""

    at: Mapping[int, Record] = field(default_factory=dict)
    beginnings: Mapping[UUID, Record] = field(default_factory=dict)
    contacts: Mapping[UUID, Record] = field(default_factory=dict)

    def source(self, record: Record, name: str) -> Record | None:
        """The event that gave a field its former value."""
        position = record.before.get(name)
        if position is None:
            return None
        if position:
            return self.at.get(position)
        if plan(record.topic).of_contact:
            return self.contacts.get(UUID(record.values["contact_id"]))
        return self.beginnings.get(record.originator_id)


@dataclass(frozen=True)
class Telling:
    """Tells events in one language."""

    names: Names
    past: Past

    def entry(self, record: Record) -> dict[str, Any]:
        """An event as the history shows it."""
        return {
            "position": record.position,
            "topic": record.topic,
            "customer_id": record.customer_id,
            "aggregate": {"kind": record.aggregate, "id": record.originator_id, "label": self._what(record) or None},
            "version": record.version,
            "recorded_at": record.recorded_at,
            "occurred_on": record.occurred_on,
            "actor": {"id": record.actor, "name": self.names.actor(record.actor).strip()},
            "source": record.source,
            "command_id": record.command_id,
            "reason": record.reason,
            "imported": record.values.get("imported"),
            "erased": record.erased,
            "sentence": self.sentence(record),
            "changes": self.changes(record),
        }

    def sentence(self, record: Record) -> str:
        """What happened, in one sentence."""
        template = TEXTS[record.topic][self._column]
        actor = self.names.actor(record.actor)
        text = rendered(template, lambda gap: self._fill(record, gap, actor), NOTHING[self._column])
        return text.replace("  ", " ")

    def changes(self, record: Record) -> list[dict[str, Any]]:
        """Each field that was said or changed, with its value before and after, raw and as a reader sees it."""
        return [
            {
                "field": name,
                "label": field_label(name, self.names.lang),
                "before": before,
                "after": after,
                "before_shown": self._shown(record, name, before) or None,
                "after_shown": self._shown(record, name, after) or None,
            }
            for name in self._changed(record)
            for before, after in [(self._before(record, name), self._after(record, name))]
            if before is not None or after is not None
            if before != after or name not in record.before or record.erased or name in MASKED_FIELDS
        ]

    @property
    def _column(self) -> int:
        return 0 if self.names.lang == "zh" else 1

    def _changed(self, record: Record) -> Iterable[str]:
        if plan(record.topic).by_changed:
            return [str(name) for name in record.values["changed"]]
        said = [name for name in fields_in_order(record) if name not in UNSAID]
        return dict.fromkeys([*record.before, *said])

    def _after(self, record: Record, name: str) -> Any:
        if record.topic == "customer.contact-removed" and name != "contact_id":
            return None
        value = record.get(name)
        if value is None and record.erased and name in plan(record.topic).personal:
            return word("erased", self.names.lang)
        return value

    def _before(self, record: Record, name: str) -> Any:
        source = self.past.source(record, name)
        if source is None:
            return None
        value = source.get(name)
        if value is None and record.topic == "opportunity.stage-date-corrected":
            return source.occurred_on.isoformat()
        if value is None and source.erased and name in plan(source.topic).personal:
            return word("erased", self.names.lang)
        return value

    def _fill(self, record: Record, gap: str, actor: str) -> str:
        if gap == "actor":
            return actor
        if gap == "what":
            return self._what(record)
        if gap == "changes":
            return self._changes_told(record)
        if gap == "contact":
            return str(self._contact_name(record) or "")
        if gap == "entry_number":
            return str(record.values["entry"] + 1)
        if gap == "unanswered":
            return UNANSWERED[self._column] if record.values.get("answered") is False else ""
        if gap == "follower":
            follower_id = record.values.get("follower_id")
            return "" if record.actor == f"member:{follower_id}" else self._shown(record, "follower_id", follower_id)
        if gap == "money":
            return _money(record.get("amount"), record.get("currency"))
        if gap == "former money":
            return _money(self._before(record, "amount"), self._before(record, "currency"))
        if gap.startswith("former "):
            name = gap.removeprefix("former ")
            return self._shown(record, name, self._before(record, name))
        value = self._after(record, gap)
        if gap == "owner_id" and value is None and record.topic.endswith(".owner-assigned"):
            return word("nobody", self.names.lang)
        return self._shown(record, gap, value)

    def _changes_told(self, record: Record) -> str:
        told = []
        for change in self.changes(record):
            before, after = change["before_shown"], change["after_shown"]
            text = CHANGE if before and after else FILLED if after else CLEARED
            told.append(text[self._column].format(field=change["label"], before=before, after=after))
        return BETWEEN[self._column].join(told)

    def _shown(self, record: Record, name: str, value: Any) -> str:
        began = self.past.beginnings.get(record.originator_id) if name == "stage" else None
        pipeline_id = None if began is None else began.get("pipeline_id")
        return self.names.shown(record.topic, name, value, pipeline_id or record.get("pipeline_id"))

    def _contact_name(self, record: Record) -> Any:
        if "name" in record.before:
            return self._before(record, "name")
        added = self.past.contacts.get(UUID(record.values["contact_id"]))
        return None if added is None else added.get("name")

    def _what(self, record: Record) -> str:
        """What a thing is called by its first event: an opportunity, a receivable, a member, a product."""
        began = self.past.beginnings.get(record.originator_id, record)
        if began.version != 1:
            return ""
        told = next((began.get(name) for name in NAMED_BY.get(record.aggregate, ()) if began.get(name)), None)
        if record.aggregate not in ("opportunity", "receivable"):
            return str(told or "")
        if told is None:
            return f"#{record.originator_id.hex[-8:]}"
        return f"「{told}」" if self.names.lang == "zh" else f"“{told}”"


def _money(amount: Any, currency: Any) -> str:
    return "" if amount is None else f"{amount} {currency}"


NAMED_BY: Mapping[str, tuple[str, ...]] = {
    "customer": ("code",),
    "opportunity": ("name", "number"),
    "receivable": ("invoice_no", "order_no", "description"),
    "member": ("name",),
    "team": ("name",),
    "product": ("name",),
    "pipeline": ("name",),
    "import-batch": ("file_name",),
}
