"""A whole walk by keyboard: on every step the settings stay, a click asks for its cell, and the play tells the core."""

import re
from itertools import product
from urllib.parse import urlencode, urlsplit

import numpy as np
from conftest import IN_SIGHT, Opener, explained, settle, until
from pictures import PAINTER, Panel, corner_of, numbers, panels, place_of, same, settings_of, widths_of_lines
from playing import play_through
from playwright.sync_api import Page

from attention import AttentionConfig, Cell, SentenceTrace, trace_sentence
from attention.tensors import matrix
from pages import WALK

OTHER = {  # than what is shown where an address says nothing
    "lang": "zh", "sentence": "我 喜欢 猫 因为 猫 很 可爱", "weights": "random", "checkpoint": "3", "model": "a/b",
    "layer": "2", "d_model": "64", "num_heads": "8", "head": "3",
    "method": "cbow", "word": "猫", "other": "校", "mix": "30",
    "query": "6", "causal": "1", "scaled": "1", "positions": "0", "hidden": "1", "retrained": "0", "seed": "7",
    "divided": "0", "experiment": "0", "width": "16", "mask": "painted", "window": "3",
    "painted": "1-65", "second": "猫 很 可爱", "shift": "2", "given": "", "hides": "1", "image": "disc",
    "kv_heads": "4", "softcap": "5",
    "questions": "1", "face": "number", "present": "0", "way": "0", "moment": "0", "cell": "", "edit": "", "pin": "",
}  # fmt: skip
TRACE = trace_sentence(
    OTHER["sentence"], AttentionConfig(64, 8, causal=True, positions=False, seed=7), hidden_keys=(1,)
)


def test_a_walk_by_keyboard_keeps_every_setting_and_shows_asks_and_plays_what_the_core_says(visit: Opener) -> None:
    page = visit(f"/?{urlencode(OTHER)}")
    the_lines_of_the_sentence_are_the_weights(page, TRACE)
    follow_a_word(page)
    clicked = set[tuple[bool, ...]]()
    for slug in WALK:
        go_on_by_keyboard(page, slug)
        follow_the_next_row_by_keyboard(page)
        the_panels_show_and_mean_the_cells_of_the_core(page, TRACE)
        click_on_a_cell_of_each_kind(page, TRACE, clicked)
        assert page.evaluate(IN_SIGHT, ".st-key-stage") == ""  # the picture never left
        if slug == "scaling":
            count_the_scores(page, TRACE)
        play_through(page, slug)
    until(page, PLACE_IS_TOLD)
    friend = visit(urlsplit(page.url).path + "?" + urlsplit(page.url).query, alone=True)
    it_shows_the_same(friend, page)


def the_lines_of_the_sentence_are_the_weights(page: Page, trace: SentenceTrace) -> None:
    widths = widths_of_lines(page)
    for place, weight in np.ndenumerate(trace.attention.attn_weights.numpy()):
        width = widths.get(".".join(map(str, place)))
        assert (width is not None) == (weight >= 0.04)
        if width is not None:
            assert abs(width - (0.5 + 5 * weight)) < 1e-3


def follow_a_word(page: Page) -> None:
    words = page.locator(".sentence-word")
    words.nth(1).hover()
    assert page.locator(".sentence-note").inner_text().startswith("喜 看向")
    words.nth(4).click()
    until(page, "() => new URL(location.href).searchParams.get('query') === '4'")
    settle(page)


# A step back in the play, and then it is about to tell its place.
STEP_BACK = """async () => {
  document.querySelector('.stage-bar .back')?.click();
  [...document.querySelectorAll('.ways a[data-page]')].at(-1).focus();
  await new Promise(later => setTimeout(later, 330));
}"""


def go_on_by_keyboard(page: Page, slug: str) -> None:
    """To the next step, just before the place of the play on this one is told."""
    followed = settings_of(page)["query"]
    page.evaluate(STEP_BACK)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/{slug}\\?"))
    settle(page)
    assert settings_of(page) == OTHER | {"query": followed}
    assert page.get_by_label("句子", exact=True).input_value() == OTHER["sentence"]


# What a click at each of these places would ask for: the panel, and the address of its cell; or why it would not.
MEANT = """async ([name, places]) => {
  const {cellAt} = await import(name), canvas = document.querySelector('.stage-canvas'), {stage} = canvas;
  return places.map(([x, y]) => {
    if (document.elementFromPoint(x, y) !== canvas) return 'something lies over it';
    const {panel, row, column} = stage.spot({clientX: x, clientY: y});
    if (stage.player.isMissing(panel, row, column) || stage.isSecret(panel, row, column)) return 'it is covered';
    const {tensor, row: down, column: across, head} = cellAt(stage.scene.panels[panel], row, column);
    return `${panel}: ` + [tensor, down, across, ...(head === null ? [] : [head])].join('.');
  });
}"""
# The row of the cell that is framed on the stage, in a tensor that stands on it; asked: once the address has it, too.
FRAMED = """asked => {
  const stage = document.querySelector('.stage-canvas').stage;
  const cell = stage.chosen() && stage.frames.find(({kind}) => kind === 'cell');
  const named = new URL(location.href).searchParams.get('cell').split('.').slice(0, 2).join('.');
  return cell && named === (asked ? `${cell.tensor}.${cell.rows[0]}` : '') ? String(cell.rows[0]) : null;
}"""


