"""A play on a page: what of it is there at a moment, and every moment of every way to play a step."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from pictures import panels, settings_of
from playwright.sync_api import Page
from sights import cells, sight

from attention import Cell

_STATE = """() => {
  const stage = document.querySelector('.stage-canvas').stage, state = stage.player.state();
  return {moment: stage.player.moment, words: document.querySelector('.stage-words').innerText,
    missing: stage.scene.panels.map((_, i) => state?.missing[i] ? [...state.missing[i]] : null),
    shown: stage.scene.panels.map((_, i) => state?.shown[i] ? [...state.shown[i]] : [])};
}"""


def state_of(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(_STATE)
    return found


def play_through(page: Page, slug: str) -> None:
    """Every way to play the step, moment by moment: what is there is what the core has come to."""
    here = sight(settings_of(page))
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
                d_k = here.trace.config.head_dim
                places = {(r, c): _address(panel.cell(r, c, d_k)) for r, c in np.ndindex(*panel.numbers.shape)}
                width = panel.numbers.shape[1]
                gone = {places[divmod(at, width)] for at, is_gone in enumerate(absent or ()) if is_gone}
                assert gone == (missing - set(stands)) & set(places.values()), (slug, place, panel.title)
                there = {places[divmod(at, width)]: number for at, number in shown}
                assert there == pytest.approx({cell: n for cell, n in stands.items() if cell in places.values()}), slug
        assert missing == set(), slug


def _address(cell: Cell) -> tuple[str, int | None, int, int]:
    return cell.tensor, cell.head, cell.row, cell.column
