"""By hand: the whole of attention on a few small whole numbers, exactly and in decimals, and how to catch a slip."""

from functools import partial

import streamlit as st

from attention import scaled_dot_product_attention
from pages.paper import exact
from pages.ui.figures.panels import Axis, Board, Panel, Scale
from pages.ui.lab import Lab, asked, typed
from pages.ui.state.settings import HIDEABLE

EXPERIMENTS = ("exact", "slips")
here = Lab()


def given() -> exact.Sum:
    """The numbers that the reader typed; the first ones, and a sentence, where they cannot be worked out."""
    try:
        return exact.work_out(here.settings.given or exact.FIRST)
    except exact.NotSmallError:
        st.warning(here.text("not_small", rows=exact.MOST_ROWS, largest=exact.LARGEST))
        return exact.work_out(exact.FIRST)


def steps() -> None:
    here.typing("given", exact.FIRST)
    here.slider("hides", range(HIDEABLE + 1), lambda step: here.text(f"hide_{step}"))
    found = given()
    own = float(found.scores[-1, -1])
    here.asks(typed("corner", own, 0.005), asked("sure", "sums", "positive", "small"))
    hidden = here.settings.hides

    def draw() -> None:
        values = {"q": found.q, "scores": found.scores, "scaled": found.scaled, "weights": found.weights}
        left = {"q": "Q = K = V = X W", "scores": r"Q K^{\top}", "scaled": rf"Q K^{{\top}} / \sqrt{{{found.q.cols}}}"}
        left |= {"weights": r"\mathrm{softmax}", "output": r"\mathrm{softmax} \cdot V"}
        lines = [rf"X = {exact.as_latex(found.x)} & \quad W = {exact.as_latex(found.w)}"]
        for number, (name, matrix) in enumerate({**values, "output": found.output}.items(), 1):
            if number == hidden:
                lines.append(rf"{left[name]} &= \boxed{{\;?\;}}")
                continue
            shown = exact.in_decimals(matrix)
            if name in ("scaled", "weights"):
                shown = rf"{exact.as_latex(matrix)} \approx {shown}"
            lines.append(rf"{left[name]} &= {shown}")
        body = r" \\[6pt] ".join(lines)
        here.formula(rf"\begin{{aligned}} {body} \end{{aligned}}")

    here.place(draw)

    def notice() -> None:
        if found.x.is_Identity:
            here.say("identity")
        here.say("notice_exact", root=found.q.cols, difference=exact.largest_difference(found))

    here.tells(notice, scaled_dot_product_attention, exact.work_out)


def slips() -> None:
    found = given()
    here.asks(asked("caught", "sum", "size", "sign"), asked("average", "outside", "inside", "zero"))
    rows = Axis(here.name("axis_query"), tuple(map(str, range(found.x.rows))))
    keys = Axis(here.name("axis_key"), rows.labels)
    shares = Scale(weight=True, name=here.name("tensor_attn_weights"))
    right = exact.as_tensor(found.weights)
    wrong = {"column": exact.column_wise(found), "unscaled": exact.unscaled(found), "model": exact.by_model(found)}
    panels = [
        Panel(values, here.text(f"slip_{name}"), rows, keys, shares, show_shape=False)
        for name, values in {"none": right, **wrong}.items()
    ]
    grid = [[panels[0], here.veil(panels[1])], [here.veil(panels[2]), here.veil(panels[3])]]
    here.place(Board(grid, [1, 1], [130, 130], gap=0.12))
    facts = {"first": exact.row_sums(wrong["column"])[0], "last": exact.row_sums(wrong["column"])[-1]}
    sums = {"right": float(right[-1].max()), "unscaled": float(wrong["unscaled"][-1].max())}
    here.tells(
        partial(here.say, "notice_slips", **facts, **sums, model=float(wrong["model"][-1].max())), exact.column_wise
    )


{"exact": steps, "slips": slips}[here.choose(*EXPERIMENTS)]()
here.back()
