"""Ask before telling: one question at a time, a verdict with its reason, and the cell to look at.

It stands in the panel, which runs by itself (a fragment). Answers live in the visit, nowhere else.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence

import streamlit as st
import torch

from attention import Cell, SentenceTrace
from attention.tensors import TENSORS
from pages.ui import navigation
from pages.ui.ask import terms
from pages.ui.figures.panels import Axis, Board, Panel, Scale, heatmap_height, token_labels
from pages.ui.quiz.question import Given, Question, Token, Words, grade, shares_of
from pages.ui.quiz.questions import questions
from pages.ui.state.settings import Settings, changed
from pages.ui.state.visit import Posed, change, current, resolved, said, tell
from pages.ui.words import prose
from pages.ui.words.labels import label
from pages.ui.words.terms import linked

Labels = tuple[str, ...]


def posed_now(page: str, trace: SentenceTrace) -> tuple[Posed | None, int, int]:
    """The question that the page poses now, its place among the page's questions, and how many these are."""
    settings = resolved().settings
    asked = questions(page, trace, head=settings.head, query=settings.query)
    if trace.edits or not settings.questions or not asked:
        return None, 0, 0
    return posed_of(page, page, asked)


def covering(page: str, trace: SentenceTrace) -> Posed | None:
    """The question that covers numbers while the reader looks at another face: one that was read and not answered."""
    visit = current()
    if page not in visit.read:
        return None
    posed = posed_now(page, trace)[0]
    return posed if posed and posed.key == visit.read[page] and posed.key not in visit.answers else None


def quiz(page: str, trace: SentenceTrace, show: Callable[[Board, str], None]) -> None:
    """The page's questions, one at a time. show: places a board, with a key."""
    posed, number, count = posed_now(page, trace)
    if posed is not None:
        current().read[page] = posed.key
        ask(posed, number, count, token_labels(trace.tokens), show)


def posed_of(page: str, place: str, asked: Sequence[Question]) -> tuple[Posed, int, int]:
    """Which of these questions is posed now. place: under which name it is remembered where the reader is."""
    number = min(current().asked.get(place, 0), len(asked) - 1)
    question = asked[number]
    key = f"quiz_{page}_{question.name}_{zlib.crc32(repr(question).encode())}"
    return Posed(page, question, key, place), number, len(asked)


def ask(posed: Posed, number: int, count: int, labels: Labels, show: Callable[[Board, str], None]) -> None:
    """One question of several, and after its answer the verdict. labels: of the tokens that it may name."""
    visit, settings, page = current(), resolved().settings, posed.page
    lang, text, question = settings.lang, prose.sections(page, settings.lang), posed.question
    if visit.awaited and visit.awaited.key != posed.key:  # the reader went on, or the numbers are others
        visit.awaited = None
    with st.container(border=True, key="quiz"):
        if question.kind in ("rank", "draw", "cell") or question.pictures or question.edit:  # whole width
            told, answered = st.container(), st.container()
        else:
            told, answered = st.columns([0.52, 0.48], gap="medium", vertical_alignment="center")
        with told:
            heading = label("question_of", lang, number=number + 1, count=count)
            asks = _filled(text[f"ask_{question.name}"], question.facts, labels)
            if question.edit:
                said_first = prose.sections(prose.SHARED, lang)[f"set_{question.edit.tensor}"]
                asks = f"{_filled(said_first, question.set_by_hand, labels)}\n\n{asks}"
            asks = linked(asks, lang, set(visit.terms))
            st.markdown(f"**{heading}** · {asks}")
        if question.pictures:
            show(_compared(question, labels, lang), "pictures")
        with answered:
            _answer(posed, labels, settings)
        is_answered = posed.key in visit.answers
        if is_answered:
            _tell(question, visit.answers[posed.key], text, labels)
        if is_answered or count > 1:
            with st.container(horizontal=True, horizontal_alignment="distribute", key="quiz_way"):
                look = "<span></span>"
                if is_answered and question.edit and question.look:
                    visit.offered = {"edit": question.edit, "cell": question.look, "face": "number"}
                    there = changed(settings, **visit.offered)
                    look = navigation.acting("set_by_hand", there, page, label("set_and_look", lang))
                elif is_answered and question.look:
                    look = f"{label('look_at', lang)} {terms.asking(question.look)}"
                st.html(f"<div class='look'>{look}</div>", width="content")
                with st.container(horizontal=True, horizontal_alignment="right", width="content"):
                    if number:
                        _go_button("question_before", posed.place, number - 1, lang)
                    if number + 1 < count:
                        _go_button("question_after", posed.place, number + 1, lang)


