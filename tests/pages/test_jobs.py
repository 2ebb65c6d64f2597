"""Long work in turn: one work for many who wait, its end whatever happens, the order of the line, and room for results.

Every order of events is forced by threading.Event, and the clock is one that a test sets: nothing hangs on the machine.
"""

import gc
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.ui.layers import jobs
from pages.ui.layers.jobs import PATIENCE, AbandonedError, Line, Results, wait_for

ROOT = Path(__file__).parents[2]
SOON = 10.0  # seconds until a test gives up; nothing here takes so long


class Clock:
    """The seconds that jobs sees."""

    def __init__(self):
        self.now = 0.0


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


class Work:
    """Work that counts how often it begins, and goes on only when it may."""

    def __init__(self, result="made", error=None):
        self.result, self.error = result, error
        self.begun, self.may_go_on, self.times = threading.Event(), threading.Event(), 0

    def __call__(self, job):
        self.times += 1
        self.begun.set()
        assert self.may_go_on.wait(SOON)
        if self.error:
            raise self.error
        return self.result


class Step(Work):
    """Work that tells one step when it may go on."""

    def __call__(self, job):
        result = super().__call__(job)
        job.tell(1)
        return result


def done(result="made", error=None, kind=Work):
    work = kind(result, error)
    work.may_go_on.set()
    return work


def until(seen):
    """Wait until that is true."""
    end = time.monotonic() + SOON
    while not seen():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.001)


def ended(job):
    """Without being a visitor who looks."""
    until(lambda: job.has_ended)
    return job


def start(results, key, work, visitor="visitor"):
    """A job whose work is under way."""
    job = results.job(key, work, visitor)
    assert work.begun.wait(SOON)
    return job


def make(results, *keys):
    """One result after the other, each equal to its key."""
    for key in keys:
        assert ended(results.job(key, done(key), "visitor")).outcome() == key


def new_results(max_size=10, workers=1, **options):
    return Results(Line(workers), max_size, **options)


# One work for many.


def test_many_who_ask_at_once_share_one_work_and_its_result():
    results, work, together = new_results(), Work(), threading.Barrier(8)

    def visit(number):
        together.wait(SOON)
        job = results.job("key", work, f"visitor {number}")
        until(lambda: job.wait(0.05))
        return job

    with ThreadPoolExecutor(8) as visitors:
        waiting = [visitors.submit(visit, number) for number in range(8)]
        assert work.begun.wait(SOON)
        assert not any(visitor.done() for visitor in waiting)
        work.may_go_on.set()
        all_jobs = [visitor.result(SOON) for visitor in waiting]
    assert {job.outcome() for job in all_jobs} == {"made"}
    late = Work()
    assert results.job("key", late, "late").outcome() == "made"
    assert (work.times, late.times) == (1, 0)


def test_waiting_says_whether_the_work_has_ended():
    results, work = new_results(), Work()
    job = results.job("key", work, "visitor")
    assert not job.wait(0)
    assert not job.has_ended
    with pytest.raises(RuntimeError):
        job.outcome()
    work.may_go_on.set()
    assert job.wait(SOON)
    assert job.wait(0)
    assert job.has_ended
    assert job.outcome() == "made"


def test_what_the_work_tells_is_there_to_read_while_it_goes_on():
    told, read = threading.Event(), threading.Event()

    def work(job):
        for step in (1, 2):
            job.tell(step, 2, step / 4)
            told.set()
            assert read.wait(SOON)
            read.clear()
        return "made"

    job = new_results().job("key", work, "visitor")
    for step in (1, 2):
        assert told.wait(SOON)
        told.clear()
        assert job.progress == (step, 2, step / 4)
        read.set()
    assert ended(job).progress == (2, 2, 0.5)


