"""The masks that the lab shows, and what several pieces of code make of them."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention as torch_attention

from attention import SentenceTrace, multi_head_attention
from attention.functional import apply_mask, causal_mask, softmax, weighted_sum
from attention.variants import window_mask
from pages.ui.state.settings import MAX_TOKENS, Settings

PAD = "<pad>"
LARGE = -1e9  # what is often added in place of -inf


def chosen(settings: Settings, size: int) -> Tensor:
    """Which keys each query may look at: (L, L), True where it may."""
    if settings.mask == "causal":
        return causal_mask(size, size)
    if settings.mask == "window":
        return window_mask(size, size, settings.window)
    is_open = torch.ones(size, size, dtype=torch.bool)
    if settings.mask == "painted":
        for cell in settings.painted:
            row, column = divmod(cell, MAX_TOKENS)
            is_open[row, column] = False
    return is_open


def masked(scaled_scores: Tensor, is_open: Tensor) -> tuple[Tensor, Tensor]:
    """The scores with closed cells, and their weights: (L, L) each."""
    scores = apply_mask(scaled_scores, is_open)  # (L, L)
    return scores, softmax(scores)


def padded(trace: SentenceTrace, size: int, head: int, *, closed: bool) -> Tensor:
    """The weights of a sentence in a batch: filled up with vectors of 0 to that length, and closed there or not."""
    x = torch.zeros(size, trace.config.d_model)  # (size, d_model)
    x[: len(trace.tokens)] = trace.x
    is_real = torch.arange(size) < len(trace.tokens)  # (size,)
    done = multi_head_attention(x, trace.weights, attn_mask=is_real.unsqueeze(0) if closed else None)
    return done.attn_weights[head]  # (size, size)


def real(size: int, tokens: int) -> Tensor:
    """Which keys of a sentence that was filled up are real: (size, size)."""
    return (torch.arange(size) < tokens).expand(size, size)


def lost(weights: Tensor, tokens: int) -> float:
    """How much the real words give on average to places where nothing stands."""
    return float(weights[:tokens, tokens:].sum(dim=1).mean())


def torch_softmax(scores: Tensor) -> Tensor:
    """Softmax as torch has it: of a row of -inf it makes 0 / 0."""
    return scores.softmax(dim=-1)


def large_negative(scores: Tensor, is_open: Tensor) -> Tensor:
    """A large negative number instead of -inf: a row that is closed everywhere becomes even."""
    return scores.masked_fill(~is_open, LARGE).softmax(dim=-1)


def all_closed(scores: Tensor, q: Tensor, k: Tensor, v: Tensor) -> list[tuple[str, Tensor, Tensor]]:
    """What four pieces of code make of a query whose keys are all closed: name, weights (S,), output (d_k,).

    scores: (S,), the query's. q: (d_k,). k, v: (S, d_k).
    """
    none = torch.zeros_like(scores, dtype=torch.bool)
    ours = softmax(apply_mask(scores, none))
    theirs = torch_softmax(apply_mask(scores, none))
    even = large_negative(scores, none)
    mask = none.unsqueeze(0)
    fused = torch_attention(q[None, None], k[None], torch.eye(len(v))[None], attn_mask=mask)[0, 0]  # (S,): its weights
    return [
        ("torch.softmax(-inf)", theirs, weighted_sum(theirs.unsqueeze(0), v)[0]),
        ("attention.softmax(-inf)", ours, weighted_sum(ours.unsqueeze(0), v)[0]),
        (
            "F.scaled_dot_product_attention",
            fused,
            torch_attention(q[None, None], k[None], v[None], attn_mask=mask)[0, 0],
        ),
        ("softmax(-1e9)", even, weighted_sum(even.unsqueeze(0), v)[0]),
    ]


def both_meanings(q: Tensor, k: Tensor, is_true: Tensor) -> tuple[Tensor, Tensor]:
    """The weights that two functions of torch give for the same boolean mask, (L, S) each.

    q, k: (L, d_k). First F.scaled_dot_product_attention, where True takes part; then nn.MultiheadAttention, where True
    is closed. Its projections are set to the identity, so that both see the same queries and keys.
    """
    fused = torch_attention(q[None], k[None], torch.eye(len(k))[None], attn_mask=is_true)[0]  # (L, S)
    width = q.shape[-1]
    layer = nn.MultiheadAttention(width, 1, bias=False, batch_first=True).eval()
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.eye(width).repeat(3, 1))
        _, weights = layer(q[None], k[None], k[None], attn_mask=is_true)
    return fused, weights[0]


def may_see(size: int, memory: int) -> dict[str, Tensor]:
    """What each kind of model lets a token see: encoder, decoder, and the decoder of the original its encoder."""
    return {
        "encoder": torch.ones(size, size, dtype=torch.bool),
        "decoder": causal_mask(size, size),
        "between": torch.ones(size, memory, dtype=torch.bool),
    }


def shown(value: Tensor) -> str:
    """A few numbers as a text: NaN by its name."""
    return " ".join("NaN" if math.isnan(each) else f"{each:.2f}".replace("-", "−") for each in value.tolist()[:6])
