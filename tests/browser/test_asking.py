"""Asking numbers where they come from, in a real browser: clicks, touch, keyboard; questions; holding and changing."""

import math
import re
from collections.abc import Callable
from contextlib import nullcontext, suppress
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from conftest import assert_all_in_sight, explained, settle
from playwright.sync_api import Page, TimeoutError

from attention import AttentionConfig, SentenceTrace, trace_sentence
from pages import OVERVIEW, WALK
from pages.ui.state.examples import EXAMPLES

Opener = Callable[..., Page]
ADDRESSES = {slug: "/" if slug == "overview" else f"/{slug}" for slug in (OVERVIEW, *WALK)}
FIRST = EXAMPLES["en"][0]
USUAL = {"sentence": FIRST.sentence, "d_model": "8", "num_heads": "2", "query": str(FIRST.query)}
SMALL = {"sentence": "the dog saw the cat", "d_model": "8", "num_heads": "2", "head": "1", "query": "3"}
LARGE = {"sentence": "a b c d e f g h i j k l m n o p q r s t " * 2, "d_model": "64", "num_heads": "4"}
LARGE |= {"causal": "1", "query": "8"}
DESKTOP, PHONE = (1440, 1000), (390, 844)
CORNERS = ((0.01, 0.02), (0.99, 0.02), (0.01, 0.98), (0.99, 0.98), (0.52, 0.52))
PANELS = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap((chart, c) =>
  chart.closest('.st-key-compare') ? [] : JSON.parse(chart.layout.meta).map((panel, p) => [c, p, panel.tensor]))"""
# Where Plotly itself drew the panel: its plot area, by the axes' own id.
AREA = """([c, p]) => {
  const chart = document.querySelectorAll('.js-plotly-plot')[c];
  const id = JSON.parse(chart.layout.meta)[p].axis;
  chart.querySelector('.subplot.x' + id + 'y' + id).scrollIntoView({block: 'center'});  // clear of the toolbar
  const area = chart._fullLayout._plots['x' + id + 'y' + id];
  const at = chart.getBoundingClientRect();
  return [at.left + area.xaxis._offset, at.top + area.yaxis._offset, area.xaxis._length, area.yaxis._length];
}"""
# The number that Plotly drew at a place on screen, by Plotly's own arithmetic; null where a mask closed the cell.
DRAWN = """([c, p, x, y]) => {
  const chart = document.querySelectorAll('.js-plotly-plot')[c];
  const id = JSON.parse(chart.layout.meta)[p].axis;
  const {xaxis, yaxis} = chart._fullLayout._plots['x' + id + 'y' + id];
  const trace = chart._fullData.find(trace => trace.type === 'heatmap' && trace.xaxis === 'x' + id);
  const at = chart.getBoundingClientRect();
  const first = places => typeof places[0] === 'number' ? places[0] : 0;
  const column = Math.round(xaxis.p2c(x - at.left - xaxis._offset)) - first(trace.x);
  const row = Math.round(yaxis.p2c(y - at.top - yaxis._offset)) - first(trace.y);
  const number = trace.z[row][column];
  return Number.isFinite(number) ? number : null;
}"""
# Whether a place on screen lies in a frame around an explained cell: a click there may bring nothing new.
FRAMED = """([x, y]) => [...document.querySelectorAll('.pointer-frames .cell')].some(frame => {
  const at = frame.getBoundingClientRect();
  return x >= at.left - 1 && x <= at.right + 1 && y >= at.top - 1 && y <= at.bottom + 1;
})"""


def cell_of(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query, keep_blank_values=True)["cell"][0]


def asked(page: Page) -> str:
    """What the inspector says it explains."""
    return page.locator(".trail b").inner_text()


def point(page: Page, chart: int, panel: int, across: float, down: float) -> tuple[float, float]:
    """A place in a panel, by shares of its size, but never on the line around it."""
    left, top, width, height = page.evaluate(AREA, [chart, panel])
    x, y = left + min(max(width * across, 3), width - 3), top + min(max(height * down, 3), height - 3)
    return round(x), round(y)  # a mouse moves by whole pixels


def ask_at(page: Page, x: float, y: float) -> str:
    """Click, and the cell that is explained then."""
    before, framed = cell_of(page), page.evaluate(FRAMED, [x, y])
    page.mouse.click(x, y)
    with suppress(TimeoutError) if framed else nullcontext():
        page.wait_for_function(
            "before => new URL(location.href).searchParams.get('cell') !== before",
            arg=before,
            timeout=2500 if framed else 30_000,
        )
    cell = cell_of(page)
    tensor, row, column, *_ = cell.split(".")
    explained(page, f"{tensor}[{row}, {column}]")
    settle(page)  # the page may scroll to the answer
    return cell


def number(trace: SentenceTrace, cell: str, query: int) -> float:
    """The number of the trace that an address names, read without the app's help."""
    tensor, row, column, *rest = cell.split(".")
    r, c = int(row), int(column)
    attention, weights = trace.attention, trace.weights
    if tensor == "ids":
        return float(trace.ids[r])
    if tensor.startswith("b_"):
        return float(getattr(weights, tensor)[c])
    if tensor.startswith("w_"):
        return float(getattr(weights, tensor)[r, c])
    if not rest:
        return float(getattr(trace, tensor, getattr(attention, tensor, torch.empty(0)))[r, c])
    head = int(rest[0])
    if tensor == "contributions":
        return float(attention.attn_weights[head, query, r] * attention.v[head, r, c])
    if tensor in ("exponentials", "exp_sums"):
        line = attention.masked_scores[head, r]
        exps = (line - line.max()).exp()
        return float(exps.sum() if tensor == "exp_sums" else exps[c])
    return float(getattr(attention, tensor)[head, r, c])


