"""Figures: what is drawn is the tensor that was given, under its own labels, in its own place."""

import html
import itertools
import json
import math
import re

import numpy as np
import pytest
import torch
from each import each
from hypothesis import given, settings
from hypothesis import strategies as st

from attention import AttentionConfig, trace_sentence
from pages.ui.figures.colors import DARK, LIGHT, colors
from pages.ui.figures.curves import Chart, Line, draw_curves
from pages.ui.figures.draw import _runs, draw
from pages.ui.figures.panels import (
    Axis,
    Band,
    Board,
    Closed,
    Outline,
    Panel,
    Scale,
    heatmap_height,
    token_labels,
)
from pages.ui.figures.views import View

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
SENTENCE = "the cat saw the dog"
TRACE = trace_sentence(SENTENCE, AttentionConfig(8, 2, causal=True, seed=3), hidden_keys=(0,))
STEPS = TRACE.attention
LABELS = ("0 the", "1 cat", "2 saw", "3 the", "4 dog")
TOKENS = Axis("query", LABELS)
KEYS = Axis("key", LABELS)
DIMS = Axis("dim")
CLOSED = Closed(STEPS.masked_scores[1] == -torch.inf, "closed by the mask")


def ramp(rows, columns):
    """A matrix whose every number is different, positive and negative."""
    return torch.arange(rows * columns, dtype=torch.float32).reshape(rows, columns) - rows * columns / 3


def panel(values, name="M", rows=DIMS, columns=DIMS, scale=None, **options):
    return Panel(values, name, rows, columns, scale or Scale.signed(values), **options)


def single(shown, **options):
    return Board([[shown]], [1], [200], **options)


def product():
    """Q above K-transposed and their product in the corner, as the page of scores lays them out."""
    q, k, scores = STEPS.q[1], STEPS.k[1], STEPS.scores[1]
    operands = Scale.signed(q, k, name="Q, K")
    above = Panel(k.T, "Kᵀ", DIMS, KEYS, operands, "k").without("columns")
    left = Panel(q, "Q", TOKENS, DIMS, operands, "q")
    corner = Panel(scores, "scores", TOKENS, KEYS, Scale.signed(scores), outlines=(Outline("q", rows=(2, 3)),))
    return Board([[None, above], [left, corner.without("rows")]], [0.34, 0.66], [170, 135], width=600)


def masked():
    """Before and after the mask, and the weights, as the page of softmax lays them out."""
    scaled, after, weights = STEPS.scaled_scores[1], STEPS.masked_scores[1], STEPS.attn_weights[1]
    one = Scale.signed(scaled)
    return Board(
        [
            [
                Panel(scaled, "scaled", TOKENS, KEYS, one),
                Panel(after, "masked", TOKENS, KEYS, one, closed=CLOSED).without("rows"),
                Panel(weights, "weights", TOKENS, KEYS, Scale(weight=True), closed=CLOSED).without("rows"),
            ]
        ],
        [1, 1, 1],
        [135],
    )


def heatmaps(figure):
    """The traces of numbers: marks of closed cells are none."""
    return [trace for trace in figure.data if trace.type == "heatmap" and trace.coloraxis]


def only(figure):
    (trace,) = heatmaps(figure)
    return trace


def axis_of(figure, trace, which):
    ref = getattr(trace, which + "axis")
    return figure.layout[ref.replace(which, which + "axis")]


def frames(figure):
    return [shape for shape in figure.layout.shapes if shape.type == "rect" and "domain" not in shape.yref]


# Numbers.


@pytest.mark.parametrize("board", [product(), masked()], ids=["product", "masked"])
@THEMES
def test_every_heatmap_holds_the_numbers_of_its_tensor_and_nothing_where_the_mask_closed(board, theme):
    traces = heatmaps(draw(board, theme))
    assert [trace.name for trace in traces] == [shown.name for shown in board.panels]
    for trace, shown in zip(traces, board.panels, strict=True):
        expected = shown.values.numpy().copy()
        if shown.closed:
            expected[shown.closed.cells.numpy()] = np.nan
        np.testing.assert_array_equal(trace.z, expected)
        assert trace.z.dtype == np.float32


def test_closed_cells_of_the_example_are_what_the_masks_say():
    shown = heatmaps(draw(masked(), LIGHT))[2].z
    closed = [[key == 0 or key > query for key in range(5)] for query in range(5)]
    np.testing.assert_array_equal(np.isnan(shown), closed)


def test_drawing_changes_nothing_in_the_tensor():
    values = STEPS.attn_weights[1].clone()
    draw(single(panel(values, closed=CLOSED, rows=TOKENS, columns=KEYS)), LIGHT)
    assert torch.equal(values, STEPS.attn_weights[1])


@pytest.mark.parametrize(
    "values",
    [
        ramp(3, 4).double(),
        ramp(4, 3).T,
        ramp(6, 8)[::2, 1::2],
        torch.arange(12).reshape(3, 4),
        ramp(3, 4).requires_grad_(),
    ],
    ids=["float64", "transposed", "every other", "whole numbers", "with a gradient"],
)
def test_any_kind_of_tensor_is_drawn_number_by_number(values):
    trace = only(draw(single(panel(values, scale=Scale(9.0))), LIGHT))
    np.testing.assert_array_equal(trace.z, [[float(cell) for cell in row] for row in values.detach()])


