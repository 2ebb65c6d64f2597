"""What the scaling step shows: the scores before and after the division, on one scale."""

from pages.ui.figures.panels import Board, Scale, heatmap_height
from pages.ui.figures.sight import Sight


def stage(here: Sight) -> Board:
    """Scores, and scaled scores beside them."""
    both = Scale.signed(here.own("scores"), here.own("scaled_scores"), name=here.name("same_scale"))
    before, after = (
        here.panel(tensor, scale=both, follows=True, spread=True) for tensor in ("scores", "scaled_scores")
    )
    signs = (((0, 1), "→" if here.settings.scaled else "="),)
    height = heatmap_height(len(here.labels))
    return Board([[before, after.without("rows")]], [1, 1], [height], gap=0.08, signs=signs)
