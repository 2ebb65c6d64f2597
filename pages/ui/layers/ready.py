"""A layer made ready, where it must first be trained or loaded; and the trace of a sentence through it."""

import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import cache, partial

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from attention import AttentionConfig, Edit, Learned, SentenceTrace, apply_edit, learn, pretrained
from attention.pretrained import Pretrained, Unavailable
from pages.ui import server
from pages.ui.layers.jobs import Job, Line, Results, wait_for
from pages.ui.layers.progress import TRAININGS, progress_line, watch_steps
from pages.ui.state.resolved import Resolved
from pages.ui.state.settings import D_MODELS, Settings, Weights, head_counts
from pages.ui.state.sources import SOURCES, Layer
from pages.ui.state.values import SWAPPED
from pages.ui.state.visit import change, current, resolved
from pages.ui.words import prose
from pages.ui.words.labels import label

MOST_NUMBERS = 100_000_000  # of all trained layers in memory together, checkpoints included: 400 MB
SHOWN_AT_ONCE = True  # whether a layer that still learns is shown as it stands
WIDEST_AHEAD = 128  # columns, up to which sizes next to the one in force learn ahead
FIRST_LOOK = 0.3  # seconds that a page waits for it before it says that it waits
RETRY = 60.0  # seconds until a model that could not be had is asked for again


# A layer that learns.


def _numbers(layer: Learned) -> int:
    """How many numbers a trained layer keeps in memory."""
    d_model = layer.config.d_model
    at_once = layer.kinds.numel() + layer.positions.numel() + 4 * d_model * (d_model + 1)
    return at_once * len(layer.history.checkpoints)


_learned: Results[Learned] = Results(TRAININGS, MOST_NUMBERS, _numbers)


def training(here: Resolved) -> Job[Learned]:
    """The job that trains a layer: ended, under way, in line, or put in line now. All visitors share it."""
    return _learned.job(_key(here), partial(_train, *_key(here)), current().id)


def _key(here: Resolved) -> tuple[AttentionConfig, str, bool]:
    """All that a training depends on."""
    return here.trained, here.language, here.settings.divided


def _train(config: AttentionConfig, language: str, divided: bool, job: Job[Learned]) -> Learned:
    return learn(config, language=language, divided=divided, on_step=job.tell, on_checkpoint=job.show)


def learned(here: Resolved, slot: DeltaGenerator | None = None, *, held: bool = False) -> Learned:
    """The layer that learned for these settings; the first time it learns now, and this is how it stands.

    held: it is the one that a page compares with, and is waited for; its slot shows how far it is.
    """
    to_the_end = held or not SHOWN_AT_ONCE

    @cache  # drawn once, however often the work must begin
    def box() -> tuple[DeltaGenerator, DeltaGenerator]:
        drawn_in = slot or st.empty()
        return drawn_in, _training_box(here.settings, drawn_in, held)

    def watch(job: Job[Learned]) -> None:
        until = time.monotonic() + FIRST_LOOK
        while not (to_the_end or job.so_far or job.has_ended) and time.monotonic() < until:
            job.wait(0.01)
        if to_the_end or not job.so_far:
            watch_steps(job, box()[1], here.settings.lang, to_the_end=to_the_end)

    begin = partial(training, here)
    job = wait_for(begin, watch, enough=lambda job: not to_the_end and job.so_far is not None)
    layer = (None if to_the_end else job.so_far) or job.outcome()
    if server.WORK_AHEAD and not (held or layer.is_learning):
        _learn_ahead(here)
    if box.cache_info().currsize:
        box()[0].empty()
    return layer


def _learn_ahead(here: Resolved) -> None:
    """Have a layer of a size next to this one learn while the server has nothing else to do."""
    place, config, language, divided = D_MODELS.index(here.settings.d_model), *_key(here)
    widths = [width for width in D_MODELS[max(0, place - 1) : place + 2] if width <= WIDEST_AHEAD]
    heads = head_counts(config.d_model)
    number = heads.index(config.num_heads)
    sizes = [(width, config.num_heads) for width in reversed(widths)]
    sizes += [(config.d_model, count) for count in heads[max(0, number - 1) : number + 2]]
    for d_model, num_heads in sizes:
        if d_model % num_heads == 0:
            key = replace(config, d_model=d_model, num_heads=num_heads), language, divided
            _learned.ahead(key, partial(_train, *key))


def how_far(here: Resolved, layer: Learned) -> str:
    """A line across the top, and which step is shown, while a layer learns."""
    job = training(here)
    done = job.progress[0] / job.progress[1] if job.progress else 0.0
    return progress_line(done, layer.at(here.settings.checkpoint).step, layer.history.steps, here.settings.lang)