@pytest.mark.parametrize("slug", ADDRESSES)
@pytest.mark.parametrize(("size", "window"), [(SMALL, DESKTOP), (LARGE, DESKTOP), (USUAL, PHONE)])
def test_the_clicked_cell_is_the_explained_cell(
    slug: str, size: dict[str, str], window: tuple[int, int], visit: Opener
) -> None:
    questions = {"questions": "0"} if window == DESKTOP else {}  # a phone has to find room for them too
    page = visit(f"{ADDRESSES[slug]}?{urlencode(size | questions)}", size=window)
    assert_all_in_sight(page)
    config = AttentionConfig(int(size["d_model"]), int(size["num_heads"]), causal=size.get("causal") == "1")
    trace = trace_sentence(size["sentence"], config)
    panels = page.evaluate(PANELS)
    clicks = [(*panel, (CORNERS[i % 5],)) for i, panel in enumerate(panels[:-1])]
    corners = CORNERS
    if (size, window) != (SMALL, DESKTOP):  # one other panel, and a diagonal of the last
        clicks, corners = clicks[len(slug) % len(clicks) :][:1], CORNERS[::2] + CORNERS[3:4]
    explained = set()
    for chart, panel, tensor, points in [*clicks, (*panels[-1], corners)]:
        for across, down in points:
            x, y = point(page, chart, panel, across, down)
            shown = page.evaluate(DRAWN, [chart, panel, x, y])
            cell = ask_at(page, x, y)
            assert cell.split(".")[0] == tensor
            values = [number(trace, cell, int(size.get("query", 8)))]
            if slug == "overview" and size is LARGE:  # cells of 1.6 pixels: Plotly may round to a neighbour
                tensor, row, *rest = cell.split(".")
                rows = [r for r in (int(row) - 1, int(row) + 1) if 0 <= r < config.d_model]
                values += [
                    number(trace, ".".join([tensor, str(r), *rest]), 8) for r in rows if r < 40 or tensor[1] == "_"
                ]
            if shown is not None:
                assert any(math.isclose(shown, near, abs_tol=1e-5, rel_tol=1e-5) for near in values), (cell, shown)
            explained.add(cell)
            page.mouse.move(2, 2)
    assert len(explained) >= 4
    assert_all_in_sight(page)


@pytest.mark.parametrize("window", [DESKTOP, PHONE])
def test_frames_lie_where_plotly_draws_the_cells(window: tuple[int, int], visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL | {'cell': 'scores.1.2.1'})}", size=window)
    page.wait_for_selector(".pointer-frames .cell")
    x, y, width, height = page.evaluate(AREA, [0, 2])
    frame = page.locator(".pointer-frames .cell").bounding_box()
    assert frame is not None
    for drawn, wanted in zip(
        (frame["x"], frame["y"], frame["width"], frame["height"]),
        (x + width * 2 / 5, y + height / 5, width / 5, height / 5),
        strict=True,
    ):
        assert abs(drawn - wanted) < 1.5
    boxes = page.locator(".pointer-frames .source").all()
    assert len(boxes) == 2  # the row of Q and the column of K transposed
    areas = [page.evaluate(AREA, [0, panel]) for panel in (1, 0)]
    found = sorted(box.bounding_box()["x"] for box in boxes)
    assert abs(found[0] - areas[0][0]) < 1.5
    assert abs(found[1] - (areas[1][0] + areas[1][2] * 2 / 5)) < 1.5


