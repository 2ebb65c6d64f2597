"""What the overview shows: the sentence with its lines, and below it the whole flow of matrices."""

from pages.ui.figures.panels import Board, Lines, Scale
from pages.ui.figures.sight import Sight


def stage(here: Sight) -> Board:
    """Every matrix of the walk, small, in the order in which it is made; its name leads to its step."""
    head = here.head
    w_q, w_k, w_v = (here.panel(f"w_{role}", own_columns=True, leads_to="projections") for role in "qkv")
    q, k, v = (here.panel(role, leads_to="projections") for role in "qkv")
    x = here.panel("x", leads_to="embedding")
    both = Scale.signed(here.own("scores"), here.own("scaled_scores"))
    scores = here.panel("scores", scale=both, leads_to="scores")
    scaled = here.panel("scaled_scores", title=here.name("scaled_short"), scale=both, leads_to="scaling")
    masked = here.panel("masked_scores", title=here.name("masked_short"), scale=both, leads_to="softmax")
    shares = here.panel("attn_weights", leads_to="softmax")
    summed = here.panel("head_outputs", title=here.name("head_out_n", number=head), leads_to="weighted_sum")
    joined = here.panel("joined", title=here.name("joined_short"), leads_to="heads")
    w_o, output = here.panel("w_o", leads_to="heads"), here.panel("output", leads_to="heads")
    above = [None, w_q, q, scores, scaled, masked, output]
    middle = [x, w_k, k, None, None, shares, w_o]
    below = [None, w_v, v, None, None, summed, joined]
    ways = [((1, 0), (row, 1)) for row in range(3)] + [((row, 1), (row, 2)) for row in range(3)]
    ways += [((0, 2), (0, 3)), ((1, 2), (0, 3)), ((0, 3), (0, 4)), ((0, 4), (0, 5)), ((0, 5), (1, 5)), ((1, 5), (2, 5))]
    ways += [((2, 2), (2, 5)), ((2, 5), (2, 6)), ((2, 6), (1, 6)), ((1, 6), (0, 6))]
    weights = here.trace.attention.attn_weights
    sentence = Lines(here.trace.tokens, weights, here.query, head, here.says, here.guessed)
    return Board([above, middle, below], [1] * 7, [104] * 3, gap=0.045, arrows=tuple(ways), small=True, lines=sentence)
