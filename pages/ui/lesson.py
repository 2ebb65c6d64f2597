"""What a page holds in its hand: the settings in force, their trace, and the ways to show and say something."""

import inspect
from collections.abc import Callable
from textwrap import dedent

import streamlit as st
import torch
from torch import Tensor

from attention import AttentionConfig, SentenceTrace, trace_sentence
from pages.ui import prose
from pages.ui.colors import Colors, colors
from pages.ui.figures import Axis, Board, Closed, Outline, draw, token_labels
from pages.ui.labels import label
from pages.ui.settings import Settings, fit_sentence, to_query

_CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


@st.cache_resource(max_entries=64, show_spinner=False)
def _trace(sentence: str, config: AttentionConfig, hidden: tuple[int, ...]) -> SentenceTrace:
    """One trace per settings, shared by all visitors: nothing in it is ever changed."""
    with torch.no_grad():
        return trace_sentence(sentence, config, hidden_keys=hidden)


class Lesson:
    """One page for the settings in force. Opening it shows the title and the motivation.

    Where the sentence is empty, it says what to do and ends the page there.
    """

    def __init__(self, page: str) -> None:
        self.page = page
        self.settings: Settings = st.session_state["settings"]
        self.lang = self.settings.lang
        self.colors: Colors = colors(dark=st.context.theme.type == "dark")
        sections = prose.sections(page, self.lang)
        st.title(sections["title"], anchor=False)
        st.markdown(sections["motivation"])
        fitted = fit_sentence(self.settings.sentence)
        if not fitted.tokens:
            st.info(label("empty", self.lang), icon=":material/edit:")
            st.stop()
        self.trace = _trace(fitted.sentence, self.settings.config, self.settings.hidden)
        self.labels = token_labels(self.trace.tokens)
        self.head = self.settings.head
        self.query = self.settings.query
        masked = self.trace.attention.masked_scores[self.head]  # (seq_len, seq_len)
        self.closed = Closed(masked == -torch.inf, label("closed", self.lang))
        self.is_closed = bool(self.closed.cells[self.query].all())

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

    def name(self, key: str, **facts: object) -> str:
        """A short label in the reader's language."""
        return label(key, self.lang, **facts)

    def token(self, position: int) -> str:
        """A token's label for use as a fact: shown as it is, never interpreted."""
        return prose.code(token_labels(self.trace.tokens, markup=False)[position])

    def row_of(self, role: str) -> Outline:
        """A frame around the row of the query token."""
        return Outline(role, rows=(self.query, self.query + 1))

    # Showing and saying.

    def show(self, board: Board, key: str) -> None:
        """Draw a board of heatmaps."""
        figure = draw(board, self.colors)
        st.plotly_chart(figure, theme=None, config=_CONFIG, key=f"{self.page}_{key}", alt=board.words)

    def show_map(self, board: Board) -> None:
        """Draw an overview whose panels lead to their pages."""
        event = st.plotly_chart(
            draw(board, self.colors),
            theme=None,
            config=_CONFIG,
            key=f"{self.page}_map",
            alt=board.words,
            on_select="rerun",
            selection_mode="points",
        )
        points = event["selection"]["points"]
        if points:
            st.switch_page(f"pages/{points[0]['customdata']}/page.py", query_params=to_query(self.settings))

    def link(self, page: str, text: str) -> None:
        """A link to another page that keeps the settings."""
        st.page_link(f"pages/{page}/page.py", label=text, query_params=to_query(self.settings), icon="")

    def say(self, section: str, **facts: object) -> None:
        """A section of the page's text with its facts."""
        st.markdown(prose.fill(prose.sections(self.page, self.lang)[section], facts))

    def caption(self, section: str, **facts: object) -> None:
        """A section in small print."""
        st.caption(prose.fill(prose.sections(self.page, self.lang)[section], facts))

    def formula(self, *parts: str) -> None:
        """A formula, its live shapes under its symbols (see sized)."""
        st.latex(r" \; ".join(parts))

    def notice(self, section: str, **facts: object) -> None:
        """What to notice, computed from the tensors on screen."""
        self.heading("notice")
        self.say(section, **facts)

    def heading(self, name: str) -> None:
        """A short heading of the page's own column."""
        st.markdown(f"## {label(name, self.lang)}", anchors=False)

    def attempt(self) -> None:
        """Something to do with the controls."""
        with st.container(border=True):
            st.markdown(f"**{label('try', self.lang)}** · {prose.sections(self.page, self.lang)['try']}")

    def question(self, **facts: object) -> None:
        """One question that the reader can answer by looking, and its answer on demand."""
        texts = prose.sections(self.page, self.lang)
        with st.container(border=True):
            st.markdown(f"**{label('question', self.lang)}** · {prose.fill(texts['question'], facts)}")
            with st.expander(label("answer", self.lang)):
                st.markdown(prose.fill(texts["answer"], facts))

    def source(self, *functions: Callable[..., Tensor]) -> None:
        """The code of the very functions that made the numbers."""
        self.heading("source")
        st.code(
            "\n\n".join(dedent(inspect.getsource(f)).strip() for f in functions), language="python", wrap_lines=True
        )


def sized(symbol: str, tensor: Tensor) -> str:
    """A LaTeX symbol with the tensor's shape under it."""
    shape = r" \times ".join(map(str, tensor.shape))
    return rf"\underset{{{shape}}}{{{symbol}}}"