def test_a_result_as_it_stands_can_be_seen_until_there_is_the_whole_one():
    shown, seen, results = threading.Event(), threading.Event(), new_results()

    def work(job):
        job.show("half")
        shown.set()
        assert seen.wait(SOON)
        return "made"

    assert results.find_so_far("key") is None
    job = results.job("key", work, "visitor")
    assert shown.wait(SOON)
    assert (job.so_far, results.find_so_far("key"), results.find("key")) == ("half", "half", None)
    assert wait_for(lambda: job, lambda _: None, enough=lambda job: job.so_far is not None) is job
    assert not job.has_ended
    seen.set()
    assert ended(job).so_far is None
    assert results.find_so_far("key") == results.find("key") == "made"


def test_work_ahead_is_done_when_nothing_else_is_and_its_result_is_there_for_who_wishes_for_it():
    results, work = new_results(), Work()
    results.ahead("key", work)
    assert work.begun.wait(SOON)
    job = results.job("key", Work(), "visitor")
    work.may_go_on.set()
    assert ended(job).outcome() == "made"
    results.ahead("key", Work())  # it is done: nothing happens
    assert results.find("key") == "made"


def test_work_ahead_makes_way_for_a_wish_and_is_not_begun_beside_one():
    results, ahead, wished = new_results(), Step(), Work()
    results.ahead("next", ahead)
    assert ahead.begun.wait(SOON)
    job = results.job("key", wished, "visitor")
    ahead.may_go_on.set()
    assert wished.begun.wait(SOON)  # the work ahead gave up at its next step
    results.ahead("other", Work())
    wished.may_go_on.set()
    assert ended(job).outcome() == "made"
    assert results.find("next") is results.find("other") is None


def test_work_ahead_rests_while_pages_are_drawn(monkeypatch):
    monkeypatch.setattr(jobs, "QUIET", 1000.0)
    line = Line()
    results, steps, told = Results(line, 10), threading.Semaphore(0), []

    def work(job):
        for step in range(3):
            assert steps.acquire(timeout=SOON)
            job.tell(step)
            told.append(step)
        return "made"

    results.ahead("key", work)
    steps.release()
    while len(told) < 1:
        time.sleep(0.01)
    line.disturb()
    steps.release()
    time.sleep(0.2)
    assert told == [0]
    monkeypatch.setattr(jobs, "QUIET", 0.0)
    steps.release(2)
    job = results.job("key", Work(), "visitor")
    assert ended(job).outcome() == "made"
    assert told == [0, 1, 2]


def test_two_keys_do_not_disturb_each_other():
    results, slow = new_results(workers=2), Work("slow")
    first = results.job(("key", 1), slow, "a")
    assert ended(results.job(("key", 2), done("quick"), "b")).outcome() == "quick"
    assert not first.has_ended
    assert results.job(("key", 1), done("other"), "c") is first
    slow.may_go_on.set()
    assert ended(first).outcome() == "slow"


def test_work_may_ask_another_line_for_other_work():
    inner, outer = new_results(), new_results()

    def work(_):
        return ended(inner.job("inner", done(2), "outer")).outcome() + 1

    assert ended(outer.job("outer", work, "visitor")).outcome() == 3


def test_finding_a_result_never_begins_work():
    results, work = new_results(), Work(0.0)
    assert results.find("key") is None
    job = start(results, "key", work)
    assert results.find("key") is None
    work.may_go_on.set()
    assert ended(job).outcome() == 0.0
    assert results.find("key") == 0.0
    assert work.times == 1


# The line.


def test_work_is_done_in_turn_and_no_more_at_a_time_than_there_are_workers():
    results, order = new_results(100, workers=2), []
    first, second = Work(), Work()
    start(results, "first", first, "first")
    last = start(results, "second", second, "second")

    def work(key):
        order.append(key)  # where it had begun beside another, this would not be in turn
        return key

    waiting = [results.job(key, lambda _, key=key: work(key), f"visitor {key}") for key in range(20)]
    assert order == []
    first.may_go_on.set()
    for job in waiting:
        ended(job)
    assert order == list(range(20))
    second.may_go_on.set()
    ended(last)


