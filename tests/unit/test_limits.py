"""Limits on how much is asked: buckets that fill up again, and who is held up by whom."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from api.answers.problems import Problem
from api.limits.buckets import MOST_KNOWN, Allowance, Buckets, Limits
from api.limits.limiting import LARGEST_HEAD, MOST_HEADERS, Limited, require_room

GENEROUS = Allowance(1_000, 1_000)
GOOD, BAD = {"Authorization": "Bearer good"}, {"Authorization": "Bearer bad"}


def test_a_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    buckets: Buckets[str] = Buckets(Allowance(2, 3))
    assert [buckets.take("ann", 0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("bob", 0) == 0
    assert buckets.take("ann", 0.5) == 0
    assert buckets.take("ann", 0.5) == 0.5
    assert [buckets.take("ann", 100) for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_rate_of_nothing_is_no_limit() -> None:
    buckets: Buckets[str] = Buckets(Allowance(0, 1))
    assert {buckets.take("ann", 0) for _ in range(100)} == {0}
    assert buckets.wait("ann", 0) == 0


def test_only_so_many_are_remembered() -> None:
    buckets: Buckets[int] = Buckets(Allowance(1, 1))
    for number in range(MOST_KNOWN + 5):
        assert buckets.take(number, 0) == 0
    assert buckets.take(MOST_KNOWN + 4, 0) > 0
    assert buckets.take(0, 0) == 0


def client(limits: Limits, address: str = "10.0.0.1") -> TestClient:
    """A client of an app that knows one token."""
    return TestClient(app(limits), client=(address, 1))


def app(limits: Limits) -> ASGIApp:
    """An app that knows one token."""

    async def answer(request: Request) -> Response:
        return Response(status_code=200 if request.headers.get("authorization") == "Bearer good" else 401)

    inner = Starlette()
    inner.add_route("/{anything}", answer)
    return Limited(inner, limits)


def test_who_asks_too_much_is_told_when_to_come_again() -> None:
    asking = client(Limits(token=Allowance(0.01, 2), address=GENEROUS, unauthenticated=GENEROUS))
    assert [asking.get("/x", headers=GOOD).status_code for _ in range(2)] == [200, 200]
    refused = asking.get("/x", headers={**GOOD, "Accept-Language": "zh"})
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "too-many-requests"
    assert 90 <= int(refused.headers["retry-after"]) <= 100
    assert refused.headers["retry-after"] in refused.json()["detail"]
    assert asking.get("/x", headers=BAD).status_code == 401, "another token has a bucket of its own"


def test_an_address_has_a_limit_whatever_tokens_come_from_it() -> None:
    limited = app(Limits(token=GENEROUS, address=Allowance(0.01, 3), unauthenticated=GENEROUS))
    here, there = TestClient(limited, client=("10.0.0.1", 1)), TestClient(limited, client=("10.0.0.2", 1))
    asked = [here.get("/x", headers={"Authorization": f"Bearer {number}"}).status_code for number in range(4)]
    assert asked == [401, 401, 401, 429]
    assert there.get("/x", headers=GOOD).status_code == 200


def test_guessing_tokens_ends_soon_and_does_not_hold_up_those_who_are_known() -> None:
    asking = client(Limits(token=GENEROUS, address=GENEROUS, unauthenticated=Allowance(0.01, 2)))
    assert asking.get("/x", headers=GOOD).status_code == 200
    guesses = [asking.get("/x", headers={"Authorization": f"Bearer {number}"}) for number in range(3)]
    assert [each.status_code for each in guesses] == [401, 401, 429]
    assert guesses[2].json()["code"] == "too-many-unauthenticated"
    assert asking.get("/x").status_code == 429
    assert asking.get("/x", headers=GOOD).status_code == 200
    assert asking.get("/readyz").status_code == 401, "this one is open to anybody in the service itself"


def test_the_process_always_says_that_it_lives() -> None:
    asking = client(Limits(address=Allowance(0.01, 1)))
    assert asking.get("/x", headers=GOOD).status_code == 200
    assert asking.get("/x", headers=GOOD).status_code == 429
    assert asking.get("/healthz", headers=GOOD).status_code == 200


@pytest.mark.parametrize("headers", [{"X": "x" * LARGEST_HEAD}, {f"X-{number}": "x" for number in range(MOST_HEADERS)}])
def test_a_head_that_is_too_large_is_refused_however_it_comes(headers: dict[str, str]) -> None:
    refused = client(Limits()).get("/x", headers=GOOD | headers)
    assert (refused.status_code, refused.json()["code"]) == (431, "headers-too-large")


def test_nobody_waits_behind_too_many() -> None:
    free: Any = SimpleNamespace(available_tokens=1)
    require_room(free, 0)
    crowded: Any = SimpleNamespace(available_tokens=0, statistics=lambda: SimpleNamespace(tasks_waiting=5))
    require_room(crowded, 6)
    with pytest.raises(Problem) as refusal:
        require_room(crowded, 5)
    assert (refusal.value.status, refusal.value.code) == (503, "overloaded")
    assert int(refusal.value.headers["Retry-After"]) > 0
