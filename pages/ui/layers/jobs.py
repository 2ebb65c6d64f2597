"""Long work done in turn, its results shared by all visitors: training a layer, loading a model."""

import atexit
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from functools import partial
from itertools import takewhile
from operator import attrgetter
from traceback import clear_frames
from typing import Any, Generic, TypeVar

from cachetools import LRUCache, TTLCache

T = TypeVar("T")
QUIET = 1.5  # seconds without a page drawn until work ahead goes on
PATIENCE = 2.0  # seconds that work stays in line, or goes on, when nobody looks at it any more
REST = 0.05  # seconds that work ahead rests before it looks again
LAST_STEP = 5.0  # seconds that the end of Python waits for work under way
MOST_ERRORS = 100  # that are kept at a time


class AbandonedError(Exception):
    """Nobody waits for this work any longer."""


class Job(Generic[T]):
    """One piece of long work: waiting in line, under way, or ended."""

    def __init__(
        self,
        line: "Line",
        work: "Callable[[Job[T]], T]",
        on_end: "Callable[[Job[T]], None]",
        is_ahead: bool = False,
    ) -> None:
        """on_end: called once, when the work has ended in whatever way, before those who wait for it are told.

        is_ahead: nobody wishes for it yet; it makes way for what anybody wishes for, and rests while pages are drawn.
        """
        self.is_ahead = is_ahead
        self.progress: tuple[float, ...] = ()  # what the work told last
        self.so_far: T | None = None  # its result as it stands, where the work shows that
        self.error: BaseException | None = None
        self.size = 1.0  # of its result, as size_of measures it
        self.visitors: set[str] = set()  # those who wish for it, and have not wished for anything else since
        self._result: T | None = None
        self._line, self._work, self._on_end = line, work, on_end
        self._looks = 0  # how many visitors wait for it at this moment
        self._last_look = time.monotonic()
        self._ended = threading.Event()

    @property
    def has_ended(self) -> bool:
        """Whether there is a result, or an error."""
        return self._ended.is_set()

    @property
    def is_watched(self) -> bool:
        """Whether anybody wishes for it and has looked at it a short while ago; or it is ahead, and in nobody's way."""
        if self.is_ahead and not self.visitors:
            return not self._line.has_other(self)
        return bool(self.visitors) and (self._looks > 0 or time.monotonic() - self._last_look <= PATIENCE)

    def look(self) -> None:
        """For a visitor: keep the work going for a while."""
        self._last_look = time.monotonic()

    def wait(self, seconds: float) -> bool:
        """For a visitor: look, wait for that long at most, and say whether the work has ended."""
        with self._line.lock:
            self._looks += 1
        try:
            return self._ended.wait(seconds)
        finally:
            with self._line.lock:
                self._looks -= 1
                self.look()

    def ahead(self) -> int:
        """How many pieces of work stand before it in line, those under way included; 0 when it runs or has ended."""
        return self._line.ahead_of(self)

    def outcome(self) -> T:
        """What the work made, which is never None. RuntimeError where it failed, or has not ended."""
        if self._result is None:
            raise RuntimeError("the work failed" if self.has_ended else "the work has not ended") from self.error
        return self._result

    def tell(self, *progress: float) -> None:
        """For the work, after each step: say how far it is. AbandonedError where nobody watches any more."""
        if self._line.is_closed or not self.is_watched:
            raise AbandonedError
        self.progress = progress
        while self.is_ahead and self.is_watched and not self.visitors and self._line.is_disturbed:
            time.sleep(REST)

    def show(self, result: T) -> None:
        """For the work, now and then: give its result as it stands."""
        self.so_far = result

    def run(self) -> None:
        """For the line: do the work."""
        try:
            result = self._work(self)
        except BaseException as error:
            free_frames(error)
            self.end(error=error)
        else:
            self.end(result)

    def end(self, result: T | None = None, error: BaseException | None = None) -> None:
        """For the line: give that result, or that error, to all who wait."""
        with self._line.lock:
            self._result, self.error, self.so_far = result, error, None
            self._line.leave(self)
            self._on_end(self)
            self._ended.set()