def _training_box(settings: Settings, slot: DeltaGenerator, held: bool) -> DeltaGenerator:
    """What is shown while a layer learns; its progress bar."""
    lang, sizes = settings.lang, {"d_model": settings.d_model, "heads": settings.num_heads}
    with slot.container(border=True, key="training_held" if held else "training"):
        bar = st.progress(0.0)
        st.caption(prose.shared(lang, "training_long" if settings.d_model > 128 else "training", **sizes))
        if not held:
            rather = label("rather_random", lang)
            st.button(rather, key="rather_random", on_click=take_weights, args=("random",))
    return bar


def take_weights(kind: Weights) -> None:
    """For a button: choose where the weights come from."""
    change(weights=kind)


# A real model.

_models: Results[Pretrained] = Results(Line(), server.memory_for_models(), lambda model: model.size, keep_errors=RETRY)


def load(settings: Settings, slot: DeltaGenerator | None = None) -> Pretrained | Unavailable:
    """The real model that the settings name; why not, where it cannot be had. The first time it is loaded now."""

    def begin() -> Job[Pretrained]:
        return _models.job(settings.model, partial(_load, settings.model), current().id)

    job = wait_for(begin, partial(_show_loading, settings=settings, slot=slot))
    return job.error if isinstance(job.error, Unavailable) else job.outcome()


def _load(name: str, job: Job[Pretrained]) -> Pretrained:
    return pretrained.load(name, lambda _, share: job.tell(share), folders=not server.is_open_to_others())


def _show_loading(job: Job[Pretrained], settings: Settings, slot: DeltaGenerator | None) -> None:
    words = prose.shared(settings.lang, "loading", model=prose.code(settings.model))
    slot = slot or st.empty()
    while not job.wait(0.1):
        slot.progress(job.progress[0] if job.progress else 0.0, words)
    slot.empty()


def model_of(settings: Settings) -> Pretrained | None:
    """The real model that the settings name, if they name one that can be had."""
    if not SOURCES[settings.weights].is_loaded:
        return None
    found = load(settings)
    return found if isinstance(found, Pretrained) else None


def unavailable(settings: Settings, trouble: Unavailable) -> None:
    """Say why a real model cannot be had, and what to do next."""
    lang, facts = settings.lang, {"model": prose.code(settings.model), "detail": prose.code(trouble.detail)}
    from_hub_only = server.is_open_to_others() and trouble.reason in ("name", "network")
    section = f"unavailable_{trouble.reason}" + "_hub" * from_hub_only
    st.warning(prose.shared(lang, section, facts), icon=":material/link_off:")
    with st.container(horizontal=True):
        st.button(label("try_again", lang), key="try_again", on_click=_models.forget, args=(settings.model,))
        st.button(label("back_to_learned", lang), key="back_to_learned", on_click=_do_without, args=(settings.model,))


def _do_without(model: str) -> None:
    """For a button: a real model of that name is neither in force nor held."""
    settings = resolved().settings
    if settings.pin and _names(settings.pin, model):
        change(pin=None)
    if _names(settings, model):
        take_weights("learned")


def _names(settings: Settings, model: str) -> bool:
    return SOURCES[settings.weights].is_loaded and settings.model == model


# What is at hand, without training or loading anything.


def model_at_hand(settings: Settings) -> Pretrained | None:
    """The real model that the settings name, if it is in memory."""
    return _models.find(settings.model) if SOURCES[settings.weights].is_loaded else None


def layer_at_hand(here: Resolved) -> Layer:
    """What was learned or loaded for these settings, if it is in memory."""
    return _learned.find_so_far(_key(here)) if here.source.learns else here.model


# The trace.


def said_by(here: Resolved, trace: SentenceTrace, layer: Layer) -> tuple[str, ...]:
    """The words that a learned layer's output rows are nearest to; none with other weights."""
    if not isinstance(layer, Learned):
        return ()
    output, place = trace.attention.output, here.settings.checkpoint
    return tuple(layer.words(output, trace.tokens, checkpoint=place, gaps=here.shown.gaps))


def layer_of(here: Resolved, slot: DeltaGenerator, *, held: bool = False) -> Layer:
    """What was learned or loaded for these settings. See learned."""
    return learned(here, slot, held=held) if here.source.learns else here.model


def trace_of(here: Resolved, layer: Layer) -> SentenceTrace:
    """Every number of the settings in force. layer: what layer_of gave for them."""
    settings, reading = here.settings, here.shown
    edit = settings.edit if settings.edit and settings.edit.tensor != SWAPPED else None
    walk = partial(here.source.trace, settings, reading, here.config, layer)
    step = layer.at(settings.checkpoint).step if isinstance(layer, Learned) else 0
    return _trace((here.source.key(settings, reading, here.config), step), edit, walk)


@st.cache_resource(max_entries=64, show_spinner=False)
def _trace(key: Hashable, edit: Edit | None, _walk: Callable[[], SentenceTrace]) -> SentenceTrace:
    """One trace per key, shared by all visitors: nothing in it is ever changed. _walk follows from the key."""
    with torch.no_grad():
        trace = _walk()
        return trace if edit is None else apply_edit(trace, edit)
