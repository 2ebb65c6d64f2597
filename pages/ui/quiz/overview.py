"""What the overview asks."""

from attention import Cell
from pages.ui.quiz.making import WEIGHT_GAP, Here, Maker, by_row, hiding, which
from pages.ui.quiz.question import Question


def _looks(here: Here, row: int) -> Question | None:
    weights = here.own("attn_weights")[row].tolist()
    look = Cell("attn_weights", row, weights.index(max(weights)), here.head)
    keys = [key for key in range(here.length) if weights[key]]
    return which(here, look, "looks", keys, WEIGHT_GAP, {row: "self"}, weight=weights)


MAKERS: tuple[Maker, ...] = (hiding(by_row("looks", _looks, "attn_weights"), "attn_weights"),)
