"""Attention, one idea a function. Tokens are rows: q is (..., query tokens, head_dim).

In the shapes, L = query tokens, S = key tokens, d_k = head_dim; "..." is any leading dimensions, heads among them.
Source: "Attention Is All You Need" (2017), sections 3.2.1 to 3.2.3.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from attention.checks import check_heads, check_mask, check_qkv


def project(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Turn every token's vector into a query, a key or a value: X W + b."""
    return x @ w + b  # (..., seq_len, d_model)


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """Cut d_model columns into num_heads slices of head_dim. ValueError where they do not divide evenly.

    >>> split_heads(torch.arange(4.).reshape(1, 4), num_heads=2)
    tensor([[[0., 1.]],
    <BLANKLINE>
            [[2., 3.]]])
    """
    check_heads(x.shape[-1], num_heads)
    head_dim = x.shape[-1] // num_heads
    slices = x.reshape(*x.shape[:-1], num_heads, head_dim)  # (..., seq_len, num_heads, head_dim)
    return slices.transpose(-3, -2)  # (..., num_heads, seq_len, head_dim)


def merge_heads(x: Tensor) -> Tensor:
    """Put the heads' slices side by side again: the inverse of split_heads."""
    return x.transpose(-3, -2).flatten(-2)  # (..., seq_len, d_model)


def attention_scores(q: Tensor, k: Tensor) -> Tensor:
    """Every query meets every key: row i, column j is the dot product of query i and key j.

    >>> attention_scores(torch.tensor([[1., 0.], [2., 1.]]), torch.tensor([[3., 0.], [0., 4.]]))
    tensor([[3., 0.],
            [6., 4.]])
    """
    return q @ k.transpose(-2, -1)  # (..., L, S)


def scale_scores(scores: Tensor, scale: float) -> Tensor:
    """Keep the scores' variance independent of the width d_k: scale is 1 / √d_k."""
    return scores * scale  # (..., L, S)


def causal_mask(query_len: int, key_len: int) -> Tensor:
    """True where query i may look at key j: at itself and what comes before (j ≤ i, counted from the top left).

    >>> causal_mask(2, 3)
    tensor([[ True, False, False],
            [ True,  True, False]])
    """
    return torch.ones(query_len, key_len, dtype=torch.bool).tril()  # (L, S)


def apply_mask(scores: Tensor, mask: Tensor) -> Tensor:
    """Close cells: where a boolean mask is False the score becomes -inf; a float mask is added."""
    if mask.dtype == torch.bool:
        return scores.masked_fill(~mask, -math.inf)  # (..., L, S)
    return scores + mask  # (..., L, S)


def exponentials(masked_scores: Tensor) -> Tensor:
    """exp(score - the row's largest score): positive, at most 1, and exactly 0 where the mask closed the cell."""
    if masked_scores.shape[-1] == 0:
        return masked_scores
    largest = masked_scores.amax(dim=-1, keepdim=True)  # (..., L, 1)
    return (masked_scores - largest.masked_fill(largest == -math.inf, 0)).exp()  # (..., L, S)


def softmax(masked_scores: Tensor) -> Tensor:
    """Divide each query's exponentials by their sum, so that its row sums to 1 over the keys.

    A row with every cell closed has nothing to divide: its weights are all 0.
    """
    exps = exponentials(masked_scores)  # (..., L, S)
    row_sums = exps.sum(dim=-1, keepdim=True)  # (..., L, 1)
    return exps / row_sums.masked_fill(row_sums == 0, 1)  # (..., L, S)


def weighted_sum(attn_weights: Tensor, v: Tensor) -> Tensor:
    """Each query's output: the values, added up in the proportions its row of weights says."""
    return attn_weights @ v  # (..., L, head_dim)


class AttentionSteps(NamedTuple):
    """Every intermediate of one scaled dot-product attention, in the order of the computation."""

    scores: Tensor  # (..., L, S)
    scaled_scores: Tensor  # (..., L, S)
    masked_scores: Tensor  # (..., L, S)
    attn_weights: Tensor  # (..., L, S)
    output: Tensor  # (..., L, d_v)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> AttentionSteps:
    """softmax(Q Kᵀ / √d_k) V, with every step kept. Means the same as torch's function of this name.

    query (..., L, d_k), key (..., S, d_k), value (..., S, d_v); leading dimensions broadcast.
    attn_mask broadcasts to (..., L, S): boolean, True = takes part; or float, added to the scaled scores.
    is_causal closes every key after the query (counted from the top left); both masks may be given, and both apply.
    scale: default 1 / √d_k. A fully masked row gives zero weights and zero output. NaN is passed through.
    Raises ValueError where shapes or types do not fit.
    Source: "Attention Is All You Need", section 3.2.1, equation 1.
    """
    check_qkv(query, key, value)
    scores = attention_scores(query, key)  # (..., L, S)
    check_mask(attn_mask, scores)
    scaled = scale_scores(scores, 1 / math.sqrt(query.shape[-1]) if scale is None else scale)  # (..., L, S)
    masked = scaled
    if is_causal:
        masked = apply_mask(masked, causal_mask(*scores.shape[-2:]).to(scores.device))  # (..., L, S)
    if attn_mask is not None:
        masked = apply_mask(masked, attn_mask)  # (..., L, S)
    weights = softmax(masked)  # (..., L, S)
    return AttentionSteps(scores, scaled, masked, weights, weighted_sum(weights, value))
