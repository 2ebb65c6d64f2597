"""Numbers over steps in, one Plotly figure of lines out. Nothing here knows of Streamlit."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from pages.ui.figures.colors import Colors
from pages.ui.figures.draw import finish

_HEIGHT = 260


@dataclass(frozen=True)
class Line:
    """One line: what it is called, and its points. quiet: it stands back. hue: its colour, by number; None is ink."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    quiet: bool = False
    dots: bool = False
    hue: int | None = None


@dataclass(frozen=True)
class Chart:
    """Lines that share a pair of axes. share: y runs from 0 to 1, otherwise from 0 up, or in powers (log)."""

    title: str
    x_name: str
    lines: Sequence[Line]
    share: bool = False
    marked: float | None = None  # an x with a vertical line through it
    log_x: bool = False
    log_y: bool = False
    signed: bool = False  # whether values may lie below 0, so that the axis finds its own range
    height: int = _HEIGHT


def draw_curves(chart: Chart, colors: Colors) -> go.Figure:
    """One chart. The quiet lines and the coloured ones are named behind its title, the others by the title itself."""
    top = 1.04 if chart.share else 1.08 * max((max(line.y, default=0) for line in chart.lines), default=1)
    traces = [_trace(line, colors) for line in chart.lines]
    named = [line for line in chart.lines if line.name and (line.quiet or line.hue is not None)]
    names = [
        f"<span style='color:{_color(line, colors)}'>{'┈' if line.quiet else '━'} {line.name}</span>" for line in named
    ]
    if len(names) > 1:
        names = ["&nbsp; ".join(names)]
    title = {"text": "<br>".join([f"<b>{chart.title}</b>", *names]), "x": 0, "y": 1, "xref": "paper", "yref": "paper"}
    title |= {"xanchor": "left", "yanchor": "bottom", "yshift": 6, "showarrow": False, "align": "left"}
    mark: dict[str, object] = {
        "type": "line",
        "x0": chart.marked,
        "x1": chart.marked,
        "y0": 0,
        "y1": 1,
        "yref": "y domain",
    }
    mark |= {"line": {"color": colors.changed, "width": 1.5, "dash": "dash"}}
    layout: dict[str, Any] = {
        "height": chart.height,
        "margin": {"l": 40, "r": 12, "t": 52, "b": 44},
        "xaxis": _axis(colors) | {"title": {"text": chart.x_name, "font": {"size": 12}, "standoff": 6}},
        "yaxis": _axis(colors),
        "shapes": [] if chart.marked is None else [mark],
        "annotations": [title | {"font": {"size": 13, "color": colors.ink}}],
        "datarevision": zlib.crc32(repr([(line.x, line.y) for line in chart.lines]).encode()),
    }
    if chart.log_x:
        layout["xaxis"] |= {"type": "log"}
    if chart.log_y:
        layout["yaxis"] |= {"type": "log"}
    elif not chart.signed:
        layout["yaxis"] |= {"range": [-0.03 if chart.share else 0, top or 1]}
    for axis in ("xaxis", "yaxis"):
        if layout[axis].get("type") == "log":
            layout[axis] |= {"nticks": 0, "dtick": 1, "exponentformat": "power"}
    return finish(traces, layout, colors)


def _color(line: Line, colors: Colors) -> str:
    if line.hue is not None:
        return colors.lines[line.hue % len(colors.lines)]
    return colors.quiet if line.quiet else colors.ink


def _trace(line: Line, colors: Colors) -> dict[str, object]:
    color = _color(line, colors)
    return {
        "type": "scatter",
        "mode": "lines+markers" if line.dots else "lines",
        "x": list(line.x),
        "y": list(line.y),
        "name": line.name,
        "line": {"color": color, "width": 2, "dash": "dot" if line.quiet else "solid"},
        "marker": {"size": 6, "color": color},
        "hovertemplate": "%{x}: %{y:.3f}<extra>%{fullData.name}</extra>",
    }


def _axis(colors: Colors) -> dict[str, object]:
    return {
        "showgrid": True,
        "gridcolor": colors.line,
        "zeroline": False,
        "linecolor": colors.line,
        "tickfont": {"size": 11, "color": colors.quiet},
        "fixedrange": True,
        "nticks": 6,
    }
