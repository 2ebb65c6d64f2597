"""Hold this, change one thing: what was held (A) beside what is on screen now (B), and the difference."""

from collections.abc import Callable, Sequence

import streamlit as st
from torch import Tensor

from attention import Cell, Edit, SentenceTrace
from pages.ui import prose, terms
from pages.ui.figures import Axis, Board, Closed, Panel, Scale, heatmap_height, token_labels
from pages.ui.labels import label
from pages.ui.settings import CHECKPOINTS, COMPARED, SILENCED, SWAPPED, Settings, pinned
from pages.ui.settings import shown as shown_sentence
from pages.ui.tensors import OF_HEADS, Origin, changes, closed, letters_of, view


def compare(
    settings: Settings,
    a: SentenceTrace | None,
    b: SentenceTrace,
    tensors: Sequence[str],
    by_hand: str,
    show: Callable[[Board, str], None],
) -> None:
    """One box: how to hold; or A, B and B − A of the step's results, on one scale. show: places a board, with a key."""
    text, held = prose.sections("ui", settings.lang), settings.before
    with st.container(border=True, key="compare"):
        st.markdown(f"## {text['compare_title']}", anchors=False)
        if a is None or held is None:
            st.markdown(text["compare"])
            with st.container(horizontal=True, vertical_alignment="bottom"):
                _button("hold", settings.lang)
                if by_hand:
                    change(settings, b, by_hand)
            return
        st.markdown(prose.fill(text["compare_changed"], {"changes": _differences(held, settings) or text["nothing"]}))
        st.caption(text[_same_weights(held, settings)])
        results = [_result(tensor, settings, held, a, b) for tensor in tensors]
        widest = max(len(line) for line, _ in results)
        height = heatmap_height(max(len(a.tokens), len(b.tokens)), most=300)
        show(Board([line for line, _ in results], [1] * widest, [height] * len(results), gap=0.06), "compare")
        for _, counted in results:
            st.markdown(counted)
        with st.container(horizontal=True):
            for name in ("back_to_a", "hold_again", "release") if settings.pin else ("hold",):
                _button(name, settings.lang)
            if by_hand:
                change(settings, b, by_hand)


def _result(
    tensor: str, settings: Settings, held: Settings, a: SentenceTrace, b: SentenceTrace
) -> tuple[Sequence[Panel | None], str]:
    """The panels A, B and B − A of one tensor, and what to say of them."""
    lang, text = settings.lang, prose.sections("ui", settings.lang)
    sides = [_matrix(tensor, a, held), _matrix(tensor, b, settings)]
    difference = sides[1] - sides[0] if sides[0].shape == sides[1].shape else None
    name = label("scale_of", lang, tensor=_name(tensor))
    scale = Scale.signed(*sides, *([] if difference is None else [difference]), name=name)
    panels: list[Panel] = []
    for name, values, trace, chosen in (("A", sides[0], a, held), ("B", sides[1], b, settings)):
        rows, columns = (_axis(letter, trace, lang) for letter in _letters(tensor))
        mask = Closed(closed(trace, chosen.head), label("closed", lang)) if tensor == "attn_weights" else None
        panels.append(Panel(values, f"{name} · {_name(tensor)}", rows, columns, scale, closed=mask))
    facts: dict[str, object] = {"tensor": _name(tensor), "a": panels[0].shape, "b": panels[1].shape}
    if difference is None:
        return [*panels, None], prose.fill(text["compared_shapes"], facts)
    marked = changes(sides[1], sides[0])
    _, now = panels
    panels.append(Panel(difference, f"B − A · {_name(tensor)}", now.rows, now.columns, scale, changed=marked))
    facts |= {"cells": marked.numel(), "changed": int(marked.sum())}
    if not facts["changed"]:
        return panels, prose.fill(text["compared_same"], facts)
    row, column = divmod(int(difference.abs().argmax()), difference.shape[1])
    places = (_place(letter, b, number) for letter, number in zip(_letters(tensor), (row, column), strict=True))
    facts |= dict(zip(("row", "column"), map(prose.code, places), strict=True))
    facts |= {"before": float(sides[0][row, column]), "after": float(sides[1][row, column])}
    words = prose.fill(text["compared"], facts)
    other_words = " " + text["compared_words"] if a.tokens != b.tokens else ""
    return panels, words + other_words


def _matrix(tensor: str, trace: SentenceTrace, settings: Settings) -> Tensor:
    """What is compared: the chosen head's tensor; Q, K and V of all heads side by side."""
    if tensor in ("q", "k", "v"):
        values = view(trace, Origin(tensor, head_dim=trace.config.head_dim), settings.query)
    else:
        values = view(trace, Origin(tensor, settings.head if tensor in OF_HEADS else None), 0)
    assert values is not None
    return values


def _letters(tensor: str) -> str:
    return "LD" if tensor in ("q", "k", "v") else letters_of(tensor)


def _axis(letter: str, trace: SentenceTrace, lang: str) -> Axis:
    if letter == "L":
        return Axis(label("axis_token", lang), token_labels(trace.tokens))
    return Axis(label("axis_dim", lang))


def _place(letter: str, trace: SentenceTrace, number: int) -> str:
    return token_labels(trace.tokens, markup=False)[number] if letter == "L" else str(number)


def _name(tensor: str) -> str:
    return tensor.upper() if tensor in ("q", "k", "v", "x") else tensor


