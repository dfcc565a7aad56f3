"""What must hold after every accident: what was acknowledged is there once, and everything agrees with the ledger."""

from __future__ import annotations

import json
from collections import Counter

import httpx

from end_to_end.load import Load
from end_to_end.running import Service, crm, soon

WITHIN = 60.0


def prove(service: Service, load: Load, token: str) -> None:
    """Every promise is kept, nothing was made that nobody was promised, and `crm verify` finds no difference."""
    assert load.unexpected == [], service.all_said
    assert load.given_up == [], service.all_said
    assert soon(lambda: customers(service, token) == load.promised, WITHIN), service.all_said
    prove_store(service)


def prove_store(service: Service) -> None:
    """`crm verify` finds no difference."""
    proven = crm(service.data, "verify", "--json", **service.environment)
    assert proven.returncode == 0, proven.stdout + proven.stderr
    assert json.loads(proven.stdout)["is_clean"] is True


def customers(service: Service, token: str) -> dict[str, str] | None:
    """The id of each customer by name, as the read model has them; None while the service is not ready."""
    found: list[tuple[str, str]] = []
    with service.client(token) as client:
        asked: dict[str, str] | None = {"limit": "200"}
        while asked is not None:
            try:
                answer = client.get("/customers", params=asked)
            except httpx.TransportError:
                return None
            if answer.status_code != 200:
                return None
            page = answer.json()
            found += [(each["name"], each["customer_id"]) for each in page["items"]]
            asked = {"limit": "200", "cursor": page["next"]} if page["next"] else None
    names = Counter(name for name, _ in found)
    assert not [name for name, times in names.items() if times > 1]
    return dict(found)
