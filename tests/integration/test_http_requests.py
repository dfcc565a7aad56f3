"""Requests as they come over the wire: typed addresses are understood, and what is malformed is told as a problem."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import uvicorn

from api.limits.limiting import LARGEST_HEAD
from crm.processes import protocol
from crm.processes.protocol import Protocol, with_encoded_address
from integration.serving import Api
from keys import TOKEN

AUTHORIZED = f"Authorization: Bearer {TOKEN}\r\nHost: x\r\n".encode()


@pytest.fixture(scope="module")
def port(api: Api) -> Iterator[int]:
    """Where the service listens, with the protocol that its processes speak."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(
            api.client.app, http=Protocol, h11_max_incomplete_event_size=LARGEST_HEAD, log_config=None, lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def exchanged(port: int, *pieces: bytes, answers: int = 1) -> list[tuple[int, dict[str, str], Any]]:
    """The answers to bytes that are sent one piece after the other."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(0.05)
            connection.sendall(piece)
        reading = connection.makefile("rb")
        return [answer(reading) for _ in range(answers)]


def answer(reading: Any) -> tuple[int, dict[str, str], Any]:
    """The next answer: its status, headers and body."""
    status = int(reading.readline().split()[1])
    headers: dict[str, str] = {}
    while (line := reading.readline().decode().strip()) != "":
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    return status, headers, json.loads(reading.read(int(headers["content-length"])))


def asking(address: str, more: bytes = b"") -> bytes:
    return f"GET {address} HTTP/1.1\r\n".encode() + AUTHORIZED + more + b"\r\n"


def test_an_address_may_be_typed_as_it_is_read(api: Api, port: int) -> None:
    api.customer("上海明远科技")
    api.customer("别家")
    address = f"/api/v1/customers?q=明远&after={api.head()}"
    status, _, found = exchanged(port, asking(address))[0]
    assert status == 200
    assert [row["name"] for row in found["items"]] == ["上海明远科技"]


def test_an_address_may_come_in_pieces_that_cut_its_signs(api: Api, port: int) -> None:
    sent = asking("/api/v1/customers?name[eq]=上海明远科技")
    for cut in range(25, 45, 3):
        assert exchanged(port, sent[:5], sent[5:cut], sent[cut:])[0][2]["items"][0]["name"] == "上海明远科技"


def test_a_connection_is_used_for_one_request_after_the_other(port: int) -> None:
    body = '{"kind": "company", "name": "明远二"}'.encode()
    writing = b"POST /api/v1/customers HTTP/1.1\r\nContent-Type: application/json\r\n" + AUTHORIZED
    writing += b"Content-Length: %d\r\n\r\n" % len(body) + body
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        reading = connection.makefile("rb")
        for sent, expected in ((asking("/api/v1/customers?q=明"), 200), (writing, 201), (asking("/明"), 404)) * 2:
            connection.sendall(sent)
            assert answer(reading)[0] == expected


def test_requests_that_are_sent_ahead_are_answered_in_order(port: int) -> None:
    sent = asking("/healthz") + asking("/api/v1/no-such") + asking("/healthz")
    assert [status for status, _, _ in exchanged(port, sent[:50], sent[50:], answers=3)] == [200, 404, 200]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "malformed-request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed-request"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "malformed-request"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed-request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", 400, "malformed-request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: strange\r\n\r\n", 501, "malformed-request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000, 431, "headers-too-large"),
        (b"GET /" + b"x" * 70_000, 431, "headers-too-large"),
    ],
)
def test_what_cannot_be_read_is_told_as_a_problem(port: int, sent: bytes, status: int, code: str) -> None:
    answered, headers, problem = exchanged(port, sent)[0]
    assert (answered, problem["status"], problem["code"]) == (status, status, code)
    assert headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance", "code", "errors"} == set(problem)


def test_it_is_told_in_the_language_asked_for(port: int) -> None:
    sent = b"GET / HTTP/1.1\r\nAccept-Language: zh-CN\r\nno colon\r\n\r\n"
    _, headers, problem = exchanged(port, sent)[0]
    assert headers["content-language"] == "zh-CN"
    assert "请求" in problem["detail"]


def test_only_the_first_line_is_touched() -> None:
    given = "GET /?q=明 HTTP/1.1\r\nX: 明\r\n\r\n明".encode()
    assert with_encoded_address(given) == "GET /?q=%E6%98%8E HTTP/1.1\r\nX: 明\r\n\r\n明".encode()


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"GET /heal",),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n",),
        (asking("/healthz"), b"GET /healthz HTTP/1.1\r\nX: "),
    ],
)
def test_who_does_not_come_to_the_end_of_a_head_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch, pieces: tuple[bytes, ...]
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        for number, piece in enumerate(pieces):
            connection.sendall(piece)
            if number < len(pieces) - 1:
                assert answer(connection.makefile("rb"))[0] == 200
        assert connection.recv(100) == b"", "the connection is ended"


def test_a_connection_is_kept_for_the_next_request(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        reading = connection.makefile("rb")
        for _ in range(2):
            connection.sendall(asking("/healthz"))
            assert answer(reading)[0] == 200
            time.sleep(0.5)


def test_a_head_that_comes_at_once_is_measured_too(port: int) -> None:
    for more in (b"X: " + b"x" * LARGEST_HEAD + b"\r\n", b"".join(b"X-%d: x\r\n" % number for number in range(101))):
        status, headers, problem = exchanged(port, asking("/healthz", more))[0]
        assert (status, problem["code"]) == (431, "headers-too-large")
        assert headers["connection"] == "close"
        assert headers["x-content-type-options"] == "nosniff"
