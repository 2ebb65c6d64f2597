"""Word vectors, learned from nothing but which words stand near each other: CBOW and skip-gram.

Source: "Efficient Estimation of Word Representations in Vector Space", section 3 (arXiv 1301.3781).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize, pad

from attention.embedding import embedding_table, look_up, one_hot_rows, seeded, vocabulary
from attention.grammar import GRAMMARS, examples
from attention.learn import descend, logits

METHODS = ("cbow", "skip-gram")
CONTENT = ("woman", "man", "people", "animal", "thing", "place", "verb", "adjective")
CLASSES = (*CONTENT, "pronoun", "function word")
STEPS = 400
_SENTENCES = 8000
_BATCH, _START = 512, 0.05  # places in the text a step; how long the first vectors' entries are
# Adam's step, and the steps until it is reached. As measured: short ones tell women from men less well in English; long
# ones guess better in Chinese, but with vectors that know less of classes (CBOW: an agreement of 0.7 instead of 0.84).
_RATE, _WARM_UP = {"en": 0.1, "zh": 0.03}, 10
_NOUNS = {"WOMAN": "woman", "MAN": "man", "PEOPLE": "people", "ANIMAL": "animal"}  # list of the grammar → class
_NOUNS |= {"THING": "thing", "BOX": "thing", "STUFF": "thing", "PLACE": "place", "WAY": "place"}
_OF_RELATION = dict.fromkeys(("pronoun", "meaning", "role", "same"), "pronoun")
_OF_RELATION |= {"verb": "verb", "adjective": "adjective", "predicate": "adjective"}


@dataclass(frozen=True, eq=False)
class Vectors:
    """Each word's vector before and after the training: the rows of the input table, which is the one that is kept."""

    method: str
    language: str
    words: tuple[str, ...]  # all tokens of the training sentences, sorted
    before: Tensor  # (vocab_size, dim)
    after: Tensor  # (vocab_size, dim)
    losses: tuple[float, ...]  # mean cross-entropy of every step's batch, in nats
    counts: tuple[int, ...]  # how often each word occurs in the training sentences

    def vector(self, word: str, *, trained: bool = True) -> Tensor:
        """The vector of a word, (dim,). Case does not matter. ValueError for a word that is not among words."""
        return self._table(trained)[self._place(word)]  # (dim,)

    def neighbours(self, word: str, count: int, *, trained: bool = True) -> tuple[tuple[str, float], ...]:
        """The other words whose vectors point most nearly the same way, with their cosines; the nearest one first."""
        return self._nearest(self.vector(word, trained=trained), count, trained, without=(word,))

    def nearest(self, vector: Tensor, *, trained: bool = True) -> tuple[str, float]:
        """The word whose vector points most nearly the same way as any vector (dim,), and the cosine between them."""
        return self._nearest(vector, 1, trained)[0]

    def analogy(self, a: str, b: str, c: str, count: int, *, trained: bool = True) -> tuple[tuple[str, float], ...]:
        """What is to c as b is to a: the words nearest to b − a + c, those three left out. It may well fail."""
        first, second, third = (self.vector(word, trained=trained) for word in (a, b, c))  # (dim,) each
        return self._nearest(second - first + third, count, trained, without=(a, b, c))

    def _nearest(
        self, vector: Tensor, count: int, trained: bool, without: Collection[str] = ()
    ) -> tuple[tuple[str, float], ...]:
        table, left_out = self._table(trained), {self._place(word) for word in without}
        if vector.shape != table.shape[1:]:
            raise ValueError(f"the vectors have shape {tuple(table.shape[1:])}, got {tuple(vector.shape)}")
        cosines = cosine_similarity(table.double(), vector.double(), dim=-1)  # (vocab_size,)
        ranking = cosines.argsort(descending=True, stable=True)  # (vocab_size,)
        found = [i for i in ranking.tolist() if i not in left_out][:count]
        return tuple((self.words[i], float(cosines[i])) for i in found)

    def _table(self, trained: bool) -> Tensor:
        return self.after if trained else self.before  # (vocab_size, dim)

    def _place(self, word: str) -> int:
        index = {known.casefold(): i for i, known in enumerate(self.words)}
        if word.casefold() not in index:
            raise ValueError(f"{word!r} is in no sentence of the training")
        return index[word.casefold()]


