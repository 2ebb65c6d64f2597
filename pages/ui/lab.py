"""A lab: a question, a prediction, and a live experiment that answers it, on the stage of the steps.

A lab has a few experiments, one at a time on its stage, chosen by name above the picture. Each begins with a question:
what it measures is not on the page before the reader has answered, or asked to see it without guessing.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar, cast

import plotly.graph_objects as go
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from pages import DEEPENS
from pages.ui import navigation
from pages.ui import stage as painter
from pages.ui.ask import inspector
from pages.ui.figures.panels import Axis, Board, Closed, Outline, Panel, Scale
from pages.ui.lesson import Lesson, Page, Say
from pages.ui.panel import Faces, choose_face, draw_face, show_code
from pages.ui.quiz.box import ask, posed_of
from pages.ui.quiz.question import Choice, Question, Words
from pages.ui.state.settings import MAX_SHIFT, MOST_EXPERIMENTS, Face, Settings, Weights
from pages.ui.state.visit import change, control, current, fits, resolved
from pages.ui.words.labels import label

Found = TypeVar("Found")
_FACES: tuple[Face, ...] = ("turn", "notice", "number", "code", "compare")
_OF_THE_LAYER: tuple[Face, ...] = ("number", "compare")
_START = "attn_weights"  # the tensor whose cell is explained first


def asked(name: str, right: str, *wrong: str, **facts: object) -> Question:
    """A question with a few answers. Its words: ask_name, for each answer name_answer, and name_answer_why.

    The answers stand in the order of the alphabet, so that none can be told by its place.
    """
    choices = [
        Choice(Words(f"{name}_{answer}"), answer == right, f"{name}_{answer}_why", facts)
        for answer in sorted((right, *wrong))
    ]
    return Question(name, "choice", facts, choices=tuple(choices))


def typed(name: str, number: float, tolerance: float, **facts: object) -> Question:
    """A question answered by a number. Its words: ask_name, name_right and name_wrong."""
    return Question(name, "number", facts, number=number, tolerance=tolerance)


@dataclass(frozen=True, eq=False)
class _Told:
    """What the panel of a lab holds."""

    here: "Bench"
    notice: Say
    code: Sequence[Callable[..., object]]
    questions: Sequence[Question]
    place: str
    revealed: bool


class Bench(Page):
    """What a lab adds to a page: its experiments, a row of controls, a stage, a panel."""

    experiment: str
    _questions: Sequence[Question]
    row: DeltaGenerator  # where a lab's own controls stand, beside its experiments
    _beside: DeltaGenerator

    def choose(self, *experiments: str) -> str:
        """The experiment on the stage. Its name: the section tab_…"""
        self.experiment = experiments[min(self.settings.experiment, len(experiments) - 1)]
        self._questions = ()
        self.row = st.container(horizontal=True, vertical_alignment="center", key="bench")
        if len(experiments) > 1:
            names = [self.text(f"tab_{name}") for name in experiments]
            number = experiments.index(self.experiment)
            self.row.segmented_control(
                self.name("experiments"),
                range(len(names)),
                format_func=names.__getitem__,
                required=True,
                label_visibility="collapsed",
                **control("experiment", (self.lang, experiments), number),
            )
        return self.experiment

    def asks(self, *questions: Question) -> None:
        """What this experiment asks, its prediction first. Once that was answered, nothing is covered again."""
        self._questions = questions
        if questions and self._is_answered:
            current().shown.add(self._place)

    @property
    def _place(self) -> str:
        return f"{self.page} {self.experiment}"

    @property
    def revealed(self) -> bool:
        """Whether what is measured may be on the page: the reader has answered, or did not want to guess."""
        is_shown = self._place in current().shown
        return not self.settings.questions or not self._questions or is_shown or self._is_answered

    @property
    def _is_answered(self) -> bool:
        return posed_of(self.page, "", self._questions[:1])[0].key in current().answers

    @property
    def drawn(self) -> int:
        """The seed of a lab's own random numbers: that of the settings, and which draw of them is shown."""
        return self.settings.seed * (MAX_SHIFT + 1) + self.settings.shift

    def redraw(self) -> None:
        """A button that draws other random numbers; the layer in force keeps its own."""
        st.button(self.name("draw_again"), key="draw_again", icon=":material/casino:", on_click=_shuffle)

    def shuffle(self) -> None:
        """Buttons that put the words into another order, and back."""
        self.row.button(self.name("shuffle_now"), key="shuffle", icon=":material/shuffle:", on_click=_shuffle)
        if self.settings.shift:
            back = {"shift": 0}
            self.row.button(self.name("shuffle_back"), key="unshuffle", type="tertiary", on_click=change, kwargs=back)

    # Controls.

    def slider(self, name: str, options: Sequence[int], named: Callable[[int], str] = str, title: str = "") -> None:
        """A slider over a few numbers of a setting. title: what it is called, where not after the setting."""
        shown = control(name, (self.lang, tuple(options)))
        self.row.select_slider(title or self.name(f"lab_{name}"), options, format_func=named, width=230, **shown)

    def option(self, name: str, options: Sequence[str]) -> None:
        """One of a few words of a setting."""
        self.row.segmented_control(
            self.name(f"lab_{name}"),
            options,
            format_func=lambda option: self.name(f"option_{name}_{option}"),
            required=True,
            label_visibility="collapsed",
            **control(name, (self.lang, tuple(options))),
        )

    def typing(self, name: str, shown: str) -> None:
        """A line of text of a setting. shown: what stands there while the reader has typed nothing."""
        shown_as = control(name, (self.lang, shown))
        self.row.text_input(self.name(f"lab_{name}"), placeholder=shown, width=320, **shown_as)

    def run(self, measure: Callable[[], Found]) -> Found | None:
        """A button that measures something short now; what it found stays until the settings are others."""
        kept, own = current().measured, repr(self.settings.held)
        last = kept.get(self._place)
        known = last if last and last[0] == own else None
        if st.button(self.name("measure_again" if known else "measure"), key="measure", icon=":material/play_arrow:"):
            known = kept[self._place] = own, measure()
        return cast(Found, known[1]) if known else None

    # The picture.

    def veil(self, panel: Panel) -> Panel:
        """A panel whose numbers are not there before the reader has answered."""
        if self.revealed:
            return panel
        closed = Closed(torch.ones(panel.values.shape, dtype=torch.bool), self.name("veiled"))
        return replace(panel, values=torch.zeros_like(panel.values), closed=closed, outlines=(), view=None)

    def place(
        self,
        picture: Board | go.Figure | Callable[[], None],
        words: str = "",
        *,
        under: Callable[[], None] | None = None,
        is_empty: bool = False,
    ) -> None:
        """The picture on the stage, and room beside it for the panel.

        A figure or what a function draws comes only after the prediction; a board veils its panels itself. words: what
        a figure says to those who cannot see it. under: draws what stands below the picture. is_empty: whether nothing
        has been measured for it yet.
        """
        stage, self._beside = st.columns([0.64, 0.36], gap="small")
        with stage, st.container(key="stage"):
            if isinstance(picture, Board):
                painter.show(picture, f"{self.page}_{self.experiment}", self.colors, self.lang)
            elif not self.revealed:
                st.html(f"<div class='veil'><b>?</b><p>{self.name('predict_first')}</p></div>")
            elif is_empty:
                st.html(f"<div class='veil low'><b>▶</b><p>{self.name('press_first')}</p></div>")
            elif isinstance(picture, go.Figure):
                self.figure(picture, self.experiment, words)
            else:
                picture()
            if under and self.revealed:
                under()

    def tells(self, notice: Say, *code: Callable[..., object]) -> None:
        """The panel beside the picture: the question, what to notice, the code that made the numbers."""
        with self._beside:
            _panel(_Told(self, notice, code, self._questions, self._place, self.revealed))

    def of_the_layer(self) -> Faces | None:
        """What the faces about the layer in force need; None in a lab that does not show it."""
        return None

    def back(self, step: str = "") -> None:
        """A link to the step that this lab deepens."""
        step = step or DEEPENS[self.page]
        st.html(navigation.back(self.settings, step))


