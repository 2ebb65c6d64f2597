"""Where does this number come from? One cell of one tensor, and the arithmetic that made it.

It stands in the panel, which runs by itself (a fragment): asking about another cell draws nothing else on the page
again, unless the reader clicked into another row, which then is the row that the page follows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from attention import Cell, Derivation, Edit, Index, SentenceTrace, explain_cell, measures
from attention.tensors import EDITABLE, TENSORS, matrix, shape, texts
from pages.ui.ask import formula, pointer, terms
from pages.ui.figures.panels import token_labels
from pages.ui.quiz.box import take_click, take_offer, verdict_on
from pages.ui.state.resolved import Resolved
from pages.ui.state.values import as_written, cell_at, limits
from pages.ui.state.visit import Posed, change, change_now, current, fits, resolved, said, tell
from pages.ui.words import prose
from pages.ui.words.labels import label
from pages.ui.words.numbers import number
from pages.ui.words.terms import linked

MOST_STEPS_BACK = 12
_STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


def first_cell(trace: SentenceTrace, tensor: str, head: int, query: int) -> Cell:
    """A cell worth asking about first, in the row of the query: its largest weight, elsewhere its largest number."""
    known = TENSORS[tensor]
    its_head = head if known.per_head else None
    if (known.rows, known.columns) == ("query", "key"):
        return Cell(tensor, query, measures.peak(trace.attention.attn_weights[head, query]).column, its_head)
    return Cell(tensor, query, measures.peak(matrix(trace, tensor, its_head, query)[query].abs()).column, its_head)


def listen(trace: SentenceTrace, start: str, posed: Posed | None, *, unasked: bool = True) -> None:
    """Take clicks on cells, and frame on the pictures what is explained; at first a cell of that tensor.

    posed: the question that the reader has read: what it asks about is covered; once it is answered, what shows why is
    framed. unasked: whether a cell is framed before the reader has asked about one.
    """
    visit, here = current(), resolved()
    settings = here.settings
    cell = settings.cell or first_cell(trace, start, settings.head, settings.query)
    trail = tuple(past for past in visit.trail if settings.cell and here.scope.has(past))
    visit.trail, visit.asking = trail[-MOST_STEPS_BACK:], cell
    is_answered = posed is not None and posed.key in visit.answers
    visit.posed, visit.offered = None if is_answered else posed, {}
    framed = (posed.question.look if posed and is_answered else None) or cell
    covers = [pointer.cover(target) for target in visit.posed.question.covers] if visit.posed else []
    done = any(page == visit.page for page, _ in visit.solved)
    frames = pointer.frames(_derived(trace, framed)) if settings.cell or unasked else []
    pointer.pointer(frames, covers, _on_ask, done=done, waits=visit.awaited is not None)


def _derived(trace: SentenceTrace, cell: Cell) -> Derivation:
    query = resolved().settings.query
    return explain_cell(trace, cell.tensor, cell.row, cell.column, cell.head, query=query)


def _is_covered(cell: Cell) -> bool:
    """Whether a question that was read and not answered asks about that number."""
    posed = current().posed
    return posed is not None and posed.question.hides(cell)


def inspector(page: str, trace: SentenceTrace) -> None:
    """The explanation of the chosen cell."""
    visit, here = current(), resolved()
    settings, lang, cell = here.settings, here.settings.lang, visit.asking
    assert cell is not None  # somebody listens
    derivation = _derived(trace, cell)
    if any(map(_is_covered, (cell, *derivation.sources))):
        st.markdown(prose.shared(lang, "covered"))
        return
    verdict_on(cell, page, trace)
    st.html(f"<div class='trail' aria-live='polite'>{terms.trail(visit.trail, cell)}</div>")
    also = {**prose.of_weights(settings.weights, lang), **_facts(derivation)}
    words = prose.shared(lang, _section(derivation), also)
    told = linked(words, lang, set(visit.terms))
    st.markdown(f"{told}\n\n$$\n{formula.lines(derivation)}\n$$")  # in one: every element costs time
    _terms(derivation, trace, here)
    tell("choose", visit.sets, lang)
    if st.toggle(label("choose", lang), key="choose", on_change=_on_choose):
        _choose(trace, cell, number(derivation.value), here)
        st.caption(prose.shared(lang, "hint"))


def _section(derivation: Derivation) -> str:
    if derivation.operation == "edited":
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
        "value": round(derivation.value) if TENSORS[derivation.tensor].whole else derivation.value,
    }


def _named(index: Index) -> object:
    """A token by its label, shown as it is; anything else by its number."""
    if not index.text:
        return index.number
    return prose.code(token_labels([""] * index.number + [index.text])[-1])


def _terms(derivation: Derivation, trace: SentenceTrace, here: Resolved) -> None:
    lang, many = here.settings.lang, len(derivation.terms)
    if not many:
        return
    everything = many > terms.MOST and said("all_terms") is True

    def value_of(cell: Cell) -> float:
        return float(matrix(trace, cell.tensor, cell.head, here.settings.query)[cell.row, cell.column])

    st.html(terms.bars(derivation, everything, lambda count: prose.shared(lang, "rest", count=count), value_of))
    if many > terms.MOST:
        st.toggle(prose.shared(lang, "whole", count=many), key="all_terms")
    total, held = derivation.value, value_of(derivation.cell)
    st.caption(
        prose.shared(lang, "total", total=float(total), cell=held), help=f"{terms.full(total)}, {terms.full(held)}"
    )


# Choosing a cell: by a click on a figure, on a factor or on the trail, by selectors, by steps to a neighbour.


def _choose(trace: SentenceTrace, cell: Cell, value: str, here: Resolved) -> None:
    lang = here.settings.lang
    names = {"ask_row": _axis_labels(trace, cell, 0), "ask_column": _axis_labels(trace, cell, 1)}
    rows, columns = map(len, names.values())
    with st.container(horizontal=True, vertical_alignment="bottom", key="inspector_choice"):
        tell("ask_tensor", cell.tensor, lang)
        st.selectbox(label("ask_tensor", lang), tuple(TENSORS), key="ask_tensor", on_change=_on_select)
        for name, place in (("ask_row", cell.row), ("ask_column", cell.column)):
            labels = names[name]
            tell(name, place, (lang, labels))
            st.selectbox(
                label(name, lang), range(len(labels)), format_func=labels.__getitem__, key=name, on_change=_on_select
            )
        if cell.head is not None and here.heads > 1:
            tell("ask_head", cell.head, (lang, here.heads))
            st.selectbox(label("head", lang), range(here.heads), key="ask_head", on_change=_on_select)
        with st.container(horizontal=True, key="inspector_steps", width="content", gap="xsmall"):
            for way, (down, across) in _STEPS.items():
                inside = 0 <= cell.row + down < rows and 0 <= cell.column + across < columns
                name = f"ask_{way}"
                st.button(label(name, lang), key=name, on_click=_step, args=(down, across), disabled=not inside)
        if cell.tensor in _settable(here):
            low, high = limits(cell.tensor)
            tell("ask_value", None)
            name = label("ask_value", lang)
            st.number_input(
                name, low, high, None, 0.1, key="ask_value", placeholder=value, on_change=_on_edit, width=200
            )
        else:
            others = label("between_tokens", lang).join(f"`{tensor}`" for tensor in _settable(here))
            st.caption(prose.shared(lang, "not_settable", tensor=f"`{cell.tensor}`", others=others))


def _settable(here: Resolved) -> tuple[str, ...]:
    """The tensors of which a number can be set by hand."""
    return tuple(tensor for tensor in EDITABLE if tensor != "embeddings" or here.scope.can_embed)


def _axis_labels(trace: SentenceTrace, cell: Cell, axis: int) -> Sequence[str]:
    """What to call a tensor's rows (axis 0) or columns: tokens and words by their labels, the rest by numbers."""
    known = TENSORS[cell.tensor]
    along = texts(trace, (known.rows, known.columns)[axis])
    if along:
        return token_labels(along)
    return tuple(map(str, range(shape(cell.tensor, trace.config, len(trace.tokens), len(trace.vocabulary))[axis])))


