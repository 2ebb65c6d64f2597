"""Weighted sum: each token's new vector is the values, blended by its row of weights."""

from attention import functional, measures
from pages.ui.lesson import Lesson, sized
from pages.weighted_sum.play import play
from pages.weighted_sum.stage import stage

here = Lesson()
weights, v, output, parts = map(here.own, ("attn_weights", "v", "head_outputs", "contributions"))
query, lengths = here.query, parts.norm(dim=-1)
heaviest, longest = measures.peak(weights[query]), measures.peak(lengths)
found = {
    "query": here.token(query),
    "key": here.leader(weights[query]),
    "weight": heaviest.value,
    "length": longest.value,
}
other = {
    "longest": here.leader(lengths),
    "share": float(weights[query, longest.column]),
    "other": float(lengths[heaviest.column]),
}


def notice() -> None:
    if here.is_closed:
        here.notice("notice_closed", "head_outputs", query=found["query"])
    elif heaviest.column == longest.column:
        here.notice("notice_same", "head_outputs", **found)
    else:
        here.notice("notice_other", "head_outputs", **found, **other)


here.stage(stage(here), "head_outputs", play(here))
here.faces(notice, "head_outputs", code=[functional.weighted_sum], compare=["head_outputs"], by_hand="silence")


def more() -> None:
    symbols = ((f"O_{here.head}", output), (f"A_{here.head}", weights), (f"V_{here.head}", v))
    product, shares, values = (sized(*each) for each in symbols)
    here.formula(product, "=", shares, values)
    here.say("why")
    here.question(found | other)
    here.story()


here.more(more)
