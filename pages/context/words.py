"""One word in two sentences: what is the same of it, and what is not."""

from dataclasses import dataclass

import torch

from attention import SentenceTrace
from attention.pretrained import Pretrained

Place = tuple[int, int]


def shared(first: SentenceTrace, second: SentenceTrace, wanted: int) -> Place | None:
    """Where a word of the first sentence stands in both: the one at that position, else the last that both have."""
    there = [token.casefold() for token in second.tokens]
    places = [wanted, *reversed(range(len(first.tokens)))]
    for place in places:
        token = first.tokens[place].casefold()
        if token in there and any(map(str.isalnum, token)):
            return place, len(there) - 1 - there[::-1].index(token)
    return None


@dataclass(frozen=True)
class Apart:
    """How far two sentences take one word: largest differences of its rows, and the cosine of its outputs."""

    embedding: float
    output: float
    cosine: float


def apart(first: SentenceTrace, second: SentenceTrace, at: Place) -> Apart:
    """The word's embedding and output in both."""
    a, b = first.attention.output[at[0]], second.attention.output[at[1]]
    return Apart(
        float((first.embeddings[at[0]] - second.embeddings[at[1]]).abs().max()),
        float((a - b).abs().max()),
        float(torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=0)),
    )


def through_layers(model: Pretrained, first: str, second: str, at: Place) -> list[float]:
    """The cosine of the word's vectors in the two sentences, as it enters each layer of a model."""
    found = []
    for layer in range(model.num_layers):
        a, b = model.trace(first, layer).x[at[0]], model.trace(second, layer).x[at[1]]
        found.append(float(torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=0)))
    return found
