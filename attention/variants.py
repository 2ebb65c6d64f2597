"""What later models changed, one idea a function. Shapes and names as in attention/functional.py."""

import torch
from torch import Tensor

from attention.functional import attention_scores


def rotate(x: Tensor, positions: Tensor) -> Tensor:
    """Turn each pair of columns of a query or key by an angle that grows with its position (RoPE).

    x: (..., L, d_k), d_k even. positions: (L,). Pair i (columns 2i and 2i + 1) turns by position · 10000^(-2i / d_k).
    The dot product of two rotated vectors depends on how far apart they stand, not on where.
    ValueError for an odd d_k. Source: "RoFormer", section 3.2.2 (arXiv 2104.09864).

    >>> rotate(torch.tensor([[1., 0.]]), torch.tensor([0.]))
    tensor([[1., 0.]])
    """
    width = x.shape[-1]
    if width % 2:
        raise ValueError(f"columns are turned in pairs, so d_k must be even, not {width}")
    speeds = 10000.0 ** (-torch.arange(0, width, 2, dtype=x.dtype) / width)  # (d_k / 2,)
    angles = positions.to(x.dtype).unsqueeze(-1) * speeds  # (L, d_k / 2)
    even, odd = x[..., 0::2], x[..., 1::2]  # (..., L, d_k / 2) each
    turned = even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()
    return torch.stack(turned, dim=-1).flatten(-2)  # (..., L, d_k)


def alibi_slopes(num_heads: int) -> Tensor:
    """How much each head minds distance: 2^(-8/H), 2^(-16/H) ... down to 1/256: (num_heads,).

    Source: "Train Short, Test Long" (ALiBi), section 3 (arXiv 2108.12409).

    >>> alibi_slopes(2)
    tensor([0.0625, 0.0039])
    """
    return 2.0 ** (-8 * torch.arange(1, num_heads + 1) / num_heads)  # (num_heads,)


def alibi(query_len: int, key_len: int, slope: float) -> Tensor:
    """What ALiBi adds to the scaled scores: minus slope for every step between query and key: (L, S).

    The paper's models look back only; here both directions are punished alike.

    >>> alibi(2, 3, 0.5)
    tensor([[-0.0000, -0.5000, -1.0000],
            [-0.5000, -0.0000, -0.5000]])
    """
    apart = torch.arange(query_len).unsqueeze(-1) - torch.arange(key_len)  # (L, S)
    return -slope * apart.abs()  # (L, S)


def window_mask(query_len: int, key_len: int, window: int) -> Tensor:
    """True where a query may look at a key: at itself and at most window - 1 tokens before it (a sliding window).

    Source: "Longformer", section 3.1 (arXiv 2004.05150), looking back only, as in "Mistral 7B" (arXiv 2310.06825).

    >>> window_mask(3, 3, 2)
    tensor([[ True, False, False],
            [ True,  True, False],
            [False,  True,  True]])
    """
    back = torch.arange(query_len).unsqueeze(-1) - torch.arange(key_len)  # (L, S)
    return (back >= 0) & (back < window)  # (L, S)


def cap(scores: Tensor, softcap: float) -> Tensor:
    """Keep scores between -softcap and softcap, gently: softcap · tanh(scores / softcap). 0 leaves them as they are.

    Source: "Gemma 2", section 2 (arXiv 2408.00118).

    >>> cap(torch.tensor([0., 1000.]), 50.0)
    tensor([ 0., 50.])
    """
    return scores if not softcap else softcap * (scores / softcap).tanh()


def share_kv(kv: Tensor, num_heads: int) -> Tensor:
    """Keys or values of few heads, each used by several query heads in a row: (..., G, S, d_k) to (..., H, S, d_k).

    ValueError where the query heads cannot be shared out evenly.
    Source: "GQA" (arXiv 2305.13245), section 2.2; with one head of keys and values: multi-query (arXiv 1911.02150).
    """
    groups = kv.shape[-3]
    if num_heads % groups:
        raise ValueError(f"{num_heads} query heads cannot be shared out evenly among {groups} heads of keys and values")
    return kv.repeat_interleave(num_heads // groups, dim=-3)  # (..., H, S, d_k)


def additive_scores(q: Tensor, k: Tensor, w_q: Tensor, w_k: Tensor, v: Tensor) -> Tensor:
    """tanh(q W₁ + k W₂) v for every query and key: (..., L, S). w_q, w_k: (d_k, hidden). v, a column: (hidden,).

    Source: "Neural Machine Translation by Jointly Learning to Align and Translate" (Bahdanau 2015), appendix A.1.2.
    """
    hidden = (q @ w_q).unsqueeze(-2) + (k @ w_k).unsqueeze(-3)  # (..., L, S, hidden)
    return hidden.tanh() @ v  # (..., L, S)


def bilinear_scores(q: Tensor, k: Tensor, w: Tensor) -> Tensor:
    """q W kᵀ for every query and key: (..., L, S). w: (d_k, d_k).

    Source: "Effective Approaches to Attention-based Neural Machine Translation" (Luong 2015), section 3.1, "general".
    """
    return attention_scores(q @ w, k)  # (..., L, S)


def cosine_scores(q: Tensor, k: Tensor) -> Tensor:
    """The cosine of the angle between every query and key, from -1 to 1, whatever their lengths: (..., L, S)."""
    unit = torch.nn.functional.normalize
    return attention_scores(unit(q, dim=-1), unit(k, dim=-1))  # (..., L, S)
