"""Where does this number come from: any cell of any tensor, and every way to ask about it.

What a cell holds is read off the trace by visiting.tensor_of; what a click means is said again here, in Python, as
pointer.js says it.
"""

import html
import json
import math
import re
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from each import each
from expected import assert_facts
from visiting import (
    LANGUAGES,
    WALKED,
    Case,
    Page,
    Visit,
    code_spans,
    enter,
    go,
    heatmaps,
    is_rounded,
    look,
    numbers,
    shape_by_rule,
    start,
    tensor_of,
)

from attention import Cell, Derivation, Factor, Term, explain_cell
from attention.explain import Index
from attention.tensors import TENSORS
from pages import WALK
from pages.ui.ask import formula, inspector, pointer, terms
from pages.ui.state import visit
from pages.ui.state.resolved import resolve
from pages.ui.state.settings import Settings
from pages.ui.state.values import address_of, cell_at
from pages.ui.words import numbers as written
from pages.ui.words.labels import label
from pages.ui.words.prose import sections

OF_HEADS = tuple(name for name, known in TENSORS.items() if known.per_head)
BEGINS_WITH = {
    "overview": "attn_weights",
    "embedding": "x",
    "projections": "q",
    "scores": "scores",
    "scaling": "scaled_scores",
    "softmax": "attn_weights",
    "weighted_sum": "head_outputs",
    "heads": "output",
}
SETTINGS = {
    "a first visit": {},
    "wide, causal, hidden": {
        "d_model": "64",
        "num_heads": "8",
        "head": "5",
        "causal": "1",
        "hidden": "2",
        "query": "4",
    },
    "narrow": {"d_model": "4", "num_heads": "4", "head": "3", "positions": "0", "scaled": "0"},
    "every key hidden": {"sentence": "我 喜欢 猫", "hidden": "0-1-2-3", "query": "1", "num_heads": "1"},
    "one letter": {"sentence": "a", "seed": "9"},
    "long": {"sentence": "a dog " * 33, "d_model": "512", "num_heads": "16", "head": "7", "query": "63"},
}
TWELVE = "the animal did not cross the street because it was too tired"  # so many tokens
OPENED = pytest.mark.xdist_group("opened")  # in one process, so that a page is made once
IN_EVERY_SETTING = pytest.mark.parametrize("setting", SETTINGS)


# Reading the inspector.


@dataclass(frozen=True)
class Line:
    """One term as it is shown: its factors with their cells, its product, its bar."""

    factors: tuple[tuple[Cell | None, float], ...]
    product: float
    bar: str
    words: str = ""  # in place of factors


def read_number(text: str) -> float:
    return 0.0 if text == "≈ 0" else float(text.replace("−", "-").replace("∞", "inf"))


def full_figure(match: re.Match) -> str:
    """What is left of a number with its full figure: the number as it is shown, which is that figure rounded."""
    full, shown = float(html.unescape(match[1]).replace("−∞", "-inf")), html.unescape(match[2])
    assert is_rounded(shown, full) if math.isfinite(full) and "." in shown else read_number(shown) == full, match[0]
    return f">{match[2]}<"


TITLED = re.compile(r" title='([^']+)'>([^<]+)<")
FACTOR = re.compile(
    r"<button type='button' class='ask' data-cell='(?P<cell>[\w.]+)'>"
    r"(?P<code>[^<]+) <em>(?P<number>[^<]+)</em></button>"
)
LINE = re.compile(
    r"<div class='term'><span class='factors'>(?P<factors>.*?)</span>"
    r"<span class='product'>(?P<product>[^<]+)</span><span class='track'>(?P<bar><i[^<]*></i>)</span></div>"
)


def in_factors(made):
    """What stands at a cell, as the factors of a derivation say."""
    return {factor.cell: factor.value for term in made.terms for factor in term.factors}.get


def lines_of(body: str) -> list[Line]:
    """Every line of the terms; nothing else stands in them."""
    inside = re.fullmatch(r"<div class='terms(?: shares)?'>(.*)</div>", body)[1]
    inside = TITLED.sub(full_figure, inside)
    inside = re.sub(r"<span class='constant'>([^<]+)</span>", r"<constant \1>", inside)
    assert LINE.sub("", inside) == ""
    found = []
    for line in LINE.finditer(inside):
        parts = (
            line["factors"].split("<span class='times'>×</span>")
            if "<span class='rest'>" not in line["factors"]
            else []
        )
        if "<span class='rest'>" in line["factors"]:
            found.append(Line((), read_number(line["product"]), line["bar"], line["factors"]))
            continue
        factors = []
        for part in parts:
            if constant := re.fullmatch(r"<constant ([^>]+)>", part):
                factors.append((None, read_number(constant[1])))
                continue
            match = FACTOR.fullmatch(part)
            cell = cell_at(match["cell"])
            code = f"{cell.tensor}[{cell.row}, {cell.column}]"
            assert code in match["code"]
            is_its_number = match["code"] == code  # else it says what is done with it, such as "−" or "= 3"
            factors.append((cell, read_number(match["number"]) if is_its_number else math.nan))
        found.append(Line(tuple(factors), read_number(line["product"]), line["bar"]))
    return found


def trail_of(page: Page) -> tuple[list[Cell], str]:
    """The cells asked before, in order, and the code of the present one."""
    (body,) = [body for body in page.html() if "class='trail'" in body]
    back = re.findall(r"data-cell='([\w.]+)' data-back='(\d+)'>([^<]+)</button><span class='arrow'>←</span>", body)
    assert [int(way) for _, way, _ in back] == list(range(len(back)))
    cells = [cell_at(address) for address, _, _ in back]
    assert [code for _, _, code in back] == [f"{cell.tensor}[{cell.row}, {cell.column}]" for cell in cells]
    (now,) = re.findall(r"<b tabindex='-1'>([^<]+)</b>", body)
    return cells, now


def terms_of(page: Page) -> list[Line]:
    bodies = [body for body in page.html() if body.startswith("<div class='terms")]
    return lines_of(bodies[0]) if bodies else []


def chosen(at: Visit) -> Cell:
    """The cell that the selectors show."""
    boxes = {box.key: box for box in at.selectbox}
    tensor = boxes["ask_tensor"].value
    head = boxes["ask_head"].value if "ask_head" in boxes else 0 if tensor in OF_HEADS else None
    return Cell(tensor, boxes["ask_row"].value, boxes["ask_column"].value, head)


