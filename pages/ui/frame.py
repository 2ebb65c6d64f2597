"""The frame around every page: controls, the steps across the top, the map, and the way on at the end."""

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from attention.grammar.lexicon import is_mark
from pages import LABS, OVERVIEW, PAGES, WALK
from pages.ui import navigation
from pages.ui.ask import pointer
from pages.ui.compare import banner
from pages.ui.figures.colors import colors
from pages.ui.figures.panels import token_labels
from pages.ui.lab import shows_the_layer
from pages.ui.layers import ready, story
from pages.ui.layers.progress import TRAININGS
from pages.ui.lesson import PageEndedError
from pages.ui.state import visit
from pages.ui.state.address import to_query
from pages.ui.state.examples import examples
from pages.ui.state.resolved import Resolved
from pages.ui.state.settings import (
    CHECKPOINTS,
    D_MODELS,
    LANGUAGES,
    MAX_CHARACTERS,
    MAX_SEED,
    SWITCHES,
    WEIGHTS,
    head_counts,
)
from pages.ui.state.visit import change, control, current, move_on, open_apart, resolved, said, switch_small, where_to
from pages.ui.words.labels import label
from pages.ui.words.prose import code

# From which step on a switch changes what is shown, and what of the layer's settings labs of their own layers take.
_ACTS_FROM = {"scaled": "scaling", "causal": "softmax", "hidden": "softmax"}
_OF_A_LAYER = {
    "d_model",
    "num_heads",
    "head",
    "query",
    "weights",
    "checkpoint",
    "model",
    "layer",
    "scaled",
    "positions",
}
_OF_A_LAYER |= {"causal", "hidden", "retrained", "divided"}
_TAKEN = {"size": {"weights", "positions", "causal"}}  # by a lab that does not show the layer
# What decides nothing in labs that show the layer, as they have masks or scores of their own.
_MASKS = frozenset({"causal", "hidden"})
_WITHOUT = {
    "masks": _MASKS,
    "cross": _MASKS,
    "root": _MASKS | {"scaled"},
    "order": frozenset({"hidden"}),
    "rivals": frozenset({"scaled"}),
}
_HEADS = "heads"
MOST_NEW = 3  # new words that are named beside the sentence
MOST_BUTTONS = 8  # more heads than that are chosen from a list
_NAMED = ("pointer", "halo", "code_word", "ink", "quiet", "line", "paper", "accent", "q", "k", "v")

Contents = Mapping[str, st.Page]


def dress() -> None:
    """The rules of style, once per run, in the theme that the figures have."""
    rules = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    theme = colors(dark=st.context.theme.type == "dark")
    named = {name.replace("_", "-"): getattr(theme, name) for name in _NAMED}
    st.html(f"<style>{rules} :root {{ {' '.join(f'--{name}: {color};' for name, color in named.items())} }}</style>")


def begin() -> Resolved:
    """What this run shows. Says so where a number of heads had to give way to the width."""
    TRAININGS.disturb()
    here, wanted = visit.begin(ready.model_of), current().heads_wanted
    if wanted:
        settings = here.settings
        facts = {"before": wanted, "after": settings.num_heads, "d_model": settings.d_model}
        st.toast(label("heads_changed", settings.lang, **facts), icon=":material/info:")
    return here


def contents(lang: str) -> Contents:
    """Streamlit's page for every folder of the table of contents: in every run copies of its own, as it marks them."""
    return {slug: copy(page) for slug, page in _contents(lang).items()}


@cache
def _contents(lang: str) -> Contents:
    return {
        slug: st.Page(
            f"pages/{slug}/page.py",
            title=f"{label(slug, lang)} · {label('app', lang)}",
            icon="🔎",
            url_path=slug,
            default=slug == OVERVIEW,
        )
        for slug in PAGES
    }


