"""What the step scores asks."""

import math

from attention import Cell, measures
from pages.ui.quiz.making import Here, Maker, by_row, cell, clear, hiding, which, words
from pages.ui.quiz.question import Question, Token

RANKED = 4  # keys to put in order


def _dot(here: Here) -> Question | None:
    """By hand, where the vectors are short enough."""
    d_k, places = here.trace.config.head_dim, here.places("dot", here.length, "scores")
    if d_k > 4 or not places:
        return None
    q, k, scores = (here.own(name).tolist() for name in ("q", "k", "scores"))

    def rounding(place: tuple[int, int]) -> float:
        """How far vectors rounded to one decimal, and a result rounded like them, can lead astray."""
        numbers: list[float] = [*q[place[0]], *k[place[1]]]
        return max(0.1, 0.05 + sum(0.05 * abs(number) + 0.00125 for number in numbers))

    # A score so large that no typical mistake passes for rounding.
    row, key = max(places, key=lambda at: min(abs(scores[at[0]][at[1]]) / rounding(at), 7.0))
    score, tolerance = scores[row][key], rounding((row, key))
    a, b = ([round(n, 1) + 0.0 for n in vector] for vector in (q[row], k[key]))
    vectors = {"q": f"[{', '.join(map(_short, a))}]", "k": f"[{', '.join(map(_short, b))}]"}
    products = " + ".join(f"({_short(m)}) × ({_short(n)})" for m, n in zip(a, b, strict=True))
    rounded = math.fsum(m * n for m, n in zip(a, b, strict=True))
    facts = here.facts(query=Token(row), key=Token(key), products=products, rounded=rounded, **vectors)
    look, slips = Cell("scores", row, key, here.head), (("sign", -score), ("scaled", score / math.sqrt(d_k)))
    return Question("dot", "number", facts, look, number=score, tolerance=tolerance, slips=slips)


def _short(number: float) -> str:
    return f"{number:.1f}".replace("-", "−")


def _sign(here: Here) -> Question | None:
    """From the angle, where the vectors are too long to multiply by hand."""
    q, k, scores = (here.own(name) for name in ("q", "k", "scores"))
    for row, key in here.places("sign", here.length, "scores") if here.trace.config.head_dim > 4 else ():
        cosine = measures.cosine(q[row], k[key])
        if abs(cosine) >= 0.2:
            facts = here.facts(query=Token(row), key=Token(key), cosine=cosine, score=float(scores[row, key]))
            right, other = ("positive", "negative") if cosine > 0 else ("negative", "positive")
            reasons = {right: "right", other: "wrong", "unknown": "lengths"}
            return words(here, "sign", facts, Cell("scores", row, key, here.head), reasons, right)
    return None


def _best(here: Here, row: int) -> Question | None:
    scores = here.own("scores")[row].tolist()
    look = Cell("scores", row, scores.index(max(scores)), here.head)
    return which(here, look, "best", range(here.length), clear(scores), {row: "self"}, score=scores)


def _rank(here: Here, row: int) -> Question | None:
    """Four keys in the order of their scores."""
    scores = here.own("scores")[row].tolist()
    gap, kept = clear(scores), list[int]()
    for key in here.shuffled(f"rank {row}", range(here.length)):
        if all(abs(scores[key] - scores[other]) >= gap for other in kept):
            kept.append(key)
    if len(kept) < RANKED:
        return None
    kept = kept[:RANKED]
    truth = tuple(scores[key] for key in kept)
    ordered = sorted(kept, key=lambda key: -scores[key])
    facts = here.facts(query=Token(row), **{f"key_{i}": Token(key) for i, key in enumerate(ordered, 1)})
    facts |= {f"score_{i}": scores[key] for i, key in enumerate(ordered, 1)}
    sizes, turned = tuple(abs(score) for score in truth), tuple(-score for score in truth)
    look, items = Cell("scores", row, ordered[0], here.head), tuple(Token(key) for key in kept)
    slips = (("size", sizes), ("turned", turned))
    return Question("rank", "rank", facts, look, items=items, truth=truth, slips=slips)


def _below_zero(here: Here, row: int) -> bool:
    """Whether the score that is farthest from 0 is negative: size and order then differ."""
    return bool(here.own("scores")[row].abs().max() > here.own("scores")[row].max())


def _self_loses(here: Here, row: int) -> bool:
    """Whether another key scores higher with a query than the token's own."""
    return measures.peak(here.own("scores")[row]).column != row


MAKERS: tuple[Maker, ...] = (
    hiding(_dot, "scores", along="cell"),
    hiding(by_row("rank", _rank, "scores", _below_zero), "scores"),
    lambda here: cell(here, "scores"),
    hiding(by_row("best", _best, first=_self_loses), "scores"),
    hiding(_sign, "scores", along="cell"),
)
