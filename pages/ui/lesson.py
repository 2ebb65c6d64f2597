"""What a page holds: the settings in force, their trace, and the ways to show and say something."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import plotly.graph_objects as go
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from attention import Learned, SentenceTrace, measures
from attention.pretrained import Pretrained, Unavailable
from pages import WALK
from pages.ui import compat, navigation
from pages.ui import stage as painter
from pages.ui.ask import pointer
from pages.ui.figures.colors import Colors, colors
from pages.ui.figures.panels import Board
from pages.ui.figures.play import Play
from pages.ui.figures.sight import Sight
from pages.ui.layers import story
from pages.ui.layers.ready import how_far, layer_at_hand, layer_of, load, said_by, take_weights, trace_of, unavailable
from pages.ui.panel import Faces, panel
from pages.ui.state.resolved import Resolved
from pages.ui.state.settings import Settings, Weights
from pages.ui.state.sources import SOURCES
from pages.ui.state.visit import change, current, fits, is_small, resolved, said
from pages.ui.words import prose
from pages.ui.words.labels import label
from pages.ui.words.numbers import written
from pages.ui.words.terms import GLOSSARY, linked

_CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
MOST_NAMED = 2  # of those that share the first place
Say = Callable[[], None]


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
        self._waiting: list[str] | None = None  # texts that will be written as one
        found = prose.sections(self.page, self.lang)
        self._used: set[str] = set()  # the glossary's terms that were used before
        with st.container(key="heading"):
            st.markdown(self._linked(f"# {found['title']}\n\n{found['motivation']}"), anchors=False)
        current().terms = frozenset(self._used)
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
        self._write(self.text(section, **facts))

    def _write(self, text: str) -> None:
        """Some Markdown: now, or together with what stands around it (see Lesson.more)."""
        if self._waiting is None:
            st.markdown(self._linked(text))
        else:
            self._waiting.append(text)

    def _linked(self, text: str) -> str:
        """Some Markdown, its terms linked to the glossary where they are first used."""
        return text if self.page == GLOSSARY else linked(text, self.lang, self._used)

    def begin_box(self) -> None:
        """What follows is drawn again by itself: of the terms, only those of the heading were used before."""
        self._used = set(current().terms)

    def caption(self, section: str, **facts: object) -> None:
        """A section in small print."""
        st.caption(self.text(section, **facts))

    def formula(self, *parts: str) -> None:
        """A formula, its live shapes under its symbols (see sized)."""
        formula = r" \; ".join(parts)
        self._write(f"$$\n{formula}\n$$")

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
        self._write(f"**{self.name('question')}** · {question}")
        self._flush()
        with st.expander(self.name("answer")):
            st.markdown(answer)

    def _flush(self) -> None:
        if self._waiting:
            st.markdown(self._linked("\n\n".join(self._waiting)))
            self._waiting.clear()

    def name(self, key: str, **facts: object) -> str:
        """A short label in the reader's language."""
        return label(key, self.lang, **facts)

    def code(self, text: str) -> str:
        """A text from outside for use as a fact: shown as it is, never interpreted."""
        return prose.code(text)

    # Showing.

    def show(self, board: Board, key: str) -> None:
        """Paint a board of heatmaps."""
        painter.show(board, f"{self.page}_{key}", self.colors, self.lang)

    def figure(
        self,
        figure: go.Figure,
        key: str,
        words: str,
        *,
        picks: Sequence[str] = (),
        on_pick: Callable[[tuple[int, ...]], None] | None = None,
    ) -> None:
        """Place a figure. words: what it says to those who cannot see it.

        picks: the settings that a click on it chooses, in the order in which its points carry them; or on_pick: what is
        done with what the clicked point carries.
        """
        key = f"{self.page}_{key}"
        draw_chart = partial(
            st.plotly_chart, compat.without_template(figure), theme=None, config=_CONFIG, key=key, alt=words
        )
        if picks or on_pick:
            draw_chart(on_select=partial(_pick, key, picks, on_pick), selection_mode="points")
        else:
            draw_chart()

    def table(self, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A small table of numbers and words; what of it is the reader's own comes as code (see Page.code)."""
        cells = [[written(cell).replace("|", r"\|") for cell in row] for row in rows]  # a bar would end the cell
        lines = [names, ["---:"] * len(names), *cells]
        st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


class Lesson(Page, Sight):
    """A page about the layer in force: its trace of the sentence, its stage and its panel.

    Where the sentence is empty or the real model cannot be had, it says what to do and ends the page there.
    """

    def __init__(self, only: Weights | None = None) -> None:
        Page.__init__(self, only)
        if not self.now.tokens:
            st.info(self.name("empty"), icon=":material/edit:")
            raise PageEndedError
        then = self.now.before(self._model_of)
        self._model_of(self.settings)
        learning = st.container(key="learning")  # always there, so that what it says does not blink
        slot = st.empty()  # for a training that is waited for; always there, so that what follows keeps its place
        held = trace_of(then, layer_of(then, slot, held=True)) if then else None
        self._layer = layer_of(self.now, slot)
        trace = trace_of(self.now, self._layer)
        Sight.__init__(self, self.now, trace, held, said_by(self.now, trace, self._layer))
        if isinstance(self._layer, Learned) and self._layer.is_learning:
            with learning:
                st.html(how_far(self.now, self._layer))
                pointer.again()
        elif current().told_later and story.has_learned(layer_at_hand(self.now)):  # since the sidebar was drawn
            with learning:
                pointer.again()
        self.a = (held, then) if held and then else None
        st.html(navigation.formula(self, self.page, is_small=is_small(self.settings)))
        self._panel: DeltaGenerator | None = None
        self._faces: dict[str, Say] = {}

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

    def also(self, sentence: str) -> SentenceTrace | None:
        """The walk of another sentence through the same layer; None where it has no tokens."""
        other = self._with(sentence)
        if not other.tokens:
            return None
        with torch.no_grad():
            return other.source.trace(other.settings, other.shown, other.config, self._layer)

    def also_says(self, sentence: str, trace: SentenceTrace) -> tuple[str, ...]:
        """What the output rows of that walk are nearest to, with a layer that learned."""
        return said_by(self._with(sentence), trace, self._layer)

    def _with(self, sentence: str) -> Resolved:
        return self.now.again(replace(self.settings, sentence=sentence, hidden=(), edit=None, pin=None))

    @property
    def layer(self) -> Learned:
        """The layer that learned, as it stands, where the weights in force are learned."""
        assert isinstance(self._layer, Learned)
        return self._layer

    @property
    def model(self) -> Pretrained:
        """The real model, where one is in force."""
        assert self.now.model is not None  # the page has ended where it could not be had
        return self.now.model

    def said(self) -> str:
        """The word that a learned layer's output row of the query token is nearest to."""
        return prose.code(self.says[self.query])

    def decoded(self) -> None:
        """What a learned layer's output says of every token: the nearest word."""
        if self.says:
            pairs = (
                f"{prose.code(name)} → {prose.code(word)}" for name, word in zip(self.labels, self.says, strict=True)
            )
            self.say("decoded", words=self.name("between_changes").join(pairs))

    def token(self, position: int) -> str:
        """A token's label for use as a fact: shown as it is, never interpreted."""
        return prose.code(self.labels[position])

    def leader(self, row: Tensor) -> str:
        """The token of a row's largest entry, and those that share it, for use as a fact."""
        first, *others = measures.leaders(row)
        if not others:
            return self.token(first)
        named = self.name("between_tokens").join(map(self.token, others[:MOST_NAMED]))
        more = self.name("and_more", count=len(others) - MOST_NAMED) if len(others) > MOST_NAMED else ""
        return self.token(first) + self.name("shared_with", others=named + more)

    def story(self) -> None:
        """How far the training is, and how well the layer does now; nothing with other weights."""
        if self.says:
            self._flush()
            story.tell(self.now, self.layer, self.token(self.query), self.said())

    def unknown(self) -> None:
        """The words of the sentence that a layer which learned does not know."""
        if self.says:
            story.unknown(self.now)

    # The stage, and the panel beside it.

    def stage(self, board: Board, result: str, plays: Sequence[Play] = ()) -> None:
        """Paint the page's picture, and keep room beside it for the panel.

        result: the tensor that the step makes. plays: how that can be watched.
        """
        wide = board.lines is not None
        where = [st.container(), None] if wide else st.columns([0.64, 0.36], gap="small")
        picture, self._panel = where
        assert picture is not None
        so_far = len(self._layer.history.checkpoints) - 1 if isinstance(self._layer, Learned) else 0
        reached = min(self.settings.checkpoint, so_far)
        with picture, st.container(key="stage"):
            painter.stage(self.page, self, self.marked(board), result, self.colors, plays, reached)

    def faces(
        self,
        notice: Say,
        start: str,
        code: Sequence[Callable[..., object]],
        compare: Sequence[str],
        by_hand: str = "",
    ) -> None:
        """The panel: what to notice, where a number comes from, a question, the code, and A beside B.

        notice: says what to notice. start: the tensor whose cell is explained first. compare: the tensors that A and B
        are told apart by. by_hand: "swap" words, "silence" a head.
        """

        def told() -> None:
            self.begin_box()
            notice()
            self.unknown()

        faces = Faces(self, self.colors, self.a, told, start, tuple(code), tuple(compare), by_hand)
        with self._panel or st.container():
            panel(faces)

    def more(self, tell: Say) -> None:
        """What is longer, for those who scroll: it is drawn when they come near. tell: says it."""
        heading = f"<h2 class='more' id='more'>{self.name('read_more')}</h2>"
        able = navigation.able(self.page, self.lang) if self.page in WALK else ""
        deeper = navigation.deeper(self.settings, self.page)
        st.html(f"{navigation.ways(self.settings, self.page)}{deeper}{able}{heading}")
        _more(self, tell)

    def told(self, tell: Say) -> None:
        """Texts that follow each other as one element: each costs time."""
        self._waiting = []
        self.begin_box()
        tell()
        self._flush()
        self._waiting = None

    def notice(self, section: str, rule_of: str = "", /, **facts: object) -> None:
        """What to notice, computed from the tensors on screen.

        rule_of: the tensor whose rule it tells; where that was broken by hand, it says so instead.
        """
        if self.is_edited(rule_of, self.query):
            st.markdown(prose.shared(self.lang, "notice_edited"))
        else:
            self.say(section, **facts)

    def show(self, board: Board, key: str) -> None:
        """Paint a board of heatmaps. Where something is held or edited, what differs from before is framed."""
        self._flush()
        super().show(self.marked(board), key)


def reads_on() -> bool:
    """Whether the reader has come near to what stands below the picture of this page."""
    return current().reads == current().page


@st.fragment
def _more(here: Lesson, tell: Say) -> None:
    with st.container(key="more"):
        if reads_on():
            here.told(tell)
        else:
            pointer.near(_on_near)


def _on_near() -> None:
    current().reads = current().page


def _pick(key: str, names: Sequence[str], on_pick: Callable[[tuple[int, ...]], None] | None = None) -> None:
    """A click on a figure chooses settings, if there are such."""
    numbers = compat.picked(said(key))
    if on_pick:
        on_pick(numbers)
        return
    values = dict(zip(names, numbers, strict=False))
    if len(numbers) == len(names) and fits(**values):
        change(**values)


def sized(symbol: str, tensor: Tensor) -> str:
    """A LaTeX symbol with the tensor's shape under it."""
    shape = r" \times ".join(map(str, tensor.shape))
    return rf"\underset{{{shape}}}{{{symbol}}}"
