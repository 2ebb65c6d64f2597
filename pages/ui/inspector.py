"""Where does this number come from? One cell of one tensor, and the arithmetic that made it.

It runs by itself (a fragment): asking about another cell draws nothing else on the page again.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from attention import Cell, Derivation, Edit, Index, SentenceTrace, explain_cell, measures
from pages import WALK
from pages.ui import pointer, prose, terms
from pages.ui.figures import token_labels
from pages.ui.labels import label
from pages.ui.quiz import take_click, verdict_on
from pages.ui.settings import (
    EDITABLE,
    Settings,
    address_of,
    as_written,
    cell_at,
    cell_fits,
    limits,
    text_sizes,
    to_query,
)
from pages.ui.tensors import OF_HEADS, TENSORS, letters_of, matrix, shape_of

MOST_STEPS_BACK = 12
LONGEST_LINE = 30  # signs, as they are seen
_POINTER = "pointer"
_BY_KEYS = ("scores", "scaled_scores", "masked_scores", "exponentials", "attn_weights")
_STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


def first_cell(trace: SentenceTrace, tensor: str, head: int, query: int) -> Cell:
    """A cell worth asking about first, in the row of the query: its largest weight, elsewhere its largest number."""
    own = head if tensor in OF_HEADS else None
    if tensor in _BY_KEYS:
        return Cell(tensor, query, measures.peak(trace.attention.attn_weights[head, query]).column, own)
    return Cell(tensor, query, measures.peak(matrix(trace, tensor, own, query)[query].abs()).column, own)


@st.fragment
def inspector(page: str, trace: SentenceTrace, tensor: str, has_cells: bool) -> None:
    """The explanation of the chosen cell; at first one of the tensor, in the row of the chosen query.

    has_cells: the page's figures have cells to click.
    """
    state = st.session_state
    settings: Settings = state["settings"]
    cell = settings.cell or first_cell(trace, tensor, settings.head, settings.query)
    if step := state.pop("go_to", None):  # a panel's name was clicked
        st.switch_page(f"pages/{step}/page.py", query_params=to_query(settings.elsewhere))
    trail = tuple(past for past in state.get("trail", ()) if settings.cell and cell_fits(past, settings))
    state["trail"] = trail[-MOST_STEPS_BACK:]
    state["asking"] = cell  # what a step to a neighbour starts from
    derivation = explain_cell(trace, cell.tensor, cell.row, cell.column, cell.head, query=settings.query)
    pointer.pointer(_POINTER, _frames(derivation), _on_ask)
    text = prose.sections("ui", settings.lang)
    with st.container(border=True, key="inspector"):
        st.markdown(f"## {text['title']}", anchors=False)
        verdict_on(cell, page, trace)
        told, added = st.columns([0.46, 0.54], gap="medium")
        with told:
            st.html(f"<div class='trail' aria-live='polite'>{terms.trail(state['trail'], cell)}</div>")
            facts = {**prose.of_weights(settings.weights, settings.lang), **_facts(derivation)}
            st.markdown(prose.fill(text[_section(derivation)], facts))
            st.latex(_lines(derivation))
        with added:
            _terms(derivation, trace, settings)
        _choose(trace, cell, terms.written(derivation.value), settings)
        st.caption(text["hint" if has_cells else "hint_alone"])
        if state.pop("redraw", False):
            st.rerun()


def _lines(derivation: Derivation) -> str:
    """The formula in three lines: in symbols, with the numbers, the result."""
    left, _, right = derivation.symbols.partition(" = ")
    result = derivation.formula.rpartition(" = ")[2]
    parts = [part for part in (right, _broken(derivation.numbers)) if part and part != result]
    lines = r" \\[2pt] ".join(f"&= {part}" for part in (*parts, result))
    return rf"\begin{{aligned}} {left} {lines} \end{{aligned}}"


def _broken(numbers: str) -> str:
    """A long sum over two lines."""
    summands = numbers.split(" + ")
    seen = re.sub(r"\\[a-z]+|[{}^ ]", lambda sign: "·" if len(sign[0]) > 1 else "", numbers)
    if len(seen) <= LONGEST_LINE or len(summands) < 2 or numbers.startswith("\\"):
        return numbers
    half = (len(summands) + 1) // 2
    return " + ".join(summands[:half]) + r" \\ & \quad + " + " + ".join(summands[half:])


def _section(derivation: Derivation) -> str:
    if derivation.operation in ("edited",):
        return "edited"
    if derivation.operation == "off":
        return "positions_off"
    if derivation.operation == "given" and derivation.tensor in ("positions", "x"):
        return f"{derivation.tensor}_given"
    is_closed = derivation.operation == "share" and not any(term.product for term in derivation.terms)
    return "attn_weights_closed" if is_closed else derivation.tensor


def _facts(derivation: Derivation) -> dict[str, object]:
    row, column = derivation.meaning
    return {
        "row": _named(row),
        "column": _named(column),
        "row_number": row.number,
        "head": derivation.head if derivation.head is not None else "",
        "value": round(derivation.value) if derivation.tensor == "ids" else derivation.value,
    }


def _named(index: Index) -> object:
    """A token by its label, shown as it is; anything else by its number."""
    if not index.text:
        return index.number
    return prose.code(token_labels([""] * index.number + [index.text], markup=False)[-1])


def _terms(derivation: Derivation, trace: SentenceTrace, settings: Settings) -> None:
    text = prose.sections("ui", settings.lang)
    if not derivation.terms:
        return
    many = len(derivation.terms)
    everything = many > terms.MOST and st.session_state.get("all_terms", False)
    rest = many - terms.MOST + 1

    def value_of(cell: Cell) -> float:
        return float(matrix(trace, cell.tensor, cell.head, settings.query)[cell.row, cell.column])

    st.html(terms.bars(derivation, everything, prose.fill(text["rest"], {"count": rest}), value_of))
    if many > terms.MOST:
        st.toggle(prose.fill(text["whole"], {"count": many}), key="all_terms")
    facts = {"total": terms.written(derivation.value), "cell": terms.written(value_of(derivation.cell))}
    st.caption(prose.fill(text["total"], facts))


def _frames(derivation: Derivation) -> list[pointer.Frame]:
    """The cell with its row and column, and what it was made from, tensor by tensor."""
    groups: dict[tuple[str, int | None], list[Cell]] = {}
    for source in derivation.sources:
        groups.setdefault((source.tensor, source.head), []).append(source)
    cell = derivation.cell
    return [
        pointer.frame("line", cell, whole_row=True),
        pointer.frame("line", cell, whole_column=True),
        *(pointer.frame_around("source", cells) for cells in groups.values()),
        pointer.frame("cell", cell),
    ]


# Choosing a cell: by a click on a figure, on a factor or on the trail, by selectors, by steps to a neighbour.


def _choose(trace: SentenceTrace, cell: Cell, number: str, settings: Settings) -> None:
    state, lang = st.session_state, settings.lang
    rows, columns = _axis_labels(trace, cell.tensor)
    state.update({"ask_tensor": cell.tensor, "ask_row": cell.row, "ask_column": cell.column})
    with st.container(horizontal=True, vertical_alignment="bottom", key="inspector_choice"):
        st.selectbox(label("ask_tensor", lang), TENSORS, key="ask_tensor", on_change=_on_select)
        for name, labels in (("ask_row", rows), ("ask_column", columns)):
            st.selectbox(
                label(name, lang), range(len(labels)), format_func=labels.__getitem__, key=name, on_change=_on_select
            )
        if cell.head is not None and settings.heads > 1:
            state["ask_head"] = cell.head
            st.selectbox(label("head", lang), range(settings.heads), key="ask_head", on_change=_on_select)
        with st.container(horizontal=True, key="inspector_steps", width="content", gap="xsmall"):
            for way, (down, across) in _STEPS.items():
                inside = 0 <= cell.row + down < len(rows) and 0 <= cell.column + across < len(columns)
                name = f"ask_{way}"
                st.button(label(name, lang), key=name, on_click=_step, args=(down, across), disabled=not inside)
        if cell.tensor in EDITABLE and not (cell.tensor == "embeddings" and trace.x_given):
            low, high = limits(cell.tensor)
            st.number_input(
                label("ask_value", lang), low, high, None, 0.1, key="ask_value", placeholder=number, on_change=_on_edit
            )


def _axis_labels(trace: SentenceTrace, tensor: str) -> tuple[Sequence[str], Sequence[str]]:
    """What to call a tensor's rows and columns: tokens and words by their labels, dimensions by their numbers."""
    tokens, words = trace.tokens, trace.vocabulary
    sizes = shape_of(tensor, trace.config, len(tokens), len(words)) or (1, 1)
    named = {"L": token_labels(tokens, markup=False), "V": token_labels(words, markup=False)}
    rows, columns = (
        named.get(letter) or tuple(map(str, range(size)))
        for letter, size in zip(letters_of(tensor), sizes, strict=True)
    )
    return rows, columns