def value_at(case: Case, cell: Cell) -> float:
    return float(tensor_of(case.trace, cell.tensor, cell.head, case.query)[cell.row, cell.column])


def shows(text: str, value: float) -> bool:
    return read_number(text) == value if math.isinf(value) else is_rounded(text, value)


def assert_explains(page: Page, case: Case, cell: Cell) -> None:
    """Trail, words, terms, total and selectors all speak of this cell, with the numbers of the trace."""
    value = value_at(case, cell)
    assert trail_of(page)[1] == f"{cell.tensor}[{cell.row}, {cell.column}]"
    if case.config.num_heads == 1 or cell.head is None:
        assert "ask_head" not in {box.key for box in page.at.selectbox}
    assert chosen(page.at) == cell
    lines = terms_of(page)
    said = page.said_in("inspector")
    assert "hint" in said
    sections_of_cell = {"positions_off", "attn_weights_closed", "edited", *TENSORS} & set(said)
    expected = cell.tensor
    if cell.tensor == "positions" and not case.config.positions:
        expected = "positions_off"
    if cell.tensor == "attn_weights" and case.closed[cell.row].all():
        expected = "attn_weights_closed"
    assert sections_of_cell == {expected}
    facts = said[expected]
    names = page_labels(case, cell)
    for place, name in (("row", names[0]), ("column", names[1])):
        if place in facts:
            assert code_spans(facts[place]) == (("", [name[1]]) if name[0] else (name[1], []))
    assert facts.get("row_number", str(cell.row)) == str(cell.row)
    assert facts.get("head", str(cell.head)) == str(cell.head)
    if "value" in facts:
        assert facts["value"] == str(round(value))
    for line in lines:
        for source, number in line.factors:
            if source is not None and source.tensor != "ids" and not math.isnan(number):
                assert abs(number) == pytest.approx(abs(value_at(case, source)), rel=0.06, abs=0.0051), source
    if lines:
        assert shows(said["total"]["cell"], value)
        assert abs(read_number(said["total"]["total"]) - read_number(said["total"]["cell"])) <= 0.01 or math.isinf(
            value
        )


def page_labels(case: Case, cell: Cell) -> list[tuple[bool, str]]:
    """What the cell's row and column are called, and whether that is a text of the reader."""
    tokens, words = case.labels, [f"{i} {w if len(w) <= 12 else w[:11] + '…'}" for i, w in enumerate(case.words)]
    by_keys = ("scores", "scaled_scores", "masked_scores", "exponentials", "attn_weights")
    rows = words if cell.tensor == "embedding_table" else None if cell.tensor[:2] in ("w_", "b_") else tokens
    columns = words if cell.tensor == "one_hot" else tokens if cell.tensor in by_keys else None
    return [
        (labels is not None, labels[place] if labels else str(place))
        for labels, place in ((rows, cell.row), (columns, cell.column))
    ]


def clicked(case: Case, cell: Cell) -> Case:
    """What is on screen after a click on that cell of a figure: the row of a token is then the one that is followed."""
    of_no_token = cell.tensor == "embedding_table" or cell.tensor[:2] in ("w_", "b_")
    of_a_key = cell.tensor in ("k", "v", "contributions")
    return case if of_no_token or of_a_key else Case.of(case.lang, **case.asked | {"query": str(cell.row)})


def case_of(setting: str, lang: str) -> Case:
    return Case.of(lang, **SETTINGS[setting])


def language_of(setting: str) -> str:
    return LANGUAGES[list(SETTINGS).index(setting) % 2]


@cache
def opened(setting: str) -> dict[str, Page]:
    """Every page of the walk in one visit, each with what could be chosen on it and the address that it had."""
    at = start(lang=language_of(setting), **SETTINGS[setting])
    pages = {}
    for slug in WALKED:
        page = go(at, slug, language_of(setting))
        boxes = [SimpleNamespace(key=box.key, value=box.value) for box in at.selectbox]
        then = SimpleNamespace(selectbox=boxes, query_params=dict(at.query_params))
        pages[slug] = replace(page, at=then)
    return pages


# From the start.


@OPENED
@IN_EVERY_SETTING
def test_a_number_in_the_row_of_the_query_is_explained_from_the_start_with_all_numbers(setting):
    case = case_of(setting, language_of(setting))
    for slug, page in opened(setting).items():
        tensor = BEGINS_WITH[slug]
        head = case.head if tensor in OF_HEADS else None
        code = trail_of(page)[1]
        row, column = map(int, re.fullmatch(rf"{tensor}\[(\d+), (\d+)\]", code).groups())
        assert row == case.query
        values = np.abs(tensor_of(case.trace, tensor, head, case.query)[row])
        if tensor in ("scores", "scaled_scores"):
            values = tensor_of(case.trace, "attn_weights", head, case.query)[row]
        assert values[column] == pytest.approx(values.max(), rel=1e-6)
        assert_explains(page, case, Cell(tensor, row, column, head))
        assert trail_of(page)[0] == []
        assert page.at.query_params["cell"] == ""


# Every tensor, by a link.


@pytest.mark.parametrize(
    ("setting", "lang"), [("wide, causal, hidden", "en"), ("every key hidden", "zh"), ("narrow", "en")]
)
def test_a_click_on_a_number_of_any_tensor_explains_it(setting, lang):
    at, case, random = enter("scaling", lang, **SETTINGS[setting]).at, case_of(setting, lang), Random(setting)
    for place, tensor in enumerate(TENSORS, start=int(setting == "narrow")):
        # Of every other tensor the last cell, of the others any; in the narrow layer the other way round.
        rows, columns = shape_by_rule(tensor, case.config, len(case.tokens), len(case.words))
        row, column = [(rows - 1, columns - 1), (random.randrange(rows), random.randrange(columns))][place % 2]
        head = random.randrange(case.config.num_heads) if tensor in OF_HEADS else None
        cell = Cell(tensor, row, column, head)
        case = clicked(case, cell)
        at.ask({"cell": address_of(cell)})
        assert (at.query_params["cell"], at.query_params["query"]) == (address_of(cell), str(case.query))
        page = look(at, "scaling", lang)
        assert_explains(page, case, cell)
        if tensor in ("q", "scores", "x", "head_outputs", "output", "exp_sums", "joined", "contributions"):
            assert_lines_add_up(page, case, cell)


