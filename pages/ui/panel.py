"""The panel beside the picture, with its five faces: what to notice, this number, your turn, the code, and A | B.

It runs by itself (a fragment): a click on a cell, or another face, draws nothing else on the page again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from attention import Cell, SentenceTrace
from pages.ui import stage as painter
from pages.ui.ask import inspector
from pages.ui.compare import compare
from pages.ui.figures.colors import Colors
from pages.ui.figures.panels import Board
from pages.ui.figures.sight import Sight
from pages.ui.quiz.box import covering, posed_now, quiz
from pages.ui.state.resolved import Resolved
from pages.ui.state.settings import FACES, Face
from pages.ui.state.visit import change_now, control, current, fits, resolved, said
from pages.ui.words import prose
from pages.ui.words.labels import label


@dataclass(frozen=True, eq=False)
class Faces:
    """What a page's panel holds. notice: None in a lab, which tells by itself."""

    sight: Sight
    colors: Colors
    a: tuple[SentenceTrace, Resolved] | None
    notice: Callable[[], None] | None
    start: str
    code: Sequence[Callable[..., object]]
    compare: Sequence[str]
    by_hand: str


@st.fragment
def panel(faces: Faces) -> None:
    """The face that the reader chose."""
    visit, page, sight = current(), current().page, faces.sight
    with st.container(key="panel"):
        settings = resolved().settings
        if sight.trace.edits or not settings.questions:
            visit.awaited = None  # nothing is asked now
        choose_face(FACES, settings.face, settings.lang)
        posed = posed_now(page, sight.trace)[0] if settings.face == "turn" else covering(page, sight.trace)
        inspector.listen(sight.trace, faces.start, posed)
        for face in shown(settings.face):
            with st.container(key="inspector" if face == "number" else f"face_{face}"):
                draw_face(face, page, faces)
        if visit.redraws:
            visit.redraws = False
            st.rerun()


def choose_face(offered: tuple[Face, ...], chosen: Face, lang: str, start: Cell | None = None) -> None:
    """Buttons for the faces of a panel: a click draws nothing but the panel again.

    start: the cell that a reader who asks about none is told about, where that is told only when asked for.
    """
    st.segmented_control(
        label("faces", lang),
        offered,
        format_func=lambda face: label(f"face_{face}", lang),
        required=True,
        label_visibility="collapsed",
        **control("face", (lang, offered), chosen) | {"on_change": _turn, "args": (start,)},
    )


def show_code(functions: Sequence[Callable[..., object]]) -> None:
    """The code of the very functions that made the numbers."""
    st.code(painter.source_of(*functions), language="python", wrap_lines=True)


def _turn(start: Cell | None) -> None:
    face = said("face")
    if fits(face=face):
        asks = face == "number" and start and not resolved().settings.cell
        change_now(face=face, **({"cell": start} if asks else {}))


def shown(face: Face) -> tuple[Face, ...]:
    """The faces that are drawn: the one that the reader chose."""
    return (face,)


def draw_face(face: Face, page: str, faces: Faces) -> None:
    """One face, as it stands in the panel of a page."""
    _DRAWN[face](page, faces)


def _number(page: str, faces: Faces) -> None:
    inspector.inspector(page, faces.sight.trace)


def _code(page: str, faces: Faces) -> None:
    show_code(faces.code)


def _compare(page: str, faces: Faces) -> None:
    posed = current().posed
    if posed and posed.question.covers and faces.a:  # what it asks about stands in A, in B or in both
        st.markdown(prose.shared(faces.sight.lang, "covered"))
        return
    b = (faces.sight.trace, faces.sight.now)
    compare(faces.a, b, faces.compare, faces.by_hand, _show(page, faces))


def _notice(page: str, faces: Faces) -> None:
    assert faces.notice is not None  # a lab tells by itself
    faces.notice()


def _turn_of(page: str, faces: Faces) -> None:
    lang, trace, settings = faces.sight.lang, faces.sight.trace, resolved().settings
    if trace.edits:  # questions ask what follows from the rules
        st.markdown(prose.shared(lang, "turn_edited"))
    elif settings.questions:
        quiz(page, trace, _show(page, faces))
    else:
        st.markdown(prose.shared(lang, "turn_off"))
    found = prose.sections(page, lang)
    tries = found.get(f"try_{settings.weights}") or found.get("try")
    if tries:
        st.markdown(f"**{label('try', lang)}** · {prose.fill(tries, {}, prose.of_weights(settings.weights, lang))}")


def _show(page: str, faces: Faces) -> Callable[[Board, str], None]:
    def show(board: Board, key: str) -> None:
        painter.show(faces.sight.marked(board), f"{page}_{key}", faces.colors, faces.sight.lang)

    return show


_DRAWN: dict[Face, Callable[[str, Faces], None]] = {
    "notice": _notice,
    "number": _number,
    "turn": _turn_of,
    "code": _code,
    "compare": _compare,
}
