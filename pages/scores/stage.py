"""What the scores step shows: queries on the left, keys above, their dot products in the corner."""

from attention import measures
from pages.ui.figures.panels import Board, Outline, Scale, heatmap_height
from pages.ui.figures.sight import Sight


def stage(here: Sight) -> Board:
    """Q Kᵀ, with the key framed that scores highest for the followed query."""
    scores = here.own("scores")
    best = measures.peak(scores[here.query]).column
    operands = Scale.signed(here.own("q"), here.own("k"), name="Q, Kᵀ")
    keys = here.panel("k", transposed=True, scale=operands, outlines=(Outline("k", columns=(best, best + 1)),))
    queries, products = here.panel("q", scale=operands, follows=True), here.panel("scores", follows=True)
    above, below = [None, keys.without("columns")], [queries, products.without("rows")]
    return Board([above, below], [0.28, 0.72], [170, heatmap_height(len(scores))], signs=(((1, 1), "="),))
