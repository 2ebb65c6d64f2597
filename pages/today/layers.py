"""What today's models do with the same matrices: shared keys and values, a cap, a window, a cache."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from attention import SentenceTrace
from attention.functional import apply_mask, causal_mask, softmax
from attention.operator import OperatorSteps, attention
from attention.variants import cap, window_mask

BYTES = 2  # of a number in bfloat16, as caches keep them
LARGE = {"layers": 32, "heads": 32, "d_k": 128, "tokens": 8192}  # about the size of a model of 7 billion parameters


def shared(trace: SentenceTrace, groups: int) -> OperatorSteps:
    """The layer in force with fewer heads for keys and values: the means of those that share one (as in GQA)."""
    whole = trace.attention
    size = trace.config.num_heads // groups
    k, v = (each.unflatten(0, (groups, size)).mean(dim=1) for each in (whole.k, whole.v))  # (G, L, d_k)
    scale = None if trace.config.scaled else 1.0
    is_open = whole.masked_scores[0] != -math.inf  # (L, L)
    return attention(whole.q[None], k[None], v[None], is_open, scale=scale, keep="weights")


def cache_numbers(tokens: int, groups: int, head_dim: int, layers: int = 1) -> int:
    """How many numbers a cache holds: a key and a value for each token, head of keys and values, and layer."""
    return 2 * tokens * groups * head_dim * layers


def capped(trace: SentenceTrace, head: int, softcap: float) -> tuple[Tensor, Tensor]:
    """A head's scaled scores with a cap, and their weights: (L, L) each."""
    closed = trace.attention.masked_scores[head] == -math.inf
    scores = cap(trace.attention.scaled_scores[head], softcap)
    return scores, softmax(apply_mask(scores, ~closed))


def windowed(trace: SentenceTrace, head: int, window: int) -> tuple[Tensor, Tensor]:
    """A head's weights with a causal mask, and with a sliding window: (L, L) each."""
    scores = trace.attention.scaled_scores[head]
    size = len(scores)
    return (
        softmax(apply_mask(scores, causal_mask(size, size))),
        softmax(apply_mask(scores, window_mask(size, size, window))),
    )


@dataclass(frozen=True, eq=False)
class Written:
    """A text written word by word: the new word's row of weights, and what it took with a cache and without."""

    weights: Tensor  # (H, L): the last token's
    difference: float  # of its output from that of the whole sentence at once
    with_cache: int  # tokens whose queries, keys and values were computed for this word
    without: int


def written(trace: SentenceTrace, upto: int) -> Written:
    """The first upto + 1 tokens, the last of them appended to a cache of the others."""
    whole = trace.attention
    own = slice(upto, upto + 1)
    scale = None if trace.config.scaled else 1.0
    q, k, v = (each[None] for each in (whole.q, whole.k, whole.v))  # (1, H, L, d_k)
    before = k[:, :, :upto], v[:, :, :upto]
    step = attention(
        q[:, :, own], k[:, :, own], v[:, :, own], None, *before, is_causal=True, scale=scale, keep="weights"
    )
    upto_now = slice(upto + 1)
    again = attention(q[:, :, upto_now], k[:, :, upto_now], v[:, :, upto_now], is_causal=True, scale=scale).output
    difference = float((step.output - again[:, :, -1:]).abs().max())
    return Written(step.kept[0, :, 0], difference, 1, upto + 1)


def later(size: int, upto: int) -> Tensor:
    """Which tokens are not written yet: (1, size)."""
    return (torch.arange(size) > upto).unsqueeze(0)


def padded(weights: Tensor, size: int) -> Tensor:
    """Rows filled up with 0 for keys that are not written yet: (H, size)."""
    return torch.nn.functional.pad(weights, (0, size - weights.shape[-1]))
