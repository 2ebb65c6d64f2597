"""What the captions say about a tensor, computed from it."""

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from attention.weights import AttentionWeights


class Peak(NamedTuple):
    """The largest entry of a row."""

    column: int
    value: float


def peak(row: Tensor) -> Peak:
    """The largest entry of a non-empty row, the first one where several are equal.

    >>> peak(torch.tensor([0.25, 0.5, 0.25]))
    Peak(column=1, value=0.5)
    """
    column = int(row.argmax())
    return Peak(column, float(row[column].detach()))


def leaders(row: Tensor) -> tuple[int, ...]:
    """Where the largest entry of a row stands, and all that equal it up to rounding.

    >>> leaders(torch.tensor([0.25, 0.375, 0.375]))
    (1, 2)
    """
    largest = float(row.max())
    return tuple(torch.nonzero(row >= largest - 1e-5 * abs(largest)).flatten().tolist())


def entropy(weights: Tensor) -> Tensor:
    """How spread each row of weights is, in nats: 0 for all on one key, log(n) for n equal keys.

    (..., L, S) to (..., L). A row of zeros has entropy 0.
    """
    terms: Tensor = torch.special.entr(weights)  # (..., L, S)
    return terms.sum(dim=-1)  # (..., L)


def row_sums(values: Tensor) -> Tensor:
    """The sum of each row, as a column: (..., L, S) to (..., L, 1)."""
    return values.sum(dim=-1, keepdim=True)  # (..., L, 1)


def variance(values: Tensor) -> float:
    """The mean squared distance of the entries from their mean (divided by n, not n - 1); NaN where there are none."""
    return float(values.detach().double().var(correction=0)) if values.numel() else math.nan


def cosine(a: Tensor, b: Tensor) -> float:
    """The cosine of the angle between two vectors: 1 same direction, 0 perpendicular, -1 opposite."""
    return float(torch.nn.functional.cosine_similarity(a.detach().double(), b.detach().double(), dim=-1))


def contributions(attn_weights: Tensor, v: Tensor) -> Tensor:
    """What each key hands to one query: its value times its weight. (S,) and (S, d_k) to (S, d_k).

    The rows add up to the query's output.
    """
    return attn_weights.unsqueeze(-1) * v  # (S, d_k)


def open_keys(masked_scores: Tensor) -> Tensor:
    """How many keys each query may look at: (..., L, S) to (..., L)."""
    return (masked_scores != -math.inf).sum(dim=-1)  # (..., L)


def favourites(attn_weights: Tensor) -> int:
    """How many different keys the heads' largest weights fall on: (num_heads, S) to a count."""
    return len(set(attn_weights.argmax(dim=-1).tolist()))


def previous_share(attn_weights: Tensor) -> Tensor:
    """The weight that queries put on the token before them, on average: (..., L, L) to (...), NaN for a lone token.

    >>> previous_share(torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.25, 0.75]]))
    tensor(0.3750)
    """
    return attn_weights.diagonal(offset=-1, dim1=-2, dim2=-1).mean(dim=-1)  # (...)


def looks_at(attn_weights: Tensor, targets: Tensor) -> Tensor:
    """Whether each query's largest weight is on its target: (..., L, S) and positions (..., L) to (..., L) of bool.

    >>> looks_at(torch.tensor([[0.75, 0.25], [1.0, 0.0]]), torch.tensor([0, 1]))
    tensor([ True, False])
    """
    return attn_weights.argmax(dim=-1) == targets  # (..., L)


def distances(vectors: Tensor) -> Tensor:
    """The distances between all pairs of different rows: (n, d) to (n (n - 1) / 2,)."""
    return torch.pdist(vectors)


def first_repeat(tokens: Sequence[Hashable]) -> tuple[int, int] | None:
    """The positions of the first two equal tokens (or ids), None where all differ.

    >>> first_repeat(["the", "cat", "saw", "the", "cat"])
    (0, 3)
    """
    pairs = ((tokens.index(token), i) for i, token in enumerate(tokens) if tokens.index(token) < i)
    return next(pairs, None)


def projection_parameters(weights: AttentionWeights) -> int:
    """How many numbers a layer learns for Q, K and V, biases included.

    >>> from attention import AttentionConfig
    >>> projection_parameters(AttentionWeights.random(AttentionConfig(d_model=8, num_heads=2)))
    216
    """
    projections = (weights.w_q, weights.w_k, weights.w_v, weights.b_q, weights.b_k, weights.b_v)
    return sum(p.numel() for p in projections)