def _ask(cell: Cell, trail: Sequence[Cell] = ()) -> None:
    """Make a cell the one that is explained, if there is such a cell, and no question covers it."""
    if resolved().scope.has(cell) and not _is_covered(cell):
        change_now(cell=cell, face="number")
        current().asking, current().trail = cell, tuple(trail)


def _on_ask() -> None:
    """Clicks in the browser: on a figure, on a factor, on the trail, or on a button of the stage."""
    for question in pointer.asked():
        _answer(question)


def _answer(question: Mapping[str, object]) -> None:
    visit = current()
    step, way, row = question.get("step"), question.get("way"), question.get("row")
    if question.get("act") == "freeze":
        change(pin=resolved().settings.held, face="compare")
        visit.redraws = True
        return
    if question.get("act") == "set":
        visit.sets = True
        change_now(face="number")
        return
    if question.get("act") == "set_by_hand":
        take_offer()
        return
    if question.get("act") == "moment":
        place = {name: question.get(name) for name in ("at", "moment")}
        if all(type(each) is int for each in place.values()) and fits(way=place["at"], moment=place["moment"]):
            change_now(way=place["at"], moment=place["moment"])
        return
    if type(row) is int and fits(query=row):
        change_now(query=row)
        visit.redraws = True
        return
    if isinstance(step, list) and all(type(part) is int for part in step) and tuple(step) in _STEPS.values():
        _step(*step)
        return
    try:
        cell = cell_at(str(question.get("cell", "")))
    except ValueError:
        return
    if not resolved().scope.has(cell):
        return
    if way == "source":
        if visit.asking and cell != visit.asking:  # a double click asks twice
            _ask(cell, (*visit.trail, visit.asking))
    elif type(way) is int:
        _ask(cell, visit.trail[:way])
    else:
        _on_click(cell)