def test_ahead_counts_what_stands_before_a_piece_of_work():
    results, works = new_results(workers=2), [Work() for _ in range(5)]
    line = [start(results, i, works[i], f"visitor {i}") for i in range(2)]
    line += [results.job(i, works[i], f"visitor {i}") for i in range(2, 5)]
    assert [job.ahead() for job in line] == [0, 0, 2, 3, 4]
    works[1].may_go_on.set()
    assert works[2].begun.wait(SOON)
    assert [job.ahead() for job in line] == [0, 0, 0, 2, 3]
    for work in works:
        work.may_go_on.set()
    assert [ended(job).ahead() for job in line] == [0] * 5


def test_ahead_leaves_out_what_will_be_dropped_because_nobody_looks(clock):
    results, slow = new_results(), Work()
    start(results, "slow", slow, "a")
    forgotten, last = results.job("forgotten", done(), "b"), results.job("last", done(), "c")
    assert last.ahead() == 2
    clock.now += PATIENCE + 1
    assert not last.wait(0)
    assert last.ahead() == 1
    slow.may_go_on.set()
    assert ended(last).outcome() == "made"
    assert isinstance(ended(forgotten).error, AbandonedError)


def test_waiting_work_needs_no_thread_of_its_own():
    results, slow = new_results(), Work()
    before = threading.active_count()
    start(results, "slow", slow, "visitor")
    waiting = [results.job(key, done(key), f"visitor {key}") for key in range(1000)]
    assert threading.active_count() == before + 1
    slow.may_go_on.set()
    assert ended(waiting[-1]).outcome() == 999
    until(lambda: threading.active_count() == before)


def test_where_no_thread_can_be_had_nobody_is_left_waiting(monkeypatch):
    results = new_results()
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", lambda _: (_ for _ in ()).throw(RuntimeError("no more threads")))
        with pytest.raises(RuntimeError, match="no more threads"):
            results.job("key", done(), "visitor")
    assert ended(results.job("key", done(), "visitor")).outcome() == "made"


# A visitor's newer wish.


def test_a_newer_wish_takes_the_older_one_out_of_the_line_at_once():
    line = Line()
    layers, vectors, slow, older = Results(line, 10), Results(line, 10), Work(), done()
    start(layers, "slow", slow, "other")
    old = layers.job("old", older, "visitor")
    new = vectors.job("new", done(), "visitor")
    assert isinstance(old.error, AbandonedError)
    assert new.ahead() == 1
    slow.may_go_on.set()
    assert ended(new).outcome() == "made"
    assert older.times == 0


def test_a_newer_wish_ends_the_older_one_under_way_at_its_next_step():
    results, older = new_results(), Step()
    old = start(results, "old", older)
    new = results.job("new", done(), "visitor")
    older.may_go_on.set()
    assert ended(new).outcome() == "made"
    assert isinstance(old.error, AbandonedError)
    assert old.progress == ()
    assert results.find("old") is None


def test_what_another_visitor_watches_too_goes_on():
    results, older, waiting = new_results(), Step("old"), done(kind=Step)
    old = start(results, "old", older, "visitor")
    results.job("old", older, "other")
    also = results.job("also", waiting, "visitor")
    results.job("also", waiting, "third")
    new = results.job("new", done(), "visitor")
    older.may_go_on.set()
    assert [ended(job).outcome() for job in (old, also, new)] == ["old", "made", "made"]


def test_asking_for_the_same_again_or_for_what_is_ready_replaces_no_wish():
    results, work = new_results(), Step("slow")
    make(results, "ready")
    job = start(results, "slow", work)
    assert results.job("slow", Work(), "visitor") is job
    assert results.job("ready", Work(), "visitor").outcome() == "ready"
    assert results.find("ready") == "ready"
    work.may_go_on.set()
    assert ended(job).outcome() == "slow"


def test_who_returns_to_an_older_wish_before_it_gave_up_keeps_it():
    results, older, newer = new_results(), Step(), done()
    old = start(results, "old", older)
    new = results.job("new", newer, "visitor")
    assert results.job("old", Work(), "visitor") is old
    older.may_go_on.set()
    assert ended(old).outcome() == "made"
    assert isinstance(ended(new).error, AbandonedError)
    assert newer.times == 0


