"""A tour of every page in one visit: on one screen, on a phone, in either theme, readable for those who cannot see.

A page is opened by its link, as a reader does: to load it anew takes twice the time, and other tests do it.
"""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

import pytest
from conftest import IN_SIGHT, LARGE, ONE_SERVER, PHONE, SMALL, Opener, found_by_axe, settle, too_far
from moving import lead, put_on
from pictures import over, panels
from playwright.sync_api import Page

from pages import GROUPS, LABS, OVERVIEW, PAGES, WALK
from pages.ui.figures.colors import DARK, LIGHT

PAPER = (LIGHT.paper, DARK.paper)
DARK_TOO = ("overview", "softmax", "training", "vectors")  # every kind of figure and box
WIDEST = {"d_model": "512", "num_heads": "16", "causal": "1", "sentence": "a b c d e f g h " * 12}
WIDE = ("overview", "projections", "heads")
MOST_WORDS = 45  # above the picture, before the reader acts
HIDDEN = "selector => { const e = document.querySelector(selector); return e.scrollHeight - e.clientHeight }"
LOWEST = """() => Math.max(...[...document.querySelectorAll('.st-key-stage canvas, .st-key-stage .veil, '
  + '.st-key-stage [data-testid=stPlotlyChart], .st-key-stage table')].map(e => {
  const stage = e.closest('.st-key-stage'), bottom = e.getBoundingClientRect().bottom;
  return getComputedStyle(stage).overflowY === 'auto' ? Math.min(bottom, stage.getBoundingClientRect().bottom) : bottom;
}))"""
PARTS = (
    *(".st-key-stage", ".st-key-inspector", ".st-key-heading h1", ".st-key-heading p", ".map", ".stepper"),
    *(".st-key-sentence textarea", ".st-key-d_model", ".st-key-num_heads", ".st-key-head", ".st-key-query"),
    *(".stage-bar", ".stage-bar .freeze", ".stage-bar .set", ".stage-bar .play", ".st-key-rare", ".ways", ".deeper"),
)
IN_A_LAB = {"face": "notice", "questions": "0"}
RANDOM, LEARNED = ({"d_model": "32", "num_heads": "2", "weights": weights} for weights in ("random", "learned"))
CUT_OFF = """() => [...document.querySelectorAll('.st-key-inspector .katex-display')].flatMap(box => {
  const own = box.getBoundingClientRect();
  const ends = [...box.querySelectorAll('.katex-html .mord')].map(each => each.getBoundingClientRect().right);
  return Math.max(...ends) > own.right + 0.5 ? [Math.round(Math.max(...ends) - own.left) + ' in ' + own.width] : [];
})"""
# Where the smallest number that is written as one does not fit between its term and its bar.
TOO_LONG = """() => [...document.querySelectorAll('.term')].filter(term => {
  const number = term.querySelector('.product'), told = number.textContent, written = document.createRange();
  number.textContent = '−0.000000012';
  written.selectNodeContents(number);
  const [own, before, bar] = [written, term.querySelector('.factors'), term.querySelector('.track')]
    .map(part => part.getBoundingClientRect());
  number.textContent = told;
  return own.left < before.right || own.right > bar.left;
}).map(term => 'no room in ' + term.innerText)"""
HEADING = "document.querySelector('.st-key-heading').innerText"


def tour(page: Page, slugs: Sequence[str]) -> Iterator[str]:
    """Each of these pages, opened by its link."""
    for slug in slugs:
        page.evaluate("slug => document.querySelector(`.top a[data-page=${slug}]`).click()", slug)
        page.wait_for_url(re.compile("/\\?" if slug == OVERVIEW else f"/{slug}\\?"))
        settle(page)
        yield slug


def resize(page: Page, size: tuple[int, int]) -> None:
    set_size(page, size)
    settle(page)


def set_size(page: Page, size: tuple[int, int]) -> None:
    """For the next page."""
    page.set_viewport_size({"width": size[0], "height": size[1]})


