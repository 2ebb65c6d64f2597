"""How scores become shares: the mask closes cells, the largest is taken off, exponentials, their sum, the division."""

import math

import torch

from attention import measures
from pages.ui.figures.play import Play, Script, Travel, area
from pages.ui.figures.sight import Sight
from pages.ui.words.numbers import operand

MADE = ("masked_scores", "exponentials", "exp_sums", "attn_weights")


def play(here: Sight) -> tuple[Play, ...]:
    """The followed row in full, then the others."""
    masked, exps, weights, query = (
        here.own("masked_scores"),
        here.own("exponentials"),
        here.own("attn_weights"),
        here.query,
    )
    script = Script(here, "softmax", "way_row", tuple(area(here, name) for name in MADE))
    scaled_row, masked_row, exps_row, shares = (
        area(here, name, query) for name in ("scaled_scores", "masked_scores", "exponentials", "attn_weights")
    )
    closed = int((masked[query] == -math.inf).sum())
    script.tell(script.words("row", query=script.token(query)), lit=[scaled_row], beats=1.5)
    if closed:
        script.tell(script.words("mask", closed=closed), lit=[scaled_row, masked_row], fills=[masked_row], beats=2.5)
    else:
        script.tell(script.words("mask_none"), lit=[scaled_row, masked_row], fills=[masked_row], beats=2)
    if closed == masked.shape[1]:
        script.tell(
            script.words("closed"),
            lit=[masked_row, shares],
            fills=[exps_row, area(here, "exp_sums", query), shares],
            beats=3,
        )
    else:
        _share(here, script, masked[query], exps[query], weights[query])
    script.rest(script.words("rest"), *(area(here, name) for name in MADE), beats=3)
    return (script.end(),)


def _share(here: Sight, script: Script, masked: torch.Tensor, exps: torch.Tensor, weights: torch.Tensor) -> None:
    query, best = here.query, measures.peak(masked)
    exps_row, shares = area(here, "exponentials", query), area(here, "attn_weights", query)
    total, top = area(here, "exp_sums", query, 0), area(here, "exponentials", query, best.column)
    highest, share = area(here, "masked_scores", query, best.column), area(here, "attn_weights", query, best.column)
    script.tell(script.words("largest", key=script.token(best.column), largest=best.value), lit=[highest], beats=2)
    script.tell(script.words("exp_largest"), lit=[highest, top], travels=[Travel(highest, top)], fills=[top], beats=2)
    others = [key for key in masked.argsort(descending=True).tolist() if key != best.column and masked[key] > -math.inf]
    if others:
        score, grown = (area(here, name, query, others[0]) for name in ("masked_scores", "exponentials"))
        facts = {"score": float(masked[others[0]]), "largest": operand(best.value), "exp": float(exps[others[0]])}
        script.tell(
            script.words("exp_other", **facts),
            lit=[score, grown],
            travels=[Travel(score, grown)],
            fills=[grown],
            beats=2.5,
        )
        script.tell(script.words("exps"), lit=[area(here, "masked_scores", query), exps_row], fills=[exps_row], beats=2)
    script.tell(
        script.words("sum", sum=float(exps.sum())),
        lit=[exps_row, total],
        travels=[Travel(exps_row, total)],
        fills=[total],
        beats=2,
    )
    facts = {"exp": float(exps[best.column]), "sum": float(exps.sum()), "weight": float(weights[best.column])}
    script.tell(
        script.words("divide", **facts), lit=[top, total, share], travels=[Travel(top, share)], fills=[share], beats=2
    )
    script.tell(
        script.words("shares", total=float(weights.sum())), lit=[exps_row, total, shares], fills=[shares], beats=2
    )