# Errors.


@pytest.mark.parametrize("error", [ValueError("broken"), MemoryError(), SystemExit(), AbandonedError()])
def test_an_error_goes_to_those_who_wait_and_the_next_wish_begins_anew(error):
    results, work = new_results(), Work(error=error)
    waiting = [results.job("key", work, visitor) for visitor in "ab"]
    work.may_go_on.set()
    for job in waiting:
        assert ended(job).error is error
        with pytest.raises(RuntimeError) as raised:
            job.outcome()
        assert raised.value.__cause__ is error
    assert results.find("key") is None
    assert ended(results.job("other", done(), "a")).outcome() == "made"
    again = ended(results.job("key", done(), "a"))
    assert (again.outcome(), again.error) == ("made", None)


def test_an_error_is_kept_as_long_as_was_asked_for(clock):
    results, error = new_results(keep_errors=60), ValueError("no answer")
    work = done(error=error)
    assert ended(results.job("key", work, "a")).error is error
    clock.now += 59
    assert results.job("key", work, "b").error is error
    assert results.find("key") is None
    assert work.times == 1
    clock.now += 1
    assert ended(results.job("key", done(), "b")).outcome() == "made"


def test_a_forgotten_error_lets_the_work_be_tried_again_at_once():
    results = new_results(keep_errors=60)
    ended(results.job("key", done(error=ValueError()), "visitor"))
    results.forget("key")
    assert ended(results.job("key", done(), "visitor")).outcome() == "made"


def test_forgetting_leaves_results_and_work_under_way_alone():
    results, work = new_results(keep_errors=60), Work()
    results.forget("nothing")
    make(results, "ready")
    job = start(results, "key", work)
    results.forget("key")
    results.forget("ready")
    assert results.job("key", Work(), "other") is job
    work.may_go_on.set()
    assert ended(job).outcome() == "made"
    assert (results.find("key"), results.find("ready")) == ("made", "ready")


def test_being_abandoned_is_no_error_to_be_kept(clock):
    results = new_results(keep_errors=60)
    abandoned(results, clock)
    assert ended(results.job("key", done(), "visitor")).outcome() == "made"


def test_a_size_that_cannot_be_measured_fails_that_work_alone():
    results = new_results(size_of=len)
    assert isinstance(ended(results.job("number", done(1), "visitor")).error, TypeError)
    make(results, "word")


class Thing:
    """Something large that work has in hand."""


@pytest.mark.parametrize("way", [KeyError, ValueError, AbandonedError])
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
        if way is AbandonedError:
            clock.now += PATIENCE + 1
            job.tell(1)
        try:
            inner()
        except KeyError as error:
            if way is KeyError:
                raise
            raise ValueError("outer") from error

    job = new_results(keep_errors=60).job("key", work, "visitor")
    is_asked.set()
    assert isinstance(ended(job).error, way)
    assert len(had) == (1 if way is AbandonedError else 2)
    gc.collect()
    assert [thing() for thing in had] == [None] * len(had)


# Work that nobody waits for.


def abandoned(results, clock):
    """A job of "key" that nobody has looked at for longer than work goes on."""
    work = Step()
    job = start(results, "key", work)
    clock.now += PATIENCE + 0.001
    assert results.find("key") is None  # finding is not looking
    work.may_go_on.set()
    return ended(job)


def test_work_ends_when_nobody_has_looked_for_longer_than_its_patience(clock):
    job = abandoned(new_results(), clock)
    assert isinstance(job.error, AbandonedError)
    assert job.progress == ()


def test_abandoned_work_begins_anew_for_the_next_who_asks(clock):
    results, work = new_results(), done(kind=Step)
    old = abandoned(results, clock)
    new = ended(results.job("key", work, "visitor"))
    assert (new.outcome(), new.error, new.progress, work.times) == ("made", None, (1,), 1)
    assert isinstance(old.error, AbandonedError)