def run(here: Resolved, pages: Contents, page: st.Page) -> None:
    """The page and what surrounds it; a page knows its folder by the slug of its address."""
    slug = next(slug for slug, other in pages.items() if other == page)
    visit = current()
    step = where_to(slug)
    visit.page, visit.go_to = step, ""
    if step != slug:
        st.switch_page(f"pages/{step}/page.py", query_params=to_query(move_on()))
    if slug == _HEADS and slug not in visit.seen:
        open_apart()
        here = resolved()
    visit.seen.add(slug)
    sidebar(here, slug)
    top(here, slug)
    try:
        page.run()
        has_ended = slug in LABS  # a step has its way on beside "Read more"
    except PageEndedError:  # it has said what to do
        has_ended = True
    if has_ended:
        st.html(navigation.ways(here.settings, slug))


def top(here: Resolved, slug: str) -> None:
    """Where you are: the steps in order, the labs, the language; and on the walk the map."""
    settings, lang, bad = here.settings, here.settings.lang, current().bad_address
    visit = current()
    st.html(navigation.top(settings, slug, visit.seen, Counter(page for page, _ in visit.solved)))
    pointer.guide(lang, settings.present, _on_ask)
    if bad:
        st.warning(label("bad_address", lang, names=", ".join(code(name) for name in bad)))
    banner(here)


def _on_ask() -> None:
    """A click on a link to one of our pages, another language, or the way into and out of presenting."""
    visit = current()
    for question in pointer.asked(guide=True):
        if question.get("page") in PAGES:
            visit.go_to = str(question["page"])
        elif question.get("lang") in LANGUAGES:
            change(lang=question["lang"])
        elif question.get("act") == "present" and visit.settings:
            change(present=not visit.settings.present)
        elif question.get("act") == "small":
            switch_small()


def idle(here: Resolved, slug: str) -> frozenset[str]:
    """The settings that decide nothing on a page, with the layer in force."""
    if not shows_the_layer(slug, here.settings):
        return here.absent | (_OF_A_LAYER - _TAKEN.get(slug, set()))
    if slug not in WALK:
        return here.absent | _WITHOUT.get(slug, frozenset())
    place = WALK.index(slug)
    later = {name for name, step in _ACTS_FROM.items() if WALK.index(step) > place}
    of_training = here.source.learns and here.settings.retrained  # then the switches change the very weights
    return here.absent | (later & {"hidden"} if of_training else later)


def sidebar(here: Resolved, slug: str) -> None:
    """What a reader can choose on this page; what decides nothing here is not there."""
    settings, lang, absent = here.settings, here.settings.lang, idle(here, slug)
    labels = token_labels(here.tokens)
    current().told_later = False
    with st.sidebar:
        _sentence(here)
        if "d_model" not in absent:
            _slider("d_model", lang, D_MODELS)
        if "num_heads" not in absent:
            _slider("num_heads", lang, head_counts(settings.d_model))
        if "head" in absent:
            pass
        elif here.heads > MOST_BUTTONS:
            shown = control("head", here.heads)
            st.selectbox(label("head", lang), range(here.heads), **shown)
        else:
            st.segmented_control(label("head", lang), range(here.heads), required=True, **control("head", here.heads))
        if "head" not in absent and here.source.learns:
            with st.container(key="job"):
                layer = ready.layer_at_hand(here)
                current().told_later = not story.has_learned(layer)
                st.caption(story.job_of(here, layer))
        if "query" not in absent:
            shown = control("query", labels)
            st.selectbox(label("query", lang), range(len(labels)), format_func=labels.__getitem__, **shown)
        if "weights" not in absent:
            _weights(here, absent)
        for name in SWITCHES:
            if name not in absent:
                st.toggle(label(name, lang), **control(name))
        if "retrained" not in absent:
            way = {"retrained": not settings.retrained}
            words = label("retrain_back" if settings.retrained else "retrain", lang)
            st.button(words, key="retrain", type="tertiary", on_click=change, kwargs=way)
        with st.expander(label("more", lang), key="rare"):
            _more(here, labels, absent)


