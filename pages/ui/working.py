"""Long work while somebody watches: one training, or many pieces one after the other."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import prose
from pages.ui.background import Job, finished
from pages.ui.labels import label

Item = TypeVar("Item")
Result = TypeVar("Result")


def watch_steps(job: Job[Result], bar: DeltaGenerator, lang: str) -> None:
    """Show the steps of a training, which tells (step, steps, loss), until it has ended."""
    text = prose.sections("ui", lang)
    while not job.wait(0.05):
        step, steps, loss = job.news or (0, 1, 0.0)
        facts = {"step": int(step), "steps": int(steps), "loss": loss}
        bar.progress(step / steps, prose.fill(text["training_step" if step else "training_words"], facts))


def work_through(
    name: str,
    lang: str,
    todo: Sequence[Item],
    total: int,
    begin: Callable[[Item], Job[Result]],
    describe: Callable[[Item], str],
) -> None:
    """A button to start or stop, and how far the work is. The page is drawn again after each piece."""
    state, done = st.session_state, total - len(todo)
    if not todo:
        state[name] = False
        st.progress(1.0, label("work_done", lang, total=total))
        return
    is_running = state.get(name, False)
    way, icon = ("stop", "stop") if is_running else ("go_on" if done else "begin", "play_arrow")
    st.button(label(way, lang), key=f"{name}_button", on_click=_switch, args=(name,), icon=f":material/{icon}:")
    bar = st.progress(done / total, label("work_so_far", lang, done=done, total=total))
    if is_running:

        def watch(job: Job[Result]) -> None:
            while not job.wait(0.1):
                step, steps, *_ = job.news or (0, 1)
                now = label("work_now", lang, done=done, total=total, what=describe(todo[0]), step=int(step))
                bar.progress((done + step / steps) / total, now)

        finished(lambda: begin(todo[0]), watch).outcome()
        st.rerun()


def _switch(name: str) -> None:
    st.session_state[name] = not st.session_state.get(name, False)