def assert_lines_add_up(page: Page, case: Case, cell: Cell) -> None:
    """What is shown on the lines, as exactly as it is shown, makes the number."""
    lines = terms_of(page)
    assert lines
    shown = sum(line.product for line in lines)
    assert abs(shown - value_at(case, cell)) <= 0.006 * len(lines)
    for line in lines:
        if line.factors:
            exact = math.prod(number if source is None else value_at(case, source) for source, number in line.factors)
            assert shows(written.number(line.product), exact) or abs(line.product - exact) <= 0.006


@each("tensor", TENSORS)
def test_a_link_to_a_number_of_any_tensor_explains_it_and_next_to_an_address_stands_the_number_there(tensor):
    case = Case.of("en", d_model="8", num_heads="2")
    cell = Cell(tensor, 0 if tensor.startswith("b_") else 5, 0, 1 if tensor in OF_HEADS else None)
    page = enter("scores", cell=address_of(cell))
    assert page.at.query_params["cell"] == address_of(cell)
    assert_explains(page, case, cell)
    for line in terms_of(page):
        for source, number in line.factors:
            if source is not None and source.tensor != "ids" and not math.isnan(number):
                assert number == pytest.approx(value_at(case, source), rel=0.06, abs=0.0051), source


@each("text", ["x.12.0", "scores.0.0", "scores.0.0.2", "x.0.8", "y.0.0", "x.0.0.0", "x.-1.0", "", "x.a.0", "ids.0.1"])
def test_a_link_to_a_number_that_is_not_there_falls_back_and_says_so(text):
    page = enter("projections", sentence=TWELVE, cell=text)
    assert chosen(page.at).tensor == BEGINS_WITH["projections"]
    warnings = page.of("warning")
    assert [re.findall("`([^`]+)`", warning) for warning in warnings] == ([["cell"]] if text else [])
    assert page.at.query_params["cell"] == ""


# Choosing.


def test_every_tensor_can_be_chosen():
    slug, case = "heads", Case.of("en")
    at = enter(slug).at
    assert at.selectbox(key="ask_tensor").options == list(TENSORS)
    for tensor in [*reversed(TENSORS), "scores"]:
        before = chosen(at)
        if before.tensor == tensor:
            continue
        at.selectbox(key="ask_tensor").set_value(tensor)
        at.run()
        rows, columns = shape_by_rule(tensor, case.config, len(case.tokens), len(case.words))
        cell = Cell(
            tensor, min(before.row, rows - 1), min(before.column, columns - 1), 0 if tensor in OF_HEADS else None
        )
        assert_explains(look(at, slug), case, cell)
        assert at.query_params["cell"] == address_of(cell)
    assert all(at.ran[-len(TENSORS) :])  # nothing else on the page was drawn again


def test_row_column_and_head_can_be_chosen_and_the_choice_outlives_a_run_of_the_whole_page():
    at, case = enter("scores", num_heads="4").at, Case.of("en", num_heads="4")
    for key, value, cell in (
        ("ask_row", 3, Cell("scores", 3, chosen(at).column, 0)),
        ("ask_column", 8, Cell("scores", 3, 8, 0)),
        ("ask_head", 2, Cell("scores", 3, 8, 2)),
    ):
        at.selectbox(key=key).set_value(value)
        at.run()
        assert_explains(look(at, "scores"), case, cell)
        at.run()
        assert_explains(look(at, "scores"), case, cell)
        assert at.query_params["cell"] == address_of(cell)


def test_the_selectors_name_rows_and_columns_as_the_figures_do():
    at, case = (
        enter("embedding", sentence="the dog saw the cat", query="1").at,
        Case.of("en", sentence="the dog saw the cat"),
    )
    words = [f"{i} {word}" for i, word in enumerate(case.words)]
    for tensor, rows, columns in (
        ("one_hot", case.labels, words),
        ("embedding_table", words, list("01234567")),
        ("attn_weights", case.labels, case.labels),
        ("b_q", ["0"], list("01234567")),
        ("exp_sums", case.labels, ["0"]),
        ("q", case.labels, list("0123")),
        ("w_o", list("01234567"), list("01234567")),
    ):
        at.selectbox(key="ask_tensor").set_value(tensor)
        at.run()
        assert (at.selectbox(key="ask_row").options, at.selectbox(key="ask_column").options) == (rows, columns)


STEPS = {"ask_up": (-1, 0), "ask_down": (1, 0), "ask_left": (0, -1), "ask_right": (0, 1)}


@each(
    "row, column, keys",
    [
        (0, 0, ("ask_right", "ask_down", "ask_left", "ask_up")),
        (11, 11, ("ask_left", "ask_up", "ask_right", "ask_down")),
        (0, 11, ("ask_down", "ask_left", "ask_up")),
    ],
)
def test_steps_lead_to_the_neighbours_and_end_at_the_edges(row, column, keys):
    case = Case.of("en", sentence=TWELVE)
    at = enter("scores", sentence=TWELVE, cell=f"scores.{row}.{column}.1").at
    for key in (*keys, None):
        for other, (down, right) in STEPS.items():
            assert at.button(key=other).disabled == (row + down not in range(12) or column + right not in range(12))
        if key:
            at.button(key=key).click()
            at.run()
            row, column = row + STEPS[key][0], column + STEPS[key][1]
            assert_explains(look(at, "scores"), case, Cell("scores", row, column, 1))
            assert at.query_params["cell"] == f"scores.{row}.{column}.1"


def test_a_single_number_has_no_neighbours():
    at = enter("embedding", sentence="a", cell="ids.0.0").at
    assert [at.button(key=key).disabled for key in STEPS] == [True] * 4


def test_all_terms_are_shown_on_demand_and_only_where_some_are_left_out():
    at, case = enter("projections", cell="q.3.1.0").at, Case.of("en")
    page = look(at, "projections")
    lines = terms_of(page)  # eight products and a bias
    assert len(lines) == terms.MOST
    assert sum(bool(line.words) for line in lines) == 1
    assert label_of_rest(lines) == 9 - (terms.MOST - 1)
    at.toggle(key="all_terms").set_value(True)
    at.run()
    lines = terms_of(look(at, "projections"))
    assert [line.factors[0][0] for line in lines] == [*(Cell("x", 3, m) for m in range(8)), Cell("b_q", 0, 1)]
    assert [line.factors[1][0] for line in lines[:-1]] == [Cell("w_q", m, 1) for m in range(8)]
    assert_explains(look(at, "projections"), case, Cell("q", 3, 1, 0))
    at.selectbox(key="ask_tensor").set_value("x")
    at.run()
    assert "all_terms" not in {toggle.key for toggle in at.toggle}
    assert len(terms_of(look(at, "projections"))) == 2


