"""The live numbers that refute what one often reads of attention."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attention import SentenceTrace, trace_sentence
from attention.functional import softmax
from attention.measures import contributions, variance
from attention.parity import torch_output


def under(trace: SentenceTrace, head: int, query: int, divisor: float) -> tuple[float, float]:
    """The variance of a head's scores divided by a number, and the largest weight of the query's row then."""
    scores = trace.attention.scores[head] / divisor
    closed = trace.attention.masked_scores[head] == -math.inf
    return variance(scores), float(softmax(scores.masked_fill(closed, -math.inf))[query].max())


def turned(trace: SentenceTrace) -> str:
    """What torch answers to W X, where X has tokens as rows: an error, or "" where the sizes happen to fit."""
    try:
        _ = trace.weights.w_q @ trace.x
    except RuntimeError as error:
        return str(error)
    return ""


def favourites(trace: SentenceTrace, query: int, seeds: int) -> list[tuple[int, int, float]]:
    """For layers of random numbers: the seed, the key with the query's largest weight, and that weight."""
    found = []
    for seed in range(seeds):
        config = replace(trace.config, seed=seed)
        row = trace_sentence(trace.tokens, config).attention.attn_weights[0, query]
        found.append((seed, int(row.argmax()), float(row.max())))
    return found


@dataclass(frozen=True)
class Parts:
    """Of one query: each key's weight, and the length of what it really hands over, before and after W_O."""

    weights: list[float]
    handed: list[float]
    mixed: list[float]


def parts(trace: SentenceTrace, head: int, query: int) -> Parts:
    """Weights beside what reaches the output: weight × value, and that × the head's rows of W_O."""
    attention, d_k = trace.attention, trace.config.head_dim
    row = attention.attn_weights[head, query]
    given = contributions(row, attention.v[head])  # (S, d_k)
    mixed = given @ trace.weights.w_o[head * d_k : (head + 1) * d_k]  # (S, d_model)
    return Parts(row.tolist(), given.norm(dim=-1).tolist(), mixed.norm(dim=-1).tolist())


def is_mixing(trace: SentenceTrace) -> bool:
    """Whether W_O and b_O do anything: by hand they are the identity and 0."""
    weights = trace.weights
    identity = torch.eye(len(weights.w_o), dtype=weights.w_o.dtype)
    return not torch.equal(weights.w_o, identity) or bool(weights.b_o.any())


def without(trace: SentenceTrace) -> dict[str, float]:
    """How far an output is from torch's own with everything in place, without W_O, and without biases."""
    theirs, attention, weights = torch_output(trace), trace.attention, trace.weights
    seen = (attention.masked_scores[0] != -math.inf).any(dim=-1)  # (L,)

    def off(output: Tensor) -> float:
        return float((output - theirs).abs()[seen].max()) if bool(seen.any()) else 0.0

    zero = torch.zeros_like(weights.b_q)
    bare = replace(trace, weights=replace(weights, b_q=zero, b_k=zero, b_v=zero, b_o=zero))
    return {"whole": off(attention.output), "no_mixing": off(attention.joined), "no_biases": off(torch_output(bare))}
