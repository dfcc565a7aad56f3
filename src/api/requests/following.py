"""Following a job to its end as server-sent events: `progress` at each change, and `done` with the last."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.answers.problems import Problem
from api.answers.streams import message
from api.requests.identity import identify
from api.services import services_of
from policy import Forbidden

LOOK_SECONDS = 0.3


class Job(Protocol):
    """A job that is done by a worker."""

    @property
    def is_over(self) -> bool:
        """Nothing more happens to it."""


J = TypeVar("J", bound=Job)


async def followed(
    request: Request, action: str, job: J, find: Callable[[], J], shown: Callable[[J], dict[str, Any]]
) -> AsyncIterator[bytes]:
    """What is `shown` of the job, for as long as whoever asks is signed in and may do the action."""
    told: dict[str, Any] = {}
    while not await request.is_disconnected():
        if (now := shown(job)) != told:
            yield message("done" if job.is_over else "progress", now)
            told = now
        if job.is_over:
            return
        await sleep(LOOK_SECONDS)
        try:
            services_of(request).policy.require(await identify(request), action)
        except (Problem, Forbidden):
            return
        job = await run_in_threadpool(find)
