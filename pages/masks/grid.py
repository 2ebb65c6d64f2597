"""A grid of cells to click open or closed, as a Plotly figure. Nothing here knows of Streamlit."""

import html
import zlib
from collections.abc import Sequence

import plotly.graph_objects as go
from torch import Tensor

from pages.ui.figures.colors import Colors
from pages.ui.figures.draw import finish
from pages.ui.state.settings import MAX_TOKENS


def draw_grid(is_open: Tensor, labels: Sequence[str], name: str, colors: Colors) -> go.Figure:
    """is_open: (L, L). A click on a mark carries its cell as one number, row × MAX_TOKENS + column."""
    size = len(labels)
    cells = [(row, column) for row in range(size) for column in range(size)]
    fill = [colors.weight[2][1] if bool(is_open[cell]) else colors.masked for cell in cells]
    mark = max(6, min(22, 200 // size))
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": [column for _, column in cells],
        "y": [row for row, _ in cells],
        "customdata": [[row * MAX_TOKENS + column] for row, column in cells],
        "hoverinfo": "none",
        "marker": {"symbol": "square", "size": mark, "color": fill, "line": {"width": 1, "color": colors.line}},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }
    ticks = {"tickvals": list(range(size)), "ticktext": [html.escape(each, quote=False) for each in labels]}
    axis = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticks": "", **ticks}
    axis |= {"tickfont": {"size": 11, "color": colors.quiet}}
    title = {"text": f"<b>{name}</b>", "x": 0, "y": 1, "xref": "paper", "yref": "paper", "yshift": 62}
    title |= {"showarrow": False, "xanchor": "left", "font": {"size": 13, "color": colors.ink}}
    layout = {
        "height": 320,
        "margin": {"l": 80, "r": 8, "t": 92, "b": 8},
        "clickmode": "event+select",
        "hovermode": "closest",
        "annotations": [title],
        "xaxis": axis | {"side": "top", "tickangle": -45, "range": [-0.6, size - 0.4]},
        "yaxis": axis | {"range": [size - 0.4, -0.6]},
        "datarevision": zlib.crc32(is_open.numpy().tobytes()),
    }
    return finish([marks], layout, colors)
