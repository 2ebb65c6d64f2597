"""What the painter has on a page, read back from the browser."""

from base64 import b64decode
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Page

from attention import Cell
from pages.ui import live

PAINTER, POINTER = (f"/-/{live.script(name)[0]}" for name in ("painter", "pointer"))  # their addresses on a server

_SCENE = """n => {
  const stage = document.querySelectorAll('.stage-canvas')[n].stage;
  const packed = array => {  // 512 columns are a million numbers: as text they would take seconds
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    let text = '';
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return btoa(text);
  };
  return stage.scene.panels.map((panel, i) => ({
    title: panel.title, view: panel.view, size: panel.size, numbers: packed(Float32Array.from(panel.numbers)),
    closed: panel.closed && packed(Uint8Array.from(panel.closed)), kind: stage.scene.scales[panel.scale].kind,
    limit: stage.scene.scales[panel.scale].limit, place: stage.places.panels[i],
  }));
}"""
_CORNER = (
    "n => { const at = document.querySelectorAll('.stage-canvas')[n].getBoundingClientRect(); return [at.x, at.y]; }"
)
# Texts that lie over one another on the picture, or over its edge; slanted ones only beside one another.
_OVER = """() => {
  const stage = document.querySelector('.stage-canvas').stage, context = stage.canvas.getContext('2d');
  const [found, slanted] = [[], []];
  context.fillText = function (text, x, y, most = Infinity) {
    const {a, b, e, f} = this.getTransform(), width = Math.min(most, this.measureText(text).width);
    const left = x + e / devicePixelRatio - {left: 0, center: 0.5, right: 1}[this.textAlign] * width;
    const [middle, size] = [y + f / devicePixelRatio, parseFloat(/([\\d.]+)px/.exec(this.font)[1])];
    if (b) slanted.push([text, left * Math.abs(b) / Math.hypot(a, b), f, 0.8 * size]);
    else found.push([text, left, left + width, middle - 0.35 * size, middle + 0.35 * size]);
  };
  stage.paintNow(devicePixelRatio);
  delete context.fillText;
  stage.paintNow(devicePixelRatio);
  const shared = (a, b, from, to) => Math.min(a[to], b[to]) - Math.max(a[from], b[from]);
  const {clientWidth: wide, clientHeight: high} = stage.canvas;
  const close = slanted.flatMap((one, i) => slanted.slice(i + 1)
    .filter((two) => Math.abs(one[1] - two[1]) < one[3] && Math.abs(one[2] - two[2]) < 1)
    .map((two) => `${one[0]} lies over ${two[0]}`));
  return close.concat(found.flatMap((one, i) => [
    ...found.slice(i + 1).filter((two) => shared(one, two, 1, 2) > 1 && shared(one, two, 3, 4) > 1)
      .map((two) => `${one[0]} lies over ${two[0]}`),
    ...(one[1] < -1 || one[2] > wide + 1 || one[3] < -1 || one[4] > high + 1 ? [`${one[0]} is cut off`] : []),
  ]));
}"""


class Panel(NamedTuple):
    """A panel as it is painted: its numbers, and where it lies in its canvas."""

    title: str
    view: dict[str, Any]
    numbers: np.ndarray[Any, Any]
    closed: np.ndarray[Any, Any]
    kind: str
    limit: float
    place: dict[str, Any] | None

    def cell(self, row: int, column: int, d_k: int) -> Cell:
        """The cell that stands at that place."""
        r, c = (column, row) if self.view["transposed"] else (row, column)
        if self.view["head_dim"]:
            return Cell(self.view["tensor"], r, c % d_k, c // d_k)
        return Cell(self.view["tensor"], r, c, self.view["head"])

    def middle(self, row: int, column: int) -> tuple[float, float]:
        """The middle of a cell in its canvas, in CSS pixels."""
        assert self.place is not None
        wide, high = self.place["cell"]
        return self.place["x"] + (column + 0.5) * wide, self.place["y"] + (row + 0.5) * high


def over(page: Page) -> list[str]:
    """Which texts of the picture lie over others, or over its edge."""
    found: list[str] = page.evaluate(_OVER)
    return found


def panels(page: Page, canvas: int = 0) -> list[Panel]:
    found = []
    for panel in page.evaluate(_SCENE, canvas):
        rows, columns = panel["size"]
        numbers = np.frombuffer(b64decode(panel["numbers"]), np.float32).reshape(rows, columns)
        closed = np.zeros((rows, columns), bool)
        if panel["closed"]:
            closed = np.frombuffer(b64decode(panel["closed"]), np.uint8).reshape(rows, columns) > 0
        found.append(
            Panel(panel["title"], panel["view"], numbers, closed, panel["kind"], panel["limit"], panel["place"])
        )
    return found


def numbers(page: Page) -> list[np.ndarray[Any, Any]]:
    """All numbers of all panels of the page's stage."""
    return [panel.numbers for panel in panels(page)]


def same(first: list[np.ndarray[Any, Any]], second: list[np.ndarray[Any, Any]]) -> bool:
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def corner_of(page: Page, canvas: int = 0) -> tuple[float, float]:
    """Where a canvas begins on screen."""
    left, top = page.evaluate(_CORNER, canvas)
    return left, top


def place_of(page: Page, panel: Panel, row: int, column: int, canvas: int = 0) -> tuple[float, float]:
    """The middle of a cell on screen."""
    left, top = corner_of(page, canvas)
    x, y = panel.middle(row, column)
    return left + x, top + y


def settings_of(page: Page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query, keep_blank_values=True).items()}


def widths_of_lines(page: Page) -> dict[str, float]:
    """Of each line of the sentence, named head.query.key, how wide it is drawn."""
    told = "all => all.map(path => [path.dataset.arc, +path.getAttribute('stroke-width')])"
    return dict(page.locator("[data-arc]").evaluate_all(told))