class Line:
    """Work done in turn, first come, first served, in threads that do not keep Python from ending.

    Work that waits for its turn is no more than a Job. Work must not wait for other work of its own line.
    """

    def __init__(self, workers: int = 1) -> None:
        """workers: how many pieces are done at a time."""
        self.lock = threading.RLock()  # guards the line, its jobs, and their results
        self.is_closed = False
        self._drawn = -math.inf  # when a page was drawn last
        self._workers = workers
        self._threads = set[threading.Thread]()
        self._waiting = deque[Job[Any]]()
        self._running = set[Job[Any]]()
        self._wishes = dict[str, Job[Any]]()  # by visitor: what each wishes for, until it has ended
        atexit.register(self.close)

    def put(self, job: Job[Any]) -> None:
        """Have that work done after all that is in line already."""
        with self.lock:
            if len(self._threads) < self._workers and not self.is_closed:
                thread = threading.Thread(target=self._work, daemon=True)
                thread.start()  # where there is no room for another thread, this raises, and nothing has changed
                self._threads.add(thread)
            self._waiting.append(job)

    def disturb(self) -> None:
        """Note that a page is drawn now, so that work ahead rests."""
        self._drawn = time.monotonic()

    @property
    def is_disturbed(self) -> bool:
        """Whether work ahead had better rest: a page was drawn a short while ago."""
        return time.monotonic() - self._drawn < QUIET and not self.is_closed

    def has_other(self, job: Job[Any]) -> bool:
        """Whether anything else waits for its turn."""
        with self.lock:
            return any(other is not job for other in self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in line or under way."""
        return not self._waiting and not self._running

    def wish(self, visitor: str, job: Job[Any]) -> None:
        """Note that a visitor wishes for that job, and no longer for the one before, which may be abandoned by that."""
        with self.lock:
            before = self._wishes.get(visitor)
            self._wishes[visitor] = job
            job.visitors.add(visitor)
            job.look()
            if before is not None and before is not job:
                before.visitors.discard(visitor)
                if before in self._waiting and not before.visitors:  # one that runs finds out when it tells
                    before.end(error=AbandonedError())

    def leave(self, job: Job[Any]) -> None:
        """Take a job that ends out of the line."""
        with self.lock:
            self._running.discard(job)
            if job in self._waiting:
                self._waiting.remove(job)
            for visitor in job.visitors:
                del self._wishes[visitor]
            job.visitors.clear()

    def ahead_of(self, job: Job[Any]) -> int:
        """How many pieces of work will be done, or given up, before that one begins."""
        with self.lock:
            if job not in self._waiting:
                return 0
            before = takewhile(lambda other: other is not job, self._waiting)
            return len(self._running) + sum(other.is_watched for other in before)

    def close(self) -> None:
        """At the end of Python: begin nothing more, have what is under way give up, and wait a little until it has.

        Python stops daemon threads wherever they are, and torch does not survive that in the middle of its work.
        """
        with self.lock:
            self.is_closed = True
            threads = list(self._threads)
        until = time.monotonic() + LAST_STEP
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while job := self._next():
            job.run()

    def _next(self) -> Job[Any] | None:
        """The job that is next; None where there is none, and then the thread that asks ends."""
        with self.lock:
            while self._waiting and not self.is_closed:
                job = self._waiting[0]
                if job.is_watched:
                    self._running.add(self._waiting.popleft())
                    return job
                job.end(error=AbandonedError())
            self._threads.discard(threading.current_thread())
            return None


class Results(Generic[T]):
    """Results by key, each made once for all visitors; where room is short, the least recently used are dropped."""

    def __init__(
        self,
        line: Line,
        max_size: float,
        size_of: Callable[[T], float] = lambda _: 1,
        keep_errors: float = 0.0,
    ) -> None:
        """Keep results of max_size together, and errors for so many seconds.

        A result larger than max_size goes to those who wait for it, and is not kept.
        """
        self._line, self._size_of = line, size_of
        self._unfinished = dict[Hashable, Job[T]]()
        self._made: LRUCache[Hashable, Job[T]] = LRUCache(max_size, attrgetter("size"))
        self._failed: TTLCache[Hashable, Job[T]] = TTLCache(MOST_ERRORS, keep_errors, lambda: time.monotonic())

    def job(self, key: Hashable, work: Callable[[Job[T]], T], visitor: str) -> Job[T]:
        """The job of that key: ended, under way, waiting in line, or put in line now.

        visitor: names one who waits for one thing at a time, such as a session. Who wishes for another job in the same
        line, of these results or of others, no longer wishes for the one before; what nobody wishes for is abandoned.
        """
        with self._line.lock:
            job = self._made.get(key) or self._failed.get(key) or self._unfinished.get(key)
            if job is None:
                job = Job(self._line, partial(self._make, work), partial(self._end, key))
                self._line.put(job)
                self._unfinished[key] = job
            if not job.has_ended:
                self._line.wish(visitor, job)
            return job

    def ahead(self, key: Hashable, work: Callable[[Job[T]], T]) -> None:
        """Do that work now that nothing else is to be done; nothing, where there is, or where it is done."""
        with self._line.lock:
            if self._line.is_idle and key not in self._made and key not in self._failed:
                job = Job(self._line, partial(self._make, work), partial(self._end, key), is_ahead=True)
                self._unfinished[key] = job
                self._line.put(job)

    def find(self, key: Hashable) -> T | None:
        """The result of that key if there is one, without beginning anything."""
        with self._line.lock:
            job = self._made.get(key)
            return job.outcome() if job else None

    def find_so_far(self, key: Hashable) -> T | None:
        """The same, or the result as it stands where the work still goes on."""
        with self._line.lock:
            job = self._unfinished.get(key)
            return job.so_far if job and job.so_far else self.find(key)

    def forget(self, key: Hashable) -> None:
        """Let work that failed be tried again at once."""
        with self._line.lock:
            self._failed.pop(key, None)

    def _make(self, work: Callable[[Job[T]], T], job: Job[T]) -> T:
        result = work(job)
        job.size = self._size_of(result)
        return result

    def _end(self, key: Hashable, job: Job[T]) -> None:
        del self._unfinished[key]
        if job.error is None and job.size <= self._made.maxsize:
            self._made[key] = job
        elif job.error is not None and not isinstance(job.error, AbandonedError):
            self._failed[key] = job


def wait_for(
    begin: Callable[[], Job[T]],
    watch: Callable[[Job[T]], None],
    enough: Callable[[Job[T]], bool] = lambda job: job.has_ended,
) -> Job[T]:
    """The job that begin gives, once it has ended, or is enough; begun again where it was abandoned in the meantime.

    watch: shows how far a job is, until then.
    """
    while True:
        job = begin()
        if not job.has_ended:
            watch(job)
        if (job.has_ended or enough(job)) and not isinstance(job.error, AbandonedError):
            return job


def free_frames(error: BaseException) -> None:
    """Free the local variables of all functions that an error came through.

    An error keeps its traceback, and a traceback the frames of those functions: without this, the tensors that failed
    work had in hand would stay in memory for as long as anybody keeps the error.
    """
    errors = [error]
    for each in errors:
        clear_frames(each.__traceback__)
        errors += [other for other in (each.__cause__, each.__context__) if other is not None and other not in errors]