@pytest.mark.parametrize("look", ["wait", "ask"])
def test_work_goes_on_as_long_as_somebody_looks_from_time_to_time(clock, look):
    results, work = new_results(), Step()
    job = start(results, "key", work)
    for _ in range(5):
        clock.now += PATIENCE
        if look == "wait":
            assert not job.wait(0)
        else:
            assert results.job("key", work, "visitor") is job
    clock.now += PATIENCE
    work.may_go_on.set()
    assert ended(job).outcome() == "made"


def test_who_waits_long_looks_all_the_time(clock):
    results, work = new_results(), Step()
    job = start(results, "key", work)
    with ThreadPoolExecutor(1) as visitor:
        waited = visitor.submit(job.wait, SOON)
        until(lambda: job._looks)
        clock.now += 100 * PATIENCE
        work.may_go_on.set()
        assert waited.result(SOON)
    assert job.outcome() == "made"


def test_work_that_nobody_looks_at_is_dropped_before_it_starts(clock):
    results, slow, dropped = new_results(), Work(), done()
    first = start(results, "slow", slow, "a")
    job = results.job("dropped", dropped, "b")
    clock.now += PATIENCE + 0.001
    slow.may_go_on.set()
    assert isinstance(ended(job).error, AbandonedError)
    assert dropped.times == 0
    assert first.outcome() == "made"
    assert ended(results.job("dropped", dropped, "b")).outcome() == "made"


def test_what_is_made_before_anybody_could_tell_is_not_thrown_away(clock):
    results, work = new_results(), Work()
    job = start(results, "key", work)
    clock.now += 100 * PATIENCE
    work.may_go_on.set()
    assert ended(job).outcome() == "made"
    assert results.find("key") == "made"


def test_waiting_begins_again_what_was_abandoned_in_the_meantime():
    results, times = new_results(), count(1)

    def work(_):
        if next(times) < 3:
            raise AbandonedError
        return "made"

    watched = []

    def watch(job):
        watched.append(job)
        ended(job)

    assert wait_for(lambda: results.job("key", work, "visitor"), watch).outcome() == "made"
    assert next(times) == 4
    assert len(set(watched)) == len(watched) <= 3


def test_waiting_watches_nothing_that_is_ready_and_hands_on_what_failed():
    results, error = new_results(keep_errors=60), ValueError()
    make(results, "ready")
    ended(results.job("failed", done(error=error), "visitor"))
    watched = []
    assert wait_for(lambda: results.job("ready", Work(), "visitor"), watched.append).outcome() == "ready"
    assert wait_for(lambda: results.job("failed", Work(), "visitor"), watched.append).error is error
    assert watched == []


# Room.


def kept(results, *keys):
    """Which of them can be had at once, without work; this uses them in that order."""
    return [key for key in keys if results.find(key) is not None]


def test_the_least_recently_used_results_are_dropped():
    results = new_results(2)
    make(results, "a", "b")
    assert kept(results, "a", "b") == ["a", "b"]
    make(results, "c")
    assert kept(results, "a", "b", "c") == ["b", "c"]
    results.job("b", Work(), "visitor")
    make(results, "d")
    assert kept(results, "a", "b", "c", "d") == ["b", "d"]
    again = done("a")
    assert ended(results.job("a", again, "visitor")).outcome() == "a"
    assert again.times == 1


def test_room_is_counted_by_size():
    results = new_results(10, size_of=int)
    make(results, 4, 5, 1)
    assert kept(results, 4, 5, 1) == [4, 5, 1]
    make(results, 2)
    assert kept(results, 4, 5, 1, 2) == [5, 1, 2]
    make(results, 9)
    assert kept(results, 5, 1, 2, 9) == [9]


def test_a_result_larger_than_all_room_goes_to_those_who_wait_and_drops_no_other():
    results, large = new_results(10, size_of=int), Work(11)
    make(results, 3)
    waiting = [results.job("large", large, visitor) for visitor in "ab"]
    large.may_go_on.set()
    assert [ended(job).outcome() for job in waiting] == [11, 11]
    assert kept(results, "large", 3) == [3]