def test_a_figure_survives_the_way_to_the_browser():
    figure = draw(masked(), LIGHT)
    sent = json.loads(figure.to_json())
    assert [trace["name"] for trace in sent["data"] if "coloraxis" in trace] == ["scaled", "masked", "weights"]


def test_a_figure_has_a_revision_that_changes_with_its_numbers_its_mask_and_its_labels_and_with_nothing_else():
    values, shut = ramp(2, 2), torch.tensor([[True, False], [False, False]])
    boards = {
        "plain": single(panel(values)),
        "one number": single(panel(values + torch.tensor([[0, 0], [0, 1e-6]]))),
        "turned": single(panel(values.T)),
        "masked": single(panel(values, closed=Closed(shut, "closed"))),
        "another mask": single(panel(values, closed=Closed(shut.T.flip(0), "closed"))),
        "a label": single(panel(values, rows=Axis("query", ("0 a", "1 b")))),
        "another label": single(panel(values, rows=Axis("query", ("0 a", "1 c")))),
        "another place": single(panel(values, columns=Axis("dim", first=2))),
    }
    revisions = {name: draw(board, LIGHT).layout.datarevision for name, board in boards.items()}
    assert len(set(revisions.values())) == len(boards), revisions
    assert {name: draw(board, DARK).layout.datarevision for name, board in boards.items()} == revisions


# Labels.


def test_rows_and_columns_carry_their_own_labels_in_order():
    by_name = {trace.name: trace for trace in heatmaps(draw(product(), LIGHT))}
    assert (tuple(by_name["Q"].y), tuple(by_name["Q"].x)) == (LABELS, (0, 1, 2, 3))
    assert (tuple(by_name["Kᵀ"].y), tuple(by_name["Kᵀ"].x)) == ((0, 1, 2, 3), LABELS)
    assert (tuple(by_name["scores"].y), tuple(by_name["scores"].x)) == (LABELS, LABELS)


@pytest.mark.parametrize("board", [product(), masked()], ids=["product", "masked"])
def test_a_token_axis_is_a_list_of_categories_in_the_order_of_the_sentence(board):
    figure = draw(board, LIGHT)
    for trace, shown in zip(heatmaps(figure), board.panels, strict=True):
        for which, axis in (("x", shown.columns), ("y", shown.rows)):
            drawn = axis_of(figure, trace, which)
            if axis.labels:
                assert (drawn.type, tuple(drawn.categoryarray)) == ("category", axis.labels)
            else:
                assert drawn.type == "linear"


@pytest.mark.parametrize("first", [0, 4, 496])
def test_dimensions_are_numbered_from_the_first_one(first):
    trace = only(draw(single(panel(ramp(2, 16), rows=Axis("dim", first=7), columns=Axis("dim", first=first))), LIGHT))
    assert list(trace.x) == [first + i for i in range(16)]
    assert list(trace.y) == [7, 8]


def test_equal_tokens_have_different_labels():
    assert token_labels(["the", "cat", "the"]) == ("0 the", "1 cat", "2 the")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.text(min_size=1, max_size=30) | st.sampled_from(["the", "1", "1 1", "internationalisation"])))
def test_labels_are_unique_numbered_and_one_for_each_token(tokens):
    labels = token_labels(tokens)
    assert len(labels) == len(set(labels)) == len(tokens)
    assert [label.split(" ")[0] for label in labels] == [str(i) for i in range(len(tokens))]


def test_labels_of_sixty_four_equal_tokens_are_drawn_as_sixty_four_rows():
    labels = token_labels(["buffalo"] * 64)
    trace = only(draw(single(panel(ramp(64, 64), rows=Axis("q", labels), columns=Axis("k", labels))), LIGHT))
    assert len(set(trace.x)) == len(set(trace.y)) == 64


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        ("a" * 12, "a" * 12),
        ("a" * 13, "a" * 11 + "…"),
        ("我" * 13, "我" * 11 + "…"),
    ],
)
def test_a_label_of_more_than_twelve_characters_is_cut_and_says_so(token, shown):
    assert token_labels([token]) == (f"0 {shown}",)


HOSTILE = ["<b>", "&", "</s>", "&lt;", "<script>", "&amp;amp;", "a<br>b", '"', "'", "%{z}", "$x$", "<<<<<<<<<<<<<<<<"]


@each("token", HOSTILE)
def test_markup_in_a_token_is_drawn_as_the_letters_it_is(token):
    (plain,) = token_labels([token])
    (label,) = token_labels([token])
    figure = draw(single(panel(ramp(1, 1), rows=Axis("q", (label,)), columns=Axis("k", (label,)))), LIGHT)
    drawn = [*only(figure).x, *only(figure).y, *figure.layout.xaxis.categoryarray, *figure.layout.yaxis.categoryarray]
    assert len(drawn) == 4
    for text in drawn:
        assert "<" not in text
        assert re.sub("&(lt|gt|amp);", "", text).count("&") == 0
        assert html.unescape(text) == plain


