"""Hold this, change one thing: what was held (A) beside what is on screen now (B), and the difference."""

from collections.abc import Callable, Sequence

import streamlit as st

from attention import Cell, Edit, SentenceTrace
from attention.tensors import SILENCED, TENSORS, AxisKind, changes, closed
from pages.ui.ask import terms
from pages.ui.figures.panels import Axis, Board, Closed, Panel, Scale, heatmap_height, token_labels
from pages.ui.figures.views import View
from pages.ui.state.resolved import Resolved
from pages.ui.state.settings import CHECKPOINTS, COMPARED
from pages.ui.state.values import SWAPPED
from pages.ui.state.visit import change, current, resolved, said, tell
from pages.ui.words import prose
from pages.ui.words.labels import label

Side = tuple[SentenceTrace, Resolved]


def compare(a: Side | None, b: Side, tensors: Sequence[str], by_hand: str, show: Callable[[Board, str], None]) -> None:
    """One box: how to hold; or A, B and B − A of the step's results, on one scale. show: places a board, with a key."""
    trace, here = b
    lang = here.settings.lang
    with st.container(key="compare"):
        if a is None:
            st.markdown(prose.shared(lang, "compare"))
            with st.container(horizontal=True, vertical_alignment="bottom"):
                _button("hold", lang)
                if by_hand:
                    change_by_hand(here, trace, by_hand)
            return
        changed = _differences(a[1], here) or prose.shared(lang, "nothing")
        st.markdown(prose.shared(lang, "compare_changed", changes=changed))
        st.caption(prose.shared(lang, a[1].same_weights(here)))
        results = [_result(tensor, a, b) for tensor in tensors]
        height = heatmap_height(max(len(a[0].tokens), len(trace.tokens)), most=190)
        panels = [[panel.without("columns")] for line, _ in results for panel in line if panel]
        show(Board(panels, [1], [height] * len(panels), width=340), "compare")
        for _, counted in results:
            st.markdown(counted)
        with st.container(horizontal=True):
            for name in ("back_to_a", "hold_again", "release") if here.settings.pin else ("hold",):
                _button(name, lang)
            if by_hand:
                change_by_hand(here, trace, by_hand)


def _result(tensor: str, a: Side, b: Side) -> tuple[Sequence[Panel | None], str]:
    """The panels A, B and B − A of one tensor, and what to say of them."""
    lang, kinds = b[1].settings.lang, _axes(tensor)
    before, after = (_view(tensor, side).of(side[0], side[1].settings.query) for side in (a, b))
    difference = after - before if before.shape == after.shape else None
    apart = Scale() if difference is None else Scale.signed(difference, name=f"B − A · {_name(tensor)}")
    name = label("scale_of", lang, tensor=_name(tensor))
    if TENSORS[tensor].range == "share":
        scale = Scale(weight=True, name=name)
    else:  # of numbers around 0 the difference is one, too
        scale = apart = Scale.signed(before, after, *([] if difference is None else [difference]), name=name)
    panels: list[Panel] = []
    for name, values, (trace, here) in (("A", before, a), ("B", after, b)):
        rows, columns = (_axis(kind, trace, lang) for kind in kinds)
        cells = closed(trace, tensor, here.settings.head)
        mask = None if cells is None else Closed(cells, label("closed", lang))
        panels.append(Panel(values, f"{name} · {_name(tensor)}", rows, columns, scale, closed=mask))
    named = {"tensor": _name(tensor)}
    if difference is None:
        return [*panels, None], prose.shared(lang, "compared_shapes", named, a=panels[0].shape, b=panels[1].shape)
    marked, now = changes(after, before), panels[1]
    panels.append(Panel(difference, f"B − A · {_name(tensor)}", now.rows, now.columns, apart, changed=marked))
    count = {"cells": marked.numel()}
    if not bool(marked.any()):
        return panels, prose.shared(lang, "compared_same", named, **count)
    row, column = divmod(int(difference.abs().argmax()), difference.shape[1])
    places = (_place(kind, b[0], number) for kind, number in zip(kinds, (row, column), strict=True))
    facts: dict[str, object] = dict(zip(("row", "column"), map(prose.code, places), strict=True))
    facts |= {"before": float(before[row, column]), "after": float(after[row, column])}
    words = prose.shared(lang, "compared", named, **count, **facts, changed=int(marked.sum()))
    return panels, f"{words} {prose.shared(lang, 'compared_words')}" if a[0].tokens != b[0].tokens else words


def _is_whole(tensor: str) -> bool:
    """Whether all heads are compared side by side."""
    return tensor in ("q", "k", "v")


def _view(tensor: str, side: Side) -> View:
    """What is compared: the chosen head's tensor; Q, K and V of all heads side by side."""
    trace, here = side
    if _is_whole(tensor):
        return View(tensor, head_dim=trace.config.head_dim)
    return View(tensor, here.settings.head if TENSORS[tensor].per_head else None)


def _axes(tensor: str) -> tuple[AxisKind, AxisKind]:
    known = TENSORS[tensor]
    return (known.rows, "dim") if _is_whole(tensor) else (known.rows, known.columns)


