"""The terms of the app, in the order in which a reader meets them; their words stand in en.md and zh.md."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """name: of its sections term_… and is_…. symbol: in HTML. code: its name there. page: where it is at home."""

    name: str
    symbol: str
    code: str
    page: str


TERMS = (
    Term("token", "", "tokens", "embedding"),
    Term("id", "", "ids", "embedding"),
    Term("onehot", "H", "one_hot", "embedding"),
    Term("embedding", "T", "embeddings", "embedding"),
    Term("position", "P", "positions", "order"),
    Term("width", "d<sub>model</sub>", "d_model", "embedding"),
    Term("parameter", "", "weights", "projections"),
    Term("query", "Q", "q", "projections"),
    Term("key", "K", "k", "projections"),
    Term("value", "V", "v", "projections"),
    Term("score", "Q K<sup>⊤</sup>", "scores", "scores"),
    Term("dot", "q · k", "attention_scores", "scores"),
    Term("scaling", "1 / √d<sub>k</sub>", "scale_scores", "root"),
    Term("mask", "", "attn_mask", "masks"),
    Term("causal", "", "is_causal", "masks"),
    Term("padding", "", "hidden_keys", "masks"),
    Term("softmax", "", "softmax", "softmax"),
    Term("weight", "A", "attn_weights", "softmax"),
    Term("entropy", "", "entropy", "softmax"),
    Term("sum", "A V", "weighted_sum", "weighted_sum"),
    Term("head", "h", "num_heads", "heads"),
    Term("headdim", "d<sub>k</sub>", "head_dim", "heads"),
    Term("mixing", "W<sub>O</sub>", "w_o", "heads"),
    Term("selfattention", "", "multi_head_attention", "overview"),
    Term("crossattention", "", "memory", "cross"),
    Term("encoder", "", "", "masks"),
    Term("decoder", "", "", "masks"),
    Term("training", "", "learn", "training"),
    Term("loss", "", "loss", "training"),
    Term("gradient", "", "", "root"),
    Term("seed", "", "seed", "training"),
    Term("cache", "", "past_key", "today"),
)
