"""One running service for all tests that leave it running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from end_to_end.running import Service


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """A service on a store that was empty at the start."""
    with (
        TemporaryDirectory(prefix="genjin-", ignore_cleanup_errors=True) as folder,
        Service(Path(folder) / "data") as running,
    ):
        yield running