def _is_tokens(kind: AxisKind) -> bool:
    return kind in ("token", "query", "key")


def _axis(kind: AxisKind, trace: SentenceTrace, lang: str) -> Axis:
    if _is_tokens(kind):
        return Axis(label("axis_token", lang), token_labels(trace.tokens))
    return Axis(label("axis_dim", lang))


def _place(kind: AxisKind, trace: SentenceTrace, number: int) -> str:
    return token_labels(trace.tokens)[number] if _is_tokens(kind) else str(number)


def _name(tensor: str) -> str:
    return tensor.upper() if tensor in ("q", "k", "v", "x") else tensor


def _differences(a: Resolved, b: Resolved) -> str:
    """What was changed, as "name: before → after"."""
    lang = b.settings.lang
    changed = [name for name in COMPARED if getattr(a.settings, name) != getattr(b.settings, name)]
    told = [
        prose.shared(
            lang, "one_change", name=label(f"short_{name}", lang), before=_value(name, a), after=_value(name, b)
        )
        for name in changed
    ]
    return label("between_changes", lang).join(told)


def _value(name: str, here: Resolved) -> str:
    """The value of a setting in words."""
    lang, value = here.settings.lang, getattr(here.settings, name)
    if isinstance(value, bool):
        return label("on" if value else "off", lang)
    if name == "sentence":
        return prose.code(" ".join(value.split()))
    if name == "hidden":
        labels = token_labels(here.tokens)
        return " ".join(prose.code(labels[key]) for key in value) or label("nothing", lang)
    if name == "edit":
        return described(here) or label("nothing", lang)
    if name == "weights":
        return label(f"weights_{value}", lang)
    if name == "checkpoint":
        return str(CHECKPOINTS[value])
    return prose.code(value) if name == "model" else str(value)


def described(here: Resolved) -> str:
    """An edit in words, "" where there is none."""
    edit, lang = here.settings.edit, here.settings.lang
    if edit is None:
        return ""
    if edit.tensor == SILENCED:
        return prose.shared(lang, "did_silence", head=edit.head or 0)
    if edit.tensor == SWAPPED:
        labels = token_labels(here.tokens)
        return prose.shared(
            lang, "did_swap", first=prose.code(labels[edit.row]), second=prose.code(labels[edit.column])
        )
    place = terms.code_of(Cell(edit.tensor, edit.row, edit.column, edit.head))
    head = "" if edit.head is None else prose.shared(lang, "did_head", head=edit.head)
    return prose.shared(lang, "did_set", place=f"`{place}`", head=head, value=edit.value)


def banner(here: Resolved) -> None:
    """On every page: what was changed by hand, and how to undo it."""
    if here.settings.edit:
        lang = here.settings.lang
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="banner"):
            st.markdown(prose.shared(lang, "banner", edit=described(here)), width="content")
            _button("undo", lang)


def change_by_hand(here: Resolved, trace: SentenceTrace, way: str) -> None:
    """A change by hand: "swap" two words, or "silence" the chosen head. One at a time."""
    lang, is_edited = here.settings.lang, here.settings.edit is not None
    if way == "silence":
        name = label("silence", lang, head=here.settings.head)
        st.button(name, key="silence", on_click=_silence, icon=":material/volume_off:", disabled=is_edited)
        return
    labels = token_labels(trace.tokens)
    if len(labels) < 2 or not here.scope.can_swap:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="swap"):
        for name, place in (("swap_first", 0), ("swap_second", len(labels) - 1)):
            chosen = said(name)
            is_there = type(chosen) is int and 0 <= chosen < len(labels)  # another sentence may be shorter
            tell(name, chosen if is_there else place, (lang, labels))
            st.selectbox(label(name, lang), range(len(labels)), format_func=labels.__getitem__, key=name)
        name = label("swap", lang)
        st.button(name, key="swap_words", on_click=_swap, icon=":material/swap_horiz:", disabled=is_edited)


def _button(name: str, lang: str) -> None:
    st.button(label(name, lang), key=name, on_click=_ACTIONS[name][0], icon=f":material/{_ACTIONS[name][1]}:")


def _change(**values: object) -> None:
    """A change made in the panel, after which the whole page is another."""
    change(**values)
    current().redraws = True


def _hold() -> None:
    _change(pin=resolved().settings.held)


def _silence() -> None:
    _change(edit=Edit(SILENCED, head=resolved().settings.head))


def _swap() -> None:
    places, length = {said("swap_first"), said("swap_second")}, resolved().scope.seq_len
    if len(places) == 2 and all(type(place) is int and 0 <= place < length for place in places):
        _change(edit=Edit(SWAPPED, *sorted(places)))


def _back() -> None:
    """A's settings in force again, nothing held."""
    held = resolved().settings.pin
    if held:
        _change(**{name: getattr(held, name) for name in COMPARED}, pin=None)


_ACTIONS = {
    "hold": (_hold, "push_pin"),
    "hold_again": (_hold, "push_pin"),
    "back_to_a": (_back, "undo"),
    "release": (lambda: _change(pin=None), "close"),
    "undo": (lambda: change(edit=None), "undo"),
}
