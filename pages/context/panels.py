"""A word's vectors in two sentences as one panel, and its row of weights as another."""

import torch
from torch import Tensor

from pages.ui.figures.panels import Axis, Panel, Scale
from pages.ui.figures.sight import Sight


def pair(here: Sight, one: Tensor, two: Tensor, title: str, rows: Axis) -> Panel:
    """Two vectors of the same word, one above the other: (2, d_model)."""
    values = torch.stack([one, two])  # (2, d_model)
    scale = Scale.signed(values, name=title)
    return Panel(values, title, rows, here.axis("dim"), scale, show_shape=False)


def row(here: Sight, weights: Tensor, title: str, rows: Axis, keys: Axis) -> Panel:
    """One row of weights: (1, S)."""
    shares = Scale(weight=True, name=here.name("tensor_attn_weights"))
    return Panel(weights.unsqueeze(0), title, rows, keys, shares, show_shape=False)
