"""Long work in the background: one work for many who wait, its end whatever happens, and the room that results take.

Every order of events is forced by threading.Event, and the clock is one that a test sets: nothing hangs on the machine.
"""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from pages.ui.background import PATIENCE, AbandonedError, Job, Workshop

from pages.ui import background

SOON = 10.0  # seconds until a test gives up; nothing here takes so long


class Clock:
    """The seconds that background sees."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(background, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


class Work:
    """Work that counts how often it begins, and goes on only when it may."""

    def __init__(self, result=None, error=None, news=()):
        self.result, self.error, self.news = result, error, news
        self.begun, self.may_end, self.count = threading.Event(), threading.Event(), 0

    def __call__(self, job):
        self.count += 1
        self.begun.set()
        assert self.may_end.wait(SOON)
        if self.news:
            job.tell(*self.news)
        if self.error:
            raise self.error
        return self.result


def done(result=None, **options):
    work = Work(result, **options)
    work.may_end.set()
    return work


def ended(job):
    assert job.ended.wait(SOON)
    return job


def make(workshop, *results):
    """One result after the other, each under its own name."""
    for result in results:
        assert ended(workshop.job(result, done(result))).result == result


# One work for many.


def test_many_who_ask_at_once_share_one_work_and_its_result():
    workshop, work, together = Workshop(most=10), Work("made"), threading.Barrier(8)

    def visit():
        together.wait(SOON)
        job = workshop.job("key", work)
        while not job.wait(0.05):
            pass
        return job

    with ThreadPoolExecutor(8) as visitors:
        waiting = [visitors.submit(visit) for _ in range(8)]
        assert work.begun.wait(SOON)
        assert not any(visitor.done() for visitor in waiting)
        work.may_end.set()
        jobs = [visitor.result(SOON) for visitor in waiting]
    assert len(set(jobs)) == 1
    assert (jobs[0].result, jobs[0].error, work.count) == ("made", None, 1)
    late = Work("other")
    assert workshop.job("key", late) is jobs[0]
    assert late.count == 0


def test_waiting_says_whether_the_work_has_ended():
    workshop, work = Workshop(most=10), Work("made")
    job = workshop.job("key", work)
    assert not job.wait(0)
    assert job.result is None
    work.may_end.set()
    assert job.wait(SOON)
    assert job.wait(0)
    assert job.result == "made"


def test_what_the_work_tells_is_there_to_read_while_it_goes_on():
    told, read = threading.Event(), threading.Event()

    def work(job):
        for step in (1, 2):
            job.tell(step, 2, step / 4)
            told.set()
            assert read.wait(SOON)
            read.clear()
        return "made"

    job = Workshop(most=10).job("key", work)
    for step in (1, 2):
        assert told.wait(SOON)
        told.clear()
        assert job.news == (step, 2, step / 4)
        assert not job.ended.is_set()
        read.set()
    assert ended(job).news == (2, 2, 0.5)
    assert Job().news == ()


def test_two_keys_do_not_disturb_each_other():
    workshop, slow = Workshop(most=10), Work("slow")
    first = workshop.job(("key", 1), slow)
    second = workshop.job(("key", 2), done("quick"))
    assert ended(second).result == "quick"
    assert not first.ended.is_set()
    assert workshop.job(("key", 1), done("other")) is first
    slow.may_end.set()
    assert ended(first).result == "slow"


def test_work_may_ask_the_same_workshop_for_other_work():
    workshop = Workshop(most=10)

    def work(_):
        return ended(workshop.job("inner", done(2))).result + 1

    assert ended(workshop.job("outer", work)).result == 3


def test_looking_for_work_never_begins_it_and_finds_it_only_when_it_has_ended():
    workshop, work = Workshop(most=10), Work("made")
    before = threading.active_count()
    assert workshop.find("key") is None
    assert threading.active_count() == before
    job = workshop.job("key", work)
    assert work.begun.wait(SOON)
    assert workshop.find("key") is None
    work.may_end.set()
    assert workshop.find("key") is None or ended(job)
    assert workshop.find(ended(job) and "key") is job
    assert work.count == 1


# Errors.


def test_an_error_is_kept_for_all_who_wait_until_it_is_forgotten():
    workshop, error = Workshop(most=10), ValueError("no room")
    work = done(error=error)
    job = ended(workshop.job("key", work))
    assert (job.result, job.error) == (None, error)
    assert workshop.job("key", work) is job
    assert workshop.find("key") is job
    assert work.count == 1
    workshop.forget("key")
    assert workshop.find("key") is None
    again = ended(workshop.job("key", done("made")))
    assert again is not job
    assert (again.result, again.error) == ("made", None)


def test_forgetting_what_is_not_there_does_no_harm():
    workshop = Workshop(most=10)
    workshop.forget("key")
    assert ended(workshop.job("key", done("made"))).result == "made"


def test_who_waits_for_forgotten_work_still_gets_its_result():
    workshop, old = Workshop(most=10), Work("old")
    job = workshop.job("key", old)
    workshop.forget("key")
    assert ended(workshop.job("key", done("new"))).result == "new"
    old.may_end.set()
    assert ended(job).result == "old"
    assert workshop.find("key").result == "new"


@pytest.mark.parametrize("error", [RuntimeError("broken"), MemoryError(), AbandonedError()])
def test_work_that_raises_ends_and_holds_nobody_up(error):
    workshop = Workshop(most=10)
    assert ended(workshop.job("key", done(error=error))).result is None
    assert ended(workshop.job("other", done("made"))).result == "made"
    workshop.forget("key")
    assert ended(workshop.job("key", done("made"))).result == "made"


class Thing:
    """Something large that work has in hand."""


@pytest.mark.parametrize("way", ["an error", "an error from another", "abandoned"])
def test_what_work_had_in_hand_when_it_failed_does_not_stay_in_memory(clock, way):
    had, is_asked = [], threading.Event()

    def inner():
        thing = Thing()
        had.append(weakref.ref(thing))
        raise KeyError("inner")

    def work(job):
        thing = Thing()
        had.append(weakref.ref(thing))
        assert is_asked.wait(SOON)
        if way == "abandoned":
            clock.now += PATIENCE + 1
            job.tell(1)
        try:
            inner()
        except KeyError as error:
            if way == "an error":
                raise
            raise ValueError("outer") from error

    job = Workshop(most=10).job("key", work)
    is_asked.set()
    assert isinstance(ended(job).error, {"an error": KeyError, "abandoned": AbandonedError}.get(way, ValueError))
    assert len(had) == (1 if way == "abandoned" else 2)
    gc.collect()
    assert [thing() for thing in had] == [None] * len(had)


# Work that nobody waits for.


def abandoned(workshop, clock):
    """A job of "key" that nobody has looked at for longer than work goes on."""
    work = Work("made", news=(1,))
    job = workshop.job("key", work)
    assert work.begun.wait(SOON)
    clock.now += PATIENCE + 0.001
    work.may_end.set()
    return ended(job)


def test_work_ends_when_nobody_has_looked_for_longer_than_its_patience(clock):
    workshop = Workshop(most=10)
    job = abandoned(workshop, clock)
    assert isinstance(job.error, AbandonedError)
    assert (job.result, job.news) == (None, ())


def test_abandoned_work_begins_anew_for_the_next_who_asks(clock):
    workshop = Workshop(most=10)
    old = abandoned(workshop, clock)
    work = done("made", news=(1,))
    new = ended(workshop.job("key", work))
    assert new is not old
    assert (new.result, new.error, work.count) == ("made", None, 1)
    assert isinstance(old.error, AbandonedError)
    assert workshop.job("key", work) is new


@pytest.mark.parametrize("look", ["wait", "ask"])
def test_work_goes_on_as_long_as_somebody_looks_from_time_to_time(clock, look):
    workshop, work = Workshop(most=10), Work("made", news=(1,))
    job = workshop.job("key", work)
    assert work.begun.wait(SOON)
    for _ in range(5):
        clock.now += PATIENCE
        if look == "wait":
            assert not job.wait(0)
        else:
            assert workshop.job("key", work) is job
    clock.now += PATIENCE
    work.may_end.set()
    assert ended(job).result == "made"
    assert job.news == (1,)


def test_looking_without_asking_does_not_keep_work_going(clock):
    workshop, work = Workshop(most=10), Work("made", news=(1,))
    job = workshop.job("key", work)
    assert work.begun.wait(SOON)
    clock.now += PATIENCE + 1
    assert workshop.find("key") is None
    work.may_end.set()
    assert isinstance(ended(job).error, AbandonedError)


def test_what_is_made_before_anybody_could_tell_is_not_thrown_away(clock):
    workshop, work = Workshop(most=10), Work("made")
    job = workshop.job("key", work)
    assert work.begun.wait(SOON)
    clock.now += 100 * PATIENCE
    work.may_end.set()
    assert ended(job).result == "made"


# Room.


def kept(workshop, *keys):
    return [key for key in keys if workshop.find(key)]


def test_the_results_not_asked_for_the_longest_make_way():
    workshop = Workshop(most=2)
    make(workshop, "a", "b")
    assert kept(workshop, "a", "b") == ["a", "b"]
    make(workshop, "c")
    assert kept(workshop, "a", "b", "c") == ["b", "c"]
    workshop.job("b", done())
    make(workshop, "d")
    assert kept(workshop, "a", "b", "c", "d") == ["b", "d"]
    again = done("a")
    assert ended(workshop.job("a", again)).result == "a"
    assert again.count == 1


def test_room_is_counted_by_weight():
    workshop = Workshop(most=10, weigh=int)
    make(workshop, 4, 5, 1)
    assert kept(workshop, 4, 5, 1) == [4, 5, 1]
    make(workshop, 2)
    assert kept(workshop, 4, 5, 1, 2) == [5, 1, 2]
    make(workshop, 9)
    assert kept(workshop, 5, 1, 2, 9) == [9]


def test_the_one_asked_for_last_is_kept_however_heavy():
    workshop = Workshop(most=10, weigh=int)
    make(workshop, 3, 1000)
    assert kept(workshop, 3, 1000) == [1000]
    make(workshop, 2)
    assert kept(workshop, 1000, 2) == [2]


def test_work_under_way_and_errors_take_no_room_and_make_none():
    workshop, slow = Workshop(most=1), Work("slow")
    job = workshop.job("slow", slow)
    failed = ended(workshop.job("failed", done(error=ValueError())))
    make(workshop, "a")
    make(workshop, "b")
    assert kept(workshop, "failed", "a", "b") == ["failed", "b"]
    assert workshop.job("slow", done("other")) is job
    assert workshop.find("failed") is failed
    slow.may_end.set()
    assert ended(job).result == "slow"
    assert kept(workshop, "slow", "b") == ["slow"]


def test_who_waits_gets_a_result_that_had_to_make_way_at_once():
    workshop, slow = Workshop(most=1), Work("slow")
    job = workshop.job("slow", slow)
    make(workshop, "a")
    slow.may_end.set()
    assert ended(job).result == "slow"
    assert kept(workshop, "slow", "a") == ["a"]