def on_one_screen(page: Page, size: tuple[int, int]) -> list[str]:
    """What of a step is not whole in the window."""
    found = page.evaluate(f"parts => parts.map({IN_SIGHT})", PARTS)
    wrong = [f"{part}: {where}" for part, where in zip(PARTS, found, strict=True) if where]
    if page.evaluate("scrollY + document.querySelector('.stMain').scrollTop"):
        wrong.append("it is scrolled")
    box = page.locator(".st-key-stage").bounding_box()
    assert box is not None
    if box["width"] * box["height"] < 0.3 * size[0] * size[1]:
        wrong.append("the stage is small")
    for part in (".st-key-sentence textarea", "[data-testid=stSidebarContent]"):  # these are whole
        if page.evaluate(HIDDEN, part) > 1:
            wrong.append(f"{part} scrolls")
    places = [panel.place for panel in panels(page)]
    for i, a in enumerate(places):  # and no panel lies over another, or over the edge
        assert a is not None
        if a["x"] + a["width"] > box["width"] + 1:
            wrong.append(f"panel {i} lies over the edge")
        for b in places[i + 1 :]:
            assert b is not None
            right = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
            if not (right or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]):
                wrong.append(f"panel {i} lies over another")
    return wrong + over(page)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_step_is_one_screen_and_can_be_read_by_all(lang: str, visit: Opener) -> None:
    page, wrong, sizes = visit(f"/root?lang={lang}&d_model=32"), {}, [LARGE, SMALL]
    wrong["root"] = found_by_axe(page) if lang == "en" else []  # a lab before its question is answered
    for slug in tour(page, (OVERVIEW, *WALK)):
        assert page.evaluate("document.querySelector('.stage-canvas').stage.theme.paper") == PAPER[0]
        if slug == OVERVIEW:
            wrong[slug] = found_by_axe(page) if lang == "en" else []
            continue
        for size in sizes:
            resize(page, size)
            wrong[slug, size] = on_one_screen(page, size)
            wrong[slug, size] += page.evaluate(CUT_OFF) + page.evaluate(TOO_LONG)  # in the panel
            if lang == "en" and size == LARGE:
                wrong[slug, "axe"] = found_by_axe(page, whole=False)
        sizes.reverse()  # the next page is opened in the size that this one is left in
        count = len(page.evaluate(HEADING).split())
        wrong[slug, "words"] = [f"{count} words"] if count > MOST_WORDS else []
    assert {place: found for place, found in wrong.items() if found} == {}


def experiments(page: Page) -> Iterator[int]:
    """Each experiment of the lab that is open, chosen by its tab."""
    tabs = page.locator(".st-key-experiment button")
    for number in range(max(tabs.count(), 1)):
        if number:
            tabs.nth(number).click()
            page.wait_for_url(re.compile(f"experiment={number}&"))
            settle(page)
        yield number


def cut_off(page: Page, size: tuple[int, int]) -> list[str]:
    """What of a lab is not whole in the window."""
    wrong = [where] if (where := page.evaluate(IN_SIGHT, ".st-key-panel")) else []
    return [*wrong, f"the picture ends at {low}"] if (low := page.evaluate(LOWEST)) > size[1] else wrong


OTHER_LABS = [lab for lab in LABS if lab not in GROUPS["learning"]]


def test_a_lab_is_one_screen_can_be_read_by_all_and_all_of_it_is_on_a_phone(visit: Opener) -> None:
    page, wrong = visit(f"/?{urlencode(RANDOM | IN_A_LAB)}", size=SMALL), {}
    for slug in tour(page, OTHER_LABS):
        wrong[slug, "axe"] = found_by_axe(page, whole=False)
        for number in experiments(page):
            wrong[slug, number] = cut_off(page, SMALL)
        resize(page, PHONE)
        wrong[slug, PHONE] = too_far(page)
        resize(page, LARGE)
        wrong[slug, LARGE] = cut_off(page, LARGE)
        set_size(page, SMALL)
    assert {place: found for place, found in wrong.items() if found} == {}


def test_a_lab_is_one_screen_in_chinese(visit: Opener) -> None:
    page, wrong = visit(f"/?{urlencode(RANDOM | IN_A_LAB | {'lang': 'zh'})}", size=SMALL), {}
    for slug in tour(page, OTHER_LABS):
        wrong[slug] = cut_off(page, SMALL)
    assert {place: found for place, found in wrong.items() if found} == {}


@ONE_SERVER
def test_what_learns_is_one_screen_can_be_read_by_all_on_a_phone_and_in_the_dark(visit: Opener) -> None:
    page, wrong = visit(f"/?{urlencode(LEARNED | IN_A_LAB)}", size=SMALL), {}
    for slug in tour(page, GROUPS["learning"]):
        for number in experiments(page) if slug != "real" else ():
            wrong[slug, number] = cut_off(page, SMALL)
        wrong[slug, "axe"] = found_by_axe(page, whole=slug == "training")
        resize(page, PHONE)
        wrong[slug, PHONE] = too_far(page)
        set_size(page, SMALL)
    put_on(page, "dark")
    lead(page, f"/glossary?{urlencode(LEARNED | {'face': 'number', 'questions': '1'})}")
    for slug in tour(page, DARK_TOO):
        if slug in (OVERVIEW, *WALK):
            assert page.evaluate("document.querySelector('.stage-canvas').stage.theme.paper") == PAPER[1]
        wrong[slug, "dark"] = found_by_axe(page, contrast=True)
    assert {place: found for place, found in wrong.items() if found} == {}


def test_the_widest_layer_fits_on_a_phone(visit: Opener) -> None:
    page = visit(f"/?{urlencode(WIDEST)}", size=PHONE)
    assert {slug: found for slug in tour(page, WIDE) if (found := too_far(page))} == {}


def test_the_tours_lead_everywhere() -> None:
    assert {OVERVIEW, *WALK, *LABS} == set(PAGES)
    assert set(DARK_TOO) <= set(PAGES)
