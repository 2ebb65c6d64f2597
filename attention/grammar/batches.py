"""Sentences of unequal length, side by side in tensors."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from attention.embedding import vocabulary
from attention.grammar import RELATIONS, Example, examples
from attention.grammar.lexicon import kinds_of

UNKNOWN = "<unk>"
_TRAINING, _HELD_OUT = 8000, 200  # sentences
_READ = 1000  # sentences that are read to see what kinds their words are of
# Kind → kinds whose place in a sentence is much the same: what a new word is taken for where the grammar has no word
# of its own kind.
_LIKE = {
    **dict.fromkeys(("NEW", "IDEA", "STUFF", "BOX"), ("THING",)),
    **dict.fromkeys(("ANIMALS", "THINGS"), ("PEOPLE",)),
    **dict.fromkeys(("NAME", "NAME_F", "NAME_M", "SPEAKER", "WHO"), ("NAME_F", "NAME_M", "WOMAN", "MAN")),
    **dict.fromkeys(("ADVERB", "RELATIVE", "ASK", "THERE", "TIME", "MODAL", "PARTICLE"), ("CONJUNCTION", "MARK")),
    "PERSON": ("WOMAN", "MAN"),
    "TO": ("PREPOSITION",),
    "HIS": ("HE",),
    "HER": ("SHE",),
    "ITS": ("IT",),
    "THEIR": ("THEY",),
    "THEY_IT": ("THEY", "PEOPLE"),
    "THEY": ("PEOPLE",),
    "AUX": ("VERB",),
}


class Batch(NamedTuple):
    """N sentences, filled up to the length L of the longest."""

    ids: Tensor  # (N, L): places in the vocabulary; 0 is the unknown word
    referents: Tensor  # (N, L): positions
    relations: Tensor  # (N, L): places in RELATIONS
    real: Tensor  # (N, L): False for what only fills up

    @property
    def targets(self) -> Tensor:
        """The id of the word that each word refers to; an unknown word refers to itself."""
        return self.ids.gather(1, self.referents).masked_fill(self.ids == 0, 0)  # (N, L)


@cache
def sentences(language: str) -> tuple[tuple[str, ...], Batch, Batch]:
    """The vocabulary (UNKNOWN first, then the tokens of the training sentences), the training sentences, the held-out.

    ValueError for a language without a grammar.
    """
    training, held_out = examples(language, _TRAINING), examples(language, _HELD_OUT, held_out=True)
    vocab = (UNKNOWN, *vocabulary([token for example in training for token in example.tokens]))
    return vocab, encode(training, vocab), encode(held_out, vocab)


@cache
def by_kind(language: str) -> Mapping[str, tuple[int, ...]]:
    """For each kind of word the places in the vocabulary of the words that are of it, as most sentences use them."""
    uses: dict[str, Counter[str]] = defaultdict(Counter)
    for example in examples(language, _READ):
        for token, kind in zip(example.tokens, kinds_of(language, example.tokens), strict=True):
            uses[token][kind] += 1
    kinds: dict[str, tuple[int, ...]] = defaultdict(tuple)
    for i, word in enumerate(sentences(language)[0]):
        if word in uses:
            kinds[uses[word].most_common(1)[0][0]] += (i,)
    return dict(kinds)


@cache
def alike(language: str) -> Mapping[str, tuple[int, ...]]:
    """The same, and for kinds that the grammar has no word of those of a kind that stands in the same places."""
    own = by_kind(language)
    stand_ins = {kind: tuple(i for like in likes for i in own.get(like, ())) for kind, likes in _LIKE.items()}
    return {**{kind: places for kind, places in stand_ins.items() if places}, **own}


def encode(found: Sequence[Example], vocab: Sequence[str]) -> Batch:
    """Turn sentences into numbers. A token that is not in the vocabulary becomes its first entry."""
    index, names = {word: i for i, word in enumerate(vocab)}, list(RELATIONS)
    longest = max(len(example.tokens) for example in found)

    def filled(rows: Iterable[list[int]]) -> Tensor:
        return torch.tensor([row + [0] * (longest - len(row)) for row in rows])  # (N, L)

    return Batch(
        filled([index.get(token, 0) for token in example.tokens] for example in found),
        filled(list(example.referents) for example in found),
        filled([names.index(relation) for relation in example.relations] for example in found),
        filled([1] * len(example.tokens) for example in found).bool(),
    )


def draw(batch: Batch, count: int, forgotten: float, generator: torch.Generator) -> Batch:
    """Some sentences by chance, cut to the longest of them, with a share of the words forgotten: made unknown."""
    rows = torch.randint(len(batch.ids), (count,), generator=generator)
    longest = int(batch.real[rows].sum(dim=1).max())
    drawn = Batch(*(tensor[rows, :longest] for tensor in batch))
    unknown = torch.rand(drawn.ids.shape, generator=generator) < forgotten  # (count, L)
    return drawn._replace(ids=drawn.ids.masked_fill(unknown, 0))
