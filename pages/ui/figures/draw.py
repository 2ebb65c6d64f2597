"""A board of panels in, one Plotly figure out."""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from torch import Tensor

from pages.ui.figures.colors import Colors, Stops
from pages.ui.figures.panels import LABEL_LENGTH, Axis, Band, Board, Closed, Outline, Panel, Place, Scale
from pages.ui.words.numbers import number

Matrix = NDArray[np.float32]

FONT = "Source Sans, Source Sans Pro, Noto Sans, Noto Sans CJK SC, sans-serif"
MAX_WRITTEN_CELLS = 700
MAX_WRITTEN_COLUMNS = 32
LEAST_SIZE = 7  # pixels; nobody can read smaller numbers
WIDEST = 1.35  # how much wider than a desktop's a board may come out on a very wide screen


def draw(board: Board, colors: Colors) -> go.Figure:
    """Draw a board as one figure; not what is beside it, which is drawn for itself (see Board.boards)."""
    sheet = _Sheet()
    places = _Places(board)
    scales: list[Scale] = []
    number = 0
    for r, line in enumerate(board.grid):
        for c, panel in enumerate(line):
            if panel is None:
                continue
            number += 1
            if panel.scale not in scales:
                scales.append(panel.scale)
            spot = _Spot(*places.domain(r, c), _suffix(number), _suffix(scales.index(panel.scale) + 1))
            room = 0 if board.small else (spot.x[1] - spot.x[0]) * board.width / max(1, panel.values.shape[1])
            _add_panel(sheet, panel, spot, colors, places.height, room, board.stacked)
    for place, sign in board.signs:
        sheet.annotations.append(places.before(*place) | {"text": sign} | _text(colors.quiet, 20))
    for start, end in board.arrows:
        _add_arrow(sheet, places, start, end, colors)
    for i, scale in enumerate(scales):
        bar = None if board.small else places.bar(i, len(scales))
        sheet.layout["coloraxis" + _suffix(i + 1)] = _color_axis(scale, colors, bar)
    sheet.layout |= {
        "height": places.height + places.top + places.bottom,
        "margin": {"l": places.left, "r": places.right, "t": places.top, "b": places.bottom},
        "datarevision": sheet.digest(),
        "shapes": sheet.shapes,
        "annotations": sheet.annotations,
    }
    return finish(sheet.traces, sheet.layout, colors)


def finish(traces: Sequence[Mapping[str, object]], layout: Mapping[str, Any], colors: Colors) -> go.Figure:
    """A figure of these traces and this layout, which names its height, its margin and a datarevision (see
    _Sheet.digest), with what all figures of the house have in common."""
    shared: dict[str, Any] = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": colors.ink},
        "hoverlabel": {"font": {"family": FONT, "size": 13}},
        "showlegend": False,
        "dragmode": False,
    }
    margin = {"pad": 0, "autoexpand": False, **layout["margin"]}
    return go.Figure({"data": traces, "layout": {**shared, **layout, "margin": margin}})


def _own(board: Board) -> Sequence[Panel]:
    return [panel for line in board.grid for panel in line if panel]


class _Sheet:
    """A figure in the making, as plain dictionaries: Plotly checks them once at the end, ten times as fast."""

    def __init__(self) -> None:
        self.traces: list[dict[str, object]] = []
        self.layout: dict[str, object] = {}
        self.shapes: list[dict[str, object]] = []
        self.annotations: list[dict[str, object]] = []

    def digest(self) -> int:
        """Changes whenever the data does. Streamlit hands every figure to Plotly twice: this tells it they are one."""
        digest = 0
        for trace in self.traces:
            z = trace.get("z")
            digest = zlib.crc32(z.tobytes() if isinstance(z, np.ndarray) else b"", digest)
            digest = zlib.crc32(repr((trace["x"], trace["y"])).encode(), digest)
        return digest


Domain = tuple[float, float]


