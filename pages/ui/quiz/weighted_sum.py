"""What the step weighted_sum asks."""

from attention import Cell, measures
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
    """Whether the key with the largest weight is not the one that contributes most."""
    weights = here.own("attn_weights")[row]
    lengths = measures.contributions(weights, here.own("v")).norm(dim=-1)
    return measures.peak(weights).column != measures.peak(lengths).column


MAKERS: tuple[Maker, ...] = (
    hiding(by_row("most", _most, "attn_weights", _heaviest_is_short), "head_outputs"),
    _output_shape,
    hiding(_whose, "attn_weights", along="column"),
)
