"""What the step weighted_sum asks."""

import math

from attention import Cell, Edit, measures
from pages.ui.quiz.making import Here, Maker, by_row, clear, hiding, shape, which, words
from pages.ui.quiz.question import Question, Token


def _most(here: Here, row: int) -> Question | None:
    shares = here.own("attn_weights")[row]
    lengths, weights = measures.contributions(shares, here.own("v")).norm(dim=-1).tolist(), shares.tolist()
    keys = [key for key in range(here.length) if weights[key]]
    gap = clear([lengths[key] for key in keys] or [0.0])
    heavy = {key: "heavy" for key in keys if weights[key] == max(weights)}
    look = Cell("attn_weights", row, lengths.index(max(lengths)), here.head)
    return which(here, look, "most", keys, gap, heavy, length=lengths, weight=weights)


def _output_shape(here: Here) -> Question | None:
    tokens, d_model, d_k = here.length, here.trace.config.d_model, here.trace.config.head_dim
    wrong = {"joined": (tokens, d_model), "weights": (tokens, tokens), "turned": (d_k, tokens), "one": (1, d_k)}
    return shape(here, "shape", Cell("head_outputs", here.rows("shape")[0], 0, here.head), (tokens, d_k), **wrong)


def _whose(here: Here) -> Question | None:
    """Whose outputs one value reaches. A weight so small that nothing visible would change leaves a doubt."""
    everyone = range(here.length)
    for key in here.rows("whose") if here.length > 1 else ():
        weights = [abs(weight) for weight in here.own("attn_weights")[:, key].tolist()]
        reached = tuple(query for query in everyone if weights[query])
        groups = {"every": tuple(everyone), "own": (key,), "after": tuple(everyone[key:]), "none": ()}
        labels = {group: label for label, group in reversed(groups.items())}  # of two equal groups the first counts
        if reached in labels and all(weights[query] > 1e-6 for query in reached):
            right, facts = labels[reached], here.facts(key=Token(key), count=len(reached))
            reasons = {label: "only" if label == "own" else "wrong" for label in labels.values()} | {right: "right"}
            return words(here, "whose", facts, Cell("v", key, 0, here.head), reasons, right)
    return None


def _heaviest_is_short(here: Here, row: int) -> bool:
    """Whether the key with the largest weight clearly contributes less than another."""
    weights = here.own("attn_weights")[row]
    lengths: list[float] = measures.contributions(weights, here.own("v")).norm(dim=-1).tolist()
    return max(lengths) - lengths[measures.peak(weights).column] >= clear(lengths)


def _lifted(here: Here, row: int) -> Edit | None:
    """The weight of a key with a short value set just above all others, though it contributes less than one of them."""
    weights, lengths = here.own("attn_weights")[row], here.own("v").norm(dim=-1)
    value = math.ceil(100 * float(weights.max()) + 2) / 100
    open_keys = [key for key in range(here.length) if weights[key]]
    key = min(open_keys, key=lengths.tolist().__getitem__, default=row)
    return Edit("attn_weights", row, key, here.head, value) if value < 1 else None


def _between(here: Here, row: int) -> Question | None:
    """Where a blend lies: between the smallest and the largest of the column."""
    weights, v, outputs = (here.own(name) for name in ("attn_weights", "v", "head_outputs"))
    if here.trace.edits or not bool(weights[row].any()):
        return None
    means, low, high = v.mean(dim=0), v.amin(dim=0), v.amax(dim=0)  # (d_k,)
    off = (outputs[row] - means).abs().tolist()
    column = off.index(max(off))
    value, least, most = float(outputs[row, column]), float(low[column]), float(high[column])
    if off[column] < clear([least, most]):  # it could pass for their mean
        return None
    facts = here.facts(query=Token(row), column=column, low=least, high=most, mean=float(means[column]), value=value)
    reasons = {"inside": "right", "above": "added", "mean": "level"}
    return words(here, "between", facts, Cell("head_outputs", row, column, here.head), reasons, "inside")


MAKERS: tuple[Maker, ...] = (
    hiding(by_row("most", _most, "attn_weights", _heaviest_is_short, _lifted), "head_outputs"),
    _output_shape,
    hiding(_whose, "attn_weights", along="column"),
    hiding(by_row("between", _between, "attn_weights"), "head_outputs"),
)
