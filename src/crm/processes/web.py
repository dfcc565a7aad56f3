"""A process that answers requests on a socket which it shares with others of its kind."""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # what is read at the start stays for good: looking for what does not takes a tenth of the start

import argparse
import socket

import uvicorn

from api.app import create_app
from api.limits.limiting import LARGEST_HEAD
from api.operations.stopping import told_when_stopping
from crm import logs, settings, stopping, store
from crm.processes import gate, lifeline
from crm.processes.listening import BACKLOG
from crm.processes.protocol import Protocol
from crm.processes.tracing import tracing
from crm.services import services

FINISHING = 5
"""Seconds that open requests have to finish once the process is asked to stop."""


class SharedSocket(socket.socket):
    """A listening socket from which a process takes as few connections at a time as asyncio can.

    asyncio takes as many at once as may wait (`backlog`): of several that come together, one process would get all.
    """

    def listen(self, _at_once: int = 1, /) -> None:
        """Let as many wait as ever, however few are taken at once."""
        super().listen(BACKLOG)


def main() -> None:
    """Answer until SIGTERM, or until the process that started this one is gone."""
    parser = argparse.ArgumentParser(prog="python -m crm.processes.web")
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--lifeline", type=int, required=True)
    parser.add_argument("--gate", type=int, required=True)
    given = parser.parse_args()
    stopping.unwind_on_signals()
    lifeline.hold(given.lifeline)
    chosen = settings.read()
    logs.configure(chosen.log_level, chosen.log_format)
    gate.wait_at(given.gate)
    with (
        tracing() as traced,
        store.opened(chosen) as opened,
        services(opened, patience=chosen.patience, cursors=traced.cursors) as made,
    ):
        lines = logs.request_lines(chosen.log_level, chosen.log_format)
        app = traced.around(create_app(made, chosen.limits, lines))
        config = uvicorn.Config(
            told_when_stopping(app, lambda: server.should_exit),
            http=Protocol,
            forwarded_allow_ips=chosen.sign_in.trusted_proxies,
            h11_max_incomplete_event_size=LARGEST_HEAD,
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=1,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=FINISHING,
        )
        server = uvicorn.Server(config)
        gc.freeze()  # with next to nothing among it that nobody needs: to look for that took 0.07 s
        gc.enable()
        server.run(sockets=[SharedSocket(fileno=given.socket)])


if __name__ == "__main__":
    main()