def label_of_rest(lines: list[Line]) -> int:
    (words,) = [line.words for line in lines if line.words]
    return int(re.search(r"\d+", words)[0])


# What follows from other choices.


def test_another_query_brings_back_the_page_s_own_number():
    at = enter("scores", cell="scores.2.3.1").at
    at.selectbox(key="query").set_value(4)
    at.run()
    cell = chosen(at)
    assert (cell.tensor, cell.row, at.query_params["cell"]) == ("scores", 4, "")
    assert_explains(look(at, "scores"), Case.of("en", query="4"), cell)


def test_the_number_asked_about_goes_with_the_head():
    at = enter("scores", cell="scores.2.3.0").at
    at.button_group(key="head").set_value(1)
    at.run()
    assert (chosen(at), at.query_params["cell"]) == (Cell("scores", 2, 3, 1), "scores.2.3.1")
    assert_explains(look(at, "scores"), Case.of("en", head="1"), Cell("scores", 2, 3, 1))


@each(
    "cell, change, stays",
    [
        ("x.2.7", lambda at: at.select_slider(key="d_model").set_value(4), False),
        ("x.2.3", lambda at: at.select_slider(key="d_model").set_value(4), True),
        ("q.2.3.1", lambda at: at.select_slider(key="num_heads").set_value(4), False),
        ("x.8.1", lambda at: at.text_area(key="sentence").set_value("a b c d e f g h"), False),
        ("x.3.1", lambda at: at.text_area(key="sentence").set_value("a b c d e f g h"), True),
        ("scores.3.1.0", lambda at: at.toggle(key="causal").set_value(True), True),
    ],
)
def test_the_number_asked_about_stays_where_there_still_is_one(cell, change, stays):
    at = enter("softmax", cell=cell).at
    change(at)
    at.run()
    look(at, "softmax")
    assert at.query_params["cell"] == (cell if stays else "")
    assert (address_of(chosen(at)) == cell) == stays
    if not stays:
        assert chosen(at).tensor == "attn_weights"


def test_a_number_chosen_in_the_inspector_survives_a_change_in_the_sidebar():
    at = enter("scores").at
    at.selectbox(key="ask_row").set_value(3)
    at.run()
    cell = chosen(at)
    at.toggle(key="positions").set_value(False)
    at.run()
    assert chosen(at) == cell
    assert_explains(look(at, "scores"), Case.of("en", positions="0"), cell)


@each("slug", WALKED)
def test_no_link_carries_the_number_asked_about_to_a_page_that_chooses_its_own(slug):
    page = enter(slug, cell="x.2.3")
    links = [link for body in page.html("") for link in re.findall(r"<a href='([^']*)' data-page", body)]
    carried = [re.search(r"&cell=([^&]*)", html.unescape(link))[1] for link in links]
    assert len(carried) > 5
    assert set(carried) == {""}


def test_the_back_button_brings_back_the_number_asked_about_before():
    at = enter("scores").at
    at.ask({"cell": "scores.1.2.0"})
    at.ask({"cell": "scores.3.4.0"})
    at.back(cell="scores.1.2.0")
    assert chosen(at) == Cell("scores", 1, 2, 0)


# Clicks: on a figure, on a factor, on the trail.


def test_a_click_that_answers_a_question_explains_its_cell_as_well():
    at = enter("projections", sentence="a b", d_model="16", num_heads="2").at
    for _ in range(3):
        if found := [button for button in at.button if (button.key or "").endswith("_click")]:
            found[0].click()
            at.run()
            break
        at.button(key="question_after").click()
        at.run()
    at.ask({"cell": "q.0.3.1"})
    page = look(at, "projections")
    assert len(page.of("success", "warning", box="quiz")) == 1
    assert (chosen(at), at.query_params["cell"]) == (Cell("q", 0, 3, 1), "q.0.3.1")


def test_a_click_on_a_cell_explains_it_without_drawing_the_page_again():
    """In the row that is followed already, or where rows are of no token that could be: all else stays as it is."""
    at, case = enter("scores").at, Case.of("en")
    for cell in (Cell("scores", case.query, 8, 1), Cell("q", case.query, 1, 0), Cell("k", 8, 3, 0)):
        at.ask({"cell": address_of(cell)})
        assert len(at.ran[-1]) == 1
        assert_explains(look(at, "scores"), case, cell)
        assert trail_of(look(at, "scores"))[0] == []
        assert at.query_params["cell"] == address_of(cell)


@each("slug, cell", [("scores", "scores.3.4.0"), ("softmax", "attn_weights.0.2.0"), ("heads", "q.7.1.0")])
def test_a_click_in_another_row_makes_it_the_row_that_is_followed(slug, cell):
    """The words, the frames and the selector go along, and what was clicked is what is explained."""
    at, row = enter(slug).at, cell.split(".")[1]
    at.ask({"cell": cell})
    page, case = look(at, slug), Case.of("en", query=row)
    assert (at.query_params["query"], at.query_params["cell"]) == (row, cell)
    assert at.selectbox(key="query").value == int(row)
    assert chosen(at) == cell_at(cell)
    assert_facts(page, case)
    at.run()
    assert chosen(at) == cell_at(cell)


@each("cell", ["w_q.3.1", "k.3.1.0", "v.0.2.1", "embedding_table.2.1", "b_q.0.1"])
def test_a_click_on_what_is_no_row_of_a_token_leaves_the_followed_row_alone(cell):
    at = enter("scores").at
    before = at.query_params["query"]
    at.ask({"cell": cell})
    assert (chosen(at), at.query_params["query"]) == (cell_at(cell), before)