def test_work_under_way_and_errors_take_no_room():
    results, slow, error = new_results(1, workers=2, keep_errors=60), Work(), ValueError()
    job = start(results, "slow", slow, "other")
    ended(results.job("failed", done(error=error), "visitor"))
    make(results, "a", "b")
    assert kept(results, "a", "b") == ["b"]
    assert results.job("failed", Work(), "visitor").error is error
    assert results.job("slow", Work(), "other") is job
    slow.may_go_on.set()
    assert ended(job).outcome() == "made"
    assert kept(results, "slow", "b") == ["slow"]


# Many visitors, and the end.


def test_ten_visitors_who_wish_for_ten_things_at_once_all_get_theirs_in_turn():
    results, together, order = new_results(), threading.Barrier(10), []

    def work(job):
        for step in range(5):
            job.tell(step)
        order.append(job)
        return "made"

    def visit(number):
        together.wait(SOON)
        job = results.job(number, work, f"visitor {number}")
        places = [job.ahead()]
        while not job.wait(0.001):
            places.append(job.ahead())
        return job, places

    with ThreadPoolExecutor(10) as visitors:
        visits = [visit.result(SOON) for visit in [visitors.submit(visit, number) for number in range(10)]]
    assert all(job.outcome() == "made" and job.error is None for job, _ in visits)
    assert {job for job, _ in visits} == set(order)
    assert len(order) == 10
    assert all(places == sorted(places, reverse=True) for _, places in visits)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 3), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=30))
def test_whatever_visitors_wish_for_and_change_their_minds_about_all_get_what_they_wished_for_last(workers, wishes):
    """A small cache, so that results are dropped meanwhile too."""
    results, under_way, most = new_results(2, workers), [], []

    def work(key, job):
        under_way.append(key)
        most.append(len(under_way))
        try:
            for step in range(3):
                job.tell(step)
        finally:
            under_way.remove(key)
        return key

    def wish(visitor, key):
        return results.job(key, lambda job: work(key, job), visitor)

    for visitor, key in wishes:
        wish(str(visitor), key)
    last = {str(visitor): key for visitor, key in wishes}
    with ThreadPoolExecutor(len(last)) as visitors:

        def visit(visitor):
            return wait_for(lambda: wish(visitor, last[visitor]), lambda job: until(lambda: job.wait(0.01))).outcome()

        assert list(visitors.map(visit, last)) == list(last.values())
    assert max(most) <= workers


AT_THE_END = """
import time
from attention import AttentionConfig, learn
from pages.ui.layers.jobs import Line, Results
results = Results(Line(workers=3), 10)
def begin(seed):
    work = lambda job: learn(AttentionConfig(32, 2, seed=seed), on_step=job.tell)
    return results.job(seed, work, f"visitor {seed}")
jobs = [begin(seed) for seed in range(30)]
while not jobs[0].progress:
    [job.wait(0) for job in jobs]
    time.sleep(0.01)
print([job.has_ended for job in jobs].count(False) > 20)
"""


def test_python_ends_without_a_word_while_thirty_trainings_are_in_line():
    run = subprocess.run([sys.executable, "-c", AT_THE_END], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout, run.stderr) == (0, "True\n", "")


def test_when_the_line_closes_work_that_is_still_watched_gives_up_and_nothing_more_begins(clock):
    line = Line()
    results, never, gave_up = Results(line, 10), done(), threading.Event()

    def work(job):
        try:
            for step in count():
                job.tell(step)
        finally:
            gave_up.set()

    job = results.job("endless", work, "a")
    waiting = results.job("never", never, "b")
    until(lambda: job.wait(0) or job.progress)
    line.close()
    assert gave_up.is_set()
    assert isinstance(job.error, AbandonedError)
    assert not waiting.wait(0.05)
    assert not results.job("endless", never, "a").wait(0)
    assert never.times == 0
