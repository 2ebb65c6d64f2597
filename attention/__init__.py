"""Multi-head attention, small enough to read in one sitting, with every step kept for looking at."""

from attention.config import AttentionConfig
from attention.edit import Edit, apply_edit
from attention.explain import Derivation, Factor, Index, Term, explain_cell
from attention.functional import AttentionSteps, scaled_dot_product_attention
from attention.learn import Learned, learn
from attention.tensors import Cell
from attention.tokens import tokenize
from attention.trace import AttentionTrace, SentenceTrace, multi_head_attention, trace_by_hand, trace_sentence
from attention.weights import AttentionWeights

__all__ = [
    "AttentionConfig",
    "AttentionSteps",
    "AttentionTrace",
    "AttentionWeights",
    "Cell",
    "Derivation",
    "Edit",
    "Factor",
    "Index",
    "Learned",
    "SentenceTrace",
    "Term",
    "apply_edit",
    "explain_cell",
    "learn",
    "multi_head_attention",
    "scaled_dot_product_attention",
    "tokenize",
    "trace_by_hand",
    "trace_sentence",
]