def _more(here: Resolved, labels: Sequence[str], absent: Set[str]) -> None:
    """What is needed rarely."""
    settings, lang, kind = here.settings, here.settings.lang, here.source.kind
    if "hidden" not in absent:
        st.multiselect(
            label("hidden", lang),
            range(len(labels)),
            format_func=labels.__getitem__,
            placeholder=label("hidden_none", lang),
            select_all=False,
            **control("hidden", labels),
        )
    if "divided" not in absent:
        st.toggle(label("divided", lang), **control("divided"))
    if here.source.is_drawn:
        st.button(label(f"again_{kind}", lang), on_click=_new_seed, icon=":material/casino:", width="stretch")
    seed = f"{label('seed', lang, seed=settings.seed)} · " if "seed" not in here.absent else ""
    st.caption(f"{seed}{label(f'about_{kind}', lang)}")
    st.toggle(label("questions", lang), **control("questions"))


def _sentence(here: Resolved) -> None:
    """Where the reader types, what of it was left out, and sentences to start from."""
    lang, reading, sentences = here.settings.lang, here.reading, examples(here.settings.lang)
    typed: dict[str, Any] = control("sentence")
    st.text_area(label("sentence", lang), height="content", placeholder=label("placeholder", lang), **typed)
    if rest := len(said("sentence")) - len(here.settings.sentence):
        st.caption(label("cut_characters", lang, most=MAX_CHARACTERS, count=rest))
    if reading.tokens_left_out:
        st.caption(label("cut_tokens", lang, most=len(reading.tokens), count=reading.tokens_left_out))
    _new_words(here)
    visit.tell("example", None, lang)
    st.selectbox(
        label("example", lang),
        range(len(sentences)),
        format_func=lambda i: sentences[i].sentence,
        index=None,
        key="example",
        placeholder=label("example_pick", lang),
        on_change=_take_example,
        label_visibility="collapsed",
    )


def _new_words(here: Resolved) -> None:
    """Beside the sentence: which of its words are in no list of the layer that learns; what to take where most are."""
    lang, new, words = here.settings.lang, here.unlisted, story.taken(here)
    if not new:
        return
    more = label("and_more", lang, count=len(words) - MOST_NEW) if len(words) > MOST_NEW else ""
    with st.container(key="new_words"):
        st.caption(label("new_words", lang, words=label("between_tokens", lang).join(words[:MOST_NEW]) + more))
        if 2 * sum(token in new for token in here.tokens) > sum(not is_mark(token) for token in here.tokens):
            st.caption(label("mostly_new", lang))
            for kind in ("random", "real"):
                way = {"weights": kind}
                name = label(f"instead_{kind}", lang)
                st.button(name, key=f"instead_{kind}", type="tertiary", on_click=change, kwargs=way)


def _slider(name: str, lang: str, options: Sequence[int], named: Callable[[Any], str] = str) -> None:
    """A slider over a few numbers."""
    shown = control(name, (lang, tuple(options)))
    st.select_slider(label(name, lang), options, format_func=named, **shown)


def _weights(here: Resolved, absent: Set[str]) -> None:
    """Where the layer's numbers come from, and what belongs to that choice."""
    lang = here.settings.lang
    st.segmented_control(
        label("weights", lang),
        WEIGHTS,
        format_func=lambda kind: label(f"weights_{kind}", lang),
        required=True,
        **control("weights", lang),
    )
    if "checkpoint" not in absent:
        steps = [label("step", lang, step=step) for step in CHECKPOINTS]
        _slider("checkpoint", lang, range(len(steps)), steps.__getitem__)
    if "model" not in absent:
        st.text_input(label("model", lang), max_chars=MAX_CHARACTERS, **control("model"))
    if "layer" not in absent:
        _slider("layer", lang, range(here.scope.num_layers))


def _take_example() -> None:
    settings, chosen = current().settings, said("example")
    offered = examples(settings.lang) if settings else ()
    if type(chosen) is int and 0 <= chosen < len(offered):
        change(sentence=offered[chosen].sentence, query=offered[chosen].query, hidden=())


def _new_seed() -> None:
    change(seed=secrets.randbelow(MAX_SEED) + 1)
