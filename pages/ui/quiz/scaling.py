"""What the step scaling asks."""

import math

from attention import Cell, measures
from attention.functional import softmax
from pages.ui.quiz.making import SHOWN_GAP, Here, Maker, bug, hiding, words
from pages.ui.quiz.question import Question, Token


def _entropy(here: Here) -> Question | None:
    """In a row whose weights the switch changes; where there is none, in one that it cannot change."""
    scaled, root = here.trace.config.scaled, math.sqrt(here.trace.config.head_dim)
    masked = here.own("masked_scores")
    switched = softmax(masked * root if scaled else masked / root)
    now, then = (measures.entropy(weights).tolist() for weights in (here.own("attn_weights"), switched))
    spreads = {}
    for row in here.rows("entropy", "attn_weights"):
        scores = [score for score in masked[row].tolist() if score > -math.inf]
        if scores:
            spreads[row] = max(scores) - min(scores)
    moving = [row for row in spreads if abs(now[row] - then[row]) >= 0.01]
    still = [row for row, spread in spreads.items() if root == 1 or spread < 0.001]
    right, other = ("concentrated", "even") if scaled else ("even", "concentrated")
    reasons = {right: "right", other: "opposite", "unchanged": "gaps"}
    if not moving:
        right, reasons = "unchanged", dict.fromkeys(reasons, "width" if root == 1 else "level")
    if not moving and not still:
        return None
    row, *_ = moving or still
    name = "entropy" if scaled else "entropy_on"
    look = Cell("attn_weights", row, measures.peak(here.own("attn_weights")[row]).column, here.head)
    facts = here.facts(query=Token(row), now=now[row], then=then[row])
    return words(here, name, facts, look, reasons, right, of="entropy")


def _shown(here: Here) -> str:
    """Where the number that was spoken of stands: without the division "scaled_scores" has another one."""
    return "scaled_scores" if here.trace.config.scaled else "scores"


def _instead(here: Here) -> Question | None:
    """What else would give softmax the same numbers."""
    d_k, scores = here.trace.config.head_dim, here.own("scores").tolist()
    root, places = math.sqrt(d_k), here.places("instead", here.length, "scores")
    if root == 1 or not places:
        return None
    row, key = max(places, key=lambda at: abs(scores[at[0]][at[1]]))
    score = scores[row][key]
    if abs(score) < SHOWN_GAP:
        return None
    facts = here.facts(query=Token(row), key=Token(key), score=score, root=root, divided=score / root)
    facts |= {"twice": score / d_k, "sum": 1 / root}
    reasons = {"queries": "right", "both": "twice", "weights": "late", "values": "after"}
    return words(here, "instead", facts, Cell(_shown(here), row, key, here.head), reasons, "queries")


def _order(here: Here) -> Question:
    row, *_ = here.rows("order")
    best, root = measures.peak(here.own("scores")[row]), math.sqrt(here.trace.config.head_dim)
    facts = here.facts(query=Token(row), key=Token(best.column), score=best.value, divided=best.value / root)
    look = Cell(_shown(here), row, best.column, here.head)
    return words(here, "order", facts, look, {"no": "right", "yes": "wrong", "negative": "sign"}, "no")


BLOCK = 4  # rows and columns of a picture


def _bug(here: Here) -> Question | None:
    """Divided by the root of all columns instead of one head's."""
    config, scores = here.trace.config, here.own("scores")[:BLOCK, :BLOCK]
    if config.num_heads == 1 or not config.scaled:
        return None
    right, wrong = here.own("scaled_scores")[:BLOCK, :BLOCK], scores / math.sqrt(config.d_model)
    row, column = divmod(int(scores.abs().argmax()), scores.shape[1])
    facts = {"root": math.sqrt(config.head_dim), "other": math.sqrt(config.d_model)}
    facts |= {"score": float(scores[row, column]), "value": float(right[row, column])}
    return bug(here, "scaled_scores", right, wrong, Cell("scaled_scores", row, column, here.head), **facts)


MAKERS: tuple[Maker, ...] = (
    _entropy,
    _instead,
    hiding(_order, "scaled_scores"),
    hiding(_bug, "scaled_scores", along="all"),
)
