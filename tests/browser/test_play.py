"""A step performed in the browser: what is painted at each moment is what the core says, and the reader leads."""

import re
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from conftest import Opener, settle, until
from moving import lead
from pictures import panels, place_of, settings_of
from playwright.sync_api import Page
from sights import cells, sight

from attention import AttentionConfig, Cell, trace_sentence
from attention.tensors import matrix
from pages import WALK
from pages.ui import live

SMALL = {"sentence": "the dog saw the cat", "d_model": "8", "num_heads": "2", "head": "1", "query": "3", "causal": "1"}
D_K = 4
STATE = """() => {
  const stage = document.querySelector('.stage-canvas').stage, state = stage.player.state();
  return {moment: stage.player.moment, words: document.querySelector('.stage-words').innerText,
    missing: stage.scene.panels.map((_, i) => state?.missing[i] ? [...state.missing[i]] : null),
    shown: stage.scene.panels.map((_, i) => state?.shown[i] ? [...state.shown[i]] : [])};
}"""


def state_of(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(STATE)
    return found


def address(cell: Cell) -> tuple[str, int | None, int, int]:
    return cell.tensor, cell.head, cell.row, cell.column


# A step back in the play, and on to the next page just before the play's place is told.
LEAVE = """() => {
  document.querySelector('.stage-bar .back').click();
  setTimeout(() => [...document.querySelectorAll('.ways a[data-page]')].at(-1).click(), 350);
}"""


def test_every_moment_shows_what_the_core_has_come_to(visit: Opener) -> None:
    page = visit(f"/{WALK[0]}?{urlencode(SMALL)}")
    for slug in WALK:
        if slug != WALK[0]:
            page.evaluate(LEAVE)
            page.wait_for_url(re.compile(f"/{slug}\\?"))
            settle(page)
        if slug == "scaling":
            count_the_scores(page)
        play_through(page, slug)


def play_through(page: Page, slug: str) -> None:
    """Every way to play the step, moment by moment."""
    here = sight(SMALL | {"weights": "random"})
    ways = import_module(f"pages.{slug}.play").play(here)
    for way, play in enumerate(ways):
        if way:
            page.locator(".stage-say .way").select_option(str(way))
            page.locator(".stage-bar .on").click()
            page.locator(".stage-bar .back").click()
        missing = {cell for area in play.covers for cell in cells(here, area)}
        for place, moment in enumerate(play.moments):
            if place or not way:
                page.locator(".stage-bar .on").click()
            found = state_of(page)
            assert (found["moment"], found["words"]) == (place, moment.words), slug
            missing -= {cell for area in moment.fills for cell in cells(here, area)}
            stands = {
                cell: number
                for each in moment.shown
                for cell, number in zip(sorted(cells(here, each.area)), each.numbers, strict=True)
                if cell in missing
            }
            for panel, absent, shown in zip(panels(page), found["missing"], found["shown"], strict=True):
                places = {(r, c): address(panel.cell(r, c, D_K)) for r, c in np.ndindex(*panel.numbers.shape)}
                width = panel.numbers.shape[1]
                gone = {places[divmod(at, width)] for at, is_gone in enumerate(absent or ()) if is_gone}
                assert gone == (missing - set(stands)) & set(places.values()), (slug, place, panel.title)
                there = {places[divmod(at, width)]: number for at, number in shown}
                assert there == pytest.approx({cell: n for cell, n in stands.items() if cell in places.values()}), slug
        assert missing == set(), slug


def count_the_scores(page: Page) -> None:
    """The histograms below the scores, before the division and after it."""
    counts = page.evaluate(
        """async name => {
      const {spreadOf} = await import(name);
      const {scene} = document.querySelector('.stage-canvas').stage;
      return scene.panels.map(panel => spreadOf(panel, scene.scales[panel.scale]));
    }""",
        f"/-/{live.script('painter')[0]}",
    )
    trace = trace_sentence(SMALL["sentence"], AttentionConfig(8, 2, causal=True))
    before, after = (matrix(trace, tensor, 1).numpy() for tensor in ("scores", "scaled_scores"))
    limit = max(np.abs(before).max(), np.abs(after).max())
    for found, values in zip(counts, (before, after), strict=True):
        assert sum(found) == values.size
        wanted, _ = np.histogram(values, bins=len(found), range=(-limit, limit))
        assert np.abs(np.array(found) - wanted).sum() <= 2  # a number on an edge


PIXEL = """([x, y]) => {
  const context = document.querySelector('.stage-canvas').getContext('2d');
  return [...context.getImageData(Math.round(x * devicePixelRatio), Math.round(y * devicePixelRatio), 1, 1).data];
}"""


def test_what_is_not_there_yet_can_not_be_asked_and_a_number_set_by_hand_stops_the_play(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}")
    scores = panels(page)[-1]
    x, y = scores.middle(0, 1)
    whole = page.evaluate(PIXEL, [x, y - 6])
    page.locator(".stage-bar .on").click()
    until(page, "() => !document.querySelector('.stage-canvas').stage.due")
    assert page.evaluate(PIXEL, [x, y - 6])[:3] == [255, 255, 255] != whole[:3]
    before = page.locator(".trail b").inner_text()
    page.mouse.click(*place_of(page, scores, 0, 1))
    page.mouse.move(*place_of(page, scores, 0, 2))
    assert page.locator(".stage-tip").is_hidden()
    settle(page)
    assert page.locator(".trail b").inner_text() == before
    page.mouse.click(*place_of(page, panels(page)[0], 1, 2))  # a number that is there answers, and the play waits
    until(page, "() => new URL(location.href).searchParams.get('cell') === 'k.2.1.1'")
    assert state_of(page)["moment"] == 0
    until(page, "() => new URL(location.href).searchParams.get('moment') === '1'")
    settle(page)
    lead(page, f"/scores?{urlencode(SMALL | {'edit': 'scores.1.1.0:3'})}")
    assert page.locator(".stage-bar .play").is_disabled()  # a number set by hand stops the play, which says why
    assert "by hand" in page.locator(".stage-words").inner_text()
    assert settings_of(page)["edit"]


def test_it_plays_pauses_and_the_address_leads_back_there(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}")
    page.emulate_media(reduced_motion="no-preference")
    page.locator(".stage-bar .speed").select_option("2")
    page.locator(".stage-bar .play").click()
    page.wait_for_function("() => document.querySelector('.stage-canvas').stage.player.moment === 2")
    ghosts = page.evaluate("() => document.querySelector('.stage-canvas').stage.player.share")
    assert 0 <= ghosts <= 1
    page.locator(".stage-bar .play").click()
    until(page, "() => new URL(location.href).searchParams.get('moment') === '3'")
    stood = state_of(page)
    page.reload()
    settle(page)
    assert state_of(page)["words"] == stood["words"]
    scrub = page.locator(".stage-bar .stage-scrub")
    scrub.focus()
    page.keyboard.press("ArrowRight")
    assert state_of(page)["moment"] == 3
    page.keyboard.press("End")
    assert "every other query" in state_of(page)["words"]
    page.locator(".stage-bar .play").click()  # once more from the beginning
    page.wait_for_function("() => document.querySelector('.stage-canvas').stage.player.moment === 0")
    page.locator(".stage-bar .play").click()


def test_without_motion_it_shows_stills_and_ends_with_the_whole_picture(visit: Opener) -> None:
    page = visit(f"/scaling?{urlencode(SMALL)}", timezone_id="UTC")  # a context of its own: it keeps the clock
    page.clock.install()
    page.locator(".stage-bar .play").click()
    moments = []
    for _ in range(12):
        found = state_of(page)
        moments.append((found["moment"], page.evaluate("document.querySelector('.stage-canvas').stage.player.share")))
        page.clock.run_for(2000)
    assert {share for _, share in moments} == {1}
    assert [moment for moment, _ in moments] == sorted([m for m, _ in moments if m >= 0]) + [-1] * sum(
        m < 0 for m, _ in moments
    )
    assert moments[-1][0] == -1
    assert {moment for moment, _ in moments} == {-1, 0, 1, 2, 3, 4}
    until(page, "() => new URL(location.href).searchParams.get('moment') === '0'")
