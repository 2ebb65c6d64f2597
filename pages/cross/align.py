"""Two sentences with lines between the words that attend to each other, as a Plotly figure. Knows no Streamlit."""

import html
import zlib
from collections.abc import Sequence

import plotly.graph_objects as go
from torch import Tensor

from pages.ui.figures.colors import Colors
from pages.ui.figures.draw import finish

_LEAST = 0.05  # weights below that get no line


def draw_lines(
    above: Sequence[str], below: Sequence[str], weights: Tensor, colors: Colors, *, links: Sequence[int] = ()
) -> go.Figure:
    """weights: (len(below), len(above)), a line for each, as thick as it is large. links: drawn dotted, where given."""
    spots = [_spread(len(words)) for words in (above, below)]
    traces = []
    for row, place in enumerate(links):
        if place >= 0:
            traces.append(_line(spots[1][row], spots[0][place], 1.0, colors.changed, "dot"))
    for row, own in enumerate(weights.tolist()):
        for column, weight in enumerate(own):
            if weight >= _LEAST:
                traces.append(_line(spots[1][row], spots[0][column], 9 * weight, colors.lines[0], "solid"))
    for words, places, height in ((above, spots[0], 1.06), (below, spots[1], -0.06)):
        traces.append(
            {
                "type": "scatter",
                "mode": "text",
                "x": list(places),
                "y": [height] * len(words),
                "text": [html.escape(word, quote=False) for word in words],
                "textfont": {"size": 16 if len(words) < 7 else 12, "color": colors.ink},
                "hoverinfo": "skip",
            }
        )
    axis = {"visible": False, "fixedrange": True}
    layout = {
        "height": 330,
        "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
        "xaxis": axis | {"range": [-0.06, 1.06]},
        "yaxis": axis | {"range": [-0.16, 1.16]},
        "annotations": [{"text": " ", "x": 0, "y": 0, "showarrow": False}],
        "datarevision": zlib.crc32(repr((above, below, weights.tolist(), links)).encode()),
    }
    return finish(traces, layout, colors)


def _spread(count: int) -> list[float]:
    return [(i + 0.5) / count for i in range(count)]


def _line(start: float, end: float, width: float, color: str, dash: str) -> dict[str, object]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [start, end],
        "y": [0.0, 1.0],
        "line": {"color": color, "width": width, "dash": dash},
        "hoverinfo": "skip",
    }
