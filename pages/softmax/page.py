"""Softmax: masks close cells, and each row becomes positive and sums to 1."""

from attention import functional, measures
from pages.softmax.play import play
from pages.softmax.stage import stage
from pages.ui.lesson import Lesson

here = Lesson()
weights, sums, query = here.own("attn_weights"), here.own("exp_sums"), here.query
open_keys = measures.open_keys(here.own("masked_scores"))


def notice() -> None:
    if here.is_closed:
        here.notice("notice_closed", "attn_weights", query=here.token(query))
    else:
        here.notice(
            "notice",
            "attn_weights",
            query=here.token(query),
            key=here.leader(weights[query]),
            weight=float(weights[query].max()),
            sum=float(sums[query]),
            total=float(weights[query].sum()),
            entropy=float(measures.entropy(weights)[query]),
            possible=float(open_keys[query].log()),
            open=int(open_keys[query]),
        )


here.stage(stage(here), "attn_weights", play(here))
here.faces(
    notice,
    "attn_weights",
    code=[functional.apply_mask, functional.exponentials, functional.softmax],
    compare=["attn_weights", "head_outputs"],
    by_hand="silence",
)


def more() -> None:
    here.formula("A_{ij}", "=", r"\frac{\exp(M_{ij} - \max_l M_{il})}{\sum_l \exp(M_{il} - \max_l M_{il})}")
    closed = here.closed("masked_scores")
    if bool(closed.any()):
        here.say("mask", closed=int(closed.sum()), cells=closed.numel())
        if empty := int((open_keys == 0).sum()):
            here.say("mask_rows", empty=empty)
    else:
        here.say("mask_none")
    here.say("why")
    popular = weights.sum(dim=0)
    here.question({"key": here.leader(popular), "sum": float(popular.max())})
    here.story()


here.more(more)
