"""Weights under a mask as a panel."""

from torch import Tensor

from pages.ui.figures.panels import Axis, Closed, Outline, Panel, Scale
from pages.ui.figures.sight import Sight


def weights_panel(here: Sight, values: Tensor, name: str, is_open: Tensor, rows: Axis, columns: Axis) -> Panel:
    """The followed row is framed, where there is such a row."""
    row = (Outline("q", rows=(here.query, here.query + 1)),) if here.query < len(values) else ()
    closed, shares = Closed(~is_open, here.name("closed")), Scale(weight=True, name=here.name("tensor_attn_weights"))
    return Panel(values, name, rows, columns, shares, closed=closed, outlines=row, show_shape=False)
