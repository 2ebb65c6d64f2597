"""The stage in a real browser: one screen a step, painted numbers, pointing, asking, holding a slider, presenting."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import numpy as np
from conftest import IN_SIGHT, ONE_SERVER, Opener, explained, settle, too_far, until
from moving import lead, put_on
from pictures import PAINTER, numbers, over, panels, place_of, same, settings_of, widths_of_lines
from playwright.sync_api import Browser, Page

from attention import AttentionConfig, trace_sentence
from attention.tensors import matrix
from pages import WALK
from pages.ui.figures.colors import DARK, LIGHT, Colors, Stops
from pages.ui.state.examples import EXAMPLES

SMALL_WINDOW = (1280, 720)
ENGLISH = EXAMPLES["en"][0].sentence
SMALL = {"sentence": "the dog saw the cat", "d_model": "8", "num_heads": "2", "head": "1", "query": "3"}


def next_page(page: Page, slug: str) -> None:
    page.locator(f".stepper a[data-page={slug}]").click()
    page.wait_for_url(re.compile(f"/{slug}\\?"))
    settle(page)


IN_TABS = """() => {
  const [tab, tabs] = ["[aria-pressed=true]", ""].map((end) => document.querySelector(`.stage-tabs ${end}`));
  const [own, home] = [tab, tabs].map((e) => e.getBoundingClientRect());
  return own.left >= home.left - 0.5 && own.right <= home.right + 0.5;
}"""
UNDER_SETTINGS = """() => {
  const over = document.querySelector("[data-testid=stExpandSidebarButton]").getBoundingClientRect();
  return [...document.querySelectorAll(".stage-bar button, .stage-bar select, .stage-bar input")].filter((e) => {
    const own = e.getBoundingClientRect();
    const beside = own.right <= over.left || own.left >= over.right || own.bottom <= over.top || own.top >= over.bottom;
    return own.width && !beside;
  }).map((e) => e.textContent || e.tagName);
}"""


def test_a_phone_shows_one_matrix_at_full_width_and_rows_by_their_tokens_and_a_finger_asks(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}", size=(390, 844), has_touch=True, is_mobile=True)
    for slug in (*(step for step in WALK if step != "scores"), "scores"):
        next_page(page, slug)
        assert too_far(page) == []
        (place,) = [panel.place for panel in panels(page) if panel.place]
        assert place["x"] + place["width"] > 0.6 * 390
        assert page.evaluate(IN_TABS)  # also where there are more tabs than room
        page.evaluate("scrollTo(0, 0), document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
        assert page.evaluate(UNDER_SETTINGS) == []
        if slug == "softmax":
            weights = next(panel for panel in panels(page) if panel.place)
            page.locator(".stage-canvas").scroll_into_view_if_needed()
            settle(page)
            page.touchscreen.tap(*place_of(page, weights, 2, 0))
            until(page, "() => new URL(location.href).searchParams.get('cell') === 'attn_weights.2.0.1'")
            settle(page)
    page.locator(".stage-tab", has_text="K").tap()
    assert [panel.view["tensor"] for panel in panels(page) if panel.place] == ["k"]
    page.locator(".stage-chip", has_text="cat").tap()
    until(page, "() => new URL(location.href).searchParams.get('query') === '4'")
    settle(page)
    page.get_by_test_id("stExpandSidebarButton").tap()
    page.wait_for_timeout(600)  # the sheet slides in
    assert page.evaluate(IN_SIGHT, ".stage-tabs") == ""  # and leaves the picture in sight
    sheet = page.get_by_test_id("stSidebar").bounding_box()
    assert sheet is not None
    assert sheet["y"] > 844 * 0.5


# What is painted.


def color_of(value: float, stops: Stops, share: bool, limit: float) -> list[float]:
    at = value if share else (value / limit + 1) / 2
    channels = zip(*(rgb(color) for _, color in stops), strict=True)
    return [float(np.interp(at, [place for place, _ in stops], channel)) for channel in channels]


def rgb(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def is_near(found: Sequence[float], wanted: Sequence[float]) -> bool:
    """Whether a pixel has that colour, as far as a browser rounds."""
    return bool(np.abs(np.array(found[:3]) - wanted).max() <= 4)


def show_plain(page: Page) -> None:
    """Nothing is pointed at, and nothing is pale."""
    page.mouse.move(2, 2)
    page.evaluate("() => document.querySelector('.stage-canvas').stage.showFrames([])")
    settle(page)


PIXELS = """places => {
  const canvas = document.querySelector('.stage-canvas');
  const ratio = devicePixelRatio, context = canvas.getContext('2d');
  return places.map(([x, y]) => [...context.getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data]);
}"""


def test_a_cell_has_the_colour_of_its_number_and_a_closed_one_none_in_either_theme(visit: Opener) -> None:
    softmax = f"/softmax?{urlencode(SMALL | {'causal': '1'})}"
    overview = f"/?causal=1&query=32&sentence={'+'.join('abcdefgh' * 8)}"
    page = visit(softmax, color_scheme="dark")
    the_cells_have_the_colours_of_their_numbers(page, DARK)
    lead(page, overview)
    small_closed_cells_have_their_ground(page, DARK)
    put_on(page, "light")
    lead(page, softmax)
    the_cells_have_the_colours_of_their_numbers(page, LIGHT)
    lead(page, overview)
    small_closed_cells_have_their_ground(page, LIGHT)


def the_cells_have_the_colours_of_their_numbers(page: Page, theme: Colors) -> None:
    show_plain(page)
    trace = trace_sentence(SMALL["sentence"], AttentionConfig(8, 2, causal=True))
    seen = 0
    for panel in panels(page):
        assert panel.place is not None
        wide, high = panel.place["cell"]
        truth = matrix(trace, panel.view["tensor"], 1, 3).numpy()
        for row, column in np.ndindex(*truth.shape):
            x = panel.place["x"] + (column + 0.5) * wide
            y = panel.place["y"] + row * high + 4  # above the number
            (found,) = page.evaluate(PIXELS, [[x, y]])
            if panel.closed[row, column]:
                assert panel.view["tensor"] != "scaled_scores"
                assert column > row
                across = [[x + step, y] for step in range(-6, 7)]
                grounds = [is_near(at, rgb(theme.masked)) for at in page.evaluate(PIXELS, across)]
                assert any(grounds), (panel.title, row, column)  # the ground of a closed cell
                assert not all(grounds), (panel.title, row, column)  # and lines across it
                continue
            np.testing.assert_allclose(panel.numbers[row, column], truth[row, column], rtol=1e-5, atol=1e-6)
            if panel.kind == "plain":
                continue
            stops = theme.weight if panel.kind == "share" else theme.signed
            wanted = color_of(float(truth[row, column]), stops, panel.kind == "share", panel.limit)
            assert is_near(found, wanted), (panel.title, row, column, found, wanted)
            seen += 1
    assert seen > 60


def small_closed_cells_have_their_ground(page: Page, theme: Colors) -> None:
    show_plain(page)
    seen = 0
    for panel in panels(page):
        if panel.closed.any():
            places = [(2, 50), (5, 40), (20, 60), (50, 2), (60, 20)]  # three closed, two open
            grounds = page.evaluate(PIXELS, [list(panel.middle(*place)) for place in places])
            assert [is_near(found, rgb(theme.masked)) for found in grounds] == [True, True, True, False, False], (
                panel.title
            )
            seen += 1
    assert seen >= 2


def test_contrast_of_every_number_is_at_least_four_and_a_half(browser: Browser, server: str) -> None:
    page = browser.new_page()
    page.goto(f"{server}/_stcore/health")  # any address from which its scripts may be fetched
    found = page.evaluate(
        """async name => {
      const {inkOn} = await import(name);
      const light = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      const of = ([r, g, b]) => 0.2126 * light(r / 255) + 0.7152 * light(g / 255) + 0.0722 * light(b / 255);
      let least = 99;
      for (let r = 0; r < 256; r += 5) for (let g = 0; g < 256; g += 5) for (let b = 0; b < 256; b += 5) {
        const ink = inkOn([r, g, b]) === '#000000' ? 0 : 1, ground = of([r, g, b]);
        least = Math.min(least, ink ? 1.05 / (ground + 0.05) : (ground + 0.05) / 0.05);
      }
      return least;
    }""",
        PAINTER,
    )
    page.close()
    assert found >= 4.5


# Pointing and asking.


def test_a_number_is_told_where_one_points_in_tables_and_by_arrow_keys_and_a_changed_one_has_a_frame(
    visit: Opener,
) -> None:
    page = visit(f"/scores?{urlencode(SMALL | {'cell': 'scores.3.2.1'})}")
    pointing_tells_the_number_with_its_row_and_column(page)
    the_tables_hold_every_number_of_the_core(page)
    the_arrow_keys_walk_from_cell_to_cell_and_say_where(page)
    lead(page, f"/scores?{urlencode(SMALL | {'edit': 'scores.2.3.1:9', 'query': '0', 'cell': ''})}")
    only_what_was_changed_has_a_dotted_frame(page)


def pointing_tells_the_number_with_its_row_and_column(page: Page) -> None:
    trace = trace_sentence(SMALL["sentence"], AttentionConfig(8, 2))
    scores = panels(page)[-1]
    keys = panels(page)[0]
    before = page.evaluate(PIXELS, [list(keys.middle(0, 1))])
    page.mouse.move(*place_of(page, scores, 4, 1))
    tip = page.locator(".stage-tip")
    tip.wait_for()
    value = float(trace.attention.scores[1, 4, 1])
    said = tip.inner_text()
    assert abs(float(re.search(r"= (−?[\d.]+)", said)[1].replace("−", "-")) - value) < 1e-4  # type: ignore[index]
    assert "4 cat" in said
    assert "1 dog" in said
    until(page, "() => !document.querySelector('.stage-canvas').stage.due")
    assert page.evaluate(PIXELS, [list(keys.middle(0, 1))]) != before  # what it was made from is lit


def the_tables_hold_every_number_of_the_core(page: Page) -> None:
    page.locator(".stage-bar .tables").click()
    trace = trace_sentence(SMALL["sentence"], AttentionConfig(8, 2))
    read = """all => all.map(table => [table.caption.innerText, [...table.tBodies[0].rows].map(
      row => [...row.cells].map(cell => cell.innerText))])"""
    tables: Any = page.locator(".stage-table").evaluate_all(read)
    assert len(tables) == 3
    for (_, rows), tensor in zip(tables, ("k", "q", "scores"), strict=True):
        truth = matrix(trace, tensor, 1).numpy()
        truth = truth.T if tensor == "k" else truth
        found = np.array([[float(cell.replace("−", "-")) for cell in row[1:]] for row in rows])
        np.testing.assert_allclose(found, truth, atol=6e-5, rtol=0.01)
    assert [row[0] for row in tables[2][1]] == ["0 the", "1 dog", "2 saw", "3 the", "4 cat"]
    page.keyboard.press("Escape")
    page.locator(".stage-tables").wait_for(state="detached")


def the_arrow_keys_walk_from_cell_to_cell_and_say_where(page: Page) -> None:
    explained(page, "scores[3, 2]")
    page.locator(".stage-canvas").focus()
    for key, place in (("ArrowRight", "3, 3"), ("ArrowLeft", "3, 2"), ("ArrowUp", "2, 2"), ("ArrowDown", "3, 2")):
        page.keyboard.press(key)
        explained(page, f"scores[{place}]")
    assert "3 the" in page.locator(".stage-box [role=status]").inner_text()


# How many pixels in and just around a cell have the colour of what was changed.
CHANGED = """([x, y, width, height]) => {
  const canvas = document.querySelector('.stage-canvas'), scale = devicePixelRatio;
  const hex = canvas.stage.theme.changed, wanted = [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
  const area = [x - 2, y - 2, width + 3, height + 3].map(side => Math.round(side * scale));
  const {data} = canvas.getContext('2d').getImageData(...area);
  let found = 0;
  for (let at = 0; at < data.length; at += 4)
    if (wanted.every((part, i) => Math.abs(part - data[at + i]) < 24)) found++;
  return found;
}"""


def only_what_was_changed_has_a_dotted_frame(page: Page) -> None:
    page.mouse.move(2, 2)
    scores = panels(page)[-1]
    assert scores.place is not None
    wide, high = scores.place["cell"]
    rows, columns = scores.numbers.shape

    def found(row: int, column: int) -> int:
        left, top = scores.place["x"] + column * wide, scores.place["y"] + row * high
        return int(page.evaluate(CHANGED, [left, top, wide, high]))

    assert found(2, 3) > 20
    corners = [(0, 0), (0, columns - 1), (rows - 1, 0), (rows - 1, columns - 1)]
    assert [found(*corner) for corner in corners] == [0, 0, 0, 0]


def test_a_picture_of_many_cells_is_kept_and_is_what_painting_it_anew_gives(visit: Opener) -> None:
    page = visit(
        "/projections?d_model=512&num_heads=16&sentence=characteristically+incomprehensible+words", size=(1280, 720)
    )
    pixels = "document.querySelector('.stage-canvas').toDataURL()"
    anew = """() => {
      const stage = document.querySelector('.stage-canvas').stage;
      for (const panel of stage.scene.panels) delete panel.pixels;
      stage.paintNow(devicePixelRatio);
    }"""
    seen, found = [page.evaluate(pixels)], panels(page)
    for panel in (found[0], found[-1], found[0]):
        page.mouse.move(*place_of(page, panel, 2, 5))
        until(page, "() => !document.querySelector('.stage-canvas').stage.due")
        kept = page.evaluate(pixels)
        page.evaluate(anew)
        assert page.evaluate(pixels) == kept
        assert kept not in seen[-1:]  # other cells are lit
        seen.append(kept)
    assert seen[1] == seen[3]
    next_page(page, "heads")  # small panels, side by side
    assert over(page) == []


def test_faces_turn_in_place_and_the_address_keeps_them(visit: Opener) -> None:
    page = visit(f"/softmax?{urlencode(SMALL)}")
    before = page.locator(".st-key-stage").bounding_box()
    for face, name in (("notice", "Notice"), ("turn", "Your turn"), ("code", "Code"), ("compare", "A | B")):
        page.get_by_role("radio", name=name, exact=True).click()
        until(page, "face => new URL(location.href).searchParams.get('face') === face", arg=face)
        settle(page)
        assert page.locator(".st-key-inspector").count() == 0
        assert page.locator(".st-key-stage").bounding_box() == before
    page.reload()
    settle(page)
    assert page.locator(".st-key-compare").count() == 1
    weights = panels(page)[-1]
    page.mouse.click(*place_of(page, weights, 3, 1))
    explained(page, "attn_weights[3, 1]")


# Holding a slider.

# Whether a slider that moves asks for a picture, with that element in focus.
ASKS = """async focused => {
  const slider = document.querySelector('.st-key-d_model input'), {stage} = document.querySelector('.stage-canvas');
  document.querySelector(focused).focus();
  await new Promise(requestAnimationFrame);
  const [own, found] = [slider.value, []];
  for (const value of ['5', own]) {  // and back
    slider.value = value;
    slider.setAttribute('value', value);
    await new Promise(requestAnimationFrame);
    found.push(Boolean(stage.stands));
  }
  stage.release();
  return found[0];
}"""


def test_the_picture_follows_a_slider_while_it_is_held_and_only_then(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}")
    assert not page.evaluate(ASKS, ".st-key-sentence textarea")  # the page itself has moved it
    assert page.evaluate(ASKS, ".st-key-d_model input")
    settle(page)
    page.evaluate("""() => { window.seen = []; const stage = document.querySelector('.stage-canvas').stage;
      const show = stage.show.bind(stage); stage.show = scene => { window.seen.push(scene.version); show(scene); } }""")
    thumb = page.locator(".st-key-d_model [data-testid=stSliderThumbValue]").locator("..").bounding_box()
    track = page.locator(".st-key-d_model [data-orientation=horizontal]").last.bounding_box()
    assert thumb
    assert track
    y = track["y"] + track["height"] / 2
    page.mouse.move(thumb["x"] + thumb["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(thumb["x"] + track["width"] * 0.45, y, steps=8)
    until(page, "() => document.querySelector('.stage-canvas').stage.scene.head_dim > 4")
    until(page, "() => !document.querySelector('.stage-canvas').stage.fetching")
    held = page.evaluate("document.querySelector('.stage-canvas').stage.scene.head_dim")
    live, url = numbers(page), page.url
    assert settings_of(page)["d_model"] == "8"  # Streamlit knows nothing of it yet
    trace = trace_sentence(SMALL["sentence"], AttentionConfig(2 * held, 2))
    np.testing.assert_allclose(live[-1], trace.attention.scores[1].numpy(), rtol=1e-5, atol=1e-5)
    page.mouse.up()
    until(page, "url => location.href !== url", arg=url)
    settle(page)
    assert settings_of(page)["d_model"] == str(2 * held)
    assert same(numbers(page), live)
    assert len(set(page.evaluate("window.seen.slice(-2)"))) == 1  # released: the same picture, nothing painted anew


# Presenting, and the keyboard.


def test_presenting_shows_the_picture_large_and_arrow_keys_walk(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}", size=(1280, 720))
    page.locator("h1").click()
    page.keyboard.press("p")
    until(page, "() => new URL(location.href).searchParams.get('present') === '1'")
    settle(page)
    for part in (".st-key-panel", ".ways", ".deeper"):
        assert page.locator(part).is_hidden(), part
    for part in (".st-key-stage", ".st-key-sentence", ".st-key-d_model", ".st-key-num_heads"):
        assert page.evaluate(IN_SIGHT, part) == "", part
    small = page.evaluate(
        """() => [...document.querySelectorAll('.st-key-heading p, .st-key-sentence textarea, .stage-button,'
          + '.stage-words, [data-testid=stSidebar] [data-testid=stWidgetLabel] p')]
          .filter(e => e.offsetParent && e.innerText)
          .filter(e => parseFloat(getComputedStyle(e).fontSize) < 20).map(e => e.className)"""
    )
    assert small == []
    sizes = page.evaluate("Object.values(document.querySelector('.stage-canvas').stage.places.size)")
    assert min(sizes) >= 20
    for key, slug in (("ArrowRight", "scaling"), ("ArrowRight", "softmax"), ("ArrowLeft", "scaling")):
        page.keyboard.press(key)
        page.wait_for_url(re.compile(f"/{slug}\\?.*present=1"))
        settle(page)
    page.keyboard.press("Escape")
    until(page, "() => new URL(location.href).searchParams.get('present') === '0'")


# The arcs that do not begin or end at the middle of their tokens: of the top, or towards another line of text, of the
# side that faces it.
ASTRAY = """() => {
  const words = [...document.querySelectorAll('.sentence-word')].map(word => word.getBoundingClientRect());
  const home = document.querySelector('.sentence-arcs').getBoundingClientRect();
  return [...document.querySelectorAll('[data-arc]')].filter(path => {
    const both = path.dataset.arc.split('.').slice(1).map(token => words[Number(token)]);
    const ends = [path.getPointAtLength(0), path.getPointAtLength(path.getTotalLength())];
    return both.some(({left, width, top, bottom}, i) => {
      const edge = both[1 - i].top > bottom ? bottom : top;
      return Math.hypot(ends[i].x + home.left - left - width / 2, ends[i].y + home.top - edge) > 6;
    });
  }).map(path => path.dataset.arc);
}"""
# The lines of different heads between the same tokens that lie over one another in their middle.
TOGETHER = """() => {
  const middles = [...document.querySelectorAll('[data-arc]')].map(path => {
    const [, ...tokens] = path.dataset.arc.split('.'), {x, y} = path.getPointAtLength(path.getTotalLength() / 2);
    return {name: path.dataset.arc, tokens: tokens.join(), x, y};
  });
  const same = middles.flatMap((one, i) => middles.slice(i + 1).filter(({tokens}) => tokens === one.tokens)
    .map(two => [one.name, Math.hypot(one.x - two.x, one.y - two.y)]));
  if (!same.length) return ['no token that two heads look at'];
  return same.filter(([, apart]) => apart < 3).map(([name]) => name);
}"""
# The texts on the picture through which an arrow runs upwards or downwards.
CROSSED = """() => {
  const stage = document.querySelector('.stage-canvas').stage, context = stage.canvas.getContext('2d');
  const [texts, lines] = [[], []], at = [0, 0];
  context.fillText = (text, x, y) => texts.push([text, x, x + context.measureText(text).width, y]);
  context.moveTo = (x, y) => at.splice(0, 2, x, y);
  context.lineTo = (x, y) => x === at[0] && lines.push([x, Math.min(y, at[1]), Math.max(y, at[1])]);
  stage.paintNow(devicePixelRatio);
  for (const name of ['fillText', 'moveTo', 'lineTo']) delete context[name];
  stage.paintNow(devicePixelRatio);
  return lines.length < 4 ? ['no arrows'] : texts.filter(([, left, right, y]) =>
    lines.some(([x, top, bottom]) => left - 2 < x && x < right + 2 && top < y && y < bottom)).map(([text]) => text);
}"""


def test_presenting_a_long_sentence_leaves_all_in_the_window_and_its_lines_at_their_words(visit: Opener) -> None:
    page = visit("/?lang=zh&present=1&weights=random&d_model=32", size=(1280, 720))
    for part in (".sentence", ".stage-place", ".stage-bar"):
        assert page.evaluate(IN_SIGHT, part) == "", part
    assert page.evaluate("innerHeight - document.querySelector('.stage-bar').getBoundingClientRect().top") > 42
    for width in (1280, 1000, 700):  # in one line, and in more
        page.set_viewport_size({"width": width, "height": 720})
        settle(page)
        assert page.evaluate(ASTRAY) == []
        assert page.evaluate(TOGETHER) == []
        assert page.evaluate(CROSSED) == []
        assert page.evaluate(IN_SIGHT, ".stage-bar") == ""
    assert len(set(page.locator(".sentence-word").evaluate_all("all => all.map(word => word.offsetTop)"))) > 1
    page.set_viewport_size({"width": 1280, "height": 720})
    for slug in ("embedding", "projections"):
        page.keyboard.press("ArrowRight")
        page.wait_for_url(re.compile(f"/{slug}\\?"))
        settle(page)
    assert over(page) == []  # larger titles, and three bars of colours


# The overview.


FRAMED_WORDS = "all => all.flatMap((word, i) => word.classList.contains('target') ? [i] : [])"
A_HEAD = r"([\w ]+ \d+(\.\d)? %|here and there) \(head \d\)"
NOTES = """() => {
  window.notes = [];
  new MutationObserver(() => window.notes.push(document.querySelector('.sentence-note b').innerText))
    .observe(document.querySelector('.sentence-note'), {childList: true});
}"""


@ONE_SERVER
def test_a_layer_that_learned_names_its_sure_heads_is_watched_while_it_learns_and_has_one_size(visit: Opener) -> None:
    page = visit("/?lang=en", first=True)
    a_head_that_spreads_its_weight_beside_one_that_is_sure_is_told_as_that_and_last(page)
    page.mouse.move(2, 2)
    page.set_viewport_size({"width": 1280, "height": 720})
    settle(page)
    it_is_one_screen_and_can_be_watched_while_it_learns(page)
    a_matrix_opens_in_place(page)
    take_the_small_layer(page)
    lead(page, "/scores?weights=learned&d_model=32&num_heads=2")
    a_slider_held_over_sizes_that_are_not_trained_says_so(page)


def a_head_that_spreads_its_weight_beside_one_that_is_sure_is_told_as_that_and_last(page: Page) -> None:
    tokens = page.locator(".sentence-word").evaluate_all("all => all.map(word => word.firstChild.textContent)")
    seen = set()
    lines = widths_of_lines(page)
    for row, token in enumerate(tokens):
        own = [
            max(((width - 0.5) / 5, line) for line, width in lines.items() if line.startswith(f"{head}.{row}."))
            for head in range(2)
        ]
        most, keys = [share for share, _ in own], [tokens[int(line.split(".")[2])] for _, line in own]
        page.locator(".sentence-word").nth(row).hover()
        note = page.locator(".sentence-note b").inner_text()
        framed = page.locator(".sentence-word").evaluate_all(FRAMED_WORDS)
        told = [
            f"{key} {100 * share:.{int(0.995 < share < 1)}f} % (head {head})"
            for head, (share, key) in enumerate(zip(most, keys, strict=True))
        ]
        sure = [head for head in range(2) if most[head] >= 0.5]
        if len(sure) == 1:
            told, keys = [told[sure[0]], f"here and there (head {1 - sure[0]})"], [keys[sure[0]]]
        assert note == f"{token} looks at {', '.join(told)}."
        assert {tokens[i] for i in framed} == set(keys) - {token}  # no word that it does not name
        seen.add(len(sure))
    assert 1 in seen


def it_is_one_screen_and_can_be_watched_while_it_learns(page: Page) -> None:
    for part in (".st-key-stage", ".sentence", ".stage-bar"):
        assert page.evaluate(IN_SIGHT, part) == "", part
    at_the_end = numbers(page)
    assert re.search(r"\. The layer says: princess\.", page.locator(".sentence-note").inner_text())
    page.evaluate(NOTES)
    page.locator(".stage-bar .play").click()
    page.wait_for_function("() => /step 0 of 260/.test(document.querySelector('.stage-words').innerText)")
    assert not same(numbers(page), at_the_end)
    until(page, "() => !document.querySelector('.stage-canvas').stage.learning", timeout=30_000)
    assert same(numbers(page), at_the_end)
    notes = set(page.evaluate("window.notes"))
    assert len(notes) > 5
    assert [note for note in notes if not re.fullmatch(f"she looks at {A_HEAD}, {A_HEAD}\\.", note)] == []


def a_matrix_opens_in_place(page: Page) -> None:
    on_the_overview = numbers(page)
    scores = next(panel for panel in panels(page) if panel.view["tensor"] == "scores")
    page.mouse.click(*place_of(page, scores, 2, 2))
    page.locator(".stage-bar .flow").wait_for()
    until(page, "() => document.querySelector('.stage-canvas').stage.scene.panels.length === 3")
    assert [panel.view["tensor"] for panel in panels(page)] == ["k", "q", "scores"]
    page.locator(".stage-bar .flow").click()
    until(page, "() => document.querySelector('.stage-canvas').stage.scene.panels.length > 10")
    assert same(numbers(page), on_the_overview)


def take_the_small_layer(page: Page) -> None:
    page.locator("[data-act=small]").click()
    until(page, "() => new URL(location.href).searchParams.get('weights') === 'hand'")
    settle(page)
    assert not page.locator(".stage-bar .play").count()  # nothing is learned
    assert page.locator(".stage-bar .stage-words").inner_text() == ""


def a_slider_held_over_sizes_that_are_not_trained_says_so(page: Page) -> None:
    before = numbers(page)
    page.evaluate("document.querySelector('.stage-canvas').stage.fetch({d_model: 256})")
    until(page, "() => document.querySelector('.stage-words').innerText.includes('train this size')")
    assert same(numbers(page), before)


# The smaller window.


LABELS = """() => {
  const stage = document.querySelector('.stage-canvas').stage, found = [];
  const context = stage.canvas.getContext('2d'), own = context.fillText;
  context.fillText = function (text, ...rest) {
    const at = this.getTransform();
    found.push([text, this.textAlign, at.e / devicePixelRatio, at.f / devicePixelRatio]);
    return own.call(this, text, ...rest);
  };
  stage.paintNow(devicePixelRatio);
  delete context.fillText;
  return found;
}"""


@ONE_SERVER
def test_in_a_small_chinese_window_labels_stand_apart_and_all_controls_of_a_learned_layer_are_seen(
    visit: Opener,
) -> None:
    page = visit("/softmax?lang=zh&query=17", size=SMALL_WINDOW)
    the_label_of_the_followed_row_pushes_its_neighbours_away(page)
    next_page(page, "embedding")
    the_followed_word_has_its_label(page)
    next_page(page, "projections")
    narrow_strips_have_their_names(page)
    the_sentence_takes_no_more_room_than_the_english_one(page)
    layer = {"weights": "learned", "d_model": "32", "causal": "1", "sentence": ENGLISH}  # one is learned for both
    for lang in ("zh", "en"):
        lead(page, f"/softmax?{urlencode(layer | {'lang': lang})}")
        the_controls_of_a_learned_layer_fit(page)


def the_label_of_the_followed_row_pushes_its_neighbours_away(page: Page) -> None:
    labels = [(text, x, y) for text, align, x, y in page.evaluate(LABELS) if align == "right" and x > 0]
    assert any(text.startswith("17 ") for text, _, _ in labels)
    for column in {round(x) for _, x, _ in labels}:
        down = sorted(y for _, x, y in labels if round(x) == column)
        assert min(b - a for a, b in pairwise(down)) >= 11


def the_followed_word_has_its_label(page: Page) -> None:
    """At the row of its position, and at its column."""
    told = [text for text, align, *_ in page.evaluate(LABELS) if align == "left"]
    (number,) = [panel.numbers[17, 0] for panel in panels(page) if panel.view["tensor"] == "ids"]
    assert f"{number:.0f} 她" in told


def narrow_strips_have_their_names(page: Page) -> None:
    """Biases, which have no room for a title."""
    told = [text for text, *_ in page.evaluate(LABELS)]
    assert [told[i + 1] for i, text in enumerate(told[:-1]) if text == "b"] == ["Q", "K", "V"]


def the_sentence_takes_no_more_room_than_the_english_one(page: Page) -> None:
    box = page.locator("[data-testid=stSidebar] textarea")
    assert box.input_value() == EXAMPLES["zh"][0].sentence
    own = box.bounding_box()
    box.fill(ENGLISH)
    until(page, "text => new URL(location.href).searchParams.get('sentence') === text", arg=ENGLISH)
    settle(page)
    other = box.bounding_box()
    assert own
    assert other
    assert own["height"] <= other["height"]


def the_controls_of_a_learned_layer_fit(page: Page) -> None:
    """Though a switch is changed, and so there is one button more."""
    for part in (".st-key-checkpoint", ".st-key-retrain button", ".st-key-rare"):
        assert page.evaluate(IN_SIGHT, part) == "", part
    assert page.locator("[data-testid=stSidebarContent]").evaluate("e => e.scrollHeight - e.clientHeight") <= 1
