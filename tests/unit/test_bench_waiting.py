"""What a measurement waits for may take as long as it likes, while something moves."""

from __future__ import annotations

import importlib.util
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "waiting.py"


@pytest.fixture
def waiting() -> ModuleType:
    """The module; the folder is on no path of the tests."""
    spec = importlib.util.spec_from_file_location("bench_waiting", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_waited_for_while_something_moves(waiting: ModuleType) -> None:
    looks, moves = count(), count()
    waiting.wait_until(
        lambda: next(looks) == 50, lambda: next(moves), "it", apart=0.001, looks_apart=0.001, still=0.005
    )
    assert next(looks) == 51


def test_what_stands_still_is_given_up(waiting: ModuleType) -> None:
    with pytest.raises(waiting.NoProgress, match=r"it: nothing has moved .* \(1, 2\)"):
        waiting.wait_until(lambda: False, lambda: (1, 2), "it", apart=0.001, looks_apart=0.001, still=0.01)


def test_what_is_there_is_not_waited_for(waiting: ModuleType) -> None:
    waiting.wait_until(lambda: True, lambda: pytest.fail("nobody needs to know"), "it")