@dataclass(frozen=True)
class _Spot:
    """Where a panel goes: its part of the drawing area, and the names of its axes and colour axis."""

    x: Domain
    y: Domain
    axis: str
    color_axis: str


class _Places:
    """Where each place of the grid lies, in shares of the drawing area, and what surrounds that area in pixels."""

    def __init__(self, board: Board) -> None:
        self._board = board
        first = [line[0] for line in board.grid if line[0] and line[0].show_rows]
        longest = max((len(label) for panel in first for label in panel.rows.labels), default=2)
        self._title = 40 if board.stacked else 26
        bars = len({id(panel.scale) for panel in _own(board) if not panel.scale.plain})
        corner = [height for line, height in zip(board.grid, board.heights, strict=True) if line[0] is None]
        has_corner = board.grid[0][0] is None and any(board.grid[0])
        self._bars_in_corner = has_corner and sum(corner) >= 60 * bars + 20
        self.left = 6 if board.small else 18 + round(min(longest, LABEL_LENGTH + 3) * 6.4)
        self.right = 6 if board.small else 30
        self._head = self._title + self._bands(board.grid[0])
        self.top = self._head + (12 if self._bars_in_corner or board.small else 58)
        self.bottom = 30 if board.small else self._labels_below(board.grid[-1]) + 8
        self._between = [
            self._title + self._bands(board.grid[r + 1]) + self._labels_below(board.grid[r])
            for r in range(len(board.grid) - 1)
        ]
        self.height = sum(board.heights) + sum(self._between)
        total = sum(board.widths)
        free = 1 - board.gap * (len(board.widths) - 1)
        lefts = [sum(board.widths[:c]) / total * free + c * board.gap for c in range(len(board.widths))]
        self._x = [
            (left, min(1.0, left + width / total * free)) for left, width in zip(lefts, board.widths, strict=True)
        ]

    @staticmethod
    def _bands(line: Sequence[Panel | None]) -> int:
        return 14 if any(panel and panel.bands for panel in line) else 0

    @staticmethod
    def _labels_below(line: Sequence[Panel | None]) -> int:
        shown = [panel for panel in line if panel and panel.show_columns]
        deepest = max((len(label) for panel in shown for label in panel.columns.labels), default=0)
        return 18 + round(min(deepest, LABEL_LENGTH + 3) * 4.8) if shown else 8

    def domain(self, row: int, column: int) -> tuple[Domain, Domain]:
        above = sum(self._board.heights[:row]) + sum(self._between[:row])
        top = 1 - above / self.height
        bottom = top - self._board.heights[row] / self.height
        return self._x[column], (max(0.0, bottom), min(1.0, top))

    def before(self, row: int, column: int) -> dict[str, object]:
        """Where a sign left of a place goes."""
        (left, _), (bottom, top) = self.domain(row, column)
        place = {"x": left - self._board.gap / 2, "y": (bottom + top) / 2, "xref": "paper", "yref": "paper"}
        return place | {"xanchor": "center", "yanchor": "middle"}

    def bar(self, i: int, count: int) -> dict[str, object]:
        """Where the i-th colour bar goes: in the empty corner of a matrix product, else above everything."""
        if self._bars_in_corner:
            empty = next(column for column, panel in enumerate(self._board.grid[0]) if panel)
            left, right = self._x[0][0], self._x[empty - 1][1] - (0.08 if empty > 1 else 0.0)
            return {"x": left, "len": right - left, "y": 1 - (24 + i * 50) / self.height, "yanchor": "top"}
        share = min(0.36, 0.96 / count)
        return {
            "x": 1 - share * (count - i) + 0.04,
            "len": share - 0.06,
            "y": 1 + (self._head + 16) / self.height,
            "yanchor": "bottom",
        }