def test_a_finger_asks_too(visit: Opener) -> None:
    page = visit(f"/softmax?{urlencode(SMALL)}", size=PHONE, has_touch=True, is_mobile=True)
    page.wait_for_selector(".pointer-frames .cell")
    last = page.evaluate(PANELS)[-1]
    left, top, width, height = page.evaluate(AREA, last[:2])
    page.touchscreen.tap(left + width * 0.1, top + height * 0.9)
    page.wait_for_function("() => new URL(location.href).searchParams.get('cell') === 'attn_weights.4.0.1'")


def test_one_can_ask_down_to_the_typed_word_and_go_back(visit: Opener) -> None:
    page = visit(f"/heads?{urlencode(SMALL)}")
    seen = [asked(page)]
    while page.locator(".terms .ask").count():
        page.locator(".terms .ask").first.click()
        explained(page, other_than=seen[-1])
        seen.append(asked(page))
    tensors = [name.split("[")[0] for name in seen]
    assert tensors[:3] == ["output", "joined", "head_outputs"]
    assert tensors[-4:] == ["x", "embeddings", "one_hot", "ids"]
    assert page.locator(".trail .ask").all_inner_texts() == seen[:-1]
    page.locator(".trail .ask").nth(2).click()
    explained(page, seen[2])
    assert page.locator(".trail .ask").all_inner_texts() == seen[:2]


def test_the_keyboard_alone_asks_walks_and_answers(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL | {'cell': 'scores.1.2.1'})}")
    page.locator(".trail b").wait_for()
    button = page.locator(".st-key-inspector_steps button").last
    button.focus()
    for key, place in (("Enter", "1, 3"), ("ArrowDown", "2, 3"), ("ArrowLeft", "2, 2"), ("ArrowUp", "1, 2")):
        page.keyboard.press(key)
        explained(page, f"scores[{place}]")
    page.locator(".terms .ask").first.press("Enter")
    explained(page, "q[1, 0]")
    page.wait_for_function("() => document.activeElement.closest('.st-key-inspector')")  # the keyboard stays near
    page.get_by_label("Tensor", exact=True).focus()
    page.keyboard.type("exp_sums")
    page.keyboard.press("Enter")
    explained(page, "exp_sums[1, 0]")


def test_a_link_carries_the_cell_and_back_returns_to_it(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}")
    at_first = asked(page)
    page.locator(".terms .ask").first.click()
    explained(page, other_than=at_first)
    page.wait_for_function("() => new URL(location.href).searchParams.get('cell') === 'q.3.0.1'")
    friend = visit(urlsplit(page.url).path + "?" + urlsplit(page.url).query, alone=True)
    assert asked(friend) == asked(page) == "q[3, 0]"
    assert friend.locator(".terms").inner_text() == page.locator(".terms").inner_text()
    page.go_back()
    explained(page, at_first)


def test_asking_draws_no_figure_again(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}")
    page.wait_for_selector(".pointer-frames .cell")
    page.evaluate("""() => { window.redrawn = 0; for (const chart of document.querySelectorAll('.js-plotly-plot'))
      new MutationObserver(() => window.redrawn++).observe(chart.querySelector('.main-svg'),
        {childList: true, subtree: true}); }""")
    page.locator(".terms .ask").first.click()
    explained(page, "q[3, 0]")
    settle(page)
    assert page.evaluate("window.redrawn") == 0


def test_the_names_on_the_map_open_their_steps(visit: Opener) -> None:
    query = SMALL | {"lang": "en", "seed": "5"}
    page = visit(f"/?{urlencode(query)}")
    name = page.locator(".annotation-text", has_text="scores").first.bounding_box()
    assert name is not None
    page.mouse.click(name["x"] + name["width"] / 2, name["y"] + name["height"] / 2)
    page.wait_for_url(re.compile(r"/scores\?"), timeout=20_000)
    settle(page)
    found = {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}
    assert found == found | query


