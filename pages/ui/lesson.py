"""What a page holds: the settings in force, their trace, and the ways to show and say something."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from textwrap import dedent

import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from attention import Learned
from attention.pretrained import Pretrained, Unavailable
from attention.tensors import SILENCED, TENSORS, AxisKind, changes, closed, matrix, side_by_side
from pages.ui import compat
from pages.ui.ask.inspector import inspector
from pages.ui.compare import compare
from pages.ui.figures.colors import Colors, colors
from pages.ui.figures.draw import draw
from pages.ui.figures.panels import Axis, Band, Board, Closed, Outline, Panel, Scale, token_labels
from pages.ui.figures.views import View
from pages.ui.layers import story
from pages.ui.layers.ready import learned, load, take_weights, trace_of, unavailable
from pages.ui.quiz.box import progress, quiz
from pages.ui.state.address import to_query
from pages.ui.state.settings import Settings, Weights
from pages.ui.state.sources import SOURCES
from pages.ui.state.visit import change, current, fits, resolved, said
from pages.ui.words import prose
from pages.ui.words.labels import label
from pages.ui.words.numbers import written

_CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


class PageEndedError(Exception):
    """The page has said what to do before it can show anything. The frame around it goes on."""


class Page:
    """A page and the ways to show and say something on it. Opening it shows the title and the motivation.

    only: the kind of weights that the page is about; with others in force it offers to change to them, and ends there.
    """

    def __init__(self, only: Weights | None = None) -> None:
        self.now = resolved()
        self.page = current().page
        self.settings: Settings = self.now.settings
        self.lang = self.settings.lang
        self.colors: Colors = colors(dark=st.context.theme.type == "dark")
        found = prose.sections(self.page, self.lang)
        st.title(found["title"], anchor=False)
        st.markdown(found["motivation"])
        if only not in (None, self.settings.weights):
            st.info(prose.shared(self.lang, f"only_{only}"), icon=":material/swap_horiz:")
            st.button(self.name(f"take_{only}"), key="take_weights", on_click=take_weights, args=(only,))
            raise PageEndedError

    # Saying.

    def text(self, section: str, **facts: object) -> str:
        """A section of the page's text with its facts; the one for the weights in force, where there is such a one."""
        kind = self.settings.weights
        also = prose.of_weights(kind, self.lang)
        return prose.fill(prose.section(self.page, self.lang, section, kind), facts, also)

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
        st.markdown(f"## {self.name(name)}", anchors=False)

    def attempt(self) -> None:
        """Something to do with the controls."""
        with st.container(border=True):
            st.markdown(f"**{self.name('try')}** · {self.text('try')}")

    def question(self, facts: Mapping[str, object] | None = None) -> None:
        """One question that the reader can answer by looking, and its answer on demand. facts: of either."""
        also = {**prose.of_weights(self.settings.weights, self.lang), **(facts or {})}
        question, answer = (
            prose.fill(prose.section(self.page, self.lang, name, self.settings.weights), {}, also)
            for name in ("question", "answer")
        )
        with st.container(border=True):
            st.markdown(f"**{self.name('question')}** · {question}")
            with st.expander(self.name("answer")):
                st.markdown(answer)

    def name(self, key: str, **facts: object) -> str:
        """A short label in the reader's language."""
        return label(key, self.lang, **facts)

    def code(self, text: str) -> str:
        """A text from outside for use as a fact: shown as it is, never interpreted."""
        return prose.code(text)

    # Showing.

    def show(self, board: Board, key: str) -> None:
        """Draw a board of heatmaps."""
        self.figure(draw(board, self.colors), key, board.words)

    def figure(self, figure: go.Figure, key: str, words: str, *, picks: Sequence[str] = ()) -> None:
        """Place a figure. words: what it says to those who cannot see it.

        picks: the settings that a click on it chooses, in the order in which its points carry them.
        """
        key = f"{self.page}_{key}"
        draw_chart = partial(
            st.plotly_chart, compat.without_template(figure), theme=None, config=_CONFIG, key=key, alt=words
        )
        if picks:
            draw_chart(on_select=partial(_pick, key, picks), selection_mode="points")
        else:
            draw_chart()

    def table(self, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A small table of numbers and words that hold no text of the sentence."""
        lines = [names, ["---:"] * len(names), *([written(cell) for cell in row] for row in rows)]
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

    def __init__(self, only: Weights | None = None) -> None:
        super().__init__(only)
        if not self.now.tokens:
            st.info(self.name("empty"), icon=":material/edit:")
            raise PageEndedError
        then = self.now.before(self._model_of)
        self._model_of(self.settings)
        slot = st.empty()  # for a training; always there, so that what follows keeps its place
        self.trace = trace_of(self.now, slot)
        self.before = (trace_of(then, slot, held=True), then) if then else None
        self.labels = token_labels(self.trace.tokens)
        self.head, self.query = self.settings.head, self.settings.query
        if self.now.source.learns:
            story.tell(self.now, self.layer, self.trace.tokens, self.token(self.query), self.said())
        if self.settings.questions and not self.trace.edits:  # they ask what follows from the rules
            quiz(self.page, self.trace)
        else:
            current().awaited = None

    def _model_of(self, settings: Settings) -> Pretrained | None:
        """The real model that settings name; the page ends where it cannot be had."""
        if not SOURCES[settings.weights].is_loaded:
            return None
        if settings == self.settings and self.now.model:
            return self.now.model
        found = load(settings)
        if isinstance(found, Unavailable):
            unavailable(settings, found)
            raise PageEndedError
        if settings == self.settings:  # it came too late for what this run was worked out from
            st.rerun()
        return found

    @cached_property
    def layer(self) -> Learned:
        """The layer that learned, where the weights in force are learned."""
        return learned(self.now)

    @property
    def model(self) -> Pretrained:
        """The real model, where one is in force."""
        assert self.now.model is not None  # the page has ended where it could not be had
        return self.now.model

    @cached_property
    def _words(self) -> Sequence[str]:
        """The words that a learned layer's output rows are nearest to."""
        return self.layer.words(self.trace.attention.output, checkpoint=self.settings.checkpoint)

    def said(self) -> str:
        """The word that a learned layer's output row of the query token is nearest to."""
        return prose.code(self._words[self.query])

    def decoded(self) -> None:
        """What a learned layer's output says of every token: the nearest word."""
        if self.now.source.learns:
            names = token_labels(self.trace.tokens, markup=False)
            pairs = (f"{prose.code(name)} → {prose.code(word)}" for name, word in zip(names, self._words, strict=True))
            self.say("decoded", words=self.name("between_changes").join(pairs))

    # What is on the page.

    def own(self, tensor: str) -> Tensor:
        """The values of a tensor: of the chosen head where each head has its own, of the query where each has one."""
        return matrix(self.trace, tensor, self._head(tensor), self.query)  # (rows, columns)

    def whole(self, tensor: str) -> Tensor:
        """The values of a tensor with the columns of all heads side by side."""
        return side_by_side(self.trace, tensor)  # (L, d_model)

    def closed(self, tensor: str, head: int | None = None) -> Tensor:
        """Which cells of a tensor a mask has closed, in the chosen head where no other is named: (L, S)."""
        cells = closed(self.trace, tensor, self.head if head is None else head)
        assert cells is not None  # a tensor between the masks and the weighted sum
        return cells

    @property
    def is_closed(self) -> bool:
        """Whether the followed query has no open key."""
        return bool(self.closed("attn_weights")[self.query].all())

    def _head(self, tensor: str, head: int | None = None) -> int | None:
        if not TENSORS[tensor].per_head:
            return None
        return self.head if head is None else head

    def panel(
        self,
        tensor: str,
        *,
        head: int | None = None,
        all_heads: bool = False,
        own_columns: bool = False,
        transposed: bool = False,
        title: str = "",
        scale: Scale | None = None,
        follows: bool = False,
        outlines: tuple[Outline, ...] = (),
        bands: tuple[Band, ...] = (),
        first: int = 0,
        leads_to: str = "",
    ) -> Panel:
        """A tensor as a panel: what it is called, its axes, colours and closed cells follow from its name.

        The chosen head's, where each head has its own and no other is named; all_heads: their columns side by side.
        own_columns: of a matrix of weights only the columns that make the chosen head. follows: the followed row is
        framed. first: what its columns are counted from.
        """
        known, config = TENSORS[tensor], self.trace.config
        if all_heads:
            view = View(tensor, head_dim=config.head_dim)
        elif own_columns:
            view = View(tensor, first=self.head * config.head_dim, width=config.head_dim)
        else:
            view = View(tensor, self._head(tensor, head), transposed)
        values = view.of(self.trace, self.query)
        axes = [self.axis(known.rows), self.axis("out" if all_heads else known.columns, first)]
        rows, columns = reversed(axes) if transposed else axes
        name = title or self.name(f"tensor_{tensor}") + "ᵀ" * transposed
        role = tensor.removeprefix("w_").removeprefix("b_")
        role = role if role in ("q", "k", "v") else ""
        cells = None if all_heads or own_columns else closed(self.trace, tensor, view.head)
        row = Outline(role or ("q" if known.rows == "query" else ""), rows=(self.query, self.query + 1))
        return Panel(
            values,
            name,
            rows,
            columns,
            scale or self._scale(tensor, values, name),
            role,
            closed=None if cells is None else Closed(cells, self.name("closed")),
            outlines=((row,) if follows else ()) + outlines,
            bands=bands,
            whole=known.whole,
            view=view,
            leads_to=leads_to,
        )

    def axis(self, kind: AxisKind, first: int = 0) -> Axis:
        """Rows or columns of that kind: tokens and words by their labels, the rest numbered."""
        name = self.name(f"axis_{kind}")
        if kind in ("token", "query", "key"):
            return Axis(name, self.labels)
        return Axis(name, token_labels(self.trace.vocabulary)) if kind == "word" else Axis(name, first=first)

    def _scale(self, tensor: str, values: Tensor, name: str) -> Scale:
        known = TENSORS[tensor]
        if known.range == "signed":
            return Scale.signed(values, name=name)
        return Scale(weight=known.range == "share", plain=known.range == "plain", name=name)

    def token(self, position: int) -> str:
        """A token's label for use as a fact: shown as it is, never interpreted."""
        return prose.code(token_labels(self.trace.tokens, markup=False)[position])

    def show(self, board: Board, key: str) -> None:
        """Draw a board of heatmaps. Where something is held or edited, what differs from before is framed."""
        grid = [[panel and self._marked(panel) for panel in line] for line in board.grid]
        super().show(replace(board, grid=grid), key)

    def _marked(self, panel: Panel) -> Panel:
        """The panel with the cells framed whose numbers were others before."""
        if self.before is None or panel.view is None:
            return panel
        then = panel.view.same_of(self.before[0], self.query, tuple(panel.values.shape))
        return panel if then is None else replace(panel, changed=changes(panel.values, then))

    def inspect(self, tensor: str, *, has_cells: bool = True) -> None:
        """Where does this number come from? Begins with a cell of that tensor. has_cells: the figures have any."""
        inspector(self.page, self.trace, tensor, has_cells)

    def compare(self, *tensors: str, by_hand: str = "") -> None:
        """Hold this, change one thing: the step's results before and after. by_hand: "swap" words, "silence" a head."""
        compare(self.before, (self.trace, self.now), tensors, by_hand, self.show)

    def notice(self, section: str, rule_of: str = "", /, **facts: object) -> None:
        """What to notice, computed from the tensors on screen.

        rule_of: the tensor whose rule it tells; where that was broken by hand, it says so instead.
        """
        self.heading("notice")
        if self.is_edited(rule_of, self.query):
            st.markdown(prose.shared(self.lang, "notice_edited"))
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


def _pick(key: str, names: Sequence[str]) -> None:
    """A click on a figure chooses settings, if there are such."""
    numbers = compat.picked(said(key))
    values = dict(zip(names, numbers, strict=False))
    if len(numbers) == len(names) and fits(**values):
        change(**values)


def sized(symbol: str, tensor: Tensor) -> str:
    """A LaTeX symbol with the tensor's shape under it."""
    shape = r" \times ".join(map(str, tensor.shape))
    return rf"\underset{{{shape}}}{{{symbol}}}"