@each("token", HOSTILE)
def test_a_token_stands_in_labels_alone_and_never_in_a_template_or_title(token):
    mark = f"{token[:4]}qzx"
    (label,) = token_labels([mark])
    axis = Axis("q", (label,))
    figure = draw(
        single(panel(ramp(1, 1), rows=axis, columns=axis, closed=Closed(torch.tensor([[True]]), "shut"))), LIGHT
    )
    assert len(figure.data) == 2
    for trace in figure.data:
        assert "qzx" not in f"{trace.hovertemplate}{trace.texttemplate}{trace.text}{trace.name}"
    assert all("qzx" not in note.text for note in figure.layout.annotations)


# Titles and hover texts.


def titles(figure):
    return [note.text for note in figure.layout.annotations if note.text.startswith("<b>")]


@each("rows, columns, small", [(1, 1, False), (3, 7, True), (64, 512, False), (1, 512, True)])
def test_a_title_states_the_name_and_the_true_shape(rows, columns, small):
    (title,) = titles(draw(single(panel(ramp(rows, columns), "W<sub>Q</sub>"), small=small), LIGHT))
    words = re.sub("<[^>]+>", " ", title).split()
    assert words == ["W", "Q", str(rows), "×", str(columns)]


def test_every_panel_of_a_board_has_its_own_title_at_its_own_left_upper_corner():
    board = product()
    figure = draw(board, LIGHT)
    notes = [note for note in figure.layout.annotations if note.text.startswith("<b>")]
    for note, trace, shown in zip(notes, heatmaps(figure), board.panels, strict=True):
        assert f"<b>{shown.name}</b>" in note.text
        assert " × ".join(map(str, shown.values.shape)) in note.text
        assert note.x == axis_of(figure, trace, "x").domain[0]
        assert note.y == axis_of(figure, trace, "y").domain[1]


def test_a_title_without_a_shape_holds_the_name_alone():
    assert titles(draw(single(panel(ramp(2, 2), "Σ").without("shape")), LIGHT)) == ["<b>Σ</b>"]


def test_a_title_has_the_colour_of_what_it_names():
    board = product()
    notes = [n for n in draw(board, DARK).layout.annotations if n.text.startswith("<b>")]
    assert [note.font.color for note in notes] == [DARK.k, DARK.q, DARK.ink]


def test_a_hover_text_names_row_column_and_value():
    axes = {"Kᵀ": ("dim", "key"), "Q": ("query", "dim"), "scores": ("query", "key")}
    traces = heatmaps(draw(product(), LIGHT))
    assert [trace.name for trace in traces] == list(axes)
    for trace in traces:
        row, column = axes[trace.name]
        assert trace.hovertemplate == f"{row} %{{y}} · {column} %{{x}}<br>{trace.name} = %{{z:.4f}}<extra></extra>"


def test_a_whole_number_is_hovered_and_written_as_one():
    trace = only(draw(single(panel(torch.tensor([[3], [1]]), whole=True, scale=Scale(plain=True))), LIGHT))
    assert "%{z:d}" in trace.hovertemplate
    assert trace.texttemplate == "%{z:.0f}"


def test_the_words_for_those_who_do_not_see_name_every_panel_and_its_shape():
    assert product().words == "Kᵀ 4 × 5; Q 5 × 4; scores 5 × 5"
    assert single(panel(ramp(2, 3), "W<sub>Q</sub>")).words == "W_Q 2 × 3"


# Axes.


@each("first_row, first_column, rows, columns", [(0, 0, 1, 1), (3, 0, 2, 5), (0, 12, 5, 1), (3, 12, 2, 5)])
def test_axes_reach_exactly_around_the_cells_with_row_0_at_the_top(first_row, first_column, rows, columns):
    shown = panel(ramp(rows, columns), rows=Axis("r", first=first_row), columns=Axis("c", first=first_column))
    layout = draw(single(shown), LIGHT).layout
    assert layout.xaxis.range == (first_column - 0.5, first_column + columns - 0.5)
    assert layout.yaxis.range == (first_row + rows - 0.5, first_row - 0.5)


def test_axes_of_tokens_reach_exactly_around_the_cells():
    layout = draw(single(panel(ramp(5, 5), rows=TOKENS, columns=KEYS)), LIGHT).layout
    assert (layout.xaxis.range, layout.yaxis.range) == ((-0.5, 4.5), (4.5, -0.5))


def test_labels_are_hidden_where_a_panel_leaves_them_out_and_nowhere_else():
    figure = draw(product(), LIGHT)
    shown = {
        trace.name: (axis_of(figure, trace, "y").showticklabels, axis_of(figure, trace, "x").showticklabels)
        for trace in heatmaps(figure)
    }
    assert shown == {"Kᵀ": (True, False), "Q": (True, True), "scores": (False, True)}


# Colours.


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(width=32) | st.sampled_from([0.0, -torch.inf, torch.inf, torch.nan]), min_size=1, max_size=9),
    st.lists(st.floats(-1e6, 1e6, width=32), max_size=9),
)
def test_a_signed_scale_is_symmetric_around_0_and_holds_every_finite_number(one, other):
    low, high = Scale.signed(torch.tensor([one]), torch.tensor([other])).bounds
    finite = [value for value in one + other if np.isfinite(value)]
    assert low == -high
    assert 0 < high < np.inf
    assert all(low <= value <= high for value in finite)
    if any(finite):
        assert high == max(map(abs, finite))