def _differences(a: Settings, b: Settings) -> str:
    """What was changed, as "name: before → after"."""
    changed = [name for name in COMPARED if getattr(a, name) != getattr(b, name)]
    told = prose.sections("ui", b.lang)["one_change"]
    facts = [
        {"name": label(f"short_{name}", b.lang), "before": _value(name, a), "after": _value(name, b)}
        for name in changed
    ]
    return label("between_changes", b.lang).join(prose.fill(told, fact) for fact in facts)


def _value(name: str, settings: Settings) -> str:
    value = getattr(settings, name)
    if isinstance(value, bool):
        return label("on" if value else "off", settings.lang)
    if name == "sentence":
        return prose.code(" ".join(value.split()))
    if name == "hidden":
        labels = token_labels(shown_sentence(settings).tokens, markup=False)
        return " ".join(prose.code(labels[key]) for key in value) or label("nothing", settings.lang)
    if name == "edit":
        return described(settings) or label("nothing", settings.lang)
    if name == "weights":
        return label(f"weights_{value}", settings.lang)
    if name == "checkpoint":
        return str(CHECKPOINTS[value])
    return prose.code(value) if name == "model" else str(value)


def _same_weights(a: Settings, b: Settings) -> str:
    """Whether A and B use the same matrices, and if not, why: the name of a section that says so."""
    if a.weights != b.weights:
        return "weights_kind"
    if b.weights == "real":
        return "weights_kind" if a.model != b.model else "weights_layer" if a.layer != b.layer else "weights_same"
    if b.weights == "learned":
        if (a.config, a.grammar) != (b.config, b.grammar):
            return "weights_learned"
        return "weights_checkpoint" if a.checkpoint != b.checkpoint else "weights_same"
    if a.d_model != b.d_model:
        return "weights_width"
    if a.seed != b.seed:
        return "weights_seed"
    return "weights_cut" if a.num_heads != b.num_heads else "weights_same"


def described(settings: Settings) -> str:
    """An edit in words, "" where there is none."""
    edit, text = settings.edit, prose.sections("ui", settings.lang)
    if edit is None:
        return ""
    if edit.tensor == SILENCED:
        return prose.fill(text["did_silence"], {"head": edit.head or 0})
    if edit.tensor == SWAPPED:
        labels = token_labels(shown_sentence(settings).tokens, markup=False)
        facts = {"first": prose.code(labels[edit.row]), "second": prose.code(labels[edit.column])}
        return prose.fill(text["did_swap"], facts)
    place = terms.code_of(Cell(edit.tensor, edit.row, edit.column, edit.head))
    head = "" if edit.head is None else prose.fill(text["did_head"], {"head": edit.head})
    return prose.fill(text["did_set"], {"place": f"`{place}`", "head": head, "value": edit.value})


def banner(settings: Settings) -> None:
    """On every page: what is held and what was changed by hand, and how to undo it."""
    if settings.edit:
        text = prose.sections("ui", settings.lang)
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="banner"):
            st.markdown(prose.fill(text["banner"], {"edit": described(settings)}), width="content")
            _button("undo", settings.lang)


def change(settings: Settings, trace: SentenceTrace, by_hand: str) -> None:
    """A change by hand: swap two words, or silence the chosen head."""
    lang, state = settings.lang, st.session_state
    if by_hand == "silence":
        name = label("silence", lang, head=settings.head)
        st.button(
            name, key="silence", on_click=_silence, icon=":material/volume_off:", disabled=settings.edit is not None
        )
        return
    labels = token_labels(trace.tokens, markup=False)
    if len(labels) < 2 or settings.weights == "real":  # its tokens are no words
        return
    last = len(labels) - 1
    for name, place in (("swap_first", 0), ("swap_second", last)):  # another sentence may be shorter
        state[name] = min(state.get(name, place), last)
    with st.container(horizontal=True, vertical_alignment="bottom", key="swap"):
        for name in ("swap_first", "swap_second"):
            st.selectbox(label(name, lang), range(len(labels)), format_func=lambda i: labels[i], key=name)
        is_edited = settings.edit is not None  # one change by hand at a time
        name = label("swap", lang)
        st.button(name, key="swap_words", on_click=_swap, icon=":material/swap_horiz:", disabled=is_edited)


def _button(name: str, lang: str) -> None:
    st.button(label(name, lang), key=name, on_click=_ACTIONS[name][0], icon=f":material/{_ACTIONS[name][1]}:")


def _set(**values: object) -> None:
    st.session_state.update(values)


def _hold() -> None:
    _set(pin=pinned(st.session_state["settings"]).pin)


def _silence() -> None:
    _set(edit=Edit(SILENCED, head=st.session_state["settings"].head))


def _swap() -> None:
    state = st.session_state
    first, second = sorted((state["swap_first"], state["swap_second"]))
    if first != second:
        _set(edit=Edit(SWAPPED, first, second))


def _back() -> None:
    """A's settings in force again, nothing held."""
    held: Settings = st.session_state["settings"].pin
    values = {name: getattr(held, name) for name in COMPARED}
    _set(**values | {"hidden": list(held.hidden), "pin": None, "edit_is_new": True})


_ACTIONS = {
    "hold": (_hold, "push_pin"),
    "hold_again": (_hold, "push_pin"),
    "back_to_a": (_back, "undo"),
    "release": (lambda: _set(pin=None), "close"),
    "undo": (lambda: _set(edit=None), "undo"),
}
