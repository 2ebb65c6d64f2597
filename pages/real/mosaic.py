"""Every head of every layer as one small picture among many, in one Plotly figure. Nothing here knows of Streamlit."""

import math
import zlib

import plotly.graph_objects as go
import torch
from torch import Tensor

from pages.ui.figures.colors import Colors
from pages.ui.figures.draw import finish

_TILE, _LEAST, _MOST, _WIDEST = 72, 150, 400, 1200  # pixels


def draw_mosaic(weights: Tensor, chosen: tuple[int, int], names: tuple[str, str], colors: Colors) -> go.Figure:
    """weights: (num_layers, num_heads, seq_len, seq_len). chosen: the layer and head with a frame. names: of the axes.

    One heatmap for all: a Plotly figure takes its time for every pair of axes, and there may be hundreds of heads.
    """
    layers, heads, size = weights.shape[:3]
    tile = size + 1  # a line of nothing between two heads
    apart = torch.nn.functional.pad(weights, (0, 1, 0, 1), value=torch.nan)  # (layers, heads, tile, tile)
    whole = apart.transpose(1, 2).reshape(layers * tile, heads * tile)  # (layers · tile, heads · tile)
    row, column = chosen
    frame = {
        "type": "rect",
        "x0": column * tile - 0.5,
        "x1": column * tile + size - 0.5,
        "y0": row * tile - 0.5,
        "y1": row * tile + size - 0.5,
        "line": {"color": colors.ink, "width": 2},
    }
    height = min(max(_TILE * layers, _LEAST), _MOST)
    axis = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticks": ""}
    axis |= {"tickfont": {"size": 11, "color": colors.quiet}, "title": {"font": {"size": 12}, "standoff": 4}}
    trace = {
        "type": "heatmap",
        "z": whole.numpy(),
        "zmin": 0,
        "zmax": 1,
        "colorscale": [list(stop) for stop in colors.weight],
        "showscale": False,
        "hoverinfo": "skip",
    }
    # A heatmap takes no clicks: over each tile lie marks that nobody sees, as many as it takes to cover a wide one.
    mark = height / layers
    across = math.ceil(_WIDEST / heads / mark)
    spots = [(i, j, part) for i in range(layers) for j in range(heads) for part in range(across)]
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": [j * tile - 0.5 + size * (part + 0.5) / across for _, j, part in spots],
        "y": [i * tile - 0.5 + size / 2 for i, _, _ in spots],
        "customdata": [[i, j] for i, j, _ in spots],
        "hovertemplate": f"{names[0]} %{{customdata[0]}} · {names[1]} %{{customdata[1]}}<extra></extra>",
        "marker": {"symbol": "square", "size": mark, "opacity": 0},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
    }
    layout = {
        "height": height + 64,
        "margin": {"l": 48, "r": 8, "t": 44, "b": 12},
        "clickmode": "event+select",
        "hovermode": "closest",
        "shapes": [frame],
        "xaxis": axis | _ticks(heads, tile, size) | {"side": "top", "title": {"text": names[1]}},
        "yaxis": axis
        | _ticks(layers, tile, size)
        | {"range": [layers * tile - 1.5, -0.5], "title": {"text": names[0]}},
        "datarevision": zlib.crc32(repr(chosen).encode(), zlib.crc32(whole.numpy().tobytes())),
    }
    return finish([trace, marks], layout, colors)


def _ticks(count: int, tile: int, size: int) -> dict[str, object]:
    whole = {"range": [-0.5, count * tile - 1.5]}  # explicit, as marks would get room around them
    return whole | {
        "tickvals": [i * tile + (size - 1) / 2 for i in range(count)],
        "ticktext": list(map(str, range(count))),
    }
