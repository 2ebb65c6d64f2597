"""The tensors of a trace by name, as the matrices that panels show and that a reader can ask about."""

from dataclasses import dataclass

import torch
from torch import Tensor

from attention import AttentionConfig, Cell, SentenceTrace, functional, measures

# Rows and columns in the order of the story: L tokens, V words, D = d_model, K = head_dim, 1.
_SHAPES = {
    "ids": "L1",
    "one_hot": "LV",
    "embedding_table": "VD",
    "embeddings": "LD",
    "positions": "LD",
    "x": "LD",
    "w_q": "DD",
    "b_q": "1D",
    "w_k": "DD",
    "b_k": "1D",
    "w_v": "DD",
    "b_v": "1D",
    "q": "LK",
    "k": "LK",
    "v": "LK",
    "scores": "LL",
    "scaled_scores": "LL",
    "masked_scores": "LL",
    "exponentials": "LL",
    "exp_sums": "L1",
    "attn_weights": "LL",
    "contributions": "LK",
    "head_outputs": "LK",
    "joined": "LD",
    "w_o": "DD",
    "b_o": "1D",
    "output": "LD",
}
TENSORS = tuple(_SHAPES)
OF_HEADS = (
    "q",
    "k",
    "v",
    "scores",
    "scaled_scores",
    "masked_scores",
    "exponentials",
    "exp_sums",
    "attn_weights",
    "contributions",
    "head_outputs",
)


@dataclass(frozen=True)
class Origin:
    """Which tensor of the trace a panel shows, so that a click on a cell can be answered."""

    tensor: str
    head: int | None = None
    transposed: bool = False
    first: int = 0  # the tensor's column that the panel begins with
    width: int = 0  # how many of the tensor's columns it shows; 0: all of them
    head_dim: int = 0  # where all heads stand side by side: how many columns each has


def shape_of(tensor: str, config: AttentionConfig, seq_len: int, vocab_size: int) -> tuple[int, int] | None:
    """Rows and columns of a tensor (of one head of it, where each head has its own); None for an unknown name."""
    sizes = {"L": seq_len, "V": vocab_size, "D": config.d_model, "K": config.head_dim, "1": 1}
    letters = _SHAPES.get(tensor)
    return (sizes[letters[0]], sizes[letters[1]]) if letters else None


def letters_of(tensor: str) -> str:
    """What the rows and columns of a tensor count: L tokens, V words, D or K dimensions, 1 nothing."""
    return _SHAPES[tensor]


def fits(cell: Cell, config: AttentionConfig, seq_len: int, vocab_size: int) -> bool:
    """Whether there is such a cell."""
    shape = shape_of(cell.tensor, config, seq_len, vocab_size)
    if shape is None or (cell.head is not None) != (cell.tensor in OF_HEADS):
        return False
    return 0 <= cell.row < shape[0] and 0 <= cell.column < shape[1] and 0 <= (cell.head or 0) < config.num_heads


def matrix(trace: SentenceTrace, tensor: str, head: int | None, query: int) -> Tensor:
    """A tensor as rows and columns: one head of it where it has heads, one query's where it is a query's."""
    attention = trace.attention
    if tensor == "exponentials":
        return functional.exponentials(attention.masked_scores[head])  # (L, S)
    if tensor == "exp_sums":
        return measures.row_sums(functional.exponentials(attention.masked_scores[head]))  # (L, 1)
    if tensor == "contributions":
        return measures.contributions(attention.attn_weights[head, query], attention.v[head])  # (S, d_k)
    whole: Tensor = (vars(attention) | vars(trace.weights) | vars(trace))[tensor]
    if whole.dim() == 1:
        return whole.unsqueeze(-1 if tensor == "ids" else 0)  # (L, 1) or (1, d_model)
    return whole[head] if tensor in OF_HEADS else whole  # (rows, columns)


def view(trace: SentenceTrace, origin: Origin, query: int, shape: tuple[int, int] | None = None) -> Tensor | None:
    """What a panel of that origin shows of a trace; None where the trace has no such thing, or not of that shape."""
    missing = origin.tensor == "contributions" and query >= len(trace.tokens)
    if missing or (origin.head or 0) >= trace.config.num_heads:
        return None
    if origin.head_dim:
        whole: Tensor = getattr(trace.attention, origin.tensor)
        values = functional.merge_heads(whole)  # (L, d_model)
    else:
        values = matrix(trace, origin.tensor, origin.head, query)
        last = origin.first + origin.width if origin.width else values.shape[1]
        values = values[:, origin.first : last]
    if origin.transposed:
        values = values.T
    return values if shape in (None, tuple(values.shape)) else None


def closed(trace: SentenceTrace, head: int) -> Tensor:
    """True where a mask closed a cell of one head, save for a weight that was set there by hand: (L, S)."""
    attention = trace.attention
    return (attention.masked_scores[head] == -torch.inf) & (attention.attn_weights[head] == 0)


def changes(now: Tensor, before: Tensor) -> Tensor:
    """True where a number is not what it was, beyond what the order of additions can do."""
    return ~torch.isclose(now, before, rtol=1e-5, atol=1e-6, equal_nan=True)
