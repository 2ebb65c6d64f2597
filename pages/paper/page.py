"""By hand: the whole of attention on a few small whole numbers, exactly and in decimals, and how to catch a slip."""

import math
from functools import partial

import streamlit as st

from attention import scaled_dot_product_attention
from pages.paper import exact, printed
from pages.ui.figures.panels import Axis, Board, Panel, Scale
from pages.ui.lab import Lab, asked, typed
from pages.ui.state.settings import HIDEABLE
from pages.ui.words.numbers import written

EXPERIMENTS = ("exact", "slips", "printed")
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
    sums = exact.row_sums(wrong["column"])

    def notice() -> None:
        here.say("notice_slips")
        if all(math.isclose(total, 1, abs_tol=0.005) for total in sums):
            here.say("slip_unseen")
        else:
            here.say("slip_seen", first=sums[0], last=sums[-1])
        largest = {"unscaled": float(wrong["unscaled"][-1].max()), "model": float(wrong["model"][-1].max())}
        here.say("other_slips", right=float(right[-1].max()), **largest)

    here.tells(notice, exact.column_wise)


def as_printed() -> None:
    here.asks(asked("nought", "never", "low", "far"), asked("copied", "check", "many", "code"))
    loose, right = printed.attended(is_scaled=False), printed.attended(is_scaled=True)
    rows = Axis(here.name("axis_query"), tuple(map(str, range(len(printed.X)))))
    keys, columns = Axis(here.name("axis_key"), rows.labels), Axis(here.name("axis_dim"), rows.labels)
    shares = Scale(weight=True, name=here.name("tensor_attn_weights"))
    outputs = Scale.signed(printed.OUTPUT, printed.VALUES, name=here.name("tensor_output"))
    weights = (printed.WEIGHTS, loose.attn_weights, right.attn_weights)
    names = [here.text(f"print_{name}") for name in ("there", "loose", "right")]
    above = [Panel(each, name, rows, keys, shares, show_shape=False) for each, name in zip(weights, names, strict=True)]
    below = [
        Panel(each, f"{here.text('print_output')} · {name}", rows, columns, outputs, show_shape=False)
        for each, name in zip((printed.OUTPUT, loose.output, right.output), names, strict=True)
    ]
    grid = [[first, *map(here.veil, rest)] for first, *rest in (above, below)]
    here.place(Board(grid, [1, 1, 1], [130, 130], gap=0.1))
    lost, values = float(loose.attn_weights[0, 0]), printed.VALUES[:, 0].tolist()
    facts: dict[str, object] = {
        "lost": lost,
        "printed": float(printed.WEIGHTS[0, 0]),
        "output": float(loose.output[0, 0]),
    }
    facts |= {"there": float(printed.OUTPUT[0, 0]), "divided": float(right.attn_weights[0, 0])}
    facts |= {"apart": float((printed.OUTPUT - loose.output).abs().max()), "values": ", ".join(map(written, values))}
    facts |= {"further": float((printed.OUTPUT - right.output).abs().max())}
    here.tells(partial(here.say, "notice_printed", **facts), printed.attended)


{"exact": steps, "slips": slips, "printed": as_printed}[here.choose(*EXPERIMENTS)]()
here.back()
