"""What the embedding step shows: one-hot rows times the table, plus positions, is X."""

from pages.ui.figures.panels import Board, Outline, Scale, heatmap_height
from pages.ui.figures.sight import Sight


def stage(here: Sight) -> Board:
    """H × E gives the embeddings; with the positions added, they are X."""
    added = ("embeddings", "positions", "x")
    one_scale = Scale.signed(here.own("embedding_table"), *map(here.own, added), name=here.name("embedding_scale"))
    table = here.panel("embedding_table", scale=one_scale).without("columns")
    ids = here.panel("ids", follows=True).without("shape", "columns")
    word = int(here.trace.ids[here.query])
    one = Outline("", (here.query, here.query + 1), (word, word + 1))  # its column has a label, however many there are
    hot = here.panel("one_hot", follows=True, outlines=(one,)).without("rows")
    looked_up, positions, x = (here.panel(tensor, scale=one_scale, follows=True).without("rows") for tensor in added)
    signs = () if here.trace.x_given else (((1, 3), "+"), ((1, 4), "="))
    heights = [heatmap_height(len(here.trace.vocabulary), most=240), heatmap_height(len(here.trace.tokens))]
    above, below = [None, None, table, None, None], [ids, hot, looked_up, positions, x]
    return Board([above, below], [0.14, 1, 1, 1, 1], heights, signs=signs)
