"""Ask before telling: one question at a time, a verdict with its reason, and the cell to look at.

It runs by itself (a fragment): answering draws nothing else on the page again. Answers live in the visit, nowhere else.
"""

import zlib
from collections.abc import Mapping

import streamlit as st

from attention import Cell, SentenceTrace
from pages.ui import prose, terms
from pages.ui.figures import token_labels
from pages.ui.labels import label
from pages.ui.questions import Question, Token, Words, grade, questions
from pages.ui.settings import Settings


def progress(page: str, trace: SentenceTrace, settings: Settings) -> tuple[int, int]:
    """How many of a page's questions were answered rightly during this visit, and how many there are."""
    asked = questions(page, trace, head=settings.head, query=settings.query)
    solved = st.session_state.get("solved", frozenset())
    return sum((page, question.name) in solved for question in asked), len(asked)


@st.fragment
def quiz(page: str, trace: SentenceTrace) -> None:
    """The page's questions, one at a time."""
    state = st.session_state
    state["awaited"] = None  # a question for a click sets it
    settings: Settings = state["settings"]
    asked = questions(page, trace, head=settings.head, query=settings.query)
    if not asked:
        return
    lang, text = settings.lang, prose.sections(page, settings.lang)
    place = f"quiz_{page}"
    number = min(state.get(place, 0), len(asked) - 1)
    question = asked[number]
    key = f"{place}_{question.name}_{zlib.crc32(repr(question).encode())}"
    with st.container(border=True, key="quiz"):
        said, answered = st.columns([0.52, 0.48], gap="medium", vertical_alignment="center")
        with said:
            heading = label("question_of", lang, number=number + 1, count=len(asked))
            st.markdown(f"**{heading}** · {_filled(text[f'ask_{question.name}'], question.facts, trace)}")
        with answered:
            _answer(question, page, key, trace, settings)
        answered_now = key in state.get("answers", {})
        if answered_now:
            _tell(question, state["answers"][key], text, trace)
        if answered_now or len(asked) > 1:
            with st.container(horizontal=True, horizontal_alignment="distribute", key="quiz_way"):
                look = f"{label('look_at', lang)} {terms.asking(question.look)}" if answered_now else "<span></span>"
                st.html(f"<div class='look'>{look}</div>", width="content")
                with st.container(horizontal=True, horizontal_alignment="right", width="content"):
                    if number:
                        _go_button("question_before", place, number - 1, lang)
                    if number + 1 < len(asked):
                        _go_button("question_after", place, number + 1, lang)


def _tell(question: Question, answer: int | float | Cell, text: Mapping[str, str], trace: SentenceTrace) -> None:
    """Right or not, and why."""
    verdict, lang = grade(question, answer), st.session_state["settings"].lang
    words = f"**{label('right' if verdict.right else 'wrong', lang)}** "
    (st.success if verdict.right else st.warning)(words + _filled(text[verdict.section], verdict.facts, trace))


def _go_button(name: str, place: str, number: int, lang: str) -> None:
    st.button(label(name, lang), key=name, type="tertiary", on_click=_go, args=(place, number))


def _answer(question: Question, page: str, key: str, trace: SentenceTrace, settings: Settings) -> None:
    """The ways to answer: choose, type a number, or click a cell (or answer with the one asked about below)."""
    lang, text, state = settings.lang, prose.sections(page, settings.lang), st.session_state
    given = state.get("answers", {}).get(key)
    if question.kind == "choice":
        names = [_label(choice.label, text, trace) for choice in question.choices]
        if given is not None:
            state.setdefault(key, given)
        st.radio(
            label("your_answer", lang),
            range(len(names)),
            index=None,
            format_func=names.__getitem__,
            key=key,
            horizontal=True,
            label_visibility="collapsed",
            on_change=_take,
            args=(page, question, key),
        )
    elif question.kind == "number":
        if given is not None:
            state.setdefault(key, given)
        st.number_input(
            label("your_number", lang),
            value=None,
            key=key,
            step=0.01 if question.tolerance else 1,
            on_change=_take,
            args=(page, question, key),
        )
    else:
        st.caption(label("click_a_cell", lang))
        if given is None:
            state["awaited"] = (page, question, key)
        st.button(label("answer_with", lang), key=f"{key}_chosen", on_click=_take_chosen, args=(page, question, key))


def _filled(text: str, facts: Mapping[str, object], trace: SentenceTrace) -> str:
    settings: Settings = st.session_state["settings"]
    told = {name: _token(fact, trace) if isinstance(fact, Token) else fact for name, fact in facts.items()}
    return prose.fill(text, {**prose.of_weights(settings.weights, settings.lang), **told})


def _token(token: Token, trace: SentenceTrace) -> str:
    return prose.code(token_labels(trace.tokens, markup=False)[token.position])


def _label(choice: Token | Words | str, text: Mapping[str, str], trace: SentenceTrace) -> str:
    if isinstance(choice, Token):
        return _token(choice, trace)
    return text[choice.section] if isinstance(choice, Words) else choice


def _go(place: str, number: int) -> None:
    st.session_state[place] = number


def _take(page: str, question: Question, key: str) -> None:
    answer = st.session_state[key]
    if answer is not None:
        _give(page, question, key, answer)


def _take_chosen(page: str, question: Question, key: str) -> None:
    """The cell that is explained further down is the answer."""
    chosen: Cell | None = st.session_state.get("asking")
    if chosen is not None:
        _give(page, question, key, chosen)


def take_click(cell: Cell) -> bool:
    """A click on a figure answers the question that waits for one, if any does."""
    awaited = st.session_state.get("awaited")
    if awaited is None:
        return False
    page, question, key = awaited
    _give(page, question, key, cell)
    st.session_state["clicked"] = (page, question, cell)
    return True


def verdict_on(cell: Cell, page: str, trace: SentenceTrace) -> None:
    """Beside the number that was clicked, where the reader looks then: whether it was the right answer."""
    settings: Settings = st.session_state["settings"]
    asked_on, question, clicked = st.session_state.get("clicked", ("", None, None))
    if (asked_on, clicked) != (page, cell) or not settings.questions or trace.edits:
        return
    if question in questions(page, trace, head=settings.head, query=settings.query):  # and not of other settings
        _tell(question, cell, prose.sections(page, settings.lang), trace)


def _give(page: str, question: Question, key: str, answer: int | float | Cell) -> None:
    state = st.session_state
    state["answers"] = {**state.get("answers", {}), key: answer}
    if grade(question, answer).right:
        state["solved"] = state.get("solved", frozenset()) | {(page, question.name)}