@THEMES
@pytest.mark.parametrize(
    "scale", [Scale(3.5), Scale(weight=True), Scale(plain=True)], ids=["signed", "weight", "plain"]
)
def test_the_colour_axis_has_the_bounds_of_the_scale_whatever_the_data(theme, scale):
    axis = draw(single(panel(torch.tensor([[0.2, 0.3]]), scale=scale)), theme).layout.coloraxis
    assert (axis.cmin, axis.cmax) == ((0, 1) if scale.weight else (-scale.limit, scale.limit))


@THEMES
def test_a_signed_axis_holds_the_data_of_all_its_panels_and_a_weight_axis_is_0_to_1(theme):
    figure = draw(masked(), theme)
    for trace in heatmaps(figure):
        axis = figure.layout[trace.coloraxis]
        assert axis.cmin <= np.nanmin(trace.z)
        assert np.nanmax(trace.z) <= axis.cmax
        assert (axis.cmin, axis.cmax) == (0, 1) if trace.name == "weights" else axis.cmin == -axis.cmax


def test_panels_of_one_scale_share_one_colour_axis_and_panels_of_two_do_not():
    of = {trace.name: trace.coloraxis for trace in heatmaps(draw(masked(), LIGHT))}
    assert of["scaled"] == of["masked"] != of["weights"]
    of = {trace.name: trace.coloraxis for trace in heatmaps(draw(product(), LIGHT))}
    assert of["Q"] == of["Kᵀ"] != of["scores"]


def test_two_scales_of_equal_bounds_are_still_two():
    a, b = ramp(2, 2), ramp(2, 2)
    figure = draw(Board([[panel(a), panel(b)]], [1, 1], [100]), LIGHT)
    assert len({trace.coloraxis for trace in heatmaps(figure)}) == 2


def test_no_panel_sets_colours_of_its_own_beside_its_axis():
    for trace in heatmaps(draw(masked(), LIGHT)):
        assert (trace.zmin, trace.zmax, trace.zmid, trace.colorscale, trace.zauto) == (None,) * 5


@THEMES
def test_every_scale_with_a_meaning_has_a_bar_with_its_name_and_its_ends(theme):
    scale = Scale(2.5, name="Q, K")
    axis = draw(single(panel(ramp(2, 2), scale=scale)), theme).layout.coloraxis
    assert (axis.showscale, axis.colorbar.title.text) == (None, "Q, K")
    assert tuple(axis.colorbar.tickvals) == (-2.5, 0, 2.5)
    assert tuple(axis.colorbar.ticktext) == ("−2.5", "0", "2.5")
    assert draw(single(panel(ramp(2, 2), scale=Scale(plain=True))), theme).layout.coloraxis.showscale is False


@pytest.mark.parametrize(
    ("limit", "ends"),
    [(0.37, "0.37"), (0.996, "0.996"), (0.00004, "0.000040"), (3e-7, "0.00000030"), (1.0, "1.0"), (1234.56, "1234.6")],
)
def test_the_ends_of_a_bar_are_written_without_powers_of_ten(limit, ends):
    axis = draw(single(panel(ramp(2, 2), scale=Scale(limit))), LIGHT).layout.coloraxis
    assert tuple(axis.colorbar.ticktext) == (f"−{ends}", "0", ends)