class Lab(Bench):
    """A lab whose numbers are its own."""


class LayerLab(Bench, Lesson):
    """A lab about the layer in force and the reader's sentence."""

    def __init__(self, only: Weights | None = None, by_hand: str = "") -> None:
        """only: as of a page. by_hand: what the reader may do beside A and B, as of a panel."""
        super().__init__(only)
        self._by_hand = by_hand

    def of_the_layer(self) -> Faces:
        return Faces(self, self.colors, self.a, None, _START, (), (_START, "output"), self._by_hand)

    @cached_property
    def _shares(self) -> Scale:
        """One scale, and one colour bar, for all of them."""
        return Scale(weight=True, name=self.name("tensor_attn_weights"))

    def weights(
        self,
        values: Tensor,
        title: str,
        queries: Axis | None = None,
        keys: Axis | None = None,
        *,
        is_open: Tensor | None = None,
        shape: bool = False,
    ) -> Panel:
        """Weights of any kind as a panel: the followed row framed, where there is such a row.

        queries, keys: by default those of the sentence. is_open: which cells are open; by default all. shape: whether
        the title says it.
        """
        return Panel(
            values,
            title,
            queries or self.axis("query"),
            keys or self.axis("key"),
            self._shares,
            closed=None if is_open is None else Closed(~is_open, self.name("closed")),
            outlines=(Outline("q", rows=(self.query, self.query + 1)),) if self.query < len(values) else (),
            show_shape=shape,
        )


