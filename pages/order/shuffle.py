"""What the lab on positions computes: shuffled sentences, and scores while two words move together."""

import math
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import torch
from torch import Tensor

from attention import SentenceTrace, tokenize
from attention.embedding import add_positions, sinusoidal_positions
from attention.functional import attention_scores, scale_scores
from attention.learn import MAX_LEN, Learned
from attention.variants import alibi_slopes, rotate

KINDS = ("none", "sinusoidal", "learned", "rotary", "alibi")


def order_of(size: int, shuffle: int) -> list[int]:
    """Which word stands where after that shuffle; 0 is the sentence as it was."""
    places = list(range(size))
    if shuffle:
        Random(f"{size} {shuffle}").shuffle(places)
    return places


def written(tokens: Sequence[str]) -> str:
    """A sentence of these tokens, with spaces only where two of them would run together.

    >>> written(["the", "cat", "!", "我", "们"])
    'the cat!我们'
    """
    text = tokens[0]
    for before, token in pairwise(tokens):
        text += token if tokenize(before + token) == (before, token) else f" {token}"
    return text if tokenize(text) == tuple(tokens) else " ".join(tokens)


def moved_back(output: Tensor, order: list[int]) -> Tensor:
    """The rows of a shuffled sentence, in the order of the words as they were typed: (L, d_model)."""
    back = torch.empty_like(output)
    back[order] = output
    return back


def position_products(count: int, d_model: int) -> Tensor:
    """The dot products of all pairs of positions: (count, count)."""
    positions = sinusoidal_positions(count, d_model)  # (count, d_model)
    return attention_scores(positions, positions)


def moved_score(
    trace: SentenceTrace, head: int, query: int, key: int, kind: str, shift: int, layer: Learned | None
) -> float:
    """The scaled score of two words, when both stand shift places later and nothing else changes.

    kind: how the layer is told of positions. layer: whose learned positions are used, where there is one.
    """
    d_model, d_k, weights = trace.config.d_model, trace.config.head_dim, trace.weights
    places = torch.tensor([query + shift, key + shift])
    both = trace.embeddings[[query, key]]  # (2, d_model)
    if kind == "sinusoidal":
        both = add_positions(both, sinusoidal_positions(int(places.max()) + 1, d_model)[places])
    elif kind == "learned":
        table = layer.history.checkpoints[-1].positions if layer else _random_positions(d_model)  # (MAX_LEN, d_model)
        both = add_positions(both, table[places.clamp(max=MAX_LEN - 1)])
    own = slice(head * d_k, (head + 1) * d_k)
    q = (both[:1] @ weights.w_q + weights.b_q)[:, own]  # (1, d_k)
    k = (both[1:] @ weights.w_k + weights.b_k)[:, own]  # (1, d_k)
    if kind == "rotary":
        q, k = rotate(q, places[:1]), rotate(k, places[1:])
    score = float(scale_scores(attention_scores(q, k), 1 / math.sqrt(d_k)))
    if kind == "alibi":
        score -= float(alibi_slopes(trace.config.num_heads)[head]) * abs(query - key)
    return score


def _random_positions(d_model: int) -> Tensor:
    """Positions as a layer that has not learned yet has them: (MAX_LEN, d_model)."""
    return torch.randn(MAX_LEN, d_model, generator=torch.Generator().manual_seed(0))


def kinds_for(head_dim: int) -> tuple[str, ...]:
    """The ways that a head of that width allows: columns are turned in pairs."""
    return tuple(kind for kind in KINDS if kind != "rotary" or head_dim % 2 == 0)
