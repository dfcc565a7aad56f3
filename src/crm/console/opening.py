"""The store and the services, for one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crm import settings, store

if TYPE_CHECKING:
    from crm.services import Services


@contextmanager
def services() -> Iterator[Services]:
    """The services over the store that the environment names, migrated."""
    from crm.services import services as made_for

    with store.opened(settings.read()) as opened:
        opened.prepare()
        with made_for(opened, connections=4) as made:
            yield made


@contextmanager
def working_services() -> Iterator[Services]:
    """The same with a worker beside them, so that read models are kept up even while no service runs."""
    from crm.processes.work import working
    from crm.services import services as made_for

    with store.opened(settings.read()) as opened:
        opened.prepare()
        with made_for(opened, connections=4) as made, working(opened):
            yield made
