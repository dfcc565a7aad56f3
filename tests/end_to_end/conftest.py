"""One running service for all tests that leave it running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from end_to_end.running import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service on a store that was empty at the start."""
    with Service(tmp_path_factory.mktemp("service") / "data") as running:
        yield running
