"""What the step softmax asks."""

import math
from itertools import combinations, permutations

from attention import Cell, Edit, measures
from attention.functional import softmax
from pages.ui.quiz.making import WEIGHT_GAP, Here, Maker, bug, by_row, clear, hiding, which, words
from pages.ui.quiz.question import CLOSE, Choice, Question, Token, apart, shares_of

DRAWN = 4  # keys whose shares are drawn
FAVOURITE = 0.3  # a weight that would be missed
SEEN = 14  # tokens whose weights can be seen in a small picture


def _favourite(here: Here, row: int) -> Question | None:
    names = ("scaled_scores", "masked_scores", "attn_weights")
    scores, masked, weights = (here.own(name)[row].tolist() for name in names)
    keys, top = [key for key in range(here.length) if masked[key] > -math.inf], scores.index(max(scores))
    lead = scores[top] - max((scores[key] for key in keys), default=math.inf)
    removed = {top: "masked"} if top not in keys and lead >= clear(scores) else {}
    look, special = Cell("attn_weights", row, weights.index(max(weights)), here.head), {row: "self", **removed}
    return which(here, look, "favourite", [*keys, *removed], WEIGHT_GAP, special, weight=weights, score=scores)


def _ratio(here: Here, row: int) -> Question | None:
    scores, weights = (here.own(name)[row].tolist() for name in ("masked_scores", "attn_weights"))
    keys = [key for key in here.shuffled("ratio", range(here.length)) if weights[key] >= 0.0001]
    for high, low in permutations(keys, 2):
        delta = scores[high] - scores[low]
        if 0.2 <= delta <= 4:
            break
    else:
        return None
    facts = here.facts(query=Token(row), high=Token(high), low=Token(low), delta=delta)
    facts |= {"score_high": scores[high], "score_low": scores[low], "factor": math.exp(delta)}
    facts |= {"weight_high": f"{weights[high]:.3g}", "weight_low": f"{weights[low]:.3g}"}
    quotient = scores[high] / scores[low] if scores[low] > 0 else 0.0
    factors = {math.exp(delta): "right"}
    for factor, reason in ((quotient, "quotient"), (delta, "difference"), (1 + delta, "linear")):
        near = (abs(round(factor, 1) - round(other, 1)) <= 0.1 * max(factor, other, 1) for other in factors)
        if 0 < factor < 100 and not any(near):  # as they are shown
            factors[factor] = reason
    order = here.shuffled("ratio order", factors)
    choices = [Choice(f"×{f:.1f}", factors[f] == "right", f"ratio_{factors[f]}", facts) for f in order]
    return Question("ratio", "choice", facts, Cell("attn_weights", row, high, here.head), tuple(choices))


def _sum(here: Here) -> Question | None:
    """What a row sums to, where every cell of it is closed or it has only one; what a key gets, where all are equal."""
    count = measures.open_keys(here.own("masked_scores")).tolist()
    for row in here.rows("sum", "attn_weights"):
        facts, look = here.facts(query=Token(row)), Cell("attn_weights", row, row, here.head)
        if not count[row]:
            return Question("closed_sum", "number", facts, look, number=0.0, tolerance=0.01, slips=(("one", 1.0),))
        if here.length == 1:
            return Question("sum", "number", facts, look, number=1.0, tolerance=0.01)
        weights = here.own("attn_weights")[row]
        if float(weights.max()) - 1 / count[row] < 0.001:
            slips, facts = (("one", 1.0), ("all", 1 / here.length)), here.facts(query=Token(row), open=count[row])
            return Question("equal", "number", facts, look, number=1 / count[row], tolerance=0.006, slips=slips)
    return None