def test_factors_lead_down_to_the_word_and_the_trail_leads_back():
    at, case = enter("heads", cell="output.8.1").at, Case.of("en")
    asked = [chosen(at)]
    while sources := [cell for line in terms_of(look(at, "heads")) for cell, _ in line.factors if cell]:
        at.ask({"cell": address_of(sources[0]), "way": "source"})
        assert trail_of(look(at, "heads"))[0] == asked[-12:]
        asked.append(sources[0])
        assert_explains(look(at, "heads"), case, sources[0])
        assert len(asked) < 20
    assert [cell.tensor for cell in asked] == [
        "output",
        "joined",
        "head_outputs",
        "attn_weights",
        "exponentials",
        "masked_scores",
        "scaled_scores",
        "scores",
        "q",
        "x",
        "embeddings",
        "one_hot",
        "ids",
    ]
    for way in (7, 3, 0):
        at.ask({"cell": address_of(asked[way]), "way": way})
        before, now = trail_of(look(at, "heads"))
        assert (before, now) == (asked[:way], f"{asked[way].tensor}[{asked[way].row}, {asked[way].column}]")
        assert chosen(at) == asked[way]


def test_the_trail_keeps_the_last_steps_and_ends_with_a_choice_of_one_s_own():
    at = enter("embedding", cell="x.0.0", sentence="a b c d e f g h i j k l").at
    for row in range(1, 12):
        at.ask({"cell": f"x.{row}.0", "way": "source"})
    for row in range(12):
        at.ask({"cell": f"x.{row}.1", "way": "source"})
    cells, _ = trail_of(look(at, "embedding"))
    assert len(cells) == inspector.MOST_STEPS_BACK
    assert cells[-1] == Cell("x", 10, 1)
    at.button(key="ask_up").click()
    at.run()
    assert trail_of(look(at, "embedding"))[0] == []


def test_a_double_click_on_a_factor_asks_once():
    at = enter("embedding", cell="x.0.7").at
    for _ in range(2):
        at.ask({"cell": "embeddings.0.7", "way": "source"})
    assert trail_of(look(at, "embedding")) == ([Cell("x", 0, 7)], "embeddings[0, 7]")


def test_a_trail_loses_the_numbers_that_are_no_longer_there():
    at = enter("embedding", cell="x.0.7").at
    at.ask({"cell": "x.0.3", "way": "source"})
    at.ask({"cell": "x.0.2", "way": "source"})
    at.select_slider(key="d_model").set_value(4)
    at.run()
    assert trail_of(look(at, "embedding"))[0] == [Cell("x", 0, 3)]


@each("way", STEPS.values())
def test_the_arrow_keys_step_as_the_buttons_do_and_not_over_the_edge(way):
    at = enter("scores", sentence=TWELVE, cell="scores.0.11.1").at
    at.ask({"step": list(way)})
    row, column = 0 + way[0], 11 + way[1]
    inside = 0 <= row < 12 and 0 <= column < 12
    assert chosen(at) == (Cell("scores", row, column, 1) if inside else Cell("scores", 0, 11, 1))
    look(at, "scores")


def test_a_name_that_is_no_page_leads_nowhere():
    at = enter("scores").at
    for page in ("nowhere", "", "../app", ["heads"], {"page": "heads"}, 3, None):
        assert look(at.ask({"page": page}, of="guide"), "scores").of("title") == [sections("scores", "en")["title"]]


@each("slug", WALK)
def test_a_name_that_is_a_step_leads_there_and_the_page_chooses_its_own_number(slug):
    at = start(cell="x.2.3", d_model="16")
    page = look(at.follow(slug), slug)
    assert page.of("title") == [sections(slug, "en")["title"]]
    assert chosen(at).tensor == BEGINS_WITH[slug]
    assert (at.query_params["d_model"], at.query_params["cell"]) == ("16", "")


JUNK = [
    None,
    3,
    "x.0.0",
    [],
    ["x.0.0"],
    {},
    {"cell": None},
    {"cell": 3},
    {"cell": ["x", 0, 0]},
    {"cell": {"tensor": "x"}},
    {"cell": ""},
    {"cell": "x"},
    {"cell": "x.0"},
    {"cell": "x.99.0"},
    {"cell": "x.0.99"},
    {"cell": "x.-1.0"},
    {"cell": "x.0.0.0"},
    {"cell": "scores.0.0"},
    {"cell": "scores.0.0.9"},
    {"cell": "scores.999999.0.0"},
    {"cell": "nothing.0.0"},
    {"cell": "<b>.0.0"},
    {"cell": "x.99.0", "way": "source"},
    {"cell": "x.99.0", "way": 3},
    {"step": None},
    {"step": "up"},
    {"step": [0, 0]},
    {"step": [2, 0]},
    {"step": [1, 1]},
    {"step": [1]},
    {"step": [None, 1]},
    {"step": ["1", "0"]},
    {"step": {"down": 1}},
    {"page": None, "cell": None, "step": None, "way": None},
]


def test_nothing_that_a_browser_could_send_by_mistake_breaks_a_page_or_leads_anywhere():
    at = enter("scores", cell="x.1.2").at
    for question in JUNK:
        at.ask(question)
        assert chosen(at) == Cell("x", 1, 2), question
        assert trail_of(look(at, "scores"))[0] == [], question
    at.run()
    assert chosen(at) == Cell("x", 1, 2)


@each(
    "sent", [None, 3, "x.0.0", {}, {"cell": "x.0.0"}, [3], [[3]], [[3, None]], [["3", {"cell": "x.0.0"}]], [[3.5, {}]]]
)
def test_what_is_no_list_of_numbered_questions_asks_nothing(sent):
    at = enter("scores", cell="x.1.2").at.bring(sent)
    assert chosen(at) == Cell("x", 1, 2)
    assert chosen(at.ask({"cell": "x.1.3"})) == Cell("x", 1, 3)


def test_questions_that_come_together_are_all_answered_in_order_and_none_of_them_twice():
    at, moment = enter("scores", cell="x.5.5").at, {"act": "moment", "at": 0, "moment": 2}
    first = [[7, {"cell": "x.1.3"}], [9, moment]]
    at.bring(first)
    assert (chosen(at), at.query_params["moment"]) == (Cell("x", 1, 3), "2")
    at.bring([*first, [10, {"step": [1, 0]}], [11, {"step": [1, 0]}], [12, {"step": [0, 1]}]])
    assert (chosen(at), at.query_params["moment"]) == (Cell("x", 3, 4), "2")
    at.bring([[8, {"cell": "x.0.0"}]])
    assert chosen(at) == Cell("x", 3, 4)
    at.bring([[13, {"row": 2}], [14, {"cell": "q.5.0.1"}]])
    assert (chosen(at), at.query_params["query"]) == (Cell("q", 5, 0, 1), "5")
    assert json.loads(at._pointer.json)["heard"] == 14
    look(at, "scores")


