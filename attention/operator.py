"""Attention as engines run it: fewer heads for keys and values, a cache, a window, a cap, several masks at once.

The meaning is that of the ONNX operator "Attention" (opsets 23 to 25); the steps are those of attention/functional.py.
"""

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from attention.functional import apply_mask, attention_scores, merge_heads, softmax, split_heads, weighted_sum
from attention.variants import cap, share_kv

Kept = Literal["scores", "capped", "masked", "weights"]


class OperatorSteps(NamedTuple):
    """What an engine hands on. kept: the scores or weights that were asked for."""

    output: Tensor  # (N, H, L, d_v), or (N, L, H · d_v) where the inputs had three dimensions
    present_key: Tensor  # (N, G, S, d_k): the cache for the next call
    present_value: Tensor  # (N, G, S, d_v)
    kept: Tensor  # (N, H, L, S)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    past_key: Tensor | None = None,
    past_value: Tensor | None = None,
    nonpad_kv_seqlen: Tensor | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
    softcap: float = 0.0,
    left_window: int = -1,
    right_window: int = -1,
    q_num_heads: int | None = None,
    kv_num_heads: int | None = None,
    softmax_dtype: torch.dtype | None = None,
    keep: Kept = "scores",
) -> OperatorSteps:
    """softmax(cap(Q Kᵀ · scale) + masks) V.

    query: (N, H, L, d_k). key, value: (N, G, S, ...), G heads, each used by H / G query heads in a row.
    Inputs of three dimensions, (N, L, H · d_k), are cut by q_num_heads and kv_num_heads.
    past_key, past_value: put before key and value.
    nonpad_kv_seqlen: (N,), how many keys of each batch are real, where the cache is longer.
    attn_mask: as in scaled_dot_product_attention; where it has fewer columns than there are keys, the rest is closed.
    is_causal and the windows count a query's place from the keys before it: those of the past, or of nonpad_kv_seqlen.
    left_window, right_window: how many keys before and after a query are open, -1 for all.
    ValueError where shapes or heads do not fit.
    Source: ONNX, operator "Attention", versions 23 to 25.
    """
    _check(query, key, value, past_key, past_value, nonpad_kv_seqlen, q_num_heads, kv_num_heads)
    has_heads = query.dim() == 4
    if not has_heads:
        assert q_num_heads is not None  # or there would have been an error
        assert kv_num_heads is not None
        query = split_heads(query, q_num_heads)  # (N, H, L, d_k)
        key, value = split_heads(key, kv_num_heads), split_heads(value, kv_num_heads)  # (N, G, S, d_k)
    if past_key is not None and past_value is not None:
        key, value = torch.cat([past_key, key], dim=-2), torch.cat([past_value, value], dim=-2)  # (N, G, past + S, ...)
    heads, query_len, key_len = query.shape[1], query.shape[2], key.shape[2]
    before: int | Tensor = past_key.shape[2] if past_key is not None else 0
    if nonpad_kv_seqlen is not None:
        before = nonpad_kv_seqlen.view(-1, 1, 1, 1) - query_len  # (N, 1, 1, 1)
    root = math.sqrt(1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    scores = attention_scores(query * root, share_kv(key, heads) * root)  # (N, H, L, S)
    capped = cap(scores, softcap)  # (N, H, L, S)
    is_open = _open(query_len, key_len, before, is_causal, left_window, right_window)  # (..., L, S)
    if nonpad_kv_seqlen is not None:
        is_open = is_open & (torch.arange(key_len) < nonpad_kv_seqlen.view(-1, 1, 1, 1))  # (N, 1, L, S)
    masked = apply_mask(capped, is_open)  # (N, H, L, S)
    if attn_mask is not None:
        masked = apply_mask(masked, _widened(attn_mask, key_len))  # (N, H, L, S)
    weights = softmax(masked.to(softmax_dtype or masked.dtype)).to(query.dtype)  # (N, H, L, S)
    output = weighted_sum(weights, share_kv(value, heads))  # (N, H, L, d_v)
    steps: dict[Kept, Tensor] = {"scores": scores, "capped": capped, "masked": masked, "weights": weights}
    return OperatorSteps(output if has_heads else merge_heads(output), key, value, steps[keep])


def _open(query_len: int, key_len: int, before: int | Tensor, is_causal: bool, left: int, right: int) -> Tensor:
    """Which keys each query may look at by its place alone: (..., L, S).

    before: how many keys stand before the first query.
    """
    back = torch.arange(query_len).unsqueeze(-1) + before - torch.arange(key_len)  # (..., L, S)
    is_open = torch.ones_like(back, dtype=torch.bool)
    if is_causal:
        is_open = is_open & (back >= 0)
    if left >= 0:
        is_open = is_open & (back <= left)
    if right >= 0:
        is_open = is_open & (-back <= right)
    return is_open


def _widened(attn_mask: Tensor, key_len: int) -> Tensor:
    """A mask with a column for every key; keys that it does not speak of are closed."""
    missing = key_len - attn_mask.shape[-1]
    if missing <= 0:
        return attn_mask
    closed = False if attn_mask.dtype == torch.bool else -math.inf
    rest = torch.full((*attn_mask.shape[:-1], missing), closed, dtype=attn_mask.dtype)
    return torch.cat([attn_mask, rest], dim=-1)


def _check(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    past_key: Tensor | None,
    past_value: Tensor | None,
    nonpad_kv_seqlen: Tensor | None,
    q_num_heads: int | None,
    kv_num_heads: int | None,
) -> None:
    """ValueError where the inputs do not fit together."""
    if not query.dim() == key.dim() == value.dim() or query.dim() not in (3, 4):
        raise ValueError(
            f"query, key and value need 3 or 4 dimensions, all as many: {query.dim()}, {key.dim()}, {value.dim()}"
        )
    if (past_key is None) != (past_value is None):
        raise ValueError("past_key and past_value belong together")
    if nonpad_kv_seqlen is not None and past_key is not None:
        raise ValueError("a cache is either past_key and past_value, or one with nonpad_kv_seqlen")
    if query.dim() == 3 and (q_num_heads is None or kv_num_heads is None):
        raise ValueError("inputs of three dimensions have to be cut: q_num_heads and kv_num_heads are missing")
