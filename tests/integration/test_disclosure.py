"""A person learns all that is held about it, and nothing about anybody else."""

from __future__ import annotations

import json
from typing import Any

from integration.serving import Api

PERSON = {"name": "欧阳琉璃", "mobile": "13987650001", "email": "liuli@qx.example"}
OTHER = {"name": "端木岚", "mobile": "13987650004"}


def a_person(api: Api) -> tuple[str, str, str]:
    """A customer who is a person, with two contacts: the ids of all three."""
    body = {"kind": "person", "name": "诸葛明镜", "phone": "13987650009", "notes": "<b>爱喝茶</b>"}
    customer = str(api.done("/customers", body)["id"])
    for contact in (PERSON, OTHER):
        api.done(f"/customers/{customer}/contacts", contact)
    first, second = (each["contact_id"] for each in api.get(f"/customers/{customer}").json()["contacts"])
    api.done(f"/customers/{customer}/contacts/{first}", {"title": "顾问"}, "PATCH")
    api.done(f"/customers/{customer}/follow-ups", {"method": "phone", "contact_id": first, "content": "谈了报价"})
    api.done(f"/customers/{customer}/follow-ups", {"method": "phone", "contact_id": second, "content": "谈了交期"})
    return customer, first, second


def disclosed(api: Api, path: str, **asked: Any) -> dict[str, Any]:
    """The disclosure in JSON."""
    return api.read(f"{path}/disclosure", lang="zh", **asked)


def test_a_contact_learns_what_is_held_about_it(api: Api) -> None:
    customer, person, _ = a_person(api)
    api.post(f"/customers/{customer}/contact-details", {"reason": "核对电话"})
    told = disclosed(api, f"/customers/{customer}/contacts/{person}")
    assert {name: told["record"][name] for name in PERSON} == PERSON
    topics = [each["topic"] for each in told["events"]]
    assert topics == ["customer.contact-added", "customer.contact-revised", "customer.follow-up-logged"]
    assert told["events"][0]["sentence"] == "赵顾问添加了联系人 欧阳琉璃"
    assert [(each["source"], each["events"]) for each in told["origins"]] == [("api", 3)]
    assert [(each["kind"], each["reason"]) for each in told["accesses"]] == [("reveal", "核对电话")]
    text = json.dumps(told, ensure_ascii=False)
    assert not [word for word in (*OTHER.values(), "诸葛明镜", "谈了交期") if word in text]


def test_a_former_contact_learns_it_too(api: Api) -> None:
    customer, person, _ = a_person(api)
    api.done(f"/customers/{customer}/contacts/{person}", method="DELETE")
    told = disclosed(api, f"/customers/{customer}/contacts/{person}")
    assert (told["record"], told["events"][-1]["topic"]) == (None, "customer.contact-removed")


def test_a_customer_learns_what_is_held_about_it_and_nothing_of_its_contacts(api: Api) -> None:
    customer, _, _ = a_person(api)
    api.opportunity(customer, "云服务器项目")
    told = disclosed(api, f"/customers/{customer}")
    assert (told["record"]["name"], told["record"]["notes"]) == ("诸葛明镜", "<b>爱喝茶</b>")
    topics = {each["topic"] for each in told["events"]}
    assert topics == {"customer.registered", "customer.follow-up-logged", "opportunity.opened"}
    text = json.dumps(told, ensure_ascii=False)
    assert not [word for word in (*PERSON.values(), *OTHER.values()) if word in text]


def test_it_can_be_read_as_a_page(api: Api) -> None:
    customer, person, _ = a_person(api)
    for lang, title in (("zh", "个人信息告知书"), ("en", "What is held about you")):
        answer = api.get(f"/customers/{customer}/disclosure", format="html", lang=lang, after=api.position)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert title in answer.text
        assert "诸葛明镜" in answer.text
        assert "<b>" not in answer.text
    assert "欧阳琉璃" in api.get(f"/customers/{customer}/contacts/{person}/disclosure", format="html").text


def test_only_an_administrator_discloses_and_it_is_noted(api: Api) -> None:
    customer, _, _ = a_person(api)
    assert api.signed_in("manager").get(f"/customers/{customer}/disclosure").status_code == 403
    disclosed(api, f"/customers/{customer}")
    kept = api.get("/audit/accesses", customer_id=customer, kind="export").json()["items"]
    assert [(each["action"], each["actor"]) for each in kept] == [("disclose-person", f"member:{api.member_id}")]
    assert api.get(f"/customers/{customer}/contacts/{customer}/disclosure").status_code == 404


def test_nothing_is_disclosed_of_whoever_was_erased(api: Api) -> None:
    customer, person, _ = a_person(api)
    api.done(f"/customers/{customer}/contacts/{person}/erasure", {"reason": "本人要求"})
    told = disclosed(api, f"/customers/{customer}/contacts/{person}")
    assert told["record"]["erased"] is True
    assert not [word for word in PERSON.values() if word in json.dumps(told, ensure_ascii=False)]
