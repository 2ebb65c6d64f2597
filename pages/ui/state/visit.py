"""One visit: what it remembers between runs. The only room that touches Streamlit's session state and the address.

The settings are the truth. A widget is told its value before it is drawn, and what it says afterwards is checked like
an address: what does not fit is ignored, and the widget is told once more.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import streamlit as st

from attention import Cell
from pages.ui.compat import came_with, goes_back, is_part
from pages.ui.quiz.question import Given, Question
from pages.ui.state.address import NAMES, from_query, to_query
from pages.ui.state.examples import example_of, in_language
from pages.ui.state.resolved import ModelOf, Resolved, resolve
from pages.ui.state.settings import DECLARED, Lang, Settings, changed, defaults, small
from pages.ui.state.text import follow

_NOTHING = object()


@dataclass(frozen=True)
class Posed:
    """A question, the page that poses it, and the key under which its answer is kept.

    place: where on the page the reader meets it: an experiment of a lab, else the page itself.
    """

    page: str
    question: Question
    key: str
    place: str


@dataclass
class Visit:
    """What one visitor has chosen, asked and answered. It ends with the visit, and nobody else sees it."""

    id: str = field(default_factory=lambda: uuid4().hex)
    settings: Settings | None = None
    has_changed: bool = False  # by the reader, since the last run
    now: Resolved | None = None  # what the settings of the last run led to
    has_row: bool = False  # whether the address that it began with names the row to follow
    bad_address: tuple[str, ...] = ()  # the names of the settings that did not fit
    heads_wanted: int = 0  # what num_heads was before it had to give way to the width; 0 where it did not
    page: str = ""  # the one that the visit is on
    told_later: bool = False  # beside the page stands that something is known when the layer has learned
    followed: str | None = ""  # the word whose row is followed; None: the one in the query's row from now on
    follows_again: bool = False  # the sentence is another, so the word has to be found anew
    drawn: dict[str, Hashable] = field(default_factory=dict)  # how each widget looked when it was last drawn
    brought: dict[str, Any] = field(default_factory=dict)  # what each widget of a setting said as the last run began
    heard: dict[str, int] = field(default_factory=dict)  # by component: the number of the last question it brought
    # The inspector.
    asking: Cell | None = None  # the cell that is explained now
    trail: tuple[Cell, ...] = ()  # those before it, on the way back to the typed word
    redraws: bool = False  # whether more than the inspector has to be drawn again
    sets: bool = False  # whether the reader wants to set the asked number by hand
    go_to: str = ""  # the page whose link was clicked
    seen: set[str] = field(default_factory=set)  # the pages that were opened
    reads: str = ""  # the page below whose picture the reader reads on
    terms: frozenset[str] = frozenset()  # the glossary's terms that the page's heading uses
    before_small: Settings | None = None  # what the reader had before the small numbers
    # The quiz.
    answers: dict[str, Given] = field(default_factory=dict)
    solved: frozenset[tuple[str, str]] = frozenset()  # pages and names of the questions answered rightly
    asked: dict[str, int] = field(default_factory=dict)  # which of its questions a page shows
    read: dict[str, str] = field(default_factory=dict)  # the key of the question that was last read on a page
    posed: Posed | None = None  # the question that the reader has read and not answered: it covers what it asks about
    offered: dict[str, Any] = field(default_factory=dict)  # settings with a number set, to see a question's answer
    awaited: Posed | None = None  # the question that the next click answers, because the reader said so
    clicked: tuple[Posed, Cell] | None = None  # the last answer by a click
    shown: set[str] = field(default_factory=set)  # experiments whose result the reader wanted to see without guessing
    measured: dict[str, tuple[str, object]] = field(default_factory=dict)  # by experiment: the settings, what was found
    # Long work.
    running: set[str] = field(default_factory=set)  # what was begun, and not stopped


def current() -> Visit:
    """The visit that this run belongs to."""
    try:
        visit: Visit = st.session_state["visit"]
    except KeyError:
        visit = st.session_state["visit"] = Visit()
    return visit


def begin(model_of: ModelOf) -> Resolved:
    """What this run shows. The first run takes the address; later what the reader changed leads.

    After the browser's back button it leads again. Otherwise it may be older than the settings: where something is
    pressed soon after something else, the browser has not been told the new address yet.
    """
    visit = current()
    visit.brought = {name: said(name) for name in DECLARED}
    address = {name: st.query_params[name] for name in NAMES if name in st.query_params}
    last = visit.settings
    if last is None or (address and goes_back()):
        here, visit.bad_address = from_query(address, last or defaults(_browser_language()), model_of)
        visit.followed, visit.heads_wanted, visit.has_row = None, 0, "query" in address
        if not visit.has_row and is_small(here.settings):
            here = here.again(changed(here.settings, query=small(here.settings).query))
    else:
        here = resolve(last, model_of(last))
        visit.heads_wanted = last.num_heads if here.settings.num_heads != last.num_heads else 0
        if visit.has_changed:
            visit.bad_address = ()
    tokens = here.reading.tokens
    if visit.follows_again and tokens:
        query = follow(visit.followed or "", here.settings.query, tokens)
        here = here.again(changed(here.settings, query=query))
        visit.follows_again = False
    elif visit.followed is None and tokens:
        visit.followed = tokens[here.settings.query]
    _remember(here)
    return here


def resolved() -> Resolved:
    """What the settings of this run led to."""
    now = current().now
    assert now is not None  # every run begins
    return now


def change(**values: Any) -> None:
    """The reader's change of some settings, and what follows from it; the next run shows it."""
    visit = current()
    last = visit.settings or Settings()
    example = in_language(last.sentence, values["lang"]) if "lang" in values else None
    if example and values["lang"] != last.lang:  # a sentence that the reader typed stays
        values = {"sentence": example.sentence, "query": example.query, "hidden": (), **values}
    if "query" in values:
        visit.followed = None
    elif values.get("sentence", last.sentence) != last.sentence:
        visit.follows_again = True
    visit.settings, visit.has_changed = changed(last, **values), True


