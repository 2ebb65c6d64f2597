"""The same layer in torch's own code, to hold ours against."""

import math

import torch
from torch import Tensor, nn

from attention.trace import SentenceTrace
from attention.weights import AttentionWeights


def to_torch(weights: AttentionWeights, *, scaled: bool = True) -> nn.MultiheadAttention:
    """A torch.nn.MultiheadAttention with our weights. Torch always divides by √head_dim: for scaled=False its
    queries are made √head_dim times longer beforehand."""
    dtype = weights.w_q.dtype
    layer = nn.MultiheadAttention(weights.d_model, weights.num_heads, batch_first=True, dtype=dtype).eval()
    longer = 1.0 if scaled else math.sqrt(weights.head_dim)
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.cat([weights.w_q.T * longer, weights.w_k.T, weights.w_v.T]))
        layer.in_proj_bias.copy_(torch.cat([weights.b_q * longer, weights.b_k, weights.b_v]))
        layer.out_proj.weight.copy_(weights.w_o.T)
        layer.out_proj.bias.copy_(weights.b_o)
    return layer


def torch_output(trace: SentenceTrace) -> Tensor:
    """What torch.nn.MultiheadAttention makes of the same sentence, masks and weights: (seq_len, d_model).

    A boolean mask says True = closed there. A query with no open key has no softmax in torch: its row is NaN.
    """
    closed = trace.attention.masked_scores[0] == -math.inf  # (seq_len, seq_len)
    x = trace.x.unsqueeze(0)  # (1, seq_len, d_model)
    output: Tensor
    with torch.no_grad():
        output, _ = to_torch(trace.weights, scaled=trace.config.scaled)(x, x, x, attn_mask=closed)
    return output.squeeze(0)  # (seq_len, d_model)


def largest_difference(trace: SentenceTrace) -> float:
    """The largest distance of any output number from torch's, over the queries that have a key to look at."""
    compared = (trace.attention.masked_scores[0] != -math.inf).any(dim=-1)  # (seq_len,)
    difference = (trace.attention.output.detach() - torch_output(trace)).abs()[compared]  # (open queries, d_model)
    return float(difference.max()) if difference.numel() else 0.0
