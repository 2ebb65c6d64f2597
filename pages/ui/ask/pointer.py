"""Clicks on heatmap cells, and frames around cells, in the reader's browser (see pointer.js)."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import streamlit as st

from attention import Cell, Derivation
from pages.ui import live
from pages.ui.quiz.question import Target
from pages.ui.state.visit import current, said

Frame = dict[str, object]
_KEY, _GUIDE, _NEAR, _AGAIN = "pointer", "guide", "near", "again"
_MOST = 20  # questions taken at once


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component("pointer", js=live.loader("pointer"))


def pointer(
    frames: Sequence[Frame], covers: Sequence[Frame], on_ask: Callable[[], None], *, done: bool, waits: bool
) -> None:
    """Listen for clicks on cells, draw frames, and cover cells. on_ask runs when the reader asks; see asked.

    done: whether the reader has answered a question of this page rightly. waits: whether the next click is an answer,
    which may be a covered cell.
    """
    data = {"role": "panel", "frames": list(frames), "covers": list(covers), "done": done, "waits": waits}
    data["heard"] = heard()
    _component()(key=_KEY, data=data, on_ask_change=on_ask, height=1)


def cover(target: Target) -> Frame:
    """Cells that nobody can see."""
    rows, columns = ([places.start, places.stop] for places in (target.rows, target.columns))
    return {"kind": "cover", "tensor": target.tensor, "head": target.head, "rows": rows, "columns": columns}


def guide(lang: str, present: bool, on_ask: Callable[[], None]) -> None:
    """Listen for clicks on links to our pages, and for keys. on_ask runs when the reader asks; see asked."""
    data = {"role": "frame", "page": current().page, "lang": lang, "present": present, "heard": heard(guide=True)}
    _component()(key=_GUIDE, data=data, on_ask_change=on_ask, height=1)


def near(on_near: Callable[[], None]) -> None:
    """Watch this place. on_near runs when the reader has come near to it."""
    _component()(key=_NEAR, data={"role": "place"}, on_ask_change=on_near, height=1)


def again() -> None:
    """Have the page drawn again after a short while."""
    _component()(key=_AGAIN, data={"role": "learning"}, on_ask_change=lambda: None, height=1)


def asked(guide: bool = False) -> list[Mapping[str, object]]:
    """What the reader asked for, of the panel or of the guide, since that was heard last, in order.

    Of two questions that come at once Streamlit hands on the later one, so the browser sends again what was perhaps not
    heard: a list of (number, question). Comes from the browser: trust nothing.
    """
    found = _unheard(guide)
    for number, _ in found:
        current().heard[_of(guide)] = number
    return [question for _, question in found]


def asks_for_cell() -> bool:
    """Whether a question about a cell has come in this run, and is not heard yet."""
    return any("cell" in question or "step" in question for _, question in _unheard())


def _unheard(guide: bool = False) -> list[tuple[int, Mapping[str, object]]]:
    told, found, last = (said(_of(guide)) or {}).get("ask"), [], heard(guide)
    for each in told[-_MOST:] if isinstance(told, list) else []:
        number, question = each if isinstance(each, list) and len(each) == 2 else (0, None)
        if type(number) is int and number > last and isinstance(question, Mapping):
            last = number
            found.append((number, question))
    return found


def heard(guide: bool = False) -> int:
    """The number of the question that was heard last: what was drawn before another is heard is an older answer."""
    return current().heard.get(_of(guide), 0)


def _of(guide: bool) -> str:
    return _GUIDE if guide else _KEY


def frames(derivation: Derivation) -> list[Frame]:
    """Around a cell with its row and column, and around what it was made from, tensor by tensor."""
    groups: dict[tuple[str, int | None], list[Cell]] = {}
    for source in derivation.sources:
        groups.setdefault((source.tensor, source.head), []).append(source)
    cell = derivation.cell
    row, column = [cell.row, cell.row + 1], [cell.column, cell.column + 1]
    return [
        _frame("line", cell, row, None),
        _frame("line", cell, None, column),
        *(_around("source", cells) for cells in groups.values()),
        _frame("cell", cell, row, column),
    ]


def _frame(kind: str, cell: Cell, rows: list[int] | None, columns: list[int] | None) -> Frame:
    """A frame in the cell's tensor around half-open ranges of rows and columns, None for all of them."""
    return {"kind": kind, "tensor": cell.tensor, "head": cell.head, "rows": rows, "columns": columns}


def _around(kind: str, cells: Sequence[Cell]) -> Frame:
    """One frame around cells of one tensor."""
    rows, columns = [cell.row for cell in cells], [cell.column for cell in cells]
    return _frame(kind, cells[0], [min(rows), max(rows) + 1], [min(columns), max(columns) + 1])
