"""The frame around every page: state, address, sidebar, and the strip that says where you are."""

import secrets
from collections.abc import Container, Mapping
from dataclasses import fields

import streamlit as st

from pages import LABS, OVERVIEW, PAGES, WALK
from pages.ui import layers
from pages.ui import settings as choices
from pages.ui.compare import banner
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
    state, place = st.session_state, st.empty()
    address = {name: st.query_params[name] for name in _NAMES if name in st.query_params}
    last: Settings | None = state.get("settings")
    has_moved = last is not None and _chosen(last) != last
    if last is None or (address and not has_moved and address != choices.to_query(last)):
        start = last or choices.defaults(_browser_language())
        if address.get("weights") == "real":  # what else the address says can only be read with the model at hand
            named = {name: text for name, text in address.items() if name in ("lang", "model")}
            layers.load(choices.from_query(named, start)[0], place)
        chosen, bad = choices.from_query(address, start)
        state["bad_address"] = bad
        state.update({name: getattr(chosen, name) for name in _NAMES})
    else:
        chosen = choices.moved(last, _chosen(last), edit_is_new=state.pop("edit_is_new", False))
        if chosen.weights == "real":
            layers.load(chosen, place)
        if has_moved:
            state["bad_address"] = ()
    fitted = choices.fit(chosen)
    if fitted.num_heads != chosen.num_heads:
        text = label(
            "heads_changed", fitted.lang, before=chosen.num_heads, after=fitted.num_heads, d_model=fitted.d_model
        )
        st.toast(text, icon=":material/info:")
    _refresh_dependents(last, fitted)
    state.update({"settings": fitted, "cell": fitted.cell, "edit": fitted.edit, "pin": fitted.pin})
    _leave_to_widgets(fitted)
    wanted = choices.to_query(fitted)
    if wanted != address:
        st.query_params.update(wanted)
    return fitted


def sidebar(settings: Settings, pages: Contents) -> None:
    """Everything a reader can choose, the same on every page."""
    lang, absent = settings.lang, _absent(settings)
    typed = st.session_state["sentence"]
    fitted = fit_sentence(typed)
    labels = token_labels(choices.shown(settings).tokens, markup=False)
    tokens = range(len(labels))
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
        _weights(settings, absent)
        if "d_model" not in absent:
            st.select_slider(label("d_model", lang), choices.D_MODELS, key="d_model")
            st.select_slider(label("num_heads", lang), choices.head_counts(settings.d_model), key="num_heads")
        st.segmented_control(label("head", lang), range(settings.heads), key="head", required=True)
        if "query" not in absent:
            st.selectbox(label("query", lang), tokens, format_func=lambda i: labels[i], key="query")
        st.toggle(label("scaled", lang), key="scaled")
        if "positions" not in absent:
            st.toggle(label("positions", lang), key="positions")
        if "causal" not in absent:
            st.toggle(label("causal", lang), key="causal")
        st.multiselect(
            label("hidden", lang),
            tokens,
            format_func=lambda i: labels[i],
            key="hidden",
            placeholder=label("hidden_none", lang),
            select_all=False,
        )
        st.toggle(label("questions", lang), key="questions")


def _weights(settings: Settings, absent: Container[str]) -> None:
    """Where the layer's numbers come from, and what belongs to that choice."""
    lang, kind = settings.lang, settings.weights
    st.segmented_control(
        label("weights", lang),
        choices.WEIGHTS,
        format_func=lambda kind: label(f"weights_{kind}", lang),
        key="weights",
        required=True,
    )
    if "checkpoint" not in absent:
        steps = [label("step", lang, step=step) for step in choices.CHECKPOINTS]
        st.select_slider(label("checkpoint", lang), range(len(steps)), format_func=steps.__getitem__, key="checkpoint")
    if kind == "real":
        st.text_input(label("model", lang), key="model", max_chars=choices.MAX_CHARACTERS)
        if settings.real and "layer" not in absent:
            st.select_slider(label("layer", lang), range(settings.real.num_layers), key="layer")
    elif kind != "hand":
        st.button(label(f"again_{kind}", lang), on_click=_new_seed, icon=":material/casino:", width="stretch")
    seed = f"{label('seed', lang, seed=settings.seed)} · " if kind != "real" else ""
    st.caption(f"{seed}{label(f'about_{kind}', lang)}")


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
            row = WALK if slug in WALK else LABS
            name = "you_are_here" if slug in WALK else "this_lab"
            here = label(name, settings.lang, number=row.index(slug) + 1, count=len(row))
            st.caption(here, width="content")
            crumbs = [f"**{label(s, settings.lang)}**" if s == slug else label(s, settings.lang) for s in row]
            with st.container(key="crumbs", width="content"):
                st.caption(" › ".join(crumbs), width="content")
        _link(settings, pages, slug, 1, "next")
    banner(settings)


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
        st.page_link(pages[to], label=text, query_params=choices.to_query(settings.elsewhere), icon="")
    else:
        st.space("small")


def _navigation(settings: Settings, pages: Contents) -> None:
    lang, query = settings.lang, choices.to_query(settings.elsewhere)
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
        st.caption(label("labs", lang))
        for slug in LABS:
            st.page_link(pages[slug], label=label(slug, lang), query_params=query, icon="")


def _absent(settings: Settings) -> Container[str]:
    """The settings that have no widget now, because they decide nothing."""
    real = settings.real
    is_there = {
        "query": bool(choices.shown(settings).tokens),
        "checkpoint": settings.weights == "learned",
        "model": settings.weights == "real",
        "layer": real is not None and real.num_layers > 1,
        "causal": real is None or not real.causal,
        **dict.fromkeys(("d_model", "num_heads", "positions"), settings.weights != "real"),
    }
    return [name for name, there in is_there.items() if not there]


def _leave_to_widgets(settings: Settings) -> None:
    """Every widget has its value in the session state, and what has none is not there.

    Streamlit forgets the value of a widget that is not drawn, and at a page switch from code of all. What it remembers
    then may be one from long ago.
    """
    state, absent = st.session_state, _absent(settings)
    for name in _NAMES:
        if name not in absent:
            state.setdefault(name, getattr(settings, name))
        elif name in state:
            del state[name]


def _chosen(last: Settings) -> Settings:
    """What the widgets say now; what has none is as it was."""
    values = {name: st.session_state.get(name, getattr(last, name)) for name in _NAMES}
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
    tokens = choices.shown(settings).tokens
    layer_count = settings.real.num_layers if settings.real else 1
    return {
        "num_heads": settings.d_model,
        "head": settings.heads,
        "query": tokens,
        "hidden": tokens,
        "layer": layer_count,
    }


def _take_example() -> None:
    state = st.session_state
    if state["example"] is not None:
        example = choices.examples(state["lang"])[state["example"]]
        state.update({"sentence": example.sentence, "query": example.query, "hidden": [], "example": None})


def _new_seed() -> None:
    st.session_state["seed"] = secrets.randbelow(choices.MAX_SEED) + 1


def _browser_language() -> str:
    return "zh" if (st.context.locale or "").lower().startswith("zh") else "en"