def take_offer() -> None:
    """The reader wants the number set that a question was about."""
    visit = current()
    if visit.offered:
        change(**visit.offered)
        visit.redraws = True


def _compared(question: Question, labels: Labels, lang: str) -> Board:
    """Pictures side by side, numbered from 1, on one scale."""
    known = TENSORS[question.pictures[0].tensor]
    values = [torch.tensor(picture.values) for picture in question.pictures]
    scale = Scale(weight=True) if known.range == "share" else Scale.signed(*values)
    rows, columns = values[0].shape
    across = labels[:columns] if known.columns == "key" else ()
    panels = [
        Panel(each, str(place), Axis(label("axis_token", lang), labels[:rows]), Axis(known.columns, across), scale)
        for place, each in enumerate(values, 1)
    ]
    grid = [[panel.without("columns", "shape")] for panel in panels]
    return Board(grid, [1], [heatmap_height(rows, most=150)] * 2, width=330)


def _tell(question: Question, answer: Given, text: Mapping[str, str], labels: Labels) -> None:
    """Right or not, and why."""
    verdict = grade(question, answer)
    words = f"**{label('right' if verdict.right else 'wrong', resolved().settings.lang)}** "
    (st.success if verdict.right else st.warning)(words + _filled(text[verdict.section], verdict.facts, labels))
    if question.kind == "draw" and isinstance(answer, tuple):
        names = [labels[item.position] for item in question.items]
        lang = resolved().settings.lang
        titles = label("drawn_by_you", lang), label("drawn_by_softmax", lang)
        st.html(terms.side_by_side(names, shares_of(answer), question.truth, titles))


def _go_button(name: str, place: str, number: int, lang: str) -> None:
    st.button(label(name, lang), key=name, type="tertiary", on_click=_go, args=(place, number))


def _answer(posed: Posed, labels: Labels, settings: Settings) -> None:
    """The ways to answer: choose, type a number, or show a cell."""
    lang, question = settings.lang, posed.question
    given = current().answers.get(posed.key)
    if question.kind == "choice":
        text = prose.sections(posed.page, lang)
        names = tuple(_label(choice.label, text, labels) for choice in question.choices)
        if given is not None:
            tell(posed.key, given, names)
        st.radio(
            label("your_answer", lang),
            range(len(names)),
            index=None,
            format_func=names.__getitem__,
            key=posed.key,
            horizontal=True,
            label_visibility="collapsed",
            on_change=_take,
            args=(posed,),
        )
    elif question.kind == "number":
        if given is not None:
            tell(posed.key, given, lang)
        st.number_input(
            label("your_number", lang),
            value=None,
            key=posed.key,
            step=0.01 if question.tolerance else 1,
            on_change=_take,
            args=(posed,),
        )
    elif question.kind == "rank":
        _rank(posed, labels, lang)
    elif question.kind == "draw":
        _draw(posed, labels, lang)
    else:
        is_waiting, is_covered = current().awaited is not None, bool(question.covers)
        where = "click_a_covered_cell" if is_covered else "click_a_cell"
        st.caption(label("click_now" if is_waiting else where, lang))
        with st.container(horizontal=True):
            name = label("no_click" if is_waiting else "answer_by_click", lang)
            st.button(name, key=f"{posed.key}_click", on_click=_wait_for_click, args=(None if is_waiting else posed,))
            if not is_covered:  # no covered number can be chosen to be explained
                st.button(label("answer_with", lang), key=f"{posed.key}_chosen", on_click=_take_chosen, args=(posed,))


