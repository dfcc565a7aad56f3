"""Checkpoints over HTTP: to list, to take along, and a clear answer where they cannot be seen."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from crm import settings
from crm.checkpoints import Checkpoints
from integration.serving import Api
from ledger.proof.folder import Folder
from ledger.proof.statements import parsed


def sign(api: Api) -> int:
    """Something happens, and it is signed."""
    position: int = api.done("/teams", {"name": f"Team {api.head()}", "region": "华东"})["position"]
    signed = api.services.checkpoints.write(api.services.database, waiting=True)
    assert signed is not None
    return position


def folder_of(api: Api) -> Folder:
    found: Folder = api.services.checkpoints.folder
    return found


@pytest.mark.parametrize(
    ("language", "said"), [("en", "CRM_CHECKPOINT_DIR name a folder that both share"), ("zh", "看不到检查点目录")]
)
def test_where_there_is_no_folder_it_is_said(
    api: Api, language: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = settings.read({"CRM_DATA_DIR": str(tmp_path)})
    monkeypatch.setattr(api.services, "checkpoints", Checkpoints(elsewhere))
    for path in ("/audit/checkpoints", "/audit/checkpoints/3", "/audit/public-key"):
        refused = api.request("GET", path, headers={"Accept-Language": language})
        assert (refused.status_code, refused.json()["code"]) == (404, "checkpoints-not-here")
        assert said in refused.json()["detail"]
    proof = api.get("/audit/verification").json()
    assert (proof["intact"], proof["checkpoints"]["visible"], proof["checkpoints"]["compared"]) == (True, False, 0)


def test_they_are_listed_newest_first_page_after_page(api: Api) -> None:
    signed = [sign(api) for _ in range(5)]
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": None}
    while not found or page["next"]:
        cursor = {"cursor": page["next"]} if page["next"] else {}
        page = api.get("/audit/checkpoints", limit=2, **cursor).json()
        found += page["items"]
    assert [each["statement"]["position"] for each in found][:5] == signed[::-1]
    assert page["position"] == api.head()
    assert [each["file"] for each in found] == folder_of(api).names()[::-1]
    foreign = api.get("/audit/checkpoints", cursor="nonsense")
    assert (foreign.status_code, foreign.json()["errors"][0]["code"]) == (422, "unfit-cursor")


def test_one_is_taken_along_as_it_was_signed(api: Api) -> None:
    position = sign(api)
    answered = api.get(f"/audit/checkpoints/{position}")
    name = folder_of(api).at(position)
    assert name is not None
    assert answered.content == folder_of(api).read(name)
    assert answered.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answered.headers["content-type"] == "application/json"
    key = api.get("/audit/public-key").json()
    signed = parsed(answered.content)
    assert signed.is_genuine
    assert key == {
        "algorithm": "Ed25519",
        "key": b64encode(signed.key).decode(),
        "known": [b64encode(signed.key).decode()],
    }
    missing = api.get(f"/audit/checkpoints/{position + 1000}")
    assert (missing.status_code, missing.json()["code"]) == (404, "no-checkpoint")
    assert api.get("/audit/checkpoints/none").status_code == 422
    assert api.request("GET", "/audit/checkpoints", headers={"Authorization": ""}).status_code == 401


def test_the_proof_begins_where_it_is_asked_to(api: Api) -> None:
    position = sign(api)
    proof = api.get("/audit/verification", **{"from": position}).json()
    assert (proof["chain"]["from"], proof["chain"]["checked"], proof["claims"]) == (position, 1, None)
    assert (proof["intact"], proof["checkpoints"]["agreed_upto"]) == (True, position)
    ahead = api.get("/audit/verification", **{"from": position + 2})
    assert (ahead.status_code, ahead.json()["errors"][0]["code"]) == (422, "position-ahead")
    part = api.get("/audit/verification", **{"from": 1, "upto": 1}).json()
    assert (part["chain"]["checked"], part["claims"]) == (1, None)


def test_a_file_that_is_no_checkpoint_is_listed_and_named(api: Api) -> None:
    sign(api)
    folder = folder_of(api)
    path = folder.path / folder.names()[-1]
    honest = path.read_bytes()
    path.write_bytes(honest[:-2])
    try:
        assert api.get("/audit/checkpoints", limit=1).json()["items"] == [{"file": path.name, "statement": None}]
        proof = api.get("/audit/verification").json()
        assert proof["intact"] is False
        assert [each["fault"] for each in proof["checkpoints"]["disagreements"]] == ["unreadable"]
    finally:
        path.write_bytes(honest)
