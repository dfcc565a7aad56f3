"""The running service signs how far its ledger is, last of all when it stops, and anybody can verify it then."""

from __future__ import annotations

import json
from pathlib import Path

from end_to_end.running import Service, crm, soon
from scripted import verify_export


def test_what_was_recorded_before_the_stop_is_signed(place: Path) -> None:
    data = place / "data"
    with Service(data, workers=2, CRM_CHECKPOINT_SECONDS="600") as service, service.client(service.token) as client:
        assert soon(lambda: client.get("/audit/checkpoints").status_code == 200)
        for name in ("上海明远科技", "Acme"):
            last = client.post("/customers", json={"name": name, "kind": "company"}).raise_for_status().json()
        answered = client.get("/audit/verification").raise_for_status().json()
        assert (answered["intact"], answered["checkpoints"]["visible"]) == (True, True)
        key = client.get("/audit/public-key").raise_for_status().json()["key"]
        assert service.stop() == 0
    folder = data / "checkpoints" / "genjin"
    (newest,) = sorted(folder.glob("*.json"))[-1:]
    assert newest.name.endswith(f"-checkpoint-{last['position']}.json")
    assert (folder / "public.key").read_text(encoding="ascii").strip() == key

    proven = crm(data, "verify", "--ledger", "--json")
    assert proven.returncode == 0, proven.stderr
    assert json.loads(proven.stdout)["checkpoints"]["agreed_upto"] == last["position"]
    exported = crm(data, "export", "ledger", str(place / "ledger.jsonl.gz"))
    assert exported.returncode == 0, exported.stderr
    code, said = verify_export(place / "ledger.jsonl.gz", folder / "public.key", folder)
    assert (code, said.startswith(f"{last['position']} events and ")) == (0, True), said