def test_a_click_answers_a_question_that_waits_for_one(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}")
    card = page.locator(".st-key-quiz")
    while "Click" not in card.inner_text():
        asked_before = card.inner_text()
        page.get_by_role("button", name="next question").click()
        page.wait_for_function(
            "before => document.querySelector('.st-key-quiz')?.innerText !== before", arg=asked_before
        )
        settle(page)
    card.get_by_role("button", name="Answer with my next click").click()
    card.get_by_role("button", name="Only look around").wait_for()
    settle(page)
    assert card.get_by_test_id("stAlert").count() == 0
    left, top, width, height = page.evaluate(AREA, [0, 2])
    page.mouse.click(left + width * 0.1, top + height * 0.1)  # the score of a token with itself: never asked for
    card.get_by_test_id("stAlert").wait_for()
    assert "Not quite" in card.get_by_test_id("stAlert").inner_text()
    explained(page, "scores[0, 0]")
    assert cell_of(page) == "scores.0.0.1"
    said = page.locator(".st-key-inspector").get_by_test_id("stAlert")  # where the reader looks then
    assert said.inner_text() == card.get_by_test_id("stAlert").inner_text()
    card.locator(".look .ask").click()
    wanted = card.locator(".look .ask").inner_text()
    explained(page, wanted)


def test_hold_change_compare_and_go_back(visit: Opener) -> None:
    page = visit(f"/softmax?{urlencode(SMALL)}")
    charts = page.locator(".js-plotly-plot").count()
    page.get_by_role("button", name="Hold this as A").click()
    page.locator(".st-key-compare .js-plotly-plot").wait_for()
    page.get_by_text("Causal mask", exact=True).click()
    page.locator(".st-key-compare").get_by_text("causal mask: off").wait_for()
    settle(page)
    assert page.locator(".js-plotly-plot").count() == charts + 1
    friend = visit(urlsplit(page.url).path + "?" + urlsplit(page.url).query, alone=True)
    counted = page.locator(".st-key-compare p").all_inner_texts()
    assert friend.locator(".st-key-compare p").all_inner_texts() == counted
    assert any(re.search(r"\d+ of 25 numbers differ", text) for text in counted)
    page.get_by_role("button", name="Back to A").click()
    page.wait_for_function("() => new URL(location.href).searchParams.get('causal') === '0'")
    assert parse_qs(urlsplit(page.url).query, keep_blank_values=True)["pin"] == [""]


def test_a_number_set_by_hand_and_undone(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}")
    first = page.locator(".heatmaplayer image").evaluate_all("all => all.map(i => i.href.baseVal)")
    explained_at_first = asked(page)
    page.get_by_label("Set it by hand").fill("-37.5")
    page.keyboard.press("Enter")
    page.locator(".st-key-banner").wait_for()
    settle(page)
    assert page.locator(".heatmaplayer image").evaluate_all("all => all.map(i => i.href.baseVal)") != first
    assert "−37.50" in page.locator(".st-key-banner").inner_text()
    assert asked(page) == explained_at_first  # though another score is the largest now
    assert page.locator(".st-key-quiz").count() == 0
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("() => new URL(location.href).searchParams.get('edit') === ''")
    settle(page)
    assert page.locator(".st-key-banner").count() == 0
    assert page.locator(".heatmaplayer image").evaluate_all("all => all.map(i => i.href.baseVal)") == first


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_answers_comparisons_and_edits(scheme: str, visit: Opener) -> None:
    query = SMALL | {"pin": "causal=1", "cell": "head_outputs.1.1.1", "edit": "scores.1.1.1:3"}
    page = visit(f"/softmax?{urlencode(query)}", color_scheme=scheme)
    page.locator(".st-key-compare .js-plotly-plot").wait_for()
    asking = visit(f"/scores?{urlencode(SMALL)}", color_scheme=scheme)
    asking.get_by_label("Your number").fill("99")
    asking.keyboard.press("Enter")
    asking.locator(".st-key-quiz [data-testid=stAlert]").wait_for()
    for tab in (page, asking):
        found = Axe().run(tab)
        assert [(v["id"], [node["html"][:160] for node in v["nodes"]]) for v in found.response["violations"]] == []