def test_boxes_that_say_what_they_said_before_an_answer_do_not_lead_back():
    at = enter("scores", cell="x.5.5").at
    at.ask({"cell": "x.1.3"})
    at.selectbox(key="ask_row").set_value(5)
    assert chosen(at.ask({"step": [1, 0]})) == Cell("x", 2, 3)
    at.selectbox(key="ask_row").set_value(5)
    assert chosen(at.button(key="ask_right").click().run()) == Cell("x", 2, 4)
    at.selectbox(key="ask_row").set_value(5)
    at.ask({"act": "moment", "at": 0, "moment": 1})
    assert (chosen(at), at.query_params["moment"]) == (Cell("x", 5, 4), "1")


def test_a_widget_beside_the_panel_that_has_not_heard_of_another_row_does_not_take_it_back():
    at = enter("scores", query="5", sentence="the old king saw the princess").at
    older = at.selectbox(key="query")._widget_state
    at.ask({"row": 2})
    at.older = [older]
    at.ask({"act": "moment", "at": 0, "moment": 1})
    assert at.ran[-1]
    assert (at.query_params["query"], at.query_params["moment"]) == ("2", "1")
    look(at, "scores")
    at.run()
    assert (at.query_params["query"], at.selectbox(key="query").value) == ("2", 2)


def test_nor_in_a_run_of_the_whole_page_but_who_moves_it_back_is_believed():
    at = enter("scores", query="5", sentence="the old king saw the princess").at
    older = at.selectbox(key="query")._widget_state
    at.ask({"row": 2})
    for _ in range(2):
        at.older = [older]
        at.query_params["query"] = "5"  # nor has the address in the browser
        at.ask({"act": "nothing"}, of="guide")
        assert at.query_params["query"] == "2"
    at.run()
    at.selectbox(key="query").set_value(5).run()
    assert (at.query_params["query"], at.selectbox(key="query").value) == ("5", 5)
    at.selectbox(key="query").set_value(4).run()
    at.query_params["query"] = "5"
    at.selectbox(key="query").set_value(5).run()  # at once, before the address follows
    assert at.query_params["query"] == "5"


def test_no_face_is_none_of_the_faces():
    at = enter("scores", face="code").at
    at.button_group(key="face").set_value(None).run()
    assert at.query_params["face"] == "code"
    look(at, "scores")


def test_another_language_and_another_page_asked_for_at_once_both_count():
    at = enter("scores").at
    at.bring([[1, {"lang": "zh"}], [2, {"page": "softmax"}]], of="guide")
    assert look(at, "softmax", "zh").of("title") == [sections("softmax", "zh")["title"]]


@each("step", [[1.0, 0], [0.0, -1.0], [True, 0], [False, True]])
def test_a_step_counts_rows_and_columns_whole_whatever_way_it_is_sent(step):
    at = enter("scores", cell="x.5.5").at
    at.ask({"step": step})
    cell = chosen(at)
    assert cell in (Cell("x", 5, 5), Cell("x", 5 + int(step[0]), 5 + int(step[1])))
    look(at, "scores")
    assert at.query_params["cell"] == address_of(Cell("x", int(cell.row), int(cell.column)))


def test_a_way_back_that_there_is_not_explains_the_cell_all_the_same():
    at = enter("scores", cell="x.1.2").at
    for way in (-1, 99, 1.5, "back", [], {}, True):
        at.ask({"cell": "x.1.3", "way": "source"})
        at.ask({"cell": "x.1.4", "way": way})
        assert chosen(at) == Cell("x", 1, 4), way
        look(at, "scores")


# The callback by itself.


@pytest.fixture
def state(monkeypatch):
    """What a visit remembers, after a question that a browser sends."""
    held = visit.Visit(settings=Settings(), now=resolve(Settings()), asking=Cell("x", 7, 2))
    held.trail = (Cell("x", 0, 0), Cell("x", 0, 1))
    monkeypatch.setattr(visit.st, "session_state", {"visit": held})
    monkeypatch.setattr(visit.st, "query_params", {})

    def ask(question):
        monkeypatch.setattr(pointer, "asked", lambda: [question])
        inspector._on_ask()
        return held

    return ask


def test_the_callback_changes_the_cell_the_settings_and_the_trail_together(state):
    held = state({"cell": "scores.7.2.1"})
    assert (held.settings.cell, held.now.settings.cell, held.trail) == (*[Cell("scores", 7, 2, 1)] * 2, ())
    assert visit.st.query_params["cell"] == "scores.7.2.1"
    held = state({"cell": "q.1.0.1", "way": "source"})
    assert (held.settings.cell, held.trail) == (Cell("q", 1, 0, 1), (Cell("scores", 7, 2, 1),))


@pytest.mark.parametrize(("way", "trail"), [(0, ()), (1, (Cell("x", 0, 0),)), (2, (Cell("x", 0, 0), Cell("x", 0, 1)))])
def test_the_callback_cuts_the_trail_where_the_reader_goes_back_to(state, way, trail):
    assert state({"cell": "x.3.3", "way": way}).trail == trail


@each("question", [q for q in JUNK if isinstance(q, dict)])
def test_the_callback_takes_nothing_from_nonsense(state, question):
    held = state(question)
    assert held.settings == held.now.settings == Settings()
    assert held.trail == (Cell("x", 0, 0), Cell("x", 0, 1))
    assert (held.go_to, held.redraws) == ("", False)


# Hostile sentences.

