"""Long work while somebody watches: one training, or many pieces one after the other."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.layers.jobs import Job, Line, wait_for
from pages.ui.state.visit import current
from pages.ui.words import prose
from pages.ui.words.labels import label

Item = TypeVar("Item")
Result = TypeVar("Result")
LOOK = 0.1  # seconds between two looks at work under way
REPEAT = 0.4  # seconds until the same is told again
TRAININGS = Line()  # whatever is trained is trained in turn, so that the server has time for its visitors


def watch_steps(job: Job[Result], bar: DeltaGenerator, lang: str, *, to_the_end: bool = True) -> None:
    """Show the steps of a training, which tells (step, steps, loss), or its place in line, until it has ended.

    to_the_end: else until there is a layer to be seen, as it stands.
    """
    told, then = None, 0.0
    while not job.wait(LOOK) and (to_the_end or not job.so_far):
        step, steps, loss = job.progress or (0, 1, 0.0)
        if ahead := job.ahead():
            words = prose.shared(lang, "training_waits", ahead=ahead)
        elif step:
            words = prose.shared(lang, "training_step", step=int(step), steps=int(steps), loss=loss)
        else:
            words = prose.shared(lang, "training_words")
        # Every message costs the server's other visitors time; but only by one does this run learn that it is over.
        if told != (step, words) or time.monotonic() - then > REPEAT:
            told, then = (step, words), time.monotonic()
            bar.progress(step / steps, words)


def progress_line(done: float, step: int, steps: int, lang: str) -> str:
    """A thin line across the window's top, which says how far a training is, and in words which step is shown."""
    words = label("learning", lang, step=step, steps=steps)
    return f"<div class='learning' role='status'><i style='width: {100 * done:.0f}%'></i><b>{words}</b></div>"


def work_through(
    name: str,
    lang: str,
    todo: Sequence[Item],
    total: int,
    begin: Callable[[Item], Job[Result]],
    describe: Callable[[Item], str],
) -> None:
    """A button to start or stop, and how far the work is. The page is drawn again after each piece."""
    running, done = current().running, total - len(todo)
    if not todo:
        running.discard(name)
        st.progress(1.0, label("work_done", lang, total=total))
        return
    way, icon = ("stop", "stop") if name in running else ("go_on" if done else "begin", "play_arrow")
    st.button(label(way, lang), key=f"{name}_button", on_click=_switch, args=(name,), icon=f":material/{icon}:")
    bar = st.progress(done / total, label("work_so_far", lang, done=done, total=total))
    if name in running:

        def watch(job: Job[Result]) -> None:
            while not job.wait(LOOK):
                step, steps, *_ = job.progress or (0, 1)
                now = label("work_now", lang, done=done, total=total, what=describe(todo[0]), step=int(step))
                bar.progress((done + step / steps) / total, now)

        wait_for(lambda: begin(todo[0]), watch).outcome()
        st.rerun()


def _switch(name: str) -> None:
    current().running ^= {name}
