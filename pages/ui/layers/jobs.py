"""Long work in turn, its results shared by all visitors: training a layer, loading a model. (Stand-in.)"""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


class AbandonedError(Exception):
    """Nobody waits for this work any longer."""


@dataclass(eq=False)
class Job(Generic[T]):
    """One piece of long work, and how far it is."""

    progress: tuple[float, ...] = ()
    result: T | None = None
    error: Exception | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def tell(self, *progress: float) -> None:
        self.progress = progress
        time.sleep(0.0005)

    def ahead(self) -> int:
        return 0

    def wait(self, seconds: float) -> bool:
        return self.ended.wait(seconds)

    def outcome(self) -> T:
        if self.result is None:
            raise RuntimeError("the work failed") from self.error
        return self.result


class Line:
    def __init__(self, workers: int = 1) -> None:
        self.lock = threading.Semaphore(workers)


def finished(begin: Callable[[], Job[T]], watch: Callable[[Job[T]], None]) -> Job[T]:
    job = begin()
    if not job.ended.is_set():
        watch(job)
    return job


class Results(Generic[T]):
    def __init__(
        self, line: Line, max_size: float, size_of: Callable[[T], float] = lambda _: 1, keep_errors: float = 0
    ) -> None:
        self.jobs: dict[Hashable, Job[T]] = {}
        self.line = line

    def job(self, key: Hashable, work: Callable[[Job[T]], T], visitor: str) -> Job[T]:
        if key not in self.jobs:
            job = self.jobs[key] = Job()
            threading.Thread(target=self._run, args=(job, work), daemon=True).start()
        return self.jobs[key]

    def _run(self, job: Job[T], work: Callable[[Job[T]], T]) -> None:
        with self.line.lock:
            try:
                job.result = work(job)
            except Exception as error:
                job.error = error
            job.ended.set()

    def find(self, key: Hashable) -> T | None:
        return self.jobs[key].result if key in self.jobs else None

    def forget(self, key: Hashable) -> None:
        self.jobs.pop(key, None)
