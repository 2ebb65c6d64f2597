"""The painter, placed on a page: our component for the browser (painter.js, stage.js) and what it is told."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from textwrap import dedent
from typing import Any

import streamlit as st

from pages.ui import live
from pages.ui.ask.pointer import heard
from pages.ui.figures.colors import Colors
from pages.ui.figures.panels import Board
from pages.ui.figures.play import Play
from pages.ui.figures.scene import pack
from pages.ui.figures.sight import Sight
from pages.ui.state.address import to_query
from pages.ui.state.settings import CHECKPOINTS, D_MODELS, head_counts
from pages.ui.words.labels import label

_TEXTS = ("play", "pause", "back", "on", "tables", "close", "freeze", "set", "no_layer", "no_empty")
_PLAY = ("covered", "idle", "by_hand", "where", "speed", "way", "spread")
_SENTENCE = (
    "head",
    "looks",
    "looks_nowhere",
    "one_head",
    "spread_head",
    "between",
    "says",
    "guessed",
    "learn",
    "step_of",
    "flow",
)


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component("stage", js=live.loader("stage"), isolate_styles=False)


def stage(
    page: str, here: Sight, board: Board, result: str, theme: Colors, plays: Sequence[Play], reached: int
) -> None:
    """A page's picture, which follows the sliders while they are held. result: the tensor that the step makes.

    reached: the checkpoint that is shown, where the layer learns: an earlier one than was chosen while it is not there.
    plays: the ways in which the step can be watched; where a number was set by hand, they would not be true.
    """
    settings, lang = here.settings, here.lang
    followed = {
        "d_model": D_MODELS,
        "num_heads": head_counts(settings.d_model),
        "checkpoint": range(len(CHECKPOINTS)),
    }
    also = {
        "page": page,
        "result": result,
        "words": _words(board, lang),
        "texts": {name: label(f"stage_{name}", lang) for name in (*_TEXTS, *_PLAY, *_SENTENCE)},
        "acts": [] if board.lines else ["freeze", "set"],
        "live": {name: list(values) for name, values in followed.items() if name not in here.now.absent},
        "address": to_query(settings.elsewhere) | {"pin": ""},
        "steps": list(CHECKPOINTS) if board.lines and here.now.source.learns else [],
        "reached": reached,
        "route": live.scenes(),
        "scene_lines": board.lines is not None,
        "plays": [] if here.trace.edits else [each.pack() for each in plays],
        "stands": [settings.way, settings.moment],
        "heard": heard(),
    }
    _place(board, "picture", theme, also | live.facts(here))


def show(board: Board, key: str, theme: Colors, lang: str) -> None:
    """A board anywhere on a page, as high as it needs to be."""
    also: dict[str, object] = {
        "page": key,
        "result": "",
        "words": _words(board, lang),
        "texts": {name: label(f"stage_{name}", lang) for name in _TEXTS},
        "acts": None,
        "live": {},
        "address": {},
        "steps": [],
        "route": "",
        "scene_lines": False,
        "plays": [],
        "stands": [0, 0],
        "heard": 0,
        "height": _height(board),
        "row": 0,
        "head_dim": 1,
    }
    _place(board, key, theme, also)


def _place(board: Board, key: str, theme: Colors, also: Mapping[str, object]) -> None:
    _component()(key=key, data=pack(board, {**also, "theme": vars(theme)}))


def _height(board: Board) -> int:
    """Pixels that a board needs: its rows, their titles, the labels of its columns, its colour bars."""
    labelled = sum(any(panel and panel.show_columns for panel in line) for line in board.grid)
    return sum(board.heights) + 34 * len(board.heights) + 66 * labelled + 44


def _words(board: Board, lang: str) -> str:
    return label("stage_words", lang, panels=board.words)


@cache
def source_of(*functions: Callable[..., object]) -> str:
    """The code of the very functions that made the numbers."""
    return "\n\n".join(dedent(inspect.getsource(each)).strip() for each in functions)
