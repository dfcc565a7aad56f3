"""The address of the service: what it may be, and what is said when it cannot be used."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from crm.processes.listening import listen, url
from crm.processes.web import SharedSocket
from crm.settings import SettingRefused


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_listens_where_it_is_told() -> None:
    port = free_port()
    with listen("127.0.0.1", port) as listening:
        assert listening.getsockname() == ("127.0.0.1", port)
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


def test_many_may_wait_although_a_process_takes_one_at_a_time() -> None:
    port = free_port()
    with SharedSocket(fileno=listen("127.0.0.1", port).detach()) as shared, ExitStack() as waiting:
        shared.listen(1)
        for _ in range(40):
            waiting.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))


def test_a_port_in_use_is_refused() -> None:
    port = free_port()
    with listen("127.0.0.1", port), pytest.raises(SettingRefused, match=f"Port {port} of 127.0.0.1 is in use"):
        listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["203.0.113.77", "no such host"])
def test_an_address_of_somebody_else_is_refused(host: str) -> None:
    with pytest.raises(SettingRefused, match=f"CRM_HOST must be an address of this machine, and '{host}'"):
        listen(host, free_port())


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("crm.example", "http://crm.example:8000"),
    ],
)
def test_it_is_shown_as_it_can_be_reached_from_here(host: str, shown: str) -> None:
    assert url(host, 8000) == shown