def _add_panel(
    sheet: _Sheet,
    panel: Panel,
    spot: _Spot,
    colors: Colors,
    height: int,
    room: float,
    stacked: bool,
) -> None:
    """Add a panel's heatmap, title and frames. room: about how wide a cell will be in pixels, 0 in an overview."""
    small = not room
    values = np.ascontiguousarray(panel.values.detach().numpy().astype(np.float32))  # (rows, columns)
    rows, columns = values.shape
    masked = panel.closed if panel.closed is not None and bool(panel.closed.cells.any()) else None
    if masked:
        values = np.where(masked.cells.numpy(), np.float32(np.nan), values)  # a closed cell has no number to show
    ref, top = spot.axis, spot.y[1]
    show_rows, show_columns = panel.show_rows and not small, panel.show_columns and not small
    sheet.layout["xaxis" + ref] = _axis(panel.columns, columns, show_columns, colors) | {
        "domain": spot.x,
        "anchor": "y" + ref,
        "range": [panel.columns.first - 0.5, panel.columns.first + columns - 0.5],
    }
    sheet.layout["yaxis" + ref] = _axis(panel.rows, rows, show_rows, colors) | {
        "domain": spot.y,
        "anchor": "x" + ref,
        "range": [panel.rows.first + rows - 0.5, panel.rows.first - 0.5],
    }
    hover = f"{panel.rows.name} %{{y}} · {panel.columns.name} %{{x}}<br>{panel.name} = "
    digits, tall = _digits(panel, room), (spot.y[1] - spot.y[0]) * height / max(1, rows)
    write = not small and _is_room(values, _longest(values, digits), room, tall)
    cross = not small and _is_room(values, 1, room, tall)
    gap = 0 if columns > 64 or rows > 64 or room < 6 else 1  # no lines between cells hardly wider than a line
    sheet.traces.append(
        {
            "type": "heatmap",
            "z": values,
            "x": panel.columns.places(columns),
            "y": panel.rows.places(rows),
            "coloraxis": "coloraxis" + spot.color_axis,
            "xaxis": "x" + ref,
            "yaxis": "y" + ref,
            "name": panel.name,
            "hovertemplate": hover + ("%{z:d}" if panel.whole else "%{z:.4f}") + "<extra></extra>",
            "hoverongaps": False,
            "texttemplate": f"%{{z:.{digits}f}}" if write else None,
            "textfont": {"size": 9} if 1 in (rows, columns) else None,
            "xgap": gap,
            "ygap": gap,
        }
    )
    if masked:
        sheet.traces.append(_closed_cells(panel, masked, ref, colors, hover, cross, gap))
    title = f"<b>{panel.name}</b>"
    if panel.show_shape:
        title += f"<br><span style='font-size:11px'>{panel.shape}</span>" if stacked else f"  {panel.shape}"
    heading = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "align": "left"}
    place = {"x": spot.x[0], "y": top, "yshift": 12 if panel.bands else 2}
    sheet.annotations.append(heading | place | {"text": title} | _text(colors.of(panel.role), 12 if small else 14))
    for outline in (Outline(panel.role or "frame"), *panel.outlines):
        sheet.shapes.append(_outline(outline, panel, ref, colors))
    for outline in _runs(panel.changed):
        sheet.shapes.append(_outline(outline, panel, ref, colors))
    for band in panel.bands:
        sheet.shapes.append(_band(band, ref, top, height, colors))


def _runs(changed: Tensor | None) -> list[Outline]:
    """Rectangles that cover exactly the cells that are True: equal runs of columns in rows that follow each other."""
    open_runs: dict[tuple[int, int], int] = {}
    found: list[Outline] = []
    lines = [] if changed is None else [*changed.tolist(), [False] * changed.shape[1]]
    for r, line in enumerate(lines):
        edges = [c for c in range(len(line) + 1) if (c > 0 and line[c - 1]) != (c < len(line) and line[c])]
        now = set(zip(edges[::2], edges[1::2], strict=True))
        for run in set(open_runs) - now:
            found.append(Outline("changed", (open_runs.pop(run), r), run))
        open_runs = {run: open_runs.get(run, r) for run in now}
    return sorted(found, key=lambda outline: (outline.rows, outline.columns))


