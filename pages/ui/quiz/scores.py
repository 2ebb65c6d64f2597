"""What the step scores asks."""

import math
from itertools import combinations

from attention import Cell, Edit, measures
from pages.ui.quiz.making import SHOWN_GAP, Here, Maker, by_row, clear, hiding, words
from pages.ui.quiz.question import Question, Target, Token

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


def _top(here: Here, row: int) -> Question | None:
    """Click where the largest number of a covered row is expected."""
    scores, length = here.own("scores")[row].tolist(), here.length
    best, score = scores.index(max(scores)), max(scores)
    if length == 1 or score - max(scores[:best] + scores[best + 1 :]) < clear(scores):
        return None
    facts, rows = here.facts(query=Token(row), key=Token(best), score=score), range(row, row + 1)
    slips = [
        ("row", Target("scores", others, range(length), here.head)) for others in (range(row), range(row + 1, length))
    ]
    if best != row:
        reason = "same" if here.own("q").equal(here.own("k")) else "self"  # as with weights set by hand
        slips.append((reason, Target("scores", rows, rows, here.head)))
    look, target = Cell("scores", row, best, here.head), Target("scores", rows, range(best, best + 1), here.head)
    return Question("top", "cell", facts, look, target=target, slips=tuple(slips))


def _self_loses(here: Here, row: int) -> bool:
    """Whether another key scores highest with a query than the token's own."""
    return measures.peak(here.own("scores")[row]).column != row


def _mirror(here: Here) -> Question | None:
    """The score across the diagonal."""
    scores, rows = here.own("scores").tolist(), here.rows("mirror", "scores")
    gap = clear([score for row in scores for score in row])
    for row, key in here.shuffled("mirror pairs", combinations(rows, 2)):
        score, other = scores[row][key], scores[key][row]
        is_same, is_minus = abs(score - other) < 1e-4 * max(1.0, abs(score)), abs(score + other) < gap
        if is_minus or not (is_same or abs(score - other) >= gap):
            continue
        right = "same" if is_same else "other"
        reasons = {"same": "symmetric", "other": "copy", "minus": "sign"} | {right: f"right_{right}"}
        facts = here.facts(query=Token(row), key=Token(key), score=score, other=other)
        return words(here, "mirror", facts, Cell("scores", key, row, here.head), reasons, right)
    return None


def _double(here: Here, row: int) -> Question | None:
    """A query twice as long."""
    scores = here.own("scores")[row].tolist()
    low, high = min(scores), max(scores)
    if high - low < SHOWN_GAP:  # then all of them would rise by the same
        return None
    key, best = scores.index(low), scores.index(high)
    reasons = {"double": "right", "rise": "added", "turn": "order", "none": "length"}
    facts = here.facts(query=Token(row), key=Token(key), score=low, doubled=2 * low)
    facts |= {"best": Token(best), "highest": high, "highest_doubled": 2 * high}
    return words(here, "double", facts, Cell("scores", row, key, here.head), reasons, "double")


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


def _count(here: Here) -> Question:
    """How many scores a head makes."""
    length = here.length
    row, *_ = here.rows("count")
    slips = (("tokens", length), ("others", length * (length - 1)), ("pairs", length * (length - 1) // 2))
    look = Cell("scores", row, row, here.head)
    return Question("count", "number", here.facts(), look, number=length * length, slips=slips)


def _below_zero(here: Here, row: int) -> bool:
    """Whether the score that is farthest from 0 is negative: size and order then differ."""
    return bool(here.own("scores")[row].abs().max() > here.own("scores")[row].max())


def _lowered(here: Here, row: int) -> Edit | None:
    """One score set so far below 0 that size and order differ."""
    scores = here.own("scores")[row].tolist()
    key, *_ = here.shuffled(f"lowered {row}", range(here.length))
    value = -math.ceil(1.5 * max(map(abs, scores)) + 1)
    return Edit("scores", row, key, here.head, float(value))


MAKERS: tuple[Maker, ...] = (
    hiding(_dot, "scores", along="cell"),
    hiding(by_row("top", _top, "scores", _self_loses), "scores"),
    hiding(by_row("rank", _rank, "scores", _below_zero, _lowered), "scores"),
    hiding(_mirror, "scores", along="cell"),
    by_row("double", _double, "scores", _below_zero),
    _count,
)