def _ask(cell: Cell, trail: Sequence[Cell] = ()) -> None:
    """Make a cell the one that is explained, if there is such a cell."""
    state = st.session_state
    settings: Settings = state["settings"]
    if cell_fits(cell, settings):
        state.update({"cell": cell, "settings": replace(settings, cell=cell), "trail": tuple(trail)})
        st.query_params["cell"] = address_of(cell)


def _on_ask() -> None:
    """A click in the browser: on a figure, on a factor, or on the trail."""
    state = st.session_state
    question = pointer.asked(_POINTER)
    if question.get("page") in WALK:
        state["go_to"] = question["page"]
    step, way = question.get("step"), question.get("way")
    if isinstance(step, list) and all(type(part) is int for part in step) and tuple(step) in _STEPS.values():
        _step(*step)
        return
    cell = cell_at(str(question.get("cell", "")))
    if cell is None or not cell_fits(cell, state["settings"]):
        return
    trail: tuple[Cell, ...] = state.get("trail", ())
    if way == "source":
        if cell != state["asking"]:  # a double click asks twice
            _ask(cell, (*trail, state["asking"]))
    else:
        _ask(cell, trail[:way] if isinstance(way, int) else ())
        if way is None and take_click(cell):
            state["redraw"] = True


def _on_select() -> None:
    state = st.session_state
    tensor, settings = state["ask_tensor"], state["settings"]
    head = state.get("ask_head", settings.head) if tensor in OF_HEADS else None
    rows, columns = shape_of(tensor, settings.config, *text_sizes(settings)) or (1, 1)
    _ask(Cell(tensor, min(state["ask_row"], rows - 1), min(state["ask_column"], columns - 1), head))


def _on_edit() -> None:
    state = st.session_state
    cell, value = state["asking"], state["ask_value"]
    if value is not None:
        _ask(cell)  # the page's own choice could be another cell after the change
        edit = Edit(cell.tensor, cell.row, cell.column, cell.head, as_written(value))
        state.update({"edit": edit, "redraw": True, "ask_value": None})


def _step(down: int, across: int) -> None:
    cell: Cell = st.session_state["asking"]
    _ask(replace(cell, row=cell.row + down, column=cell.column + across))