def learn_vectors(
    method: str,
    *,
    language: str = "en",
    dim: int = 32,
    window: int = 5,
    seed: int = 0,
    steps: int = STEPS,
    on_step: Callable[[int, int, float], None] | None = None,
) -> Vectors:
    """Learn a vector for each word by having it guess words ("cbow", "skip-gram": see guess_loss).

    The guess is a softmax over the whole vocabulary: with a few hundred words there is no need for the hierarchical
    softmax of the paper, or for the negative samples of a later one. The vectors that guess begin at 0.
    on_step(step, steps, loss) is called after every step, counted from 1; what it raises ends the training and is
    passed on. The same arguments give the same numbers. ValueError for another method, a language without a grammar,
    fewer than 0 steps, and fewer than 1 dim or window.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    for name, value, least in (("dim", dim, 1), ("window", window, 1), ("steps", steps, 0)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    words, ids = _text(language)
    text = windows(ids, window)  # (places,) and (places, 2 · window)
    counts = tuple(text[0].bincount(minlength=len(words) + 1)[1:].tolist())
    before = embedding_table(words, dim, seed) * _START  # (vocab_size, dim)
    tensors = [before, torch.zeros_like(before)]
    generator = seeded(f"{seed} places")

    def loss_of(now: Sequence[Tensor]) -> Tensor:
        places = torch.randint(len(text[0]), (_BATCH,), generator=generator)  # (batch,)
        return guess_loss(method, *(part[places] for part in text), *now)

    def rate(step: int) -> float:
        return _RATE[language] * min(1, step / _WARM_UP) * (1 - (step - 1) / steps)

    tensors, losses = descend(tensors, loss_of, steps, rate, on_step)
    return Vectors(method, language, words, before, tensors[0], losses, counts)


@cache
def _text(language: str) -> tuple[tuple[str, ...], Tensor]:
    """The different words of the training sentences, sorted, and the sentences as ids: (N, L), counted from 1."""
    found = examples(language, _SENTENCES)
    words = vocabulary([token for example in found for token in example.tokens])
    index, longest = {word: i for i, word in enumerate(words, start=1)}, max(len(example.tokens) for example in found)
    rows = [[index[token] for token in example.tokens] for example in found]
    return words, torch.tensor([row + [0] * (longest - len(row)) for row in rows])  # (N, L)


def windows(ids: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """Each word of some sentences, and the words up to window places to its left and right.

    (N, L) to (words,) and (words, 2 · window). Id 0 is no word: it fills up a sentence, and a window past its ends.
    The paper lets skip-gram draw a smaller window every time; ours is always whole.

    >>> windows(torch.tensor([[5, 6, 7, 0]]), window=1)
    (tensor([5, 6, 7]), tensor([[0, 6],
            [5, 7],
            [6, 0]]))
    """
    around = pad(ids, (window, window)).unfold(1, 2 * window + 1, 1)[ids != 0]  # (words, 2 · window + 1)
    return around[:, window], torch.cat([around[:, :window], around[:, window + 1 :]], dim=1)


def guess_loss(method: str, centres: Tensor, contexts: Tensor, inputs: Tensor, outputs: Tensor) -> Tensor:
    """How badly words are guessed: the mean cross-entropy, in nats, of a softmax over all words; a scalar.

    CBOW guesses the word at the centre from the mean of its context's vectors; skip-gram guesses each word of the
    context from the centre's vector. What is shown is looked up in inputs, what is guessed is compared with outputs,
    both (vocab_size, dim). centres (batch,) and contexts (batch, 2 · window) as from windows: id i is row i − 1.
    """
    vocab_size = len(inputs)
    centre = one_hot_rows(centres - 1, vocab_size)  # (batch, vocab_size)
    # Counted, not looked up by index: the gradient of an index is added up in any order that the threads like.
    no_words = torch.zeros(len(contexts), vocab_size + 1)  # (batch, vocab_size + 1)
    context = no_words.scatter_add(1, contexts, torch.ones(contexts.shape))[:, 1:]  # (batch, vocab_size)
    shown, guessed = (context, centre) if method == "cbow" else (centre, context)
    hidden = look_up(shown / shown.sum(dim=-1, keepdim=True).clamp(min=1), inputs)  # (batch, dim)
    surprise = -logits(hidden, outputs).log_softmax(dim=-1)  # (batch, vocab_size)
    loss: Tensor = (guessed * surprise).sum() / guessed.sum()  # ()
    return loss


def word_class(word: str, language: str) -> str:
    """Which of CLASSES a token of the training sentences is most often there; a character, as what it is a part of.

    ValueError for a token that is not in them, and for a language without a grammar.
    """
    found = _classes(language)
    if word not in found:
        raise ValueError(f"{word!r} is in no sentence of the training")
    return found[word]


@cache
def _classes(language: str) -> dict[str, str]:
    training = examples(language, _SENTENCES)
    grammar, seen = GRAMMARS[language], defaultdict[str, Counter[str]](Counter)
    nouns = {noun: name for kind, name in _NOUNS.items() for noun in grammar.lists.get(kind, ())}
    lists = (*grammar.lists.values(), *grammar.fits.values())
    listed = {token for found in lists for word in found for token in grammar.parts(word)[0]}
    for example in training:
        referents = enumerate(zip(example.referents, example.relations, strict=True))
        heads = [referent if relation == "part" else i for i, (referent, relation) in referents]
        spelled = defaultdict[int, str](str)  # place of a head → its whole word
        for token, head in zip(example.tokens, heads, strict=True):
            spelled[head] += token
        for token, head in zip(example.tokens, heads, strict=True):
            found = nouns.get(spelled[head]) or _OF_RELATION.get(example.relations[head], "function word")
            # What binds an adjective to its noun (的) refers to the noun as well, but is no word of any list.
            seen[token]["function word" if found == "adjective" and token not in listed else found] += 1
    return {token: counts.most_common(1)[0][0] for token, counts in seen.items()}


def class_agreement(vectors: Tensor, classes: Sequence[str]) -> float:
    """The share of words whose nearest other word, by cosine, is of the same class: (n, dim) and n classes.

    ValueError for fewer than 2 words, or not one class for each.
    """
    if len(vectors) != len(classes) or len(classes) < 2:
        raise ValueError(f"needs a class for each of 2 words or more, got {len(vectors)} and {len(classes)} classes")
    directions = normalize(vectors.double(), dim=-1)  # (n, dim)
    cosines = (directions @ directions.T).fill_diagonal_(-torch.inf)  # (n, n)
    nearest = cosines.argmax(dim=-1).tolist()
    return sum(int(classes[i] == own) for i, own in zip(nearest, classes, strict=True)) / len(classes)


def chance_agreement(classes: Sequence[str]) -> float:
    """What class_agreement would be on average if the nearest word were any other word. ValueError for fewer than 2.

    >>> chance_agreement(["verb", "verb", "animal", "animal"])
    0.3333333333333333
    """
    if len(classes) < 2:
        raise ValueError(f"needs 2 words or more, got {len(classes)}")
    return sum(count * (count - 1) for count in Counter(classes).values()) / (len(classes) * (len(classes) - 1))


def principal_plane(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """The flat picture that keeps most of the differences: points (n, 2), and each axis's share of the variance (2,).

    The two directions of largest variance of vectors (n, dim), from the singular values of the centred rows; each
    points to where its largest entry is positive. ValueError for fewer than 2 rows or columns.
    """
    if vectors.dim() != 2 or min(vectors.shape) < 2:
        raise ValueError(f"needs 2 rows and 2 columns or more, got shape {tuple(vectors.shape)}")
    centred = vectors.detach().double() - vectors.detach().double().mean(dim=0)  # (n, dim)
    _, sizes, axes = torch.linalg.svd(centred, full_matrices=False)  # (min(n, dim),) and (min(n, dim), dim)
    largest = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True))  # (min(n, dim), 1)
    points = centred @ (axes * largest.sign())[:2].T  # (n, 2)
    total = sizes.square().sum().clamp(min=torch.finfo(torch.float64).tiny)  # ()
    return points.to(vectors.dtype), (sizes.square()[:2] / total).to(vectors.dtype)
