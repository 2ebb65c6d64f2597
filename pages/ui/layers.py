"""The layer in force: learned, random, set by hand or from a real model; and the trace of a sentence through it."""

from collections.abc import Callable, Hashable
from functools import cache, partial

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from attention import AttentionConfig, Edit, Learned, SentenceTrace, apply_edit, learn, trace_by_hand, trace_sentence
from attention.pretrained import Pretrained, Unavailable
from pages.ui import models, prose
from pages.ui.background import Job, Workshop, finished
from pages.ui.labels import label
from pages.ui.settings import SWAPPED, Settings, shown
from pages.ui.working import watch_steps

MOST_NUMBERS = 100_000_000  # of all trained layers in memory together, checkpoints included: 400 MB


def _numbers(layer: Learned) -> int:
    """How many numbers a trained layer keeps in memory."""
    d_model = layer.config.d_model
    own = layer.embedding.numel() + layer.positions.numel() + 4 * d_model * (d_model + 1)
    return own * len(layer.history.checkpoints)


_learned: Workshop[Learned] = Workshop(MOST_NUMBERS, _numbers)


def training(config: AttentionConfig, language: str) -> Job[Learned]:
    """The job that trains a layer: ended, under way, or begun now. All visitors share it."""
    return _learned.job((config, language), partial(_train, config, language))


def _train(config: AttentionConfig, language: str, job: Job[Learned]) -> Learned:
    return learn(config, language=language, on_step=job.tell)


def learned(settings: Settings, place: DeltaGenerator | None = None, *, held: bool = False) -> Learned:
    """The layer that learned for these settings. The first time it learns now, and shows in its place how far it is.

    held: it is the one that a page compares with.
    """

    @cache  # drawn once, however often the work must begin
    def box() -> tuple[DeltaGenerator, DeltaGenerator]:
        here = place or st.empty()
        return here, _training_box(settings, here, held)

    def watch(job: Job[Learned]) -> None:
        watch_steps(job, box()[1], settings.lang)

    layer = finished(partial(training, settings.config, settings.grammar), watch).outcome()
    if box.cache_info().currsize:
        box()[0].empty()
    return layer


def _training_box(settings: Settings, place: DeltaGenerator, held: bool) -> DeltaGenerator:
    """What is shown while a layer learns; its progress bar."""
    text = prose.sections("ui", settings.lang)
    with place.container(border=True, key="training_held" if held else "training"):
        bar = st.progress(0.0)
        st.caption(prose.fill(text["training_long" if settings.d_model > 128 else "training"], _sizes(settings)))
        if not held:
            rather = label("rather_random", settings.lang)
            st.button(rather, key="rather_random", on_click=take_weights, args=("random",))
    return bar


def _sizes(settings: Settings) -> dict[str, object]:
    return {"d_model": settings.d_model, "heads": settings.num_heads}


def take_weights(kind: str) -> None:
    """For a button: choose where the weights come from."""
    st.session_state["weights"] = kind


def load(settings: Settings, place: DeltaGenerator | None = None) -> Unavailable | None:
    """Have the real model that the settings name in memory; why not, where it cannot be had."""
    job = finished(partial(models.load, settings.model), partial(_show_loading, settings=settings, place=place))
    if isinstance(job.error, Unavailable):
        return job.error
    job.outcome()
    return None


def _show_loading(job: Job[Pretrained], settings: Settings, place: DeltaGenerator | None) -> None:
    words = prose.fill(prose.sections("ui", settings.lang)["loading"], {"model": prose.code(settings.model)})
    place = place or st.empty()
    while not job.wait(0.05):
        place.progress(job.news[0] if job.news else 0.0, words)
    place.empty()


def trace_of(settings: Settings, place: DeltaGenerator, *, held: bool = False) -> SentenceTrace:
    """Every number of the settings in force. A layer that must learn first shows in its place how far it is.

    held: these are the settings that a page compares with.
    """
    edit = settings.edit if settings.edit and settings.edit.tensor != SWAPPED else None
    sentence, hidden = shown(settings).sentence, settings.hidden
    key = (settings.weights, sentence, settings.config, hidden)
    if settings.weights == "learned":
        layer, checkpoint = learned(settings, place, held=held), settings.checkpoint
        walk = partial(layer.trace, sentence, checkpoint=checkpoint, hidden_keys=hidden)
        return _trace((*key, settings.grammar, checkpoint), edit, walk)
    if settings.weights == "real":
        while (real := settings.real) is None:  # others may have needed its room since the page began
            if trouble := load(settings, place):
                raise trouble
        switches = {"scaled": settings.scaled, "causal": settings.config.causal}
        walk = partial(real.trace, sentence, settings.layer, hidden_keys=hidden, **switches)
        return _trace((*key, settings.model, settings.layer), edit, walk)
    trace = trace_by_hand if settings.weights == "hand" else trace_sentence
    return _trace(key, edit, partial(trace, sentence, settings.config, hidden_keys=hidden))


@st.cache_resource(max_entries=64, show_spinner=False)
def _trace(key: tuple[Hashable, ...], edit: Edit | None, _walk: Callable[[], SentenceTrace]) -> SentenceTrace:
    """One trace per key, shared by all visitors: nothing in it is ever changed. _walk follows from the key."""
    with torch.no_grad():
        trace = _walk()
        return trace if edit is None else apply_edit(trace, edit)


def unavailable(settings: Settings, trouble: Unavailable) -> None:
    """Say why a real model cannot be had, and what to do next."""
    text, lang = prose.sections("ui", settings.lang), settings.lang
    facts = {"model": prose.code(settings.model), "detail": prose.code(trouble.detail)}
    st.warning(prose.fill(text[f"unavailable_{trouble.reason}"], facts), icon=":material/link_off:")
    with st.container(horizontal=True):
        st.button(label("try_again", lang), key="try_again", on_click=models.forget, args=(settings.model,))
        st.button(label("back_to_learned", lang), key="back_to_learned", on_click=_do_without, args=(settings.model,))


def _do_without(model: str) -> None:
    """For a button: neither in force nor held is a real model of that name."""
    state, settings = st.session_state, st.session_state["settings"]
    held: Settings | None = settings.pin
    if held and (held.weights, held.model) == ("real", model):
        state["pin"] = None
    if (settings.weights, settings.model) == ("real", model):
        take_weights("learned")
