"""What a page holds in its hand: the settings in force, their trace, and the ways to show and say something."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from textwrap import dedent

import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from attention import Learned
from attention.pretrained import Pretrained
from pages.ui import learning, prose
from pages.ui.colors import Colors, colors
from pages.ui.compare import compare
from pages.ui.figures import Axis, Board, Closed, Outline, Panel, draw, token_labels
from pages.ui.inspector import inspector
from pages.ui.labels import label
from pages.ui.layers import learned, load, take_weights, trace_of, unavailable
from pages.ui.quiz import progress, quiz
from pages.ui.settings import SILENCED, Settings, shown, to_query
from pages.ui.tensors import OF_HEADS, Origin, changes, closed, view

_CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


class Page:
    """A page and the ways to show and say something on it. Opening it shows the title and the motivation.

    only: the kind of weights that the page is about; with others in force it offers to change to them, and ends there.
    """

    def __init__(self, page: str, only: str = "") -> None:
        self.page = page
        self.settings: Settings = st.session_state["settings"]
        self.lang = self.settings.lang
        self.colors: Colors = colors(dark=st.context.theme.type == "dark")
        sections = prose.sections(page, self.lang)
        st.title(sections["title"], anchor=False)
        st.markdown(sections["motivation"])
        if only not in ("", self.settings.weights):
            st.info(prose.sections("ui", self.lang)[f"only_{only}"], icon=":material/swap_horiz:")
            st.button(label(f"take_{only}", self.lang), key="take_weights", on_click=take_weights, args=(only,))
            st.stop()

    # Saying.

    def text(self, section: str, **facts: object) -> str:
        """A section of the page's text with its facts; the one for the weights in force, where there is such a one."""
        found = prose.sections(self.page, self.lang)
        own = f"{section}_{self.settings.weights}"
        return prose.fill(
            found[own if own in found else section], {**prose.of_weights(self.settings.weights, self.lang), **facts}
        )

    def say(self, section: str, **facts: object) -> None:
        """A section of the page's text."""
        st.markdown(self.text(section, **facts))

    def caption(self, section: str, **facts: object) -> None:
        """A section in small print."""
        st.caption(self.text(section, **facts))

    def formula(self, *parts: str) -> None:
        """A formula, its live shapes under its symbols (see sized)."""
        st.latex(r" \; ".join(parts))

    def link(self, page: str, text: str) -> None:
        """A link to another page that keeps the settings."""
        st.page_link(f"pages/{page}/page.py", label=text, query_params=to_query(self.settings.elsewhere), icon="")

    def heading(self, name: str) -> None:
        """A short heading of the page's own column."""
        st.markdown(f"## {label(name, self.lang)}", anchors=False)

    def attempt(self) -> None:
        """Something to do with the controls."""
        with st.container(border=True):
            st.markdown(f"**{label('try', self.lang)}** · {self.text('try')}")

    def question(self, **facts: object) -> None:
        """One question that the reader can answer by looking, and its answer on demand."""
        with st.container(border=True):
            st.markdown(f"**{label('question', self.lang)}** · {self.text('question', **facts)}")
            with st.expander(label("answer", self.lang)):
                st.markdown(self.text("answer", **facts))

    def name(self, key: str, **facts: object) -> str:
        """A short label in the reader's language."""
        return label(key, self.lang, **facts)

    def code(self, text: str) -> str:
        """A text from outside for use as a fact: shown as it is, never interpreted."""
        return prose.code(text)

    def signed(self, number: int) -> str:
        """A whole number with its sign."""
        return f"{number:+d}".replace("-", "−") if number else "0"

    # Showing.

    def show(self, board: Board, key: str) -> None:
        """Draw a board of heatmaps."""
        self.figure(draw(board, self.colors), key, board.words)

    def figure(self, figure: go.Figure, key: str, words: str, *, tiles: bool = False) -> None:
        """Place a figure. words: what it says to those who cannot see it.

        tiles: it shows all heads of all layers, and a click on a tile chooses its layer and head.
        """
        key = f"{self.page}_{key}"
        place = partial(st.plotly_chart, figure, theme=None, config=_CONFIG, key=key, alt=words)
        if tiles:
            place(on_select=partial(_take_tile, key), selection_mode="points")
        else:
            place()

    def table(self, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A small table of numbers and words that hold no text of the sentence."""
        lines = [names, ["---:"] * len(names), *([prose.written(cell) for cell in row] for row in rows)]
        st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))

    def source(self, *functions: Callable[..., Tensor]) -> None:
        """The code of the very functions that made the numbers."""
        self.heading("source")
        st.code(
            "\n\n".join(dedent(inspect.getsource(f)).strip() for f in functions), language="python", wrap_lines=True
        )


class Lesson(Page):
    """A page about the layer in force: its trace of the sentence, and the page's questions about it.

    Where the sentence is empty or the real model cannot be had, it says what to do and ends the page there.
    """

    def __init__(self, page: str, only: str = "") -> None:
        super().__init__(page, only)
        if not shown(self.settings).tokens:
            st.info(label("empty", self.lang), icon=":material/edit:")
            st.stop()
        self._with_models()
        place = st.empty()  # always there, so that what follows keeps its own
        self.trace = trace_of(self.settings, place)
        self.before = trace_of(self.settings.before, place, held=True) if self.settings.before else None
        self.labels = token_labels(self.trace.tokens)
        self.head = self.settings.head
        self.query = self.settings.query
        if self.settings.weights == "learned":
            self._learned()
        masked = self.trace.attention.masked_scores[self.head]  # (seq_len, seq_len)
        self.closed = Closed(masked == -torch.inf, label("closed", self.lang))
        self.is_closed = bool(self.closed_weights().cells[self.query].all())
        st.session_state["awaited"] = None
        if self.settings.questions and not self.trace.edits:  # they ask what follows from the rules
            quiz(page, self.trace)

    def _with_models(self) -> None:
        """Go on only with the real models at hand that are in force and held."""
        for settings in (self.settings, self.settings.pin):
            if settings and settings.weights == "real" and (trouble := load(settings)):
                unavailable(settings, trouble)
                st.stop()

    @property
    def layer(self) -> Learned:
        """The layer that learned, where the weights in force are learned."""
        return learned(self.settings)

    @property
    def model(self) -> Pretrained:
        """The real model, where one is in force."""
        assert self.settings.real is not None  # the page has ended where it could not be had
        return self.settings.real

    def _learned(self) -> None:
        """What the layer has learned so far, and what it makes of the query token."""
        layer, text = self.layer, prose.sections("ui", self.lang)
        now = layer.history.checkpoints[self.settings.checkpoint]
        facts: dict[str, object] = {
            "step": now.step,
            "steps": layer.history.checkpoints[-1].step,
            "accuracy": now.accuracy,
        }
        facts |= {"query": self.token(self.query), "word": self.said()}
        with st.container(key="story"):
            st.markdown(prose.fill(text["story"], facts))
            if place := learning.obstacle(layer, self.settings.checkpoint):
                st.markdown(text[place])
            unknown = layer.unknown(self.trace.sentence)
            if unknown:
                st.caption(prose.fill(text["unknown"], {"words": " ".join(map(prose.code, unknown))}))

    @cached_property
    def _words(self) -> Sequence[str]:
        """The words that a learned layer's output rows are nearest to."""
        return self.layer.words(self.trace.attention.output, checkpoint=self.settings.checkpoint)

    def said(self) -> str:
        """The word that a learned layer's output row of the query token is nearest to."""
        return prose.code(self._words[self.query])

    def decoded(self) -> None:
        """What a learned layer's output says of every token: the nearest word."""
        if self.settings.weights == "learned":
            names = token_labels(self.trace.tokens, markup=False)
            pairs = (f"{prose.code(name)} → {prose.code(word)}" for name, word in zip(names, self._words, strict=True))
            self.say("decoded", words=label("between_changes", self.lang).join(pairs))

    # Axes: what rows and columns are called in hover texts and labels.

    def tokens(self, name: str = "axis_token") -> Axis:
        """The sentence's tokens as rows or columns."""
        return Axis(label(name, self.lang), self.labels)

    def dims(self, name: str = "axis_dim", first: int = 0) -> Axis:
        """Numbered dimensions as rows or columns."""
        return Axis(label(name, self.lang), first=first)

    def words(self) -> Axis:
        """The vocabulary, by id."""
        return Axis(label("axis_word", self.lang), token_labels(self.trace.vocabulary))

    def token(self, position: int) -> str:
        """A token's label for use as a fact: shown as it is, never interpreted."""
        return prose.code(token_labels(self.trace.tokens, markup=False)[position])

    def row_of(self, role: str) -> Outline:
        """A frame around the row of the query token."""
        return Outline(role, rows=(self.query, self.query + 1))

    def of(self, tensor: str, *, head: int | None = None, transposed: bool = False) -> Origin:
        """A panel shows this tensor: the chosen head's, where each head has its own and no other is named."""
        own = (self.head if head is None else head) if tensor in OF_HEADS else None
        return Origin(tensor, own, transposed)

    def all_heads(self, tensor: str) -> Origin:
        """A panel shows this tensor with the columns of all heads side by side."""
        return Origin(tensor, head_dim=self.trace.config.head_dim)

    def closed_weights(self, head: int | None = None) -> Closed:
        """The weights that a mask closed, in the chosen head where no other is named."""
        return Closed(closed(self.trace, self.head if head is None else head), label("closed", self.lang))

    # Showing and saying.

    def show(self, board: Board, key: str) -> None:
        """Draw a board of heatmaps. Where something is held or edited, what differs from before is framed."""
        grid = [[panel and self._marked(panel) for panel in line] for line in board.grid]
        super().show(replace(board, grid=grid), key)

    def _marked(self, panel: Panel) -> Panel:
        """The panel with the cells framed whose numbers were others before."""
        if self.before is None or panel.origin is None:
            return panel
        rows, columns = panel.values.shape
        then = view(self.before, panel.origin, self.query, (rows, columns))
        return panel if then is None else replace(panel, changed=changes(panel.values, then))

    def inspect(self, tensor: str, *, has_cells: bool = True) -> None:
        """Where does this number come from? Begins with a cell of that tensor. has_cells: the figures have any."""
        inspector(self.page, self.trace, tensor, has_cells)

    def compare(self, *tensors: str, by_hand: str = "") -> None:
        """Hold this, change one thing: the step's results before and after. by_hand: "swap" words, "silence" a head."""
        compare(self.settings, self.before, self.trace, tensors, by_hand, self.show)

    def notice(self, section: str, /, rule_of: str = "", **facts: object) -> None:
        """What to notice, computed from the tensors on screen.

        rule_of: the tensor whose rule it tells; where that was broken by hand, it says so instead.
        """
        self.heading("notice")
        if self.is_edited(rule_of, self.query):
            st.markdown(prose.sections("ui", self.lang)["notice_edited"])
        else:
            self.say(section, **facts)

    def is_edited(self, tensor: str, row: int | None = None) -> bool:
        """Whether a number of that tensor (and that row), in the chosen head, was set by hand."""
        return any(
            edit.tensor == tensor and edit.head in (None, self.head) and (row in (None, edit.row) or tensor == SILENCED)
            for edit in self.trace.edits
        )

    def progress(self, page: str) -> None:
        """How many of another page's questions the reader has answered rightly during this visit."""
        right, count = progress(page, self.trace, self.settings)
        if self.settings.questions and right:
            st.badge(self.name("solved", right=right, count=count), icon=":material/check:", color="green")


def _take_tile(key: str) -> None:
    state = st.session_state
    points = state[key]["selection"]["points"]
    if points:
        state["layer"], state["head"] = points[0]["customdata"]


def sized(symbol: str, tensor: Tensor) -> str:
    """A LaTeX symbol with the tensor's shape under it."""
    shape = r" \times ".join(map(str, tensor.shape))
    return rf"\underset{{{shape}}}{{{symbol}}}"
