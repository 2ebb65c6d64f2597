"""Sentences of unequal length, side by side in tensors, each word with its kind."""

from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from threading import RLock
from typing import NamedTuple

import torch
from torch import Tensor

from attention.grammar import LANGUAGES, RELATIONS, Example, examples
from attention.grammar.lexicon import UNLISTED, kind_of_each, lexicon

_TRAINING, _HELD_OUT = 6000, 300  # sentences
_SORTED = 3  # batches whose sentences are drawn together and parted by length
_OF_A_KIND = 12  # words of every list that are in the vocabulary
# Kind → kinds that stand in the same places, of which the grammar has few words or none. Some of its words are taken
# for one of those in training, so that a layer learns all kinds.
_ALSO = {
    "WOMAN": ("PERSON",),
    "MAN": ("PERSON",),
    "NAME_F": ("NAME",),
    "NAME_M": ("NAME",),
    "PEOPLE": ("THINGS", "THINGS", "ANIMALS"),
    "THING": ("IDEA", "STUFF", "NEW", "BOX", "PLACE"),
    "STUFF": ("IDEA", "NEW"),
    "PLACE": ("IDEA", "NEW"),
    "ANIMAL": ("NEW",),
    "THEY": ("THEY_IT",),
}
_SHARE_ALSO = 0.3  # of the words of such a kind
_MAKING = {language: RLock() for language in LANGUAGES}


class Batch(NamedTuple):
    """N sentences, filled up to the length L of the longest."""

    ids: Tensor  # (N, L): which token, a place in tokens_of
    kinds: Tensor  # (N, L): places in kind_names; one for each token of a sentence
    first: Tensor  # (N, L): the position at which the same token stands first
    referents: Tensor  # (N, L): positions
    objects: Tensor  # (N, L): positions: of a verb its object, of a word without one the word itself
    relations: Tensor  # (N, L): places in RELATIONS
    real: Tensor  # (N, L): False for what only fills up

    @property
    def is_word(self) -> Tensor:
        """Which tokens are the first of their like, so that each word of a sentence counts once: (N, L)."""
        return self.real & (self.first == torch.arange(self.first.shape[1]))

    @property
    def is_between(self) -> Tensor:
        """Which tokens are verbs with a subject before them and an object after them: (N, L)."""
        places = torch.arange(self.first.shape[1])  # (L,)
        return self.real & (self.referents < places) & (self.objects > places)


@cache
def kind_names(language: str) -> tuple[str, ...]:
    """The kinds of words: those of the lists, and those for what is in no list."""
    return tuple(sorted({kind for kinds in lexicon(language).kinds.values() for kind in kinds} | set(UNLISTED)))


@cache
def words_of(language: str) -> dict[str, str]:
    """The vocabulary: the tokens of the first words of every list, and the kind of each. Every output is compared with
    them.
    """
    found, kinds = lexicon(language), dict[str, str]()
    for words in found.lists.values():
        for word in words[:_OF_A_KIND]:
            tokens = (word,) if found.separator else tuple(word)
            for token, kind in zip(tokens, found.parts(tokens, found.kinds[word.casefold()][0]), strict=True):
                kinds.setdefault(token.casefold(), kind)
    return kinds


def sentences(language: str) -> tuple[Batch, Batch]:
    """The training sentences and the held-out ones. ValueError for a language without a grammar.

    They are made once: who asks while another waits for them waits as well.
    """
    with _MAKING.get(language, RLock()):
        return _sentences(language)


@cache
def _sentences(language: str) -> tuple[Batch, Batch]:
    training = encode(examples(language, _TRAINING), language, also=_SHARE_ALSO)
    return training, encode(examples(language, _HELD_OUT, held_out=True), language)


@cache
def tokens_of(language: str) -> tuple[str, ...]:
    """The different tokens of the vocabulary, and then of the held-out sentences, case aside; the place is the id."""
    held_out = [token for example in examples(language, _HELD_OUT, held_out=True) for token in example.tokens]
    return tuple(dict.fromkeys([*words_of(language), *(token.casefold() for token in held_out)]))


def encode(found: Sequence[Example], language: str, also: float = 0.0) -> Batch:
    """Turn sentences into numbers. also: the share of the words that are taken for a kind like their own; see _ALSO."""
    index = {token: i for i, token in enumerate(tokens_of(language))}
    names, relations = {kind: i for i, kind in enumerate(kind_names(language))}, list(RELATIONS)
    longest, rng = max(len(example.tokens) for example in found), Random(f"{language} also")
    rows: dict[str, list[list[int]]] = {field: [] for field in Batch._fields}

    def add(field: str, values: Sequence[int]) -> None:
        rows[field].append([*values, *[0] * (longest - len(values))])

    for example in found:
        kinds = kind_of_each(language, example.tokens)
        for token, kind in kinds.items():
            if rng.random() < also and (others := [other for other in _ALSO.get(kind, ()) if other in names]):
                kinds[token] = rng.choice(others)
        add("ids", [index.get(token.casefold(), 0) for token in example.tokens])
        add("kinds", [names[kinds[token]] for token in example.tokens])
        add("first", [example.tokens.index(token) for token in example.tokens])
        add("referents", example.referents)
        add("objects", example.objects)
        add("relations", [relations.index(relation) for relation in example.relations])
        add("real", [1] * len(example.tokens))
    tensors = {field: torch.tensor(values) for field, values in rows.items()}
    return Batch(**{**tensors, "real": tensors["real"].bool()})


def draw(batch: Batch, count: int, generator: torch.Generator) -> Batch:
    """Some sentences by chance."""
    return _picked(batch, torch.randint(len(batch.real), (count,), generator=generator))


def draws(batch: Batch, count: int, generator: torch.Generator) -> Iterator[Batch]:
    """Endless batches by chance, each of sentences that are about as long, so that there is little to fill up.

    For every _SORTED batches as many times count sentences are drawn and parted by length, so that each batch has about
    as many tokens: a batch of short sentences has more of them. In which order they come is chance, too.
    """
    while True:
        rows = torch.randint(len(batch.real), (_SORTED * count,), generator=generator)
        lengths, order = batch.real[rows].sum(dim=1).sort(stable=True)
        before = lengths.cumsum(dim=0) - lengths  # tokens of the shorter ones
        starts = [int((before * _SORTED < lengths.sum() * part).sum()) for part in range(1, _SORTED)]
        parts = rows[order].tensor_split(starts)
        for part in torch.randperm(_SORTED, generator=generator).tolist():
            yield _picked(batch, parts[part])


def _picked(batch: Batch, rows: Tensor) -> Batch:
    """Those sentences, cut to the longest of them."""
    longest = int(batch.real[rows].sum(dim=1).max())
    return Batch(*(tensor[rows, :longest] for tensor in batch))
