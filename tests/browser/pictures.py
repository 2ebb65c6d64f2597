"""What the painter has on a page, read back from the browser."""

from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Page

_SCENE = """n => {
  const stage = document.querySelectorAll('.stage-canvas')[n].stage;
  return stage.scene.panels.map((panel, i) => ({
    title: panel.title, view: panel.view, size: panel.size, numbers: [...panel.numbers],
    closed: panel.closed && [...panel.closed], kind: stage.scene.scales[panel.scale].kind,
    limit: stage.scene.scales[panel.scale].limit, place: stage.places.panels[i],
  }));
}"""
_CORNER = (
    "n => { const at = document.querySelectorAll('.stage-canvas')[n].getBoundingClientRect(); return [at.x, at.y]; }"
)


class Panel(NamedTuple):
    """A panel as it is painted: its numbers, and where it lies in its canvas."""

    title: str
    view: dict[str, Any]
    numbers: np.ndarray[Any, Any]
    closed: np.ndarray[Any, Any]
    kind: str
    limit: float
    place: dict[str, Any] | None

    def middle(self, row: int, column: int) -> tuple[float, float]:
        """The middle of a cell in its canvas, in CSS pixels."""
        assert self.place is not None
        wide, high = self.place["cell"]
        return self.place["x"] + (column + 0.5) * wide, self.place["y"] + (row + 0.5) * high


def panels(page: Page, canvas: int = 0) -> list[Panel]:
    found = []
    for panel in page.evaluate(_SCENE, canvas):
        rows, columns = panel["size"]
        closed = np.array(panel["closed"] or [0] * rows * columns, bool).reshape(rows, columns)
        numbers = np.array(panel["numbers"], np.float32).reshape(rows, columns)
        found.append(
            Panel(panel["title"], panel["view"], numbers, closed, panel["kind"], panel["limit"], panel["place"])
        )
    return found


def numbers(page: Page) -> list[np.ndarray[Any, Any]]:
    """All numbers of all panels of the page's stage."""
    return [panel.numbers for panel in panels(page)]


def same(first: list[np.ndarray[Any, Any]], second: list[np.ndarray[Any, Any]]) -> bool:
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def place_of(page: Page, panel: Panel, row: int, column: int, canvas: int = 0) -> tuple[float, float]:
    """The middle of a cell on screen."""
    left, top = page.evaluate(_CORNER, canvas)
    x, y = panel.middle(row, column)
    return left + x, top + y


def settings_of(page: Page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query, keep_blank_values=True).items()}
