"""The frame around every page: state, address, sidebar, and the strip that says where you are."""

import secrets
from collections.abc import Mapping
from dataclasses import fields

import streamlit as st

from pages import OVERVIEW, PAGES, WALK
from pages.ui import settings as choices
from pages.ui.figures import token_labels
from pages.ui.labels import label
from pages.ui.prose import code
from pages.ui.settings import Settings, fit_sentence
from pages.ui.style import STYLE

Contents = Mapping[str, st.Page]
_NAMES = tuple(field.name for field in fields(Settings))


def dress() -> None:
    """The rules of style, once per run."""
    st.html(STYLE)


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


def restore() -> Settings:
    """Bring session state, address and sidebar to one truth, and return it.

    The first run of a visit takes the address. Later the widgets lead, except where only the address has changed
    (the browser's back button): then it leads.
    """
    state = st.session_state
    address = {name: st.query_params[name] for name in _NAMES if name in st.query_params}
    last: Settings | None = state.get("settings")
    if last:  # a page switch from code drops the widgets' values
        for name in _NAMES:
            state.setdefault(name, getattr(last, name))
    moved = last is not None and _chosen() != last
    if last is None or (address and not moved and address != choices.to_query(last)):
        chosen, bad = choices.from_query(address, last or choices.defaults(_browser_language()))
        state["bad_address"] = bad
        state.update({name: getattr(chosen, name) for name in _NAMES})
    else:
        chosen = _chosen()
        if moved:
            state["bad_address"] = ()
    fitted = choices.fit(chosen)
    if fitted.num_heads != chosen.num_heads:
        text = label(
            "heads_changed", fitted.lang, before=chosen.num_heads, after=fitted.num_heads, d_model=fitted.d_model
        )
        st.toast(text, icon=":material/info:")
    _refresh_dependents(last, fitted)
    state["settings"] = fitted
    wanted = choices.to_query(fitted)
    if wanted != address:
        st.query_params.update(wanted)
    return fitted


def sidebar(settings: Settings, pages: Contents) -> None:
    """Everything a reader can choose, the same on every page."""
    lang = settings.lang
    typed = st.session_state["sentence"]
    fitted = fit_sentence(typed)
    labels = token_labels(fitted.tokens, markup=False)
    with st.sidebar:
        _navigation(settings, pages)
        st.text_input(label("sentence", lang), key="sentence", live=True, placeholder=label("placeholder", lang))
        if fitted.characters_left_out:
            st.caption(label("cut_characters", lang, most=choices.MAX_CHARACTERS, count=fitted.characters_left_out))
        if fitted.tokens_left_out:
            st.caption(label("cut_tokens", lang, most=choices.MAX_TOKENS, count=fitted.tokens_left_out))
        st.selectbox(
            label("example", lang),
            range(len(choices.examples(lang))),
            format_func=lambda i: choices.examples(lang)[i].sentence,
            index=None,
            key="example",
            placeholder=label("example_pick", lang),
            on_change=_take_example,
            label_visibility="collapsed",
        )
        st.select_slider(label("d_model", lang), choices.D_MODELS, key="d_model")
        st.select_slider(label("num_heads", lang), choices.head_counts(settings.d_model), key="num_heads")
        st.segmented_control(label("head", lang), range(settings.num_heads), key="head", required=True)
        if fitted.tokens:
            st.selectbox(label("query", lang), range(len(fitted.tokens)), format_func=lambda i: labels[i], key="query")
        st.toggle(label("scaled", lang), key="scaled")
        st.toggle(label("positions", lang), key="positions")
        st.toggle(label("causal", lang), key="causal")
        st.multiselect(
            label("hidden", lang),
            range(len(fitted.tokens)),
            format_func=lambda i: labels[i],
            key="hidden",
            placeholder=label("hidden_none", lang),
            select_all=False,
        )
        st.button(label("new_weights", lang), on_click=_new_seed, icon=":material/casino:", width="stretch")
        st.caption(f"{label('seed', lang, seed=settings.seed)} · {label('untrained', lang)}")


def strip(settings: Settings, pages: Contents, slug: str) -> None:
    """You are here: the steps in order, with the way back and the way on."""
    bad = st.session_state["bad_address"]
    if bad:
        st.warning(label("bad_address", settings.lang, names=", ".join(code(name) for name in bad)))
    with st.container(key="strip", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        _link(settings, pages, slug, -1, "previous")
        if slug == OVERVIEW:
            st.caption(label("start", settings.lang), width="content")
        else:
            here = label("you_are_here", settings.lang, number=WALK.index(slug) + 1, count=len(WALK))
            st.caption(here, width="content")
            crumbs = [f"**{label(s, settings.lang)}**" if s == slug else label(s, settings.lang) for s in WALK]
            with st.container(key="crumbs", width="content"):
                st.caption(" › ".join(crumbs), width="content")
        _link(settings, pages, slug, 1, "next")


def footer(settings: Settings, pages: Contents, slug: str) -> None:
    """Where to go on, at the end of a page."""
    with st.container(key="footer", horizontal=True, horizontal_alignment="distribute"):
        _link(settings, pages, slug, -1, "previous")
        _link(settings, pages, slug, 1, "next")


def _link(settings: Settings, pages: Contents, slug: str, step: int, name: str) -> None:
    place = PAGES.index(slug) + step
    if 0 <= place < len(PAGES):
        to = PAGES[place]
        text = label(name, settings.lang, page=label(to, settings.lang))
        st.page_link(pages[to], label=text, query_params=choices.to_query(settings), icon="")
    else:
        st.space("small")


def _navigation(settings: Settings, pages: Contents) -> None:
    lang, query = settings.lang, choices.to_query(settings)
    with st.container(key="contents", gap=None):
        st.segmented_control(
            label("language", lang),
            choices.LANGUAGES,
            format_func=lambda code: {"en": "English", "zh": "中文"}[code],
            key="lang",
            required=True,
            label_visibility="collapsed",
        )
        st.page_link(pages[OVERVIEW], label=label(OVERVIEW, lang), query_params=query, icon="")
        st.caption(label("walk", lang))
        for i, slug in enumerate(WALK, start=1):
            st.page_link(pages[slug], label=f"{i} · {label(slug, lang)}", query_params=query, icon="")


def _chosen() -> Settings:
    """What the widgets say now."""
    values = {name: st.session_state[name] for name in _NAMES}
    values["hidden"] = tuple(sorted(values["hidden"]))
    values["sentence"] = values["sentence"][: choices.MAX_CHARACTERS]
    return Settings(**values)


def _refresh_dependents(last: Settings | None, now: Settings) -> None:
    """Streamlit resets a widget whose options change: tell those that depend on others their value once more."""
    state = st.session_state
    before = _dependents(last) if last else {}
    for name, options in _dependents(now).items():
        if before.get(name) != options:
            state[name] = getattr(now, name) if name != "hidden" else list(now.hidden)


def _dependents(settings: Settings) -> dict[str, object]:
    tokens = fit_sentence(settings.sentence).tokens
    return {"num_heads": settings.d_model, "head": settings.num_heads, "query": tokens, "hidden": tokens}


def _take_example() -> None:
    state = st.session_state
    if state["example"] is not None:
        example = choices.examples(state["lang"])[state["example"]]
        state.update({"sentence": example.sentence, "query": example.query, "hidden": [], "example": None})


def _new_seed() -> None:
    st.session_state["seed"] = secrets.randbelow(choices.MAX_SEED) + 1


def _browser_language() -> str:
    return "zh" if (st.context.locale or "").lower().startswith("zh") else "en"
