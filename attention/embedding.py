"""Tokens become ids, one-hot rows, vectors, and vectors that know their position."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


def vocabulary(tokens: Sequence[str]) -> tuple[str, ...]:
    """The different tokens of a sentence, sorted; a token's id is its place here.

    A real model has one fixed vocabulary (GPT-2: 50,257 entries). Ours holds only the words in sight.

    >>> vocabulary(["the", "cat", "saw", "the", "dog"])
    ('cat', 'dog', 'saw', 'the')
    """
    return tuple(sorted(set(tokens)))


def token_ids(tokens: Sequence[str], vocab: Sequence[str]) -> Tensor:
    """Each token's row number in the vocabulary: (seq_len,) of int64. KeyError for a token that is not in it."""
    index = {word: i for i, word in enumerate(vocab)}
    return torch.tensor([index[token] for token in tokens], dtype=torch.int64)  # (seq_len,)


def one_hot_rows(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """One row per token: 1 in the column of its id, 0 elsewhere.

    >>> one_hot_rows(torch.tensor([2, 0]), 3)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    return (ids.unsqueeze(-1) == torch.arange(vocab_size)).to(dtype)  # (seq_len, vocab_size)


def embedding_table(vocab: Sequence[str], d_model: int, seed: int = 0) -> Tensor:
    """One random vector per word, entries of mean 0 and variance 1: (vocab_size, d_model).

    A word's vector depends on the word, d_model and seed alone, so it is the same in every sentence.
    """
    rows = [torch.randn(d_model, generator=seeded(f"{seed} word {word}")) for word in vocab]
    return torch.stack(rows) if rows else torch.zeros(0, d_model)  # (vocab_size, d_model)


def small_table(vocab: Sequence[str], d_model: int, seed: int = 0) -> Tensor:
    """One vector of −1, 0 and 1 per word, to compute with on paper: (vocab_size, d_model).

    A word's vector depends on the word, d_model and seed alone.
    """
    rows = [torch.randint(-1, 2, (d_model,), generator=seeded(f"{seed} small {word}")).float() for word in vocab]
    return torch.stack(rows) if rows else torch.zeros(0, d_model)  # (vocab_size, d_model)


def look_up(one_hot: Tensor, table: Tensor) -> Tensor:
    """One-hot rows times the table picks rows out of the table: (seq_len, d_model)."""
    return one_hot @ table  # (seq_len, d_model)


def sinusoidal_positions(seq_len: int, d_model: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A vector for each position: sines in the even columns, cosines in the odd ones, slower to the right.

    Column 2i holds sin(pos / 10000^(2i / d_model)), column 2i + 1 the cosine of the same angle.
    Shape (seq_len, d_model), entries from -1 to 1. Source: "Attention Is All You Need", section 3.5.
    """
    pos = torch.arange(seq_len, dtype=torch.float64).unsqueeze(-1)  # (seq_len, 1)
    column = torch.arange(d_model, dtype=torch.float64)  # (d_model,)
    angle = pos / 10000 ** ((column - column % 2) / d_model)  # (seq_len, d_model)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos()).to(dtype)  # (seq_len, d_model)


def add_positions(embeddings: Tensor, positions: Tensor) -> Tensor:
    """What enters attention: X = embeddings + positions, (seq_len, d_model)."""
    return embeddings + positions  # (seq_len, d_model)


def seeded(name: str) -> torch.Generator:
    """A random generator whose numbers follow from name alone, on every machine."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