def _is_room(values: Matrix, longest: int, room: float, tall: float) -> bool:
    """Whether anything is written at all, up to so many characters, in cells of so many pixels.

    Plotly fits their size to the cells. What nobody could read there is left out: each number costs time to draw.
    """
    rows, columns = values.shape
    if rows == 1 or columns == 1:  # Plotly cannot tell the cells' size there, and would write at full size
        return room >= (38 if longest > 2 else 20) and rows <= 24
    if rows * columns > MAX_WRITTEN_CELLS or columns > MAX_WRITTEN_COLUMNS:
        return False
    wide, high = math.floor(room * WIDEST) - 1, math.floor(tall) - 1  # without the line between cells
    return min(wide / longest / 0.65, high / 1.3) >= LEAST_SIZE  # Plotly's own arithmetic


def _longest(values: Matrix, digits: int) -> int:
    """How many characters the longest of the numbers takes."""
    finite = values[np.isfinite(values)]
    ends = (finite.min(), finite.max()) if finite.size else (0.0,)
    return max(len(f"{end:.{digits}f}") for end in ends)


def _digits(panel: Panel, room: float) -> int:
    """Decimals that leave the number readable in its cell."""
    if panel.whole:
        return 0
    if panel.scale.weight:
        return 2
    return 2 if room >= (34 if panel.scale.limit < 10 else 40) else 1


def _closed_cells(
    panel: Panel, mask: Closed, ref: str, colors: Colors, hover: str, write: bool, gap: int
) -> dict[str, object]:
    closed = mask.cells.numpy()
    rows, columns = closed.shape
    return {
        "type": "heatmap",
        "z": np.where(closed, 1.0, np.nan).astype(np.float32),
        "x": panel.columns.places(columns),
        "y": panel.rows.places(rows),
        "xaxis": "x" + ref,
        "yaxis": "y" + ref,
        "colorscale": [[0, colors.masked], [1, colors.masked]],
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": hover + mask.text + "<extra></extra>",
        "text": np.where(closed, "×", "").tolist(),
        "texttemplate": "%{text}" if write else None,
        "xgap": gap,
        "ygap": gap,
    }