def _on_click(cell: Cell) -> None:
    """A click on a figure asks. It answers the question that waits for a click; else it makes its row the followed one.

    An answer leaves the followed row alone: with another row other questions would be asked, and the verdict be gone.
    """
    is_answer, is_row = take_click(cell), TENSORS[cell.tensor].rows in ("token", "query")
    if _is_covered(cell) and not is_answer:
        return
    if is_row and not is_answer and cell.row != resolved().settings.query:
        change_now(cell=cell, query=cell.row, face="number")
        current().trail, current().redraws = (), True
    else:
        if is_answer:
            current().posed = None  # what it covered is told now
        _ask(cell)
        current().redraws |= is_answer


def _on_choose() -> None:
    current().sets = said("choose") is True


def _on_select() -> None:
    # What comes soon after an answer, the boxes in the browser still say what they said before it.
    if pointer.asks_for_cell() or any(said(f"ask_{way}") for way in _STEPS):
        return
    here, tensor = resolved(), said("ask_tensor")
    row, column, head = said("ask_row"), said("ask_column"), said("ask_head")
    if tensor not in TENSORS or type(row) is not int or type(column) is not int:
        return
    rows, columns = shape(tensor, here.config, here.scope.seq_len, here.scope.vocab_size)
    its_head = (head if type(head) is int else here.settings.head) if TENSORS[tensor].per_head else None
    _ask(Cell(tensor, min(row, rows - 1), min(column, columns - 1), its_head))


def _on_edit() -> None:
    cell, value = current().asking, said("ask_value")
    if cell and isinstance(value, int | float):
        edit = Edit(cell.tensor, cell.row, cell.column, cell.head, as_written(value))
        change(cell=cell, edit=edit)  # the page's own choice of a cell could be another one after the change
        current().redraws = True


def _step(down: int, across: int) -> None:
    cell = current().asking
    if cell:
        _ask(replace(cell, row=cell.row + down, column=cell.column + across))