# Of the labs that draw their own numbers, the experiments that show the layer in force.
_ON_THE_LAYER: Mapping[str, tuple[int, ...]] = {
    "root": (3,),
    "rivals": (0,),
    "cross": (0,),
    **dict.fromkeys(("paper", "cost", "size", "vectors", "uses", "glossary"), ()),
}


def shows_the_layer(page: str, settings: Settings) -> bool:
    """Whether what a page shows now is about the layer in force."""
    return settings.experiment in _ON_THE_LAYER.get(page, range(MOST_EXPERIMENTS))


def open_lab(*experiments: str) -> Lab | LayerLab:
    """The lab, about the layer in force or not, as the experiment on its stage asks for."""
    here = LayerLab() if shows_the_layer(current().page, resolved().settings) else Lab()
    here.choose(*experiments)
    return here


@st.fragment
def _panel(told: _Told) -> None:
    """The face that the reader chose; it runs by itself, unless an answer uncovers the picture."""
    here, settings = told.here, resolved().settings
    lang, layer = here.lang, here.of_the_layer()
    with st.container(key="panel"):
        there = {"turn": bool(told.questions) and settings.questions, "code": bool(told.code)}
        there |= dict.fromkeys(_OF_THE_LAYER, layer is not None)
        offered = tuple(face for face in _FACES if there.get(face, True))
        is_meant = settings.face in offered and (settings.face != "number" or settings.cell is not None)
        face: Face = settings.face if is_meant else offered[0]
        start = None
        if layer:
            start = inspector.first_cell(layer.sight.trace, _START, settings.head, settings.query)
        choose_face(offered, face, lang, start)
        if layer:
            inspector.listen(layer.sight.trace, _START, None, unasked=False)
        with st.container(key="inspector" if face == "number" else f"face_{face}"):
            if face == "turn":
                posed, number, count = posed_of(here.page, told.place, told.questions)
                ask(posed, number, count, (), here.show)
                if not here.revealed:
                    st.button(label("show_me", lang), key="show_me", type="tertiary", on_click=_reveal, args=(told,))
            elif face == "code":
                show_code(told.code)
            elif layer and face in _OF_THE_LAYER:
                draw_face(face, here.page, layer)
            elif here.revealed:
                here.begin_box()
                told.notice()
            else:
                st.markdown(label("notice_later", lang))
    visit = current()
    if here.revealed != told.revealed or visit.redraws:
        visit.redraws = False
        st.rerun()


def _shuffle() -> None:
    now = resolved().settings.shift
    change(shift=(now + secrets.randbelow(MAX_SHIFT - 1)) % MAX_SHIFT + 1)


def toggle_cell(numbers: tuple[int, ...]) -> None:
    """A click on a cell of the painted mask opens or closes it."""
    painted = set(resolved().settings.painted) ^ set(numbers[:1])
    if fits(painted=tuple(sorted(painted))):
        change(painted=tuple(sorted(painted)))


def _reveal(told: _Told) -> None:
    current().shown.add(told.place)