def follow_the_next_row_by_keyboard(page: Page) -> None:
    """The row above or below the one that is explained."""
    row = int(until(page, FRAMED, arg=False).json_value())
    step = 1 if row == 0 else -1
    page.locator(".st-key-stage .stage-canvas").focus()
    page.keyboard.press("ArrowDown" if step > 0 else "ArrowUp")
    followed = "new URL(location.href).searchParams.get('query') === row"  # the page is drawn anew for it
    until(page, f"row => ({FRAMED})(true) === row && {followed}", arg=str(row + step))
    settle(page)


def address_of(cell: Cell) -> str:
    return ".".join(map(str, [cell.tensor, cell.row, cell.column, *([] if cell.head is None else [cell.head])]))


def the_panels_show_and_mean_the_cells_of_the_core(page: Page, trace: SentenceTrace) -> None:
    """Wherever one would click, the number is the core's, and the click would ask for that cell."""
    query, d_k, wanted, places = int(settings_of(page)["query"]), trace.config.head_dim, [], []
    left, top = corner_of(page)
    for i, panel in enumerate(panels(page)):
        rows, columns = panel.numbers.shape
        corners = product((0, rows - 1), (0, columns - 1))
        for row, column in {*corners, (rows // 2, columns - 1), (min(query, rows - 1), columns // 2)}:
            cell = panel.cell(row, column, d_k)
            wanted.append(f"{i}: {address_of(cell)}")
            x, y = panel.middle(row, column)
            places.append((left + x, top + y))
            if not panel.closed[row, column]:
                truth = float(matrix(trace, cell.tensor, cell.head, query)[cell.row, cell.column])
                np.testing.assert_allclose(panel.numbers[row, column], truth, rtol=1e-5, atol=1e-6)
    assert page.evaluate(MEANT, [PAINTER, places]) == wanted


def click_on_a_cell_of_each_kind(page: Page, trace: SentenceTrace, clicked: set[tuple[bool, ...]]) -> None:
    """On the step's first panel, and wherever a place becomes a cell as on none that was clicked before."""
    for i, panel in enumerate(panels(page)):
        rows, columns = panel.numbers.shape
        if i == 0:  # another row is followed now
            click_and_read(page, trace, i, rows // 2, columns - 1)
        elif kind_of(panel) not in clicked:
            click_and_read(page, trace, i, min(int(settings_of(page)["query"]), rows - 1), columns // 2)
        clicked.add(kind_of(panel))


def click_and_read(page: Page, trace: SentenceTrace, i: int, row: int, column: int) -> None:
    """The cell that is clicked becomes the one that is explained, and its number stays where it is."""
    panel = panels(page)[i]
    cell = panel.cell(row, column, trace.config.head_dim)
    page.mouse.click(*place_of(page, panel, row, column))
    address = address_of(cell)
    until(page, "wanted => new URL(location.href).searchParams.get('cell') === wanted", arg=address)
    explained(page, f"{cell.tensor}[{cell.row}, {cell.column}]")
    settle(page)
    truth = float(matrix(trace, cell.tensor, cell.head, int(settings_of(page)["query"]))[cell.row, cell.column])
    if not panel.closed[row, column]:
        np.testing.assert_allclose(panels(page)[i].numbers[row, column], truth, rtol=1e-5, atol=1e-6)


def kind_of(panel: Panel) -> tuple[bool, ...]:
    """What decides how a place becomes a cell."""
    view = panel.view
    return bool(view["transposed"]), bool(view["head_dim"]), view["head"] is None, bool(panel.closed.any())


def count_the_scores(page: Page, trace: SentenceTrace) -> None:
    """The histograms below the scores, before the division and after it."""
    counts = page.evaluate(
        """async name => {
      const {spreadOf} = await import(name);
      const {scene} = document.querySelector('.stage-canvas').stage;
      return scene.panels.map(panel => spreadOf(panel, scene.scales[panel.scale]));
    }""",
        PAINTER,
    )
    before, after = (matrix(trace, tensor, int(OTHER["head"])).numpy() for tensor in ("scores", "scaled_scores"))
    limit = max(np.abs(before).max(), np.abs(after).max())
    for found, values in zip(counts, (before, after), strict=True):
        assert sum(found) == values.size
        wanted, _ = np.histogram(values, bins=len(found), range=(-limit, limit))
        assert np.abs(np.array(found) - wanted).sum() <= 2  # a number on an edge


# Whether the address has the place where the play stands, which is told when it has stood there for a while.
PLACE_IS_TOLD = """() => {
  const {player} = document.querySelector('.stage-canvas').stage;
  return Number(new URL(location.href).searchParams.get('moment')) === player.moment + 1;
}"""


def it_shows_the_same(friend: Page, page: Page) -> None:
    words = "[data-testid=stMain] [data-testid=stMarkdownContainer]"
    assert settings_of(friend) == settings_of(page)
    assert same(numbers(friend), numbers(page))
    assert friend.locator(words).all_inner_texts() == page.locator(words).all_inner_texts()
