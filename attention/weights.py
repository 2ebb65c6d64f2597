"""The learned numbers of one multi-head attention layer."""

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from attention.checks import check_heads
from attention.config import AttentionConfig
from attention.embedding import seeded


@dataclass(frozen=True, eq=False)
class AttentionWeights:
    """Four matrices and four biases. Tokens are rows, so a matrix is used as x @ w + b.

    w_q, w_k, w_v, w_o: (d_model, d_model). b_q, b_k, b_v, b_o: (d_model,).
    Head h owns columns h · head_dim to (h + 1) · head_dim of w_q, w_k and w_v.
    Raises ValueError where shapes or types do not fit or num_heads does not divide d_model.
    Source: "Attention Is All You Need", section 3.2.2.
    """

    w_q: Tensor
    w_k: Tensor
    w_v: Tensor
    w_o: Tensor
    b_q: Tensor
    b_k: Tensor
    b_v: Tensor
    b_o: Tensor
    num_heads: int

    def __post_init__(self) -> None:
        d_model = self.w_q.shape[0] if self.w_q.dim() else 0
        for field in fields(self)[:-1]:
            tensor: Tensor = getattr(self, field.name)
            if tensor.dtype != self.w_q.dtype:
                raise ValueError(
                    f"all weights must be of one type: w_q is {self.w_q.dtype}, {field.name} {tensor.dtype}"
                )
            shape = tuple(tensor.shape)
            expected = (d_model, d_model) if field.name.startswith("w") else (d_model,)
            if shape != expected:
                raise ValueError(f"{field.name} must be of shape {expected} like w_q's d_model={d_model}, got {shape}")
        check_heads(d_model, self.num_heads)

    @property
    def d_model(self) -> int:
        """Width of every token's vector."""
        return self.w_q.shape[0]

    @property
    def head_dim(self) -> int:
        """Width of one head, d_k in the paper."""
        return self.d_model // self.num_heads

    @classmethod
    def random(cls, config: AttentionConfig) -> "AttentionWeights":
        """Untrained weights that follow from config.seed and d_model alone: num_heads only cuts them differently.

        Matrix entries have mean 0 and variance 1 / d_model, so that queries and keys keep the variance of X;
        biases have standard deviation 0.1.
        """
        generator = seeded(f"{config.seed} weights {config.d_model}")
        matrix, bias = (config.d_model, config.d_model), (config.d_model,)
        w_q, w_k, w_v, w_o = (torch.randn(matrix, generator=generator) / math.sqrt(config.d_model) for _ in range(4))
        b_q, b_k, b_v, b_o = (torch.randn(bias, generator=generator) * 0.1 for _ in range(4))
        return cls(w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o, config.num_heads)

    @classmethod
    def by_hand(cls, config: AttentionConfig) -> "AttentionWeights":
        """The simplest weights there are: identity matrices and no biases, so that Q, K and V are X, cut into heads."""
        eye, none = torch.eye(config.d_model), torch.zeros(config.d_model)
        return cls(eye, eye, eye, eye, none, none, none, none, config.num_heads)

    @classmethod
    def from_torch(cls, layer: nn.MultiheadAttention) -> "AttentionWeights":
        """Copy the weights of a torch layer, which keeps its matrices transposed and Q, K, V in one block.

        Mind its masks when you compare: in torch.nn.MultiheadAttention a boolean mask says True = closed, the
        opposite of ours. ValueError for separate kdim or vdim, add_bias_kv and add_zero_attn.
        """
        if layer.in_proj_weight is None:
            raise ValueError(
                f"kdim and vdim must equal embed_dim={layer.embed_dim}, got kdim={layer.kdim}, vdim={layer.vdim}"
            )
        if layer.bias_k is not None or layer.add_zero_attn:
            raise ValueError("add_bias_kv and add_zero_attn add keys that no token asked for; they are not supported")
        w_q, w_k, w_v = (block.T.detach().clone() for block in layer.in_proj_weight.chunk(3))
        w_o = layer.out_proj.weight.T.detach().clone()
        zeros = w_o.new_zeros(3 * layer.embed_dim)
        in_bias = zeros if layer.in_proj_bias is None else layer.in_proj_bias
        out_bias = zeros[: layer.embed_dim] if layer.out_proj.bias is None else layer.out_proj.bias
        b_q, b_k, b_v = (block.detach().clone() for block in in_bias.chunk(3))
        return cls(w_q, w_k, w_v, w_o, b_q, b_k, b_v, out_bias.detach().clone(), layer.num_heads)
