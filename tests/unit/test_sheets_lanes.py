"""Several writers: order within a key is kept, and the first error ends everything."""

from __future__ import annotations

from threading import Lock

import pytest

from sheets.importing.lanes import Lanes


def test_what_has_the_same_key_is_done_in_order() -> None:
    done: dict[int, list[int]] = {key: [] for key in range(7)}

    def work(item: tuple[int, int]) -> None:
        done[item[0]].append(item[1])

    with Lanes(work, 4) as lanes:
        for number in range(2_000):
            lanes.put(number % 7, (number % 7, number))
        lanes.wait()
    assert sum(map(len, done.values())) == 2_000
    assert all(numbers == sorted(numbers) for numbers in done.values())


def test_the_first_error_is_raised_and_nothing_waits_for_ever() -> None:
    done: list[int] = []
    lock = Lock()

    def work(item: int) -> None:
        if item == 100:
            raise ValueError(item)
        with lock:
            done.append(item)

    def fill() -> None:
        with Lanes(work, 3) as lanes:
            for number in range(100_000):
                lanes.put(number, number)
            lanes.wait()

    with pytest.raises(ValueError, match="100"):
        fill()
    assert len(done) < 100_000


def test_an_error_of_whoever_brings_the_work_drops_what_waits() -> None:
    def fill() -> None:
        lanes: Lanes[int] = Lanes(lambda item: None, 2)
        with lanes:
            lanes.put(1, 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill()
