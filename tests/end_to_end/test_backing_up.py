"""The process that makes backups beside a service, with an embedded database of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from end_to_end.running import Service, crm, environment_of, soon


def test_backups_are_made_beside_a_service_and_restored_on_another_machine(place: Path) -> None:
    here, there = place / "here", place / "there"
    with Service(here) as service:
        token = service.token
        with service.client(token) as client:
            asked = client.post(
                "/customers", json={"kind": "company", "name": "琥珀星辰贸易行", "phone": "021-87650005"}
            )
            assert asked.status_code == 201, asked.text
        log = place / "log"
        with log.open("wb") as logging:
            making = subprocess.Popen(
                [sys.executable, "-m", "crm", "backup", "--every", "24"], env=environment_of(here), stderr=logging
            )
        try:
            assert soon(lambda: b"a backup was made" in log.read_bytes(), 30), log.read_text()
        finally:
            making.send_signal(signal.SIGTERM)
            assert making.wait(30) == 0, log.read_text()
        assert "琥珀" not in log.read_text()
        (backup,) = (here / "backups" / "genjin").glob("*.backup")
    there.mkdir()
    for name in ("master.key", "signing.key"):
        (there / name).write_bytes((here / name).read_bytes())
    done = crm(there, "restore", str(backup), "--keys", str(here / "key-copy" / "genjin.keys"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["is_sound"]
    with Service(there) as service:
        assert "genjin_" not in service.said  # whoever may get in is known already
        with service.client(token) as client:
            assert [each["name"] for each in client.get("/tracking").json()["items"]] == ["琥珀星辰贸易行"]