def _axis(axis: Axis, size: int, show: bool, colors: Colors) -> dict[str, object]:
    common: dict[str, object] = {
        "showgrid": False,
        "zeroline": False,
        "showticklabels": show,
        "ticks": "",
        "fixedrange": True,
        "tickfont": {"size": 11, "color": colors.quiet},
        "automargin": False,
        "ticklabelstandoff": 2,
    }
    if axis.is_tokens:  # Plotly thins out the labels of a category axis by itself where they do not fit
        return common | {"type": "category", "categoryorder": "array", "categoryarray": list(axis.places(size))}
    return common | {"type": "linear", "tick0": 0, "dtick": max(1, size // 4), "tickformat": "d", "tickangle": 0}


def _color_axis(scale: Scale, colors: Colors, bar: dict[str, object] | None) -> dict[str, object]:
    low, high = scale.bounds
    stops: Stops = colors.plain_map if scale.plain else (colors.weight if scale.weight else colors.signed)
    ticks = [0.0, 1.0] if scale.weight else [low, 0.0, high]
    named = ["0", "1"] if scale.weight else ["0" if tick == 0 else _tick(tick) for tick in ticks]
    axis: dict[str, object] = {"cmin": low, "cmax": high, "colorscale": [list(stop) for stop in stops]}
    if bar is None or scale.plain:
        return axis | {"showscale": False}
    return axis | {
        "colorbar": bar
        | {
            "orientation": "h",
            "thickness": 8,
            "xanchor": "left",
            "ypad": 0,
            "xpad": 0,
            "title": {"text": scale.name, "side": "top", "font": {"size": 11, "color": colors.quiet}},
            "tickvals": ticks,
            "ticktext": named,
            "tickfont": {"size": 10, "color": colors.quiet},
            "ticklabelposition": "outside bottom",
            "outlinewidth": 0,
            "ticks": "",
        }
    }


def _tick(end: float) -> str:
    """The end of a colour bar, as short as it can be."""
    return f"{end:.1f}".replace("-", "−") if abs(end) >= 1 else number(end)


def _outline(outline: Outline, panel: Panel, ref: str, colors: Colors) -> dict[str, object]:
    rows, columns = panel.values.shape
    first_row, last_row = outline.rows or (0, rows)
    first_column, last_column = outline.columns or (0, columns)
    is_frame = outline.rows is None and outline.columns is None
    is_change = outline.role == "changed"
    color = colors.line if outline.role == "frame" else colors.changed if is_change else colors.of(outline.role)
    return {
        "type": "rect",
        "xref": "x" + ref,
        "yref": "y" + ref,
        "x0": panel.columns.first + first_column - 0.5,
        "x1": panel.columns.first + last_column - 0.5,
        "y0": panel.rows.first + first_row - 0.5,
        "y1": panel.rows.first + last_row - 0.5,
        "line": {"color": color, "width": 1 if is_frame else 2.5, "dash": "dot" if is_change else "solid"},
    }


def _band(band: Band, ref: str, top: float, height: int, colors: Colors) -> dict[str, object]:
    return {
        "type": "rect",
        "xref": "x" + ref,
        "yref": "paper",
        "x0": band.start - 0.45,
        "x1": band.stop - 0.55,
        "y0": top + 3 / height,
        "y1": top + 10 / height,
        "fillcolor": colors.of_head(band.hue),
        "line": {"width": 0},
    }


def _add_arrow(sheet: _Sheet, places: _Places, start: Place, end: Place, colors: Colors) -> None:
    """An arrow from the edge of one place to the facing edge of another."""
    (x0, x1), (y0, y1) = places.domain(*start)
    (u0, u1), (v0, v1) = places.domain(*end)
    if start[1] == end[1]:  # in one column: down or up, right of the titles
        middle = x0 + (x1 - x0) * 0.86
        down = start[0] < end[0]
        points = [(middle, y0), (middle, v1)] if down else [(middle, y1), (middle, v0)]
        head = "M 0 0 L -4 8 L 4 8 Z" if down else "M 0 0 L -4 -8 L 4 -8 Z"
    elif end[1] - start[1] > 1:  # past a column in between: along the bottom, then up
        below, from_x, to_x = y0 - 20 / places.height, (x0 + x1) / 2, (u0 + u1) / 2
        points = [(from_x, y0), (from_x, below), (to_x, below), (to_x, v0)]
        head = "M 0 0 L -4 -8 L 4 -8 Z"
    else:
        points = [(x1, (y0 + y1) / 2), (u0, (v0 + v1) / 2)]
        head = "M 0 0 L -8 -4 L -8 4 Z"
    paper = {"type": "path", "xref": "paper", "yref": "paper"}
    path = "M " + " L ".join(f"{x} {y}" for x, y in points)
    sheet.shapes.append(paper | {"path": path, "line": {"color": colors.quiet, "width": 1.5}})
    tip = {"xanchor": points[-1][0], "yanchor": points[-1][1], "xsizemode": "pixel", "ysizemode": "pixel"}
    sheet.shapes.append(paper | tip | {"path": head, "fillcolor": colors.quiet, "line": {"width": 0}})


def _text(color: str, size: int) -> dict[str, object]:
    return {"showarrow": False, "font": {"color": color, "size": size, "family": FONT}}


def _suffix(number: int) -> str:
    return "" if number == 1 else str(number)