def _rank(posed: Posed, labels: Labels, lang: str) -> None:
    """Items picked one after the other."""
    names = tuple(labels[item.position] for item in posed.question.items)
    given = current().answers.get(posed.key)
    if isinstance(given, tuple):
        tell(posed.key, [int(place) for place in given], names)
    st.multiselect(
        label("rank_first", lang),
        range(len(names)),
        format_func=names.__getitem__,
        key=posed.key,
        placeholder=label("rank_first", lang),
        label_visibility="collapsed",
        select_all=False,
        on_change=_take_order,
        args=(posed,),
    )


def _draw(posed: Posed, labels: Labels, lang: str) -> None:
    """A bar for each item, and a button that says it is done."""
    given = current().answers.get(posed.key)
    halves = st.columns(2, gap="medium")
    for place, item in enumerate(posed.question.items):
        if isinstance(given, tuple):
            tell(f"{posed.key}_{place}", int(given[place]), lang)
        halves[place % 2].slider(_token(item, labels), 0, 100, 25, 5, key=f"{posed.key}_{place}", format="%d%%")
    st.button(label("draw_done", lang), key=f"{posed.key}_done", on_click=_take_drawn, args=(posed,))


def _take_order(posed: Posed) -> None:
    order, count = said(posed.key), len(posed.question.items)
    if isinstance(order, list) and sorted(map(str, order)) == sorted(map(str, range(count))):
        _give(posed, tuple(order))


def _take_drawn(posed: Posed) -> None:
    drawn = [said(f"{posed.key}_{place}") for place in range(len(posed.question.items))]
    if all(type(value) is int and 0 <= value <= 100 for value in drawn):
        _give(posed, tuple(drawn))


def _filled(text: str, facts: Mapping[str, object], labels: Labels) -> str:
    settings = resolved().settings
    told = {name: _token(fact, labels) if isinstance(fact, Token) else fact for name, fact in facts.items()}
    return prose.fill(text, {}, {**prose.of_weights(settings.weights, settings.lang), **told})


def _token(token: Token, labels: Labels) -> str:
    return prose.code(labels[token.position])


def _label(choice: Token | Words | str, text: Mapping[str, str], labels: Labels) -> str:
    if isinstance(choice, Token):
        return _token(choice, labels)
    return text[choice.section] if isinstance(choice, Words) else choice


def _go(place: str, number: int) -> None:
    current().asked[place] = number


def _take(posed: Posed) -> None:
    answer = said(posed.key)
    if posed.question.kind == "choice" and not (type(answer) is int and 0 <= answer < len(posed.question.choices)):
        return
    if isinstance(answer, int | float):
        _give(posed, answer)


def _wait_for_click(posed: Posed | None) -> None:
    """From now on a click on a figure is an answer; or, without a question, no longer."""
    current().awaited = posed


def _take_chosen(posed: Posed) -> None:
    """The cell that is explained further down is the answer."""
    chosen = current().asking
    if chosen is not None:
        _give(posed, chosen)


def take_click(cell: Cell) -> bool:
    """A click on a figure answers the question that waits for one, if the reader chose to answer so."""
    visit = current()
    posed, visit.awaited = visit.awaited, None
    if posed is None:
        return False
    _give(posed, cell)
    visit.clicked = posed, cell
    return True


def verdict_on(cell: Cell, page: str, trace: SentenceTrace) -> None:
    """Beside the number that was clicked, where the reader looks then: whether it was the right answer."""
    settings, clicked = resolved().settings, current().clicked
    if clicked is None or not settings.questions or trace.edits:
        return
    posed, answer = clicked
    if (posed.page, answer) != (page, cell):
        return
    if posed.question in questions(page, trace, head=settings.head, query=settings.query):  # and not of other settings
        _tell(posed.question, cell, prose.sections(page, settings.lang), token_labels(trace.tokens))


def _give(posed: Posed, answer: Given) -> None:
    visit = current()
    visit.answers[posed.key] = answer
    visit.awaited = None
    if grade(posed.question, answer).right:
        visit.solved |= {(posed.page, posed.question.name)}
