"""The address that the service is reached at."""

from __future__ import annotations

import errno
import socket

from crm.settings import SettingRefused

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, or a sentence that says why there can be none."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise SettingRefused(f"CRM_HOST must be an address of this machine, and {host!r} is not known.") from None
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as refused:
        listening.close()
        raise SettingRefused(_sentence(refused, host, port)) from refused
    return listening


def url(host: str, port: int) -> str:
    """What to type into a browser on this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  these listen everywhere
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _sentence(refused: OSError, host: str, port: int) -> str:
    if refused.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use: stop what listens there, or choose another one with CRM_PORT."
    if refused.errno == errno.EACCES:
        return f"Port {port} is for root alone: choose one from 1024 on with CRM_PORT."
    return f"CRM_HOST must be an address of this machine, and {host!r} is not ({refused.strerror})."