def where_to(page: str) -> str:
    """The page to show, where that one has run: the one whose link was clicked, if any.

    And the one that the visit is on already, where the browser has something from the page before, which it had not
    left yet. By itself it leads to another page with its back and forward buttons alone.
    """
    visit = current()
    return visit.go_to or (visit.page if visit.page and not goes_back() else page)


def move_on() -> Settings:
    """Take along to another page what is not of this page alone."""
    current().settings = settings = resolved().settings.elsewhere
    return settings


def switch_small() -> None:
    """Small numbers instead of the reader's own, or these again."""
    visit = current()
    now = visit.settings or Settings()
    if visit.before_small and is_small(now):
        visit.settings, visit.before_small = replace(visit.before_small, lang=now.lang), None
    else:
        visit.before_small, visit.settings = now, small(now)
    visit.has_changed, visit.followed, visit.trail = True, None, ()


def is_small(settings: Settings) -> bool:
    """Whether the small numbers are on screen."""
    wanted = small(settings)
    return all(
        getattr(settings, name) == getattr(wanted, name) for name in ("sentence", "weights", "d_model", "num_heads")
    )


def change_now(**values: Any) -> None:
    """A change that needs no run of the whole page: it is in force, and in the address, at once."""
    change(**values)
    visit = current()
    assert visit.settings is not None
    _remember(resolved().again(visit.settings))


def open_apart() -> None:
    """Follow a row in which heads that learned look at different words, unless the reader has a row of their own."""
    visit, settings = current(), resolved().settings
    example = example_of(settings.sentence)
    if visit.has_row or not resolved().source.learns or example is None or settings.query != example.query:
        return
    if example.apart is not None:
        change_now(query=example.apart)


def fits(**values: Any) -> bool:
    """Whether there are such settings where the sizes are those of the last run."""
    scope = resolved().scope
    return all(DECLARED[name].value.allows(value, scope) for name, value in values.items())


def _remember(here: Resolved) -> None:
    visit, wanted = current(), to_query(here.settings)
    visit.now, visit.settings, visit.has_changed = here, here.settings, False
    if any(st.query_params.get(name) != text for name, text in wanted.items()):
        st.query_params.update(wanted)


def _browser_language() -> Lang:
    return "zh" if (st.context.locale or "").lower().startswith("zh") else "en"


# Widgets.


def control(name: str, shown: Hashable = None, value: object = None) -> dict[str, Any]:
    """What the widget of a setting needs: its key, told its value, and what to do when the reader moves it.

    shown: what its looks depend on (options, labels): Streamlit resets a widget that looks otherwise than before.
    value: what stands for the setting's value in the widget, where that is another.
    """
    value = getattr(current().settings, name) if value is None else value
    if _says(name) == value:  # in its own way, as a text that is longer than the setting takes
        value = said(name)
    tell(name, list(value) if isinstance(value, tuple) else value, shown)
    return {"key": name, "on_change": take, "args": (name,)}


def take(name: str) -> None:
    """What the widget of a setting says becomes the setting, if there is such a value.

    Who moves one has the whole page run. In the run of a part it says what it said before: the reader has pressed
    something of that part before the browser heard what the widget was told.
    """
    value = _says(name)
    if not is_part() and not _is_older(name, value) and value is not _NOTHING and fits(**{name: value}):
        change(**{name: value})


def _is_older(name: str, value: Any) -> bool:
    """Whether a widget says what it said before, and what the address says that came with it.

    Then nobody has moved it: the browser has not heard yet that the setting is another.
    """
    is_same = current().brought.get(name, _NOTHING) == said(name)
    return is_same and value is not _NOTHING and came_with(name) == DECLARED[name].value.write(value)


def _says(name: str) -> Any:
    """The value that the widget of a setting says, if it is one."""
    try:
        return DECLARED[name].value.take(said(name))
    except ValueError:
        return _NOTHING


def tell(key: str, value: object, shown: Hashable = None) -> None:
    """Tell a widget its value before it is drawn, where it would have another: on another page it is a new one."""
    state, visit = st.session_state, current()
    looks = (visit.page, shown)
    if state.get(key, _NOTHING) != value or visit.drawn.get(key) != looks:
        state[key] = value
    visit.drawn[key] = looks


def said(key: str) -> Any:
    """What a widget says. It comes from the browser: trust nothing."""
    return st.session_state.get(key)