def luminance(color):
    def linear(channel):
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(color[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@THEMES
def test_the_middle_of_the_signed_map_is_the_calmest_and_its_ends_stand_out_alike(theme):
    ground = luminance({LIGHT.ink: "#ffffff", DARK.ink: "#11151c"}[theme.ink])
    contrasts = []
    for place, color in theme.signed:
        light, dark = sorted((luminance(color), ground), reverse=True)
        contrasts.append((place, (light + 0.05) / (dark + 0.05)))
    by_place = dict(contrasts)
    assert min(by_place.values()) == by_place[0.5] < 1.2
    assert by_place[0.0] > 7
    assert by_place[1.0] > 7
    below = [contrast for place, contrast in contrasts if place <= 0.5]
    above = [contrast for place, contrast in contrasts if place >= 0.5]
    assert below == sorted(below, reverse=True)
    assert above == sorted(above)


@THEMES
def test_the_map_of_weights_darkens_or_lightens_in_one_direction(theme):
    shades = [luminance(color) for _, color in theme.weight]
    assert shades in (sorted(shades), sorted(shades, reverse=True))
    assert [place for place, _ in theme.weight][0::4] == [0, 1]


def test_query_key_and_value_have_their_colours_and_nothing_else_has():
    for theme in (LIGHT, DARK):
        assert (theme.of("q"), theme.of("k"), theme.of("v")) == (theme.q, theme.k, theme.v)
        assert len({theme.q, theme.k, theme.v, theme.ink}) == 4
        assert theme.of("") == theme.of("frame") == theme.ink
    assert colors(dark=True) is DARK
    assert colors(dark=False) is LIGHT


# Frames.


@pytest.mark.parametrize(
    ("outline", "rows", "columns"),
    [
        (Outline("q", rows=(2, 3)), [2], [0, 1, 2, 3]),
        (Outline("k", columns=(1, 2)), [0, 1, 2, 3, 4], [1]),
        (Outline("", (4, 5), (0, 1)), [4], [0]),
        (Outline("v", (0, 2), (2, 4)), [0, 1], [2, 3]),
        (Outline("q"), [0, 1, 2, 3, 4], [0, 1, 2, 3]),
    ],
)
@pytest.mark.parametrize(("first_row", "first_column"), [(0, 0), (3, 12)])
def test_an_outline_goes_around_exactly_the_cells_asked_for(outline, rows, columns, first_row, first_column):
    shown = panel(
        ramp(5, 4), rows=Axis("r", first=first_row), columns=Axis("c", first=first_column), outlines=(outline,)
    )
    figure = draw(single(shown), LIGHT)
    trace = only(figure)
    frame = frames(figure)[-1]
    inside_x = [i for i, x in enumerate(trace.x) if frame.x0 < x < frame.x1]
    inside_y = [i for i, y in enumerate(trace.y) if frame.y0 < y < frame.y1]
    assert (inside_y, inside_x) == (rows, columns)
    # A frame on the cells' edges, not through the middle of any.
    assert {value % 1 for value in (frame.x0, frame.x1, frame.y0, frame.y1)} == {0.5}
    assert (frame.xref, frame.yref) == (trace.xaxis, trace.yaxis)
    assert frame.line.color == LIGHT.of(outline.role)


def test_outlines_of_a_board_lie_on_their_own_panel():
    figure = draw(product(), LIGHT)
    scores = heatmaps(figure)[2]
    chosen = [frame for frame in frames(figure) if frame.line.width > 1]
    assert [(frame.xref, frame.yref, frame.y0, frame.y1) for frame in chosen] == [
        (scores.xaxis, scores.yaxis, 1.5, 2.5)
    ]


@pytest.mark.parametrize("first", [0, 8])
def test_bands_lie_above_exactly_the_columns_of_their_head(first):
    bands = tuple(Band(first + h * 4, first + (h + 1) * 4, h) for h in (0, 1))
    shown = panel(ramp(3, 8), columns=Axis("dim", first=first), bands=bands)
    figure = draw(single(shown), LIGHT)
    drawn = {shape.fillcolor: shape for shape in figure.layout.shapes if shape.yref == "paper"}
    for h, color in enumerate(LIGHT.heads[:2]):
        covered = [i for i, x in enumerate(only(figure).x) if drawn[color].x0 < x < drawn[color].x1]
        assert covered == list(range(h * 4, h * 4 + 4))
        assert drawn[color].y0 > figure.layout.yaxis.domain[1]


# Masks.


def marks(figure):
    return [trace for trace in figure.data if trace.type == "heatmap" and not trace.coloraxis]


@THEMES
def test_a_closed_cell_carries_the_mark_of_the_mask_and_an_open_one_does_not(theme):
    figure = draw(masked(), theme)
    closed = CLOSED.cells.numpy()
    assert len(marks(figure)) == 2
    for mark, numbers in zip(marks(figure), heatmaps(figure)[1:], strict=True):
        np.testing.assert_array_equal(~np.isnan(mark.z), closed)
        np.testing.assert_array_equal(np.array(mark.text), np.where(closed, "×", ""))
        assert (mark.xaxis, mark.yaxis) == (numbers.xaxis, numbers.yaxis)
        assert (tuple(mark.x), tuple(mark.y)) == (tuple(numbers.x), tuple(numbers.y))
        assert {color for _, color in mark.colorscale} == {theme.masked}
        assert "closed by the mask" in mark.hovertemplate
        assert "%{z" not in mark.hovertemplate
        assert mark.texttemplate == "%{text}"


@THEMES
def test_the_grey_of_a_closed_cell_is_no_colour_that_a_number_can_have(theme):
    maps = {color for _, color in (*theme.signed, *theme.weight)}
    assert theme.masked not in maps
    red, green, blue = (int(theme.masked[i : i + 2], 16) for i in (1, 3, 5))
    assert max(red, green, blue) - min(red, green, blue) <= 24


def test_a_mask_that_closes_nothing_leaves_no_mark():
    open_cells = Closed(torch.zeros(5, 5, dtype=torch.bool), "closed")
    figure = draw(single(panel(ramp(5, 5), closed=open_cells)), LIGHT)
    assert marks(figure) == []
    assert not np.isnan(only(figure).z).any()


def test_a_mask_that_closes_everything_leaves_no_number():
    figure = draw(single(panel(ramp(5, 5), closed=Closed(torch.ones(5, 5, dtype=torch.bool), "closed"))), LIGHT)
    assert np.isnan(only(figure).z).all()
    assert not np.isnan(marks(figure)[0].z).any()


# Sizes.

SIZES = [(1, 1), (1, 2), (2, 1), (1, 512), (64, 1), (5, 12), (64, 64), (64, 512), (512, 512), (3, 128)]
EVERY_WAY = list(itertools.product([False, True], [False, True], SIZES))


@each("is_masked, small, size", [(m, s, size) for m, s, size in EVERY_WAY if m != s or math.prod(size) < 1000])
def test_no_size_fails(is_masked, small, size):
    rows, columns = size
    values = ramp(rows, columns)
    closed = Closed(values > 0, "closed") if is_masked else None
    labels = token_labels(["the"] * rows)
    shown = panel(values, rows=Axis("q", labels), closed=closed, outlines=(Outline("q", rows=(rows - 1, rows)),))
    figure = draw(single(shown, small=small), LIGHT)
    assert only(figure).z.shape == (rows, columns)
    assert json.loads(figure.to_json())["layout"]["height"] > 0


def widest_text(trace, shown):
    digits = re.fullmatch(r"%\{z:\.(\d)f\}", trace.texttemplate)[1]
    return max(len(f"{value:.{digits}f}") for value in shown.values.flatten().tolist())


@each("rows, columns", [(1, 512), (1, 64), (64, 1), (64, 64), (64, 512), (28, 28), (5, 40), (1, 40)])
def test_no_number_is_written_where_there_is_no_room(rows, columns):
    assert only(draw(single(panel(ramp(rows, columns)), width=900), LIGHT)).texttemplate is None


def test_no_number_is_written_in_an_overview_and_no_tick_label_and_no_colour_bar():
    figure = draw(single(panel(ramp(2, 2)), small=True), LIGHT)
    assert only(figure).texttemplate is None
    assert (figure.layout.xaxis.showticklabels, figure.layout.yaxis.showticklabels) == (False, False)
    assert figure.layout.coloraxis.showscale is False


@each("rows, columns", [(1, 1), (3, 4), (12, 12), (5, 8), (1, 8), (12, 1)])
def test_numbers_are_written_where_there_is_room(rows, columns):
    values = ramp(rows, columns)
    trace = only(draw(Board([[panel(values)]], [1], [heatmap_height(rows)]), LIGHT))
    assert widest_text(trace, panel(values)) >= 4


@each("rows, columns, width", itertools.product([2, 5, 13, 16, 30], [2, 5, 13, 16, 20, 32], [200, 600, 900]))
def test_a_number_is_written_where_plotly_would_write_it_large_enough_to_read(rows, columns, width):
    height, limit = 160, 9.9
    shown = panel(torch.linspace(-limit, limit, rows * columns).reshape(rows, columns))
    figure = draw(Board([[shown]], [1], [height], width=width), LIGHT)
    trace = only(figure)
    cell = width / columns - 1, height / rows - 1
    if trace.texttemplate is None:
        fewest = len(f"{-limit:.1f}")
        assert min(cell[0] / fewest / 0.65, cell[1] / 1.3) < 7 or rows * columns > 700
    else:  # on a screen wide enough
        assert min((cell[0] + 1) * 1.35 / widest_text(trace, shown) / 0.65, cell[1] / 1.3) >= 7


@each("columns, width, limit", itertools.product([1, 4, 8, 12, 16, 20, 24], [150, 300, 600, 900], [1.0, 9.9, 99.0]))
def test_numbers_of_one_row_fit_their_cells_because_plotly_does_not_shrink_those(columns, width, limit):
    values = torch.full((1, columns), -limit)
    shown = panel(values)
    trace = only(draw(single(shown, width=width), LIGHT))
    if trace.texttemplate is not None:
        characters = widest_text(trace, shown)
        assert characters * 0.6 * trace.textfont.size <= width / columns


def test_a_weight_keeps_two_decimals_and_a_wide_number_gives_one_up():
    weights = panel(torch.full((12, 12), 0.25), scale=Scale(weight=True))
    assert only(draw(single(weights, width=600), LIGHT)).texttemplate == "%{z:.2f}"
    wide = panel(torch.full((12, 24), 12.5))
    assert only(draw(single(wide, width=600), LIGHT)).texttemplate == "%{z:.1f}"


@pytest.mark.parametrize("rows", [1, 2, 5, 22, 64])
def test_a_heatmap_grows_with_its_rows_up_to_a_limit(rows):
    assert 48 <= heatmap_height(rows) <= heatmap_height(rows + 1) <= 600
    assert heatmap_height(rows, least=10, most=100) in (rows * 27, 100)


# Layout.


@st.composite
def boards(draw_from):
    """Boards of every kind: holes in the grid, uneven rows and columns, with and without labels, bands, arrows."""
    lines, columns = draw_from(st.integers(1, 4)), draw_from(st.integers(1, 5))
    scales = [Scale(name="a"), Scale(weight=True, name="b"), Scale(plain=True)]

    def one():
        rows, width = draw_from(st.integers(1, 6)), draw_from(st.integers(1, 6))
        labels = token_labels(["international"[: draw_from(st.integers(1, 13))]] * width)
        return Panel(
            ramp(rows, width),
            draw_from(st.sampled_from(["Q", "W<sub>Q</sub>", "scaled scores"])),
            DIMS,
            Axis("key", labels) if draw_from(st.booleans()) else DIMS,
            draw_from(st.sampled_from(scales)),
            show_rows=draw_from(st.booleans()),
            show_columns=draw_from(st.booleans()),
            bands=(Band(0, width, draw_from(st.integers(0, 15))),) if draw_from(st.booleans()) else (),
        )

    grid = [[one() if draw_from(st.integers(0, 3)) else None for _ in range(columns)] for _ in range(lines)]
    if not any(any(line) for line in grid):
        grid[0][0] = one()
    return Board(
        grid,
        draw_from(st.lists(st.floats(0.05, 3), min_size=columns, max_size=columns)),
        draw_from(st.lists(st.integers(22, 600), min_size=lines, max_size=lines)),
        gap=draw_from(st.floats(0.01, 0.15)),
        small=draw_from(st.booleans()),
    )


def drawn_places(board):
    """Every panel with its row and column in the grid and the axes it was drawn on."""
    figure = draw(board, LIGHT)
    places = [(r, c) for r, line in enumerate(board.grid) for c, shown in enumerate(line) if shown]
    return figure, [
        (place, axis_of(figure, trace, "x").domain, axis_of(figure, trace, "y").domain)
        for place, trace in zip(places, heatmaps(figure), strict=True)
    ]


def test_a_rounding_error_in_the_widths_does_not_push_the_last_panel_off_the_sheet():
    one = panel(ramp(1, 1))
    figure = draw(Board([[one] * 3], [1.5, 0.8125, 0.375], [22], gap=0.14209559861476365), LIGHT)
    assert figure.layout.xaxis3.domain[1] == pytest.approx(1)


@PROPERTY
@given(boards())
def test_every_panel_and_its_title_has_its_own_place_of_the_size_that_the_board_asks_for(board):
    figure, panels = drawn_places(board)
    assert_apart_on_the_sheet(panels)
    assert_lined_up(panels)
    assert_of_the_size_asked_for(board, figure, panels)
    assert_room_for_titles(figure, panels)


def assert_apart_on_the_sheet(panels):
    for i, (_, x, y) in enumerate(panels):
        assert 0 <= x[0] < x[1] <= 1 + 1e-12
        assert 0 <= y[0] < y[1] <= 1
        for _, other_x, other_y in panels[:i]:
            apart_x = x[1] <= other_x[0] or other_x[1] <= x[0]
            apart_y = y[1] <= other_y[0] or other_y[1] <= y[0]
            assert apart_x or apart_y


def assert_lined_up(panels):
    """Those of a row or column, in the order of the grid."""
    for (r, c), x, y in panels:
        for (other_r, other_c), other_x, other_y in panels:
            assert (r == other_r) == (y == other_y)
            assert (c == other_c) == (x == other_x)
            assert (c < other_c) == (x[1] <= other_x[0])
            assert (r < other_r) == (y[0] >= other_y[1])


def assert_of_the_size_asked_for(board, figure, panels):
    """The height in pixels, and the share of the width."""
    margin = figure.layout.margin
    area = figure.layout.height - margin.t - margin.b
    wanted = dict(zip(range(len(board.widths)), board.widths, strict=True))
    first_c, first_x = panels[0][0][1], panels[0][1]
    for (r, c), x, y in panels:
        assert (y[1] - y[0]) * area == pytest.approx(board.heights[r], abs=0.01)
        assert (x[1] - x[0]) / (first_x[1] - first_x[0]) == pytest.approx(wanted[c] / wanted[first_c])


def assert_room_for_titles(figure, panels):
    """Above each panel."""
    margin = figure.layout.margin
    area = figure.layout.height - margin.t - margin.b
    notes = [note for note in figure.layout.annotations if note.text.startswith("<b>")]
    for ((r, _), _, y), note in zip(panels, notes, strict=True):
        needed = (note.text.count("<br>") + 1) * note.font.size + note.yshift
        above = [bottom for (upper, _), _, (bottom, _) in panels if upper < r]
        free = (min(above) - y[1]) * area if above else (1 - y[1]) * area + margin.t
        assert free >= needed


def test_arrows_point_from_panel_to_panel_and_signs_stand_between():
    a, b = panel(ramp(2, 2)), panel(ramp(2, 2))
    board = Board([[a, b]], [1, 1], [100], gap=0.1, signs=(((0, 1), "="),), arrows=(((0, 0), (0, 1)),))
    figure = draw(board, LIGHT)
    left, right = figure.layout.xaxis.domain[1], figure.layout.xaxis2.domain[0]
    (sign,) = [note for note in figure.layout.annotations if note.text == "="]
    assert left < sign.x < right
    lines = [shape for shape in figure.layout.shapes if shape.type == "path" and shape.path.startswith(f"M {left} ")]
    (tip,) = [shape for shape in figure.layout.shapes if shape.xanchor is not None]
    assert lines[0].path.split(" L ")[-1].split()[0] == str(right)
    assert tip.xanchor == right


def test_a_figure_holds_nothing_but_numbers_and_marks_of_closed_cells():
    shown = panel(ramp(2, 2), view=View("x"), leads_to="scores", changed=torch.ones(2, 2, dtype=torch.bool))
    assert {trace.type for trace in draw(single(shown), LIGHT).data} == {"heatmap"}


# What changed.


def covered(outlines, shape):
    """How often each cell lies in one of the rectangles."""
    counts = np.zeros(shape, dtype=int)
    for outline in outlines:
        assert outline.rows[0] < outline.rows[1]
        assert outline.columns[0] < outline.columns[1]
        counts[slice(*outline.rows), slice(*outline.columns)] += 1
    return counts


CELLS = st.integers(1, 7).flatmap(
    lambda columns: st.lists(st.lists(st.booleans(), min_size=columns, max_size=columns), min_size=1, max_size=7)
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(CELLS)
def test_rectangles_cover_exactly_the_changed_cells_and_each_of_them_once(cells):
    counts = covered(_runs(torch.tensor(cells)), (len(cells), len(cells[0])))
    np.testing.assert_array_equal(counts, np.array(cells, dtype=int))


@pytest.mark.parametrize(
    ("cells", "rectangles"),
    [
        ([[0, 0], [0, 0]], []),
        ([[1, 1], [1, 1]], [((0, 2), (0, 2))]),
        ([[1, 0], [1, 0]], [((0, 2), (0, 1))]),
        ([[1, 0, 1]], [((0, 1), (0, 1)), ((0, 1), (2, 3))]),
        ([[1, 1], [1, 0]], [((0, 1), (0, 2)), ((1, 2), (0, 1))]),
        ([[0, 1], [0, 0], [0, 1]], [((0, 1), (1, 2)), ((2, 3), (1, 2))]),
    ],
)
def test_rectangles_around_changed_cells_by_hand(cells, rectangles):
    found = _runs(torch.tensor(cells, dtype=torch.bool))
    assert [(outline.rows, outline.columns) for outline in found] == rectangles
    assert {outline.role for outline in found} <= {"changed"}


def test_nothing_is_framed_where_nothing_is_said_of_changes():
    assert _runs(None) == []


@THEMES
@pytest.mark.parametrize(("first_row", "first_column"), [(0, 0), (3, 12)])
def test_changed_cells_are_framed_by_dots_on_their_own_panel(theme, first_row, first_column):
    changed = torch.tensor([[False, True, True], [False, True, True], [True, False, False]])
    rows, columns = Axis("r", first=first_row), Axis("c", first=first_column)
    shown = panel(ramp(3, 3), rows=rows, columns=columns, changed=changed, outlines=(Outline("q", rows=(1, 2)),))
    figure = draw(Board([[panel(ramp(3, 3)), shown]], [1, 1], [100]), theme)
    dotted = [frame for frame in frames(figure) if frame.line.dash == "dot"]
    assert {(frame.xref, frame.yref, frame.line.color) for frame in dotted} == {("x2", "y2", theme.changed)}
    inside = np.zeros((3, 3), dtype=int)
    trace = heatmaps(figure)[1]
    for frame in dotted:
        for r, y in enumerate(trace.y):
            for c, x in enumerate(trace.x):
                inside[r, c] += frame.x0 < x < frame.x1 and frame.y0 < y < frame.y1
    np.testing.assert_array_equal(inside, changed.numpy())
    assert theme.changed not in {frame.line.color for frame in frames(figure) if frame.line.dash != "dot"}


@THEMES
def test_the_colour_of_changes_is_no_other_colour(theme):
    others = {theme.q, theme.k, theme.v, theme.ink, theme.line, theme.masked, *theme.heads}
    maps = {color for _, color in (*theme.signed, *theme.weight)}
    assert theme.changed not in others | maps


def test_the_reader_cannot_drag_or_zoom_a_figure_out_of_place():
    figure = draw(product(), LIGHT)
    assert figure.layout.dragmode is False
    for trace in heatmaps(figure):
        assert axis_of(figure, trace, "x").fixedrange
        assert axis_of(figure, trace, "y").fixedrange


@THEMES
def test_a_figure_has_the_ground_of_the_page_and_the_ink_of_its_theme(theme):
    layout = draw(product(), theme).layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert layout.font.color == theme.ink


# Curves.

LOSSES, PARTS = (3.0, 1.5, 0.75), (0.1, 0.4, 0.9)


def chart(**options):
    lines = [Line("one head", (0, 5, 9), PARTS, dots=True), Line("beyond", (0, 5, 9), (0.0, 0.1, 0.2), quiet=True)]
    return Chart("share right", "step", lines, **options)


def test_every_line_has_its_own_points_and_a_quiet_one_stands_back_and_is_named():
    figure = draw_curves(chart(share=True), LIGHT)
    assert [(line.name, line.x, line.y) for line in figure.data] == [
        ("one head", (0, 5, 9), PARTS),
        ("beyond", (0, 5, 9), (0.0, 0.1, 0.2)),
    ]
    assert [(line.line.color, line.line.dash) for line in figure.data] == [(LIGHT.ink, "solid"), (LIGHT.quiet, "dot")]
    (title,) = [note.text for note in figure.layout.annotations]
    assert "<b>share right</b>" in title
    assert "beyond" in title
    assert figure.layout.xaxis.title.text == "step"


@pytest.mark.parametrize("values", [LOSSES, (0.0,), (0.0, 0.0), (1e-5, 2e-5)])
@pytest.mark.parametrize("share", [False, True])
def test_a_curve_has_all_its_points_in_sight_and_an_axis_that_begins_at_0(values, share):
    values = [value / 3 if share else value for value in values]
    drawn = draw_curves(Chart("loss", "step", [Line("loss", range(len(values)), values)], share=share), LIGHT)
    low, high = drawn.layout.yaxis.range
    assert -0.05 < low <= 0 <= max(values) < high
    assert not share or high >= 1


def test_the_marked_step_has_a_line_through_it_and_where_none_is_marked_there_is_none():
    (mark,) = draw_curves(chart(marked=5), LIGHT).layout.shapes
    assert (mark.x0, mark.x1, mark.y0, mark.y1, mark.yref) == (5, 5, 0, 1, "y domain")
    assert draw_curves(chart(), LIGHT).layout.shapes == ()


def test_a_chart_has_a_revision_that_changes_with_its_points_and_not_with_its_colours():
    def revision(values, theme=LIGHT):
        drawn = Chart("loss", "step", [Line("loss", (1, 2, 3), values)])
        return draw_curves(drawn, theme).layout.datarevision

    assert revision(LOSSES) == revision(LOSSES, DARK) != revision(PARTS)
