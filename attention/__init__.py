"""Multi-head attention, small enough to read in one sitting, with every step kept for looking at."""

from attention.config import AttentionConfig
from attention.functional import AttentionSteps, scaled_dot_product_attention
from attention.tokens import tokenize
from attention.trace import AttentionTrace, SentenceTrace, multi_head_attention, trace_sentence
from attention.weights import AttentionWeights

__all__ = [
    "AttentionConfig",
    "AttentionSteps",
    "AttentionTrace",
    "AttentionWeights",
    "SentenceTrace",
    "multi_head_attention",
    "scaled_dot_product_attention",
    "tokenize",
    "trace_sentence",
]