def _closing(here: Here, row: int) -> Question | None:
    """What the others get when the mask closes one key more: the one with the largest weight."""
    weights = here.own("attn_weights")[row].tolist()
    first, *others = sorted((key for key in range(here.length) if weights[key]), key=lambda key: -weights[key]) or [0]
    if len(others) < 2 or weights[first] > 0.95 or weights[others[0]] - weights[others[-1]] < WEIGHT_GAP / 2:
        return None
    factor, other = 1 / (1 - weights[first]), others[0]
    reasons = {"factor": "right", "equal": "level", "next": "heir", "stay": "short"}
    facts = here.facts(query=Token(row), key=Token(first), weight=weights[first], factor=factor, other=Token(other))
    facts |= {"before": weights[other], "after": weights[other] * factor}
    return words(here, "closing", facts, Cell("attn_weights", row, first, here.head), reasons, "factor")


def _draw(here: Here, row: int) -> Question | None:
    """How softmax divides 1 among four keys, where neither equal shares nor shares in proportion would do."""
    scores = here.own("masked_scores")[row].tolist()
    keys = [key for key in here.shuffled(f"draw {row}", range(here.length)) if scores[key] > -math.inf]
    for kept in combinations(keys[:8], DRAWN):
        own = [scores[key] for key in kept]
        truth = shares_of([math.exp(score - max(own)) for score in own])
        equal, linear = (1 / DRAWN,) * DRAWN, shares_of([score - min(own) for score in own])
        if min(apart(truth, equal), apart(truth, linear)) >= 2 * CLOSE:
            break
    else:
        return None
    facts = here.facts(query=Token(row), **{f"key_{i}": Token(key) for i, key in enumerate(kept, 1)})
    facts |= {f"score_{i}": score for i, score in enumerate(own, 1)}
    facts |= {f"share_{i}": share for i, share in enumerate(truth, 1)}
    look = Cell("attn_weights", row, kept[truth.index(max(truth))], here.head)
    slips, items = (("flat", equal), ("linear", linear)), tuple(Token(key) for key in kept)
    return Question("draw", "draw", facts, look, items=items, truth=truth, tolerance=CLOSE, slips=slips)


def _bug(here: Here) -> Question | None:
    """Shared out along the columns instead of the rows."""
    masked = here.own("masked_scores")
    closed = masked == -math.inf
    if not 2 <= len(masked) <= SEEN or bool(closed.all(dim=0).any()) or bool(closed.all(dim=1).any()):
        return None  # a row or column that is closed adds up to 0 in either
    wrong = softmax(masked.T).T  # (L, S), each column sums to 1
    return bug(here, "attn_weights", here.own("attn_weights"), wrong, Cell("attn_weights", 0, 0, here.head))


def _has_a_favourite(here: Here, row: int) -> bool:
    """Whether there is much to share out anew once the largest weight is gone."""
    return float(here.own("attn_weights")[row].max()) >= FAVOURITE


def _usual_guess_loses(here: Here, row: int) -> bool:
    """Whether the key that scores highest is closed; where no mask is on, whether it is not the token itself."""
    best, masked = measures.peak(here.own("scaled_scores")[row]).column, here.own("masked_scores")
    return bool(masked[row, best] == -math.inf) if bool((masked == -math.inf).any()) else best != row


def _raised(here: Here, row: int) -> Edit | None:
    """The score of a closed key set above all others, or, where none is closed, that of another token."""
    masked, scores = here.own("masked_scores")[row], here.own("scores")[row]
    closed = [key for key in range(here.length) if masked[key] == -math.inf]
    keys = closed or [key for key in range(here.length) if key != row]
    if len(closed) == here.length or not keys:
        return None
    key, *_ = here.shuffled(f"raised {row}", keys)
    return Edit("scores", row, key, here.head, float(math.ceil(float(scores.max()) + 1)))


SHARES = ("exponentials", "exp_sums", "attn_weights")
MAKERS: tuple[Maker, ...] = (
    hiding(by_row("favourite", _favourite, "attn_weights", _usual_guess_loses, _raised), *SHARES),
    hiding(by_row("draw", _draw, "attn_weights"), *SHARES),
    hiding(by_row("ratio", _ratio, "attn_weights"), *SHARES),
    hiding(_bug, *SHARES, along="all"),
    by_row("closing", _closing, "attn_weights", _has_a_favourite),
    _sum,
)
