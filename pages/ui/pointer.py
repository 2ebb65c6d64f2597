"""Clicks on heatmap cells, and frames around cells, in the reader's browser (see pointer.js)."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from attention import Cell

Frame = dict[str, object]


@cache
def _component() -> Callable[..., Any]:
    script = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    return st.components.v2.component("pointer", js=script)


def pointer(key: str, frames: Sequence[Frame], on_ask: Callable[[], None]) -> None:
    """Listen for clicks on cells, and draw frames. on_ask runs when the reader asks; see asked."""
    _component()(key=key, data={"frames": list(frames)}, on_ask_change=on_ask, height=1)


def asked(key: str) -> Mapping[str, object]:
    """What the reader asked for: a cell, a step to a neighbour, or a page. Comes from the browser: trust nothing."""
    state = st.session_state.get(key) or {}
    question = state.get("ask")
    return question if isinstance(question, Mapping) else {}


def frame(kind: str, cell: Cell, *, whole_row: bool = False, whole_column: bool = False) -> Frame:
    """A frame around a cell, or around its whole row or column."""
    return {
        "kind": kind,
        "tensor": cell.tensor,
        "head": cell.head,
        "rows": None if whole_column else [cell.row, cell.row + 1],
        "columns": None if whole_row else [cell.column, cell.column + 1],
    }


def frame_around(kind: str, cells: Sequence[Cell]) -> Frame:
    """One frame around cells of one tensor."""
    rows, columns = [cell.row for cell in cells], [cell.column for cell in cells]
    return {
        "kind": kind,
        "tensor": cells[0].tensor,
        "head": cells[0].head,
        "rows": [min(rows), max(rows) + 1],
        "columns": [min(columns), max(columns) + 1],
    }
