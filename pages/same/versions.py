"""The same layer written in several ways: how far each is from our own output, and how long it takes."""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention as fused_attention

from attention import AttentionWeights, SentenceTrace
from attention.functional import attention_scores, causal_mask, project, softmax, split_heads, weighted_sum
from attention.parity import to_torch

ROUNDS = 7


def one_by_one(x: Tensor, weights: AttentionWeights, is_open: Tensor, scale: float) -> Tensor:
    """Every head with matrices of its own, in a loop: what many drawings show."""
    width = weights.head_dim
    outputs = []
    for head in range(weights.num_heads):
        own = slice(head * width, (head + 1) * width)
        q = x @ weights.w_q[:, own] + weights.b_q[own]  # (L, d_k)
        k = x @ weights.w_k[:, own] + weights.b_k[own]  # (L, d_k)
        v = x @ weights.w_v[:, own] + weights.b_v[own]  # (L, d_k)
        scores = (q @ k.T * scale).masked_fill(~is_open, -math.inf)  # (L, L)
        outputs.append(softmax(scores) @ v)  # (L, d_k)
    return torch.cat(outputs, dim=-1) @ weights.w_o + weights.b_o  # (L, d_model)


def batched(x: Tensor, weights: AttentionWeights, is_open: Tensor, scale: float) -> Tensor:
    """One product for all heads, then cut: what this project does."""
    q, k, v = (
        split_heads(project(x, w, b), weights.num_heads)  # (H, L, d_k)
        for w, b in ((weights.w_q, weights.b_q), (weights.w_k, weights.b_k), (weights.w_v, weights.b_v))
    )
    scores = (attention_scores(q, k) * scale).masked_fill(~is_open, -math.inf)  # (H, L, L)
    joined = weighted_sum(softmax(scores), v).transpose(0, 1).flatten(1)  # (L, d_model)
    return project(joined, weights.w_o, weights.b_o)


def by_einsum(x: Tensor, weights: AttentionWeights, is_open: Tensor, scale: float) -> Tensor:
    """Einstein's notation: every index has a letter, and what is not on the right is summed over."""
    heads, width = weights.num_heads, weights.head_dim

    def projected(w: Tensor, b: Tensor) -> Tensor:
        return torch.einsum("ld,dhk->hlk", x, w.view(-1, heads, width)) + b.view(heads, 1, width)

    q, k, v = (
        projected(w, b) for w, b in ((weights.w_q, weights.b_q), (weights.w_k, weights.b_k), (weights.w_v, weights.b_v))
    )
    scores = (torch.einsum("hlk,hsk->hls", q, k) * scale).masked_fill(~is_open, -math.inf)  # (H, L, L)
    joined = torch.einsum("hls,hsk->lhk", softmax(scores), v)  # (L, H, d_k)
    return torch.einsum("lhk,hkd->ld", joined, weights.w_o.view(heads, width, -1)) + weights.b_o  # (L, d_model)


def fused(x: Tensor, weights: AttentionWeights, is_open: Tensor, scale: float) -> Tensor:
    """torch's fused function does scores, mask, softmax and sum in one go, without keeping the weights."""
    q, k, v = (
        split_heads(project(x, w, b), weights.num_heads)
        for w, b in ((weights.w_q, weights.b_q), (weights.w_k, weights.b_k), (weights.w_v, weights.b_v))
    )
    # Without a batch dimension torch would not take its fused way.
    heads = fused_attention(q[None], k[None], v[None], attn_mask=is_open, scale=scale)[0]  # (H, L, d_k)
    joined = heads.transpose(0, 1).flatten(1)  # (L, d_model)
    return project(joined, weights.w_o, weights.b_o)


def as_module(layer: nn.MultiheadAttention, x: Tensor, is_open: Tensor) -> Tensor:
    """torch.nn.MultiheadAttention with our weights; True = closed there."""
    output: Tensor
    output, _ = layer(x[None], x[None], x[None], attn_mask=~is_open, need_weights=False)
    return output[0]


VERSIONS: Mapping[str, Callable[[Tensor, AttentionWeights, Tensor, float], Tensor]] = {
    "batched": batched,
    "loop": one_by_one,
    "einsum": by_einsum,
    "fused": fused,
}


@dataclass(frozen=True)
class Compared:
    """How far a version's output is from ours, and its time as a multiple of ours."""

    name: str
    difference: float
    ratio: float


def compare(trace: SentenceTrace) -> list[Compared]:
    """Run every version on the sentence in force, in turn, and take the medians of their times."""
    x, weights = trace.x, trace.weights
    is_open = causal_mask(len(x), len(x)) if trace.config.causal else torch.ones(len(x), len(x), dtype=torch.bool)
    scale = 1 / math.sqrt(trace.config.head_dim) if trace.config.scaled else 1.0
    layer = to_torch(weights, scaled=trace.config.scaled)
    runs: dict[str, Callable[[], Tensor]] = {
        name: partial(version, x, weights, is_open, scale) for name, version in VERSIONS.items()
    }
    runs["module"] = partial(as_module, layer, x, is_open)
    times: dict[str, list[float]] = {name: [] for name in runs}
    outputs = {}
    with torch.no_grad():
        ours = batched(x, weights, is_open, scale)
        for _ in range(ROUNDS):
            for name, run in runs.items():
                start = time.perf_counter()
                for _ in range(5):
                    outputs[name] = run()
                times[name].append(time.perf_counter() - start)
    own = statistics.median(times["batched"])
    return [
        Compared(name, float((outputs[name] - ours).abs().max()), statistics.median(times[name]) / own) for name in runs
    ]


@dataclass(frozen=True)
class Counted:
    """Multiplications and parameters of a layer for a sentence of seq_len tokens."""

    heads: int
    head_dim: int
    projections: int  # multiplications in X W for Q, K, V and in the mixing by W_O
    scores: int  # multiplications in Q Kᵀ and in weights · V
    exponentials: int
    parameters: int


def counted(d_model: int, num_heads: int, seq_len: int) -> Counted:
    """By the sizes of the matrices: an (a × b)(b × c) product has a · b · c multiplications."""
    head_dim = d_model // num_heads
    projections = 4 * seq_len * d_model * d_model
    scores = num_heads * 2 * seq_len * seq_len * head_dim
    return Counted(num_heads, head_dim, projections, scores, num_heads * seq_len * seq_len, 4 * d_model * (d_model + 1))
