"""The straight line from a sentence to the output, with every tensor kept under its name."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attention.checks import check_width
from attention.config import AttentionConfig
from attention.embedding import (
    add_positions,
    embedding_table,
    look_up,
    one_hot_rows,
    sinusoidal_positions,
    small_table,
    token_ids,
    vocabulary,
)
from attention.functional import merge_heads, project, scaled_dot_product_attention, split_heads
from attention.tokens import tokenize
from attention.weights import AttentionWeights


@dataclass(frozen=True, eq=False)
class AttentionTrace:
    """Every tensor of one multi-head attention, in the order of the story.

    H = num_heads, L = query tokens, S = key tokens, d_k = head_dim; a batched input puts its dimension first.
    """

    x: Tensor  # (L, d_model)
    q: Tensor  # (H, L, d_k)
    k: Tensor  # (H, S, d_k)
    v: Tensor  # (H, S, d_k)
    scores: Tensor  # (H, L, S)
    scaled_scores: Tensor  # (H, L, S)
    masked_scores: Tensor  # (H, L, S)
    attn_weights: Tensor  # (H, L, S)
    head_outputs: Tensor  # (H, L, d_k)
    joined: Tensor  # (L, d_model)
    output: Tensor  # (L, d_model)


def multi_head_attention(
    x: Tensor,
    weights: AttentionWeights,
    *,
    memory: Tensor | None = None,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scaled: bool = True,
) -> AttentionTrace:
    """Project, split into heads, attend in each head, join, and mix with W_O.

    x: (L, d_model), or with leading batch dimensions. memory: (S, d_model), where keys and values come from
    (cross-attention); default x itself. attn_mask broadcasts to (..., num_heads, L, S), see
    scaled_dot_product_attention. scaled=False leaves out the division by √head_dim. ValueError where shapes do not fit.
    Source: "Attention Is All You Need", section 3.2.2.
    """
    memory = x if memory is None else memory
    check_width("x", x, weights.w_q)
    check_width("memory", memory, weights.w_q)
    q = split_heads(project(x, weights.w_q, weights.b_q), weights.num_heads)  # (H, L, d_k)
    k = split_heads(project(memory, weights.w_k, weights.b_k), weights.num_heads)  # (H, S, d_k)
    v = split_heads(project(memory, weights.w_v, weights.b_v), weights.num_heads)  # (H, S, d_k)
    steps = scaled_dot_product_attention(q, k, v, attn_mask, is_causal, None if scaled else 1.0)
    joined = merge_heads(steps.output)  # (L, d_model)
    output = project(joined, weights.w_o, weights.b_o)  # (L, d_model)
    return AttentionTrace(x, q, k, v, *steps, joined, output)


@dataclass(frozen=True)
class Edit:
    """A change made by hand to a trace, see apply_edit in attention/edit.py.

    tensor: "embeddings", "scores" or "attn_weights": the number in that row and column, counted from 0, becomes value.
    "head_outputs": the whole head falls silent; row and column do not matter, and value must be 0.
    head: which head, None for "embeddings" and, where there is only one, for the others too.
    """

    tensor: str
    row: int = 0
    column: int = 0
    head: int | None = None
    value: float = 0.0


@dataclass(frozen=True, eq=False)
class SentenceTrace:
    """The whole walk of one sentence, and the settings and weights that made it."""

    sentence: str
    config: AttentionConfig
    weights: AttentionWeights
    vocabulary: tuple[str, ...]  # vocab_size words, sorted
    embedding_table: Tensor  # (vocab_size, d_model)
    tokens: tuple[str, ...]  # seq_len
    ids: Tensor  # (seq_len,)
    one_hot: Tensor  # (seq_len, vocab_size)
    embeddings: Tensor  # (seq_len, d_model)
    positions: Tensor  # (seq_len, d_model); all 0 where positions are switched off
    x: Tensor  # (seq_len, d_model)
    attention: AttentionTrace
    edits: tuple[Edit, ...] = ()  # the changes made by hand since, in the order they were made
    positions_learned: bool = False  # whether positions are learned parameters, not the sines and cosines
    x_given: bool = False  # whether X came from outside: a norm, or layers below, stand before it


def trace_sentence(
    sentence: str | Sequence[str],
    config: AttentionConfig,
    weights: AttentionWeights | None = None,
    *,
    hidden_keys: Collection[int] = (),
) -> SentenceTrace:
    """Follow a sentence from its text to the output of one multi-head attention layer.

    sentence: a text, or the tokens that it has been cut into already. weights: default
    AttentionWeights.random(config). hidden_keys: positions that no query may look at, as a padding mask does.
    The same arguments give the same numbers, always.
    ValueError where weights are not of config's d_model and num_heads, or a hidden position is not in the sentence.
    """
    weights = AttentionWeights.random(config) if weights is None else weights
    tokens = cut(sentence)
    dtype = weights.w_q.dtype
    table = embedding_table(vocabulary(tokens), config.d_model, config.seed).to(dtype)  # (vocab_size, d_model)
    positions = sinusoidal_positions(len(tokens), config.d_model, dtype) * config.positions  # (seq_len, d_model)
    return trace_vectors(sentence, config, weights, table, positions, hidden_keys=hidden_keys)


def trace_by_hand(
    sentence: str | Sequence[str], config: AttentionConfig, *, hidden_keys: Collection[int] = ()
) -> SentenceTrace:
    """Follow a sentence through weights that were set by hand: identity matrices, and words of −1, 0 and 1.

    Without positions every number up to the scores is whole, and can be checked on paper.
    ValueError as for trace_sentence.
    """
    tokens, weights = cut(sentence), AttentionWeights.by_hand(config)
    table = small_table(vocabulary(tokens), config.d_model, config.seed)  # (vocab_size, d_model)
    positions = sinusoidal_positions(len(tokens), config.d_model) * config.positions  # (seq_len, d_model)
    return trace_vectors(sentence, config, weights, table, positions, hidden_keys=hidden_keys)


def trace_vectors(
    sentence: str | Sequence[str],
    config: AttentionConfig,
    weights: AttentionWeights,
    table: Tensor,
    positions: Tensor,
    *,
    hidden_keys: Collection[int] = (),
    positions_learned: bool = False,
) -> SentenceTrace:
    """Follow a sentence as trace_sentence does, with vectors of your own.

    table: (vocab_size, d_model), a row for each word of the sentence's vocabulary. positions: (seq_len, d_model).
    ValueError as for trace_sentence.
    """
    if (weights.d_model, weights.num_heads) != (config.d_model, config.num_heads):
        raise ValueError(
            f"the weights are for d_model={weights.d_model}, num_heads={weights.num_heads}, "
            f"but the settings ask for d_model={config.d_model}, num_heads={config.num_heads}"
        )
    tokens = cut(sentence)
    vocab = vocabulary(tokens)
    ids = token_ids(tokens, vocab)  # (seq_len,)
    one_hot = one_hot_rows(ids, len(vocab), table.dtype)  # (seq_len, vocab_size)
    embeddings = look_up(one_hot, table)  # (seq_len, d_model)
    x = add_positions(embeddings, positions)  # (seq_len, d_model)
    mask = open_keys(len(tokens), hidden_keys)  # (1, seq_len) or None
    attention = multi_head_attention(x, weights, attn_mask=mask, is_causal=config.causal, scaled=config.scaled)
    text = sentence if isinstance(sentence, str) else " ".join(tokens)
    story = (text, config, weights, vocab, table, tokens, ids, one_hot, embeddings, positions, x, attention)
    return SentenceTrace(*story, positions_learned=positions_learned)


def cut(sentence: str | Sequence[str]) -> tuple[str, ...]:
    """The tokens of a sentence; what has been cut into tokens already stays as it is."""
    return tokenize(sentence) if isinstance(sentence, str) else tuple(sentence)


def open_keys(seq_len: int, hidden_keys: Collection[int]) -> Tensor | None:
    """True for the keys that may be looked at: (1, seq_len), the same for every query."""
    if not hidden_keys:
        return None
    outside = [key for key in hidden_keys if not 0 <= key < seq_len]
    if outside:
        raise ValueError(f"hidden_keys {outside} are not among the sentence's {seq_len} positions, counted from 0")
    mask = torch.ones(1, seq_len, dtype=torch.bool)
    mask[0, list(hidden_keys)] = False
    return mask
