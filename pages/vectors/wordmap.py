"""Points with words in, one Plotly figure out: maps of word vectors side by side. Nothing here knows of Streamlit."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from torch import Tensor

from pages.ui.figures.colors import Colors
from pages.ui.figures.draw import finish

_HEIGHT, _GAP = 420, 0.04


@dataclass(frozen=True, eq=False)
class Map:
    """One map: where each word lies."""

    title: str
    points: Tensor  # (words, 2)


def draw_maps(
    maps: Sequence[Map],
    words: Sequence[str],
    classes: Sequence[str],
    names: Mapping[str, str],
    named: str,
    colors: Colors,
) -> go.Figure:
    """The same words on every map, coloured by class.

    names: what each class is called, in the order of the legend. named: the word that is written on the maps.
    """
    width = (1 - _GAP * (len(maps) - 1)) / len(maps)
    traces: list[dict[str, object]] = []
    notes: list[dict[str, object]] = []
    layout: dict[str, object] = {}
    for i, each in enumerate(maps):
        suffix, left = "" if i == 0 else str(i + 1), i * (width + _GAP)
        bare: dict[str, object] = {
            "showgrid": False,
            "zeroline": False,
            "showticklabels": False,
            "fixedrange": True,
        }
        bare |= {"mirror": True, "showline": True, "linecolor": colors.line}
        layout[f"xaxis{suffix}"] = bare | {"domain": [left, left + width], "anchor": f"y{suffix}"}
        layout[f"yaxis{suffix}"] = bare | {"anchor": f"x{suffix}"}
        for place, (kind, name) in enumerate(names.items()):
            own = [row for row, other in enumerate(classes) if other == kind]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": each.points[own, 0].tolist(),
                    "y": each.points[own, 1].tolist(),
                    "text": [words[row] for row in own],
                    "xaxis": f"x{suffix}",
                    "yaxis": f"y{suffix}",
                    "name": name,
                    "legendgroup": kind,
                    "showlegend": i == 0,
                    "marker": {"size": 8, "color": colors.heads[place % len(colors.heads)]},
                    "hovertemplate": "%{text}<extra>" + name + "</extra>",
                }
            )
        x, y = each.points[words.index(named)].tolist()
        at_word = {"x": x, "y": y, "xref": f"x{suffix}", "yref": f"y{suffix}", "showarrow": False, "yshift": 11}
        notes.append(at_word | {"text": f"<b>{named}</b>", "font": {"size": 12, "color": colors.ink}})
        title = {"text": f"<b>{each.title}</b>", "x": left, "y": 1, "xref": "paper", "yref": "paper", "yshift": 6}
        notes.append(title | {"xanchor": "left", "yanchor": "bottom", "showarrow": False, "font": {"size": 13}})
    layout |= {
        "height": _HEIGHT,
        "margin": {"l": 8, "r": 8, "t": 34, "b": 56},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": -0.02, "yanchor": "top"}
        | {"itemclick": False, "itemdoubleclick": False},
        "annotations": notes,
        "datarevision": zlib.crc32(repr([(trace["x"], trace["y"]) for trace in traces]).encode()),
    }
    return finish(traces, layout, colors)
