"""The frame around every page: sidebar, the strip that says where you are, and the way on at the end."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st

from pages import LABS, OVERVIEW, PAGES, WALK
from pages.ui.compare import banner
from pages.ui.figures.colors import colors
from pages.ui.figures.panels import token_labels
from pages.ui.layers.ready import model_of
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
    WEIGHTS,
    head_counts,
)
from pages.ui.state.visit import change, control, current, said
from pages.ui.words.labels import label
from pages.ui.words.prose import code

Contents = Mapping[str, st.Page]


def dress() -> None:
    """The rules of style, once per run, in the theme that the figures have."""
    st.html(Path(__file__).with_name("style.css"))
    theme = colors(dark=st.context.theme.type == "dark")
    named = {"pointer": theme.pointer, "pointer-halo": theme.halo, "code-word": theme.code_word}
    st.html(f"<style>:root {{ {' '.join(f'--{name}: {color};' for name, color in named.items())} }}</style>")


def begin() -> Resolved:
    """What this run shows. Says so where a number of heads had to give way to the width."""
    here, wanted = visit.begin(model_of), current().heads_wanted
    if wanted:
        settings = here.settings
        facts = {"before": wanted, "after": settings.num_heads, "d_model": settings.d_model}
        st.toast(label("heads_changed", settings.lang, **facts), icon=":material/info:")
    return here


def contents(lang: str) -> Contents:
    """Streamlit's page for every folder of the table of contents."""
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
    current().page = slug
    sidebar(here, pages)
    strip(here, pages, slug)
    with suppress(PageEndedError):  # it has said what to do
        page.run()
    footer(here, pages, slug)


def sidebar(here: Resolved, pages: Contents) -> None:
    """Everything a reader can choose, the same on every page."""
    settings, lang, absent = here.settings, here.settings.lang, here.absent
    labels = token_labels(here.tokens, markup=False)
    with st.sidebar:
        _navigation(here, pages)
        _sentence(here)
        _weights(here)
        if "d_model" not in absent:
            _slider("d_model", lang, D_MODELS)
            _slider("num_heads", lang, head_counts(settings.d_model))
        st.segmented_control(label("head", lang), range(here.heads), required=True, **control("head", here.heads))
        if "query" not in absent:
            shown = control("query", labels)
            st.selectbox(label("query", lang), range(len(labels)), format_func=labels.__getitem__, **shown)
        for name in ("scaled", "positions", "causal"):
            if name not in absent:
                st.toggle(label(name, lang), **control(name))
        st.multiselect(
            label("hidden", lang),
            range(len(labels)),
            format_func=labels.__getitem__,
            placeholder=label("hidden_none", lang),
            select_all=False,
            **control("hidden", labels),
        )
        st.toggle(label("questions", lang), **control("questions"))


def _sentence(here: Resolved) -> None:
    """Where the reader types, what of it was left out, and sentences to start from."""
    lang, reading, sentences = here.settings.lang, here.reading, examples(here.settings.lang)
    typed: dict[str, Any] = control("sentence")
    st.text_input(label("sentence", lang), live=True, placeholder=label("placeholder", lang), **typed)
    if rest := len(said("sentence")) - len(here.settings.sentence):
        st.caption(label("cut_characters", lang, most=MAX_CHARACTERS, count=rest))
    if reading.tokens_left_out:
        st.caption(label("cut_tokens", lang, most=len(reading.tokens), count=reading.tokens_left_out))
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


def _slider(name: str, lang: str, options: Sequence[int], named: Callable[[Any], str] = str) -> None:
    """A slider over a few numbers."""
    shown = control(name, (lang, tuple(options)))
    st.select_slider(label(name, lang), options, format_func=named, **shown)


def _weights(here: Resolved) -> None:
    """Where the layer's numbers come from, and what belongs to that choice."""
    settings, lang, absent, kind = here.settings, here.settings.lang, here.absent, here.source.kind
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
    if here.source.is_drawn:
        st.button(label(f"again_{kind}", lang), on_click=_new_seed, icon=":material/casino:", width="stretch")
    seed = f"{label('seed', lang, seed=settings.seed)} · " if "seed" not in absent else ""
    st.caption(f"{seed}{label(f'about_{kind}', lang)}")


def strip(here: Resolved, pages: Contents, slug: str) -> None:
    """You are here: the steps in order, with the way back and the way on."""
    lang, bad = here.settings.lang, current().bad_address
    if bad:
        st.warning(label("bad_address", lang, names=", ".join(code(name) for name in bad)))
    with st.container(key="strip", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        _link(here, pages, slug, -1, "previous")
        if slug == OVERVIEW:
            st.caption(label("start", lang), width="content")
        else:
            row = WALK if slug in WALK else LABS
            name = "you_are_here" if slug in WALK else "this_lab"
            st.caption(label(name, lang, number=row.index(slug) + 1, count=len(row)), width="content")
            crumbs = [f"**{label(s, lang)}**" if s == slug else label(s, lang) for s in row]
            with st.container(key="crumbs", width="content"):
                st.caption(" › ".join(crumbs), width="content")
        _link(here, pages, slug, 1, "next")
    banner(here)


def footer(here: Resolved, pages: Contents, slug: str) -> None:
    """Where to go on, at the end of a page."""
    with st.container(key="footer", horizontal=True, horizontal_alignment="distribute"):
        _link(here, pages, slug, -1, "previous")
        _link(here, pages, slug, 1, "next")


def _link(here: Resolved, pages: Contents, slug: str, step: int, name: str) -> None:
    place, settings = PAGES.index(slug) + step, here.settings
    if 0 <= place < len(PAGES):
        to = PAGES[place]
        text = label(name, settings.lang, page=label(to, settings.lang))
        st.page_link(pages[to], label=text, query_params=to_query(settings.elsewhere), icon="")
    else:
        st.space("small")


def _navigation(here: Resolved, pages: Contents) -> None:
    lang, query = here.settings.lang, to_query(here.settings.elsewhere)
    with st.container(key="contents", gap=None):
        st.segmented_control(
            label("language", lang),
            LANGUAGES,
            format_func=lambda code: {"en": "English", "zh": "中文"}[code],
            required=True,
            label_visibility="collapsed",
            **control("lang"),
        )
        st.page_link(pages[OVERVIEW], label=label(OVERVIEW, lang), query_params=query, icon="")
        st.caption(label("walk", lang))
        for i, slug in enumerate(WALK, start=1):
            st.page_link(pages[slug], label=f"{i} · {label(slug, lang)}", query_params=query, icon="")
        st.caption(label("labs", lang))
        for slug in LABS:
            st.page_link(pages[slug], label=label(slug, lang), query_params=query, icon="")


def _take_example() -> None:
    settings, chosen = current().settings, said("example")
    offered = examples(settings.lang) if settings else ()
    if type(chosen) is int and 0 <= chosen < len(offered):
        change(sentence=offered[chosen].sentence, query=offered[chosen].query, hidden=())


def _new_seed() -> None:
    change(seed=secrets.randbelow(MAX_SEED) + 1)