HOSTILE = [
    "<script>alert(1)</script>",
    "<b>x",
    "[[row]] [[x]]",
    "`a` ``b``",
    "$x$ $$y$$",
    r"\frac{1}{2} \end{aligned}",
    "&lt; &amp;",
    "'\"><i",
    "** _x_ :red[y]",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_sentence_is_ever_markup_in_an_explanation(text):
    """Of every other tensor the first row or the last: a text gets into all explanations in the same way."""
    number = HOSTILE.index(text)
    sentence, lang, slug = "qzx" + text, LANGUAGES[number % 2], WALKED[number % len(WALKED)]
    at, case = enter(slug, lang, sentence=sentence, query="0").at, Case.of(lang, sentence=sentence, query="0")
    last, words = len(case.tokens) - 1, len(case.words) - 1
    told = ("ids", "one_hot", "embedding_table", "x", "q", "scores", "attn_weights", "contributions", "output")
    for place, tensor in list(enumerate(told))[number % 2 :: 2]:
        rows, columns = shape_by_rule(tensor, case.config, last + 1, words + 1)
        head = 1 if tensor in OF_HEADS else None
        cell = Cell(tensor, (0, rows - 1)[(place + number) // 2 % 2], columns - 1, head)
        case = clicked(case, cell)
        at.ask({"cell": address_of(cell)})
        page = look(at, slug, lang)
        for body in page.html() + page.of("latex", box="inspector"):
            assert "qzx" not in body
            tags = set(re.findall(r"</?(\w+)", body)) if body in page.html() else set()
            assert tags <= {"div", "b", "button", "span", "em", "i"}
        outside = " ".join(code_spans(t)[0] for t in page.of("markdown", "caption", box="inspector"))
        assert "qzx" not in outside
        assert "<" not in outside
        assert "[[" not in outside
        assert_explains(page, case, cell)


# The terms by themselves.


def nothing(cell):
    """What stands in the trace is no matter to a sum."""
    return 0.0


def derivation(products, operation="sum", column=0, tensor="scores"):
    """A derivation with one factor for each product."""
    found = tuple(
        Term((Factor("f", product, Cell("exponentials", 0, i, 0)),), product) for i, product in enumerate(products)
    )
    total = math.fsum(products) if all(map(math.isfinite, products)) else sum(products)
    value = products[column] / total if operation == "share" and total else total
    index = Index("token", 0, "a")
    return Derivation(Cell(tensor, 0, column, 0), index, index, operation, found, value, "s", "n")


@each("count, everything", [(n, everything) for n in (1, 2, 7, 8, 9, 10, 30, 513) for everything in (False, True)])
def test_the_terms_shown_and_the_rest_add_up_to_the_number(count, everything):
    random = Random(count)
    made = derivation([random.uniform(-3, 3) for _ in range(count)])
    lines = lines_of(terms.bars(made, everything, lambda _: "the <rest>", in_factors(made)))
    is_whole = everything or count <= terms.MOST
    assert len(lines) == (count if is_whole else terms.MOST)
    assert sum(line.product for line in lines) == pytest.approx(made.value, abs=0.0051 * len(lines))
    assert [bool(line.words) for line in lines] == [False] * (len(lines) - (not is_whole)) + [True] * (not is_whole)
    shown, rest = terms.shown_terms(made, everything)
    assert sorted((*shown, *rest)) == list(range(count))
    assert list(shown) == sorted(shown)
    products = [abs(term.product) for term in made.terms]
    assert min((products[i] for i in shown), default=0) >= max((products[i] for i in rest), default=0)
    exact = math.fsum(made.terms[i].product for i in rest)
    if rest:
        assert is_rounded(written.number(lines[-1].product), exact) or abs(lines[-1].product - exact) < 0.006
        assert lines[-1].words == "<span class='rest'>the &lt;rest&gt;</span>"


def test_what_hardly_counts_in_a_long_sum_goes_to_the_rest():
    made = derivation([0.00001, 2.0, -0.0019, 0.0021, 1e-9, 0.5, -0.001, 0.0, 0.0003])
    assert terms.shown_terms(made, False) == ((1, 3, 5), (0, 2, 4, 6, 7, 8))
    assert terms.shown_terms(derivation([2.0, 1e-9]), False) == ((0, 1), ())  # a short one is whole


@each("column", [0, 3, 29])
def test_a_share_s_own_term_is_always_among_those_shown_and_marked(column):
    products = [1 + i / 30 for i in range(30)]
    products[column] = 0.0001
    made = derivation(products, "share", column, "attn_weights")
    shown, rest = terms.shown_terms(made, False)
    assert column in shown
    assert len(shown) == terms.MOST - 1
    lines = lines_of(terms.bars(made, False, lambda _: "rest", in_factors(made)))
    own = [line for line in lines if " own" in line.bar]
    assert [line.factors[0][0].column for line in own] == [column]
    assert sum(line.product for line in lines) == pytest.approx(sum(products), abs=0.05)
    assert all("left:0" in line.bar for line in lines)
    assert len(rest) == 30 - len(shown)


def test_the_full_figure_of_a_number_can_be_had_however_small_it_is():
    products = [3.25e-12, -0.0000123456789, 0.125, -41.0625]
    made = derivation(products)
    titled = TITLED.findall(terms.bars(made, True, lambda _: "", in_factors(made)))
    assert [float(full) for full, _ in titled] == [number for product in products for number in (product, product)]
    assert [shown for _, shown in titled][::2] == ["≈ 0", "−0.000012", "0.12", "−41.06"]
    address = {"query": "2", "cell": "contributions.0.1.0", "edit": "attn_weights.2.0.0:0.0000000001"}
    page, case = enter("weighted_sum", **address), Case.of("en", **address)
    (total,) = [e.proto.help for e in page.elements if e.type == "caption" and "≈ 0" in e.value]
    tiny = value_at(case, Cell("contributions", 0, 1, 0))
    assert 0 < abs(tiny) < 1e-8
    assert [float(full) for full in total.split(", ")] == pytest.approx([tiny, tiny], rel=1e-5)
    (body,) = [body for body in page.html() if body.startswith("<div class='terms")]
    weight, value, product = (float(full) for full, _ in TITLED.findall(body))
    held = value_at(case, Cell("v", 0, 1, 0))
    assert (weight, value, product) == pytest.approx((1e-10, held, tiny), rel=1e-5)


def width(line: Line) -> float:
    return float(re.search(r"width:([\d.]+)%", line.bar)[1])


def test_bars_go_left_and_right_from_the_middle_in_proportion():
    lines = lines_of(terms.bars(derivation([2.0, -1.0, 0.5, 0.0]), False, lambda _: "", lambda _: 0.0))
    assert [width(line) for line in lines] == [50, 25, 12.5, 0]
    assert ["plus" in line.bar for line in lines] == [True, False, True, True]
    assert ["left:50%" in line.bar for line in lines] == [True, False, True, True]
    assert "right:50%" in lines[1].bar


def test_minus_infinity_and_nothing_but_zeros_are_drawn_without_a_fault():
    lines = lines_of(terms.bars(derivation([1.5, -math.inf]), False, lambda _: "", lambda _: 0.0))
    assert [line.product for line in lines] == [1.5, -math.inf]
    assert [width(line) for line in lines] == [50, 50]
    for operation in ("sum", "share"):
        lines = lines_of(terms.bars(derivation([0.0] * 12, operation), False, lambda _: "rest", lambda _: 0.0))
        assert {line.product for line in lines} == {0.0}
        assert {width(line) for line in lines} == {0.0}
    lines = lines_of(terms.bars(derivation([-math.inf, 0.0]), False, lambda _: "", lambda _: 0.0))
    assert [width(line) for line in lines] == [50, 0]


def test_a_closed_cell_is_explained_down_to_the_mask():
    at, case = enter("softmax", causal="1", cell="masked_scores.1.3.0").at, Case.of("en", causal="1")
    page = look(at, "softmax")
    assert_explains(page, case, Cell("masked_scores", 1, 3, 0))
    assert [line.product for line in terms_of(page)][1] == -math.inf
    assert page.said_in("inspector")["total"] == {"total": "−∞", "cell": "−∞"}


def test_frames_go_around_the_cell_and_everything_it_was_made_from():
    at = enter("heads", cell="output.2.5").at
    frames = json.loads(at._pointer.json)["frames"]
    place = {"tensor": "output", "head": None, "rows": [2, 3], "columns": [5, 6]}
    assert [frame for frame in frames if frame["kind"] == "cell"] == [{"kind": "cell", **place}]
    assert [{**frame, "kind": ""} for frame in frames if frame["kind"] == "line"] == [
        {"kind": "", **place, "columns": None},
        {"kind": "", **place, "rows": None},
    ]
    assert sorted((f["tensor"], f["head"], f["rows"], f["columns"]) for f in frames if f["kind"] == "source") == [
        ("b_o", None, [0, 1], [5, 6]),
        ("joined", None, [2, 3], [0, 8]),
        ("w_o", None, [0, 8], [5, 6]),
    ]


# What a click on a figure means, by the rule of pointer.js.


def cell_under(panel: dict, row: int, column: int) -> Cell:
    """The tensor's cell that a panel shows in this row and column."""
    down, across = (column, row) if panel["transposed"] else (row, column)
    across += panel["first"]
    if panel["head_dim"]:
        head, across = divmod(across, panel["head_dim"])
        return Cell(panel["tensor"], down, across, head)
    return Cell(panel["tensor"], down, across, panel["head"])


@OPENED
@IN_EVERY_SETTING
@each("slug", WALKED)
def test_the_cell_that_a_click_means_holds_the_number_shown_there(slug, setting):
    case, page = case_of(setting, language_of(setting)), opened(setting)[slug]
    random = Random(f"{slug} {setting}")
    for chart in page.charts:
        traces = {trace["xaxis"]: trace for trace in heatmaps(chart)}
        for panel, trace in zip(chart["layout"]["meta"], traces.values(), strict=True):
            z = numbers(trace["z"])
            rows, columns = z.shape
            assert panel["size"] == [rows, columns]
            assert panel["tensor"] in TENSORS  # every panel of a page can be asked about
            places = {(0, 0), (0, columns - 1), (rows - 1, 0), (rows - 1, columns - 1), (rows // 2, columns // 2)}
            places |= {(random.randrange(rows), random.randrange(columns)) for _ in range(8)}
            for row, column in places:
                cell = cell_under(panel, row, column)
                height, across = shape_by_rule(cell.tensor, case.config, len(case.tokens), len(case.words))
                assert 0 <= cell.row < height
                assert 0 <= cell.column < across
                if math.isnan(z[row, column]):
                    assert case.closed[cell.row, cell.column]
                    continue
                assert z[row, column] == pytest.approx(value_at(case, cell), rel=1e-5, abs=1e-6), (panel, row, column)


@OPENED
def test_panels_show_whole_tensors_but_for_the_columns_of_a_head():
    case = Case.of("en")
    for slug in WALKED:
        for chart in opened("a first visit")[slug].charts:
            for panel in chart["layout"]["meta"]:
                rows, columns = shape_by_rule(panel["tensor"], case.config, len(case.tokens), len(case.words))
                if panel["head_dim"] or (slug == "overview" and panel["tensor"].startswith("w_")):
                    continue
                shape = (columns, rows) if panel["transposed"] else (rows, columns)
                assert tuple(panel["size"]) == shape


def test_the_words_of_the_buttons_are_in_both_languages():
    for lang in LANGUAGES:
        at = enter("scores", lang=lang).at
        for key in STEPS:
            assert at.button(key=key).label == label(key, lang)


def test_numbers_are_explained_as_the_core_explains_them():
    case = case_of("wide, causal, hidden", "en")
    page = enter("weighted_sum", **case.asked, cell="head_outputs.4.3.5")
    made = explain_cell(case.trace, "head_outputs", 4, 3, 5)
    (formula,) = page.of("latex", box="inspector")
    for part in (made.symbols.partition(" = ")[0], made.formula.rpartition(" = ")[2]):
        assert part in formula
    assert formula.count(r"\begin{aligned}") == formula.count(r"\end{aligned}") == 1
    assert html.unescape(formula) == formula
    assert isinstance(made.value, float)
    assert torch.tensor(made.value) == pytest.approx(value_at(case, made.cell), rel=1e-5)
    assert SimpleNamespace(**vars(made)).operation == "sum"


@IN_EVERY_SETTING
def test_a_formula_fits_its_panel_and_no_part_of_it_is_lost_where_it_is_broken(setting):
    case, random = case_of(setting, language_of(setting)), Random(setting)
    for tensor in TENSORS:
        rows, columns = shape_by_rule(tensor, case.config, len(case.tokens), len(case.words))
        for _ in range(8):
            head = random.randrange(case.config.num_heads) if tensor in OF_HEADS else None
            cell = Cell(tensor, random.randrange(rows), random.randrange(columns), head)
            made = explain_cell(case.trace, tensor, cell.row, cell.column, head, query=case.query)
            shown = formula.lines(made).removeprefix(r"\begin{aligned} ").removesuffix(r" \end{aligned}")
            whole = shown.replace(r" \\ & \quad", "").replace(r"\\[2pt] &", "").replace(" &=", " =")
            assert whole == made.formula
            left, *lines = re.split(r" (?:\\\\(?:\[2pt\])? )?&(?:=| \\quad) ", shown)
            for line in lines:
                is_whole = not re.search(r" [-+] ", line.lstrip("+- ")) or "frac" in line
                assert is_whole or formula.em(f"{left} = {line}") <= formula.ROOM, line
