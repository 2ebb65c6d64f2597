"""Long work in threads of its own, its results shared by all visitors: training a layer, loading a model."""

import atexit
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from traceback import clear_frames
from typing import Generic, TypeVar

T = TypeVar("T")
PATIENCE = 2.0  # seconds that work goes on when nobody looks at it any more


class AbandonedError(Exception):
    """Nobody waits for this work any longer."""


@dataclass(eq=False)
class Job(Generic[T]):
    """One piece of long work, and how far it is."""

    news: tuple[float, ...] = ()  # what the work told last
    result: T | None = None
    error: Exception | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    looked: float = field(default_factory=time.monotonic)
    is_closing: bool = False

    def tell(self, *news: float) -> None:
        """For the work: say how far it is. AbandonedError where nobody has looked for a while."""
        if self.is_closing or time.monotonic() - self.looked > PATIENCE:
            raise AbandonedError
        self.news = news

    def wait(self, seconds: float) -> bool:
        """For a visitor: look, wait a little, and say whether it has ended."""
        self.looked = time.monotonic()
        return self.ended.wait(seconds)

    def outcome(self) -> T:
        """What the work made. RuntimeError where it failed."""
        if self.result is None:
            raise RuntimeError("the work failed") from self.error
        return self.result


def finished(begin: Callable[[], Job[T]], watch: Callable[[Job[T]], None]) -> Job[T]:
    """The job that begin gives, once it has ended; begun again where it was abandoned in the meantime.

    watch: shows how far a job is, until it has ended.
    """
    while True:
        job = begin()
        if not job.ended.is_set():
            watch(job)
        if not isinstance(job.error, AbandonedError):
            return job


class Workshop(Generic[T]):
    """Results by key, each made once for all visitors. Those not asked for the longest make way for others."""

    def __init__(self, most: int, weigh: Callable[[T], int] = lambda _: 1) -> None:
        """Keep results of `most` weight together, and always the one asked for last."""
        self._jobs: OrderedDict[Hashable, Job[T]] = OrderedDict()
        self._lock = threading.Lock()
        self._most, self._weigh = most, weigh
        atexit.register(self._close)  # torch would not survive the end of Python in the middle of its work

    def job(self, key: Hashable, work: Callable[[Job[T]], T]) -> Job[T]:
        """The job of that key: ended, under way, or begun now."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or isinstance(job.error, AbandonedError):
                job = self._jobs[key] = Job()
                threading.Thread(target=self._run, args=(job, work), daemon=True).start()
            job.looked = time.monotonic()
            self._jobs.move_to_end(key)
            return job

    def find(self, key: Hashable) -> Job[T] | None:
        """The job of that key if it has ended, without beginning one."""
        with self._lock:
            job = self._jobs.get(key)
            return job if job and job.ended.is_set() else None

    def forget(self, key: Hashable) -> None:
        """Let the work be tried again."""
        with self._lock:
            self._jobs.pop(key, None)

    def _run(self, job: Job[T], work: Callable[[Job[T]], T]) -> None:
        try:
            job.result = work(job)
        except Exception as error:
            job.error = error
            _let_go(error)
        finally:
            self._make_room()
            job.ended.set()

    def _close(self) -> None:
        """Have all work under way give up, and wait a little until it has."""
        with self._lock:
            under_way = [job for job in self._jobs.values() if not job.ended.is_set()]
        for job in under_way:
            job.is_closing = True
        for job in under_way:
            job.ended.wait(PATIENCE)

    def _make_room(self) -> None:
        with self._lock:
            weights = {key: self._weigh(job.result) for key, job in self._jobs.items() if job.result is not None}
            for key in list(weights)[:-1]:
                if sum(weights.values()) > self._most:
                    del self._jobs[key], weights[key]


def _let_go(error: BaseException | None) -> None:
    """Free what failed work had in hand: an error that is kept keeps the frames that it came through."""
    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
