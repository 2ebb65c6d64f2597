"""Pairs of sentences, English and Chinese, with the words that correspond; and a layer that learns to align them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from random import Random

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from attention import SentenceTrace, multi_head_attention, scaled_dot_product_attention
from attention.embedding import seeded, sinusoidal_positions
from attention.learn import descend
from attention.trace import AttentionTrace
from pages.cross.words import ADJECTIVES, PEOPLE, PLACES, THINGS, TIMES, VERBS
from pages.ui.layers.jobs import Job, Results
from pages.ui.layers.progress import TRAININGS
from pages.ui.state.visit import current

COUNT, HELD_OUT, WIDTH, STEPS, BATCH, RATE = 600, 41, 32, 250, 40, 0.01
EMPTY = ""  # fills up the shorter sentences
_layers: Results["Aligner"] = Results(TRAININGS, 8)


@dataclass(frozen=True)
class Pair:
    """A sentence in both languages. links: for each Chinese word the English one it stands for, -1 for none."""

    english: tuple[str, ...]
    chinese: tuple[str, ...]
    links: tuple[int, ...]


def make(rng: Random) -> Pair:
    """One pair; Chinese puts time and place before the verb, English after it."""
    who, what, verb = rng.choice(PEOPLE), rng.choice(THINGS), rng.choice(VERBS)
    english: list[tuple[str, str]] = [("the", "")]
    chinese: list[tuple[str, str]] = []
    if rng.random() < 0.5:
        adjective = rng.choice(ADJECTIVES)
        english.append((adjective[0], adjective[1]))
        chinese.append((adjective[1], adjective[1]))
    english.append(who)
    chinese.append((who[1], who[1]))
    time, place = rng.choice(TIMES), rng.choice(PLACES)
    if rng.random() < 0.6:
        chinese.append((time[1], time[1]))
    else:
        time = ("", "")
    if rng.random() < 0.6:
        chinese += [("在", "在"), (place[1], place[1])]
    else:
        place = ("", "")
    chinese += [(verb[1], verb[1]), (what[1], what[1])]
    english += [verb, ("the", ""), what]
    if place[0]:
        english += [("in", "在"), ("the", ""), place]
    if time[0]:
        english.append(time)
    meanings = [meaning for _, meaning in english]
    links = tuple(meanings.index(meaning) for _, meaning in chinese)
    return Pair(tuple(word for word, _ in english), tuple(word for word, _ in chinese), links)


@cache
def pairs() -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Pairs to learn from, and others that are kept out of the training."""
    rng, found = Random("pairs"), dict[Pair, None]()
    while len(found) < COUNT + HELD_OUT:
        found[make(rng)] = None
    every = tuple(found)
    return every[:COUNT], every[COUNT:]


@cache
def vocabularies() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of both languages; in the first place what fills up."""
    every = [pair for part in pairs() for pair in part]
    english = sorted({word for pair in every for word in pair.english})
    chinese = sorted({word for pair in every for word in pair.chinese})
    return (EMPTY, *english), (EMPTY, *chinese)


@dataclass(frozen=True, eq=False)
class Aligner:
    """One head of cross-attention: queries from Chinese words, keys and values from English ones."""

    parameters: Mapping[str, Tensor]
    losses: tuple[float, ...]
    accuracy: float  # of the links of held-out pairs: whether the largest weight is on the word that corresponds
    said: float  # how often the right Chinese word was named from what the weights brought


def _numbers(found: tuple[Pair, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Words as numbers, filled up with 0: English (N, S), Chinese (N, L); and the links (N, L), -1 for none."""
    english, chinese = ({word: i for i, word in enumerate(words)} for words in vocabularies())
    s, t = max(len(pair.english) for pair in found), max(len(pair.chinese) for pair in found)
    sources = [[english[word] for word in pair.english] + [0] * (s - len(pair.english)) for pair in found]
    targets = [[chinese[word] for word in pair.chinese] + [0] * (t - len(pair.chinese)) for pair in found]
    links = [[*pair.links, *[-1] * (t - len(pair.links))] for pair in found]
    return torch.tensor(sources), torch.tensor(targets), torch.tensor(links)


def attend(parameters: Mapping[str, Tensor], source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The weights of every Chinese word over the English ones, and what they bring: (N, L, S) and (N, L, WIDTH).

    source: (N, S). target: (N, L). The query knows its own word; what it brings comes from the English words alone.
    """
    x = parameters["english"][source] + sinusoidal_positions(source.shape[1], WIDTH)  # (N, S, WIDTH)
    y = parameters["chinese"][target]  # (N, L, WIDTH)
    is_open = (source != 0).unsqueeze(1)  # (N, 1, S)
    q, k = y @ parameters["w_q"], x @ parameters["w_k"]  # (N, L, WIDTH), (N, S, WIDTH)
    steps = scaled_dot_product_attention(q, k, parameters["english"][source] @ parameters["w_v"], is_open)
    return steps.attn_weights, steps.output


def training(seed: int) -> Job[Aligner]:
    """The job that trains such a layer: ended, under way, or begun now."""
    return _layers.job(seed, partial(train, seed), current().id)


def train(seed: int, job: Job[Aligner]) -> Aligner:
    """Learn to name each Chinese word from the English sentence alone. Nobody says which word corresponds."""
    source, target, _ = _numbers(pairs()[0])
    generator = seeded(f"{seed} alignment")
    words, signs = (len(each) for each in vocabularies())
    shapes = {"english": (words, WIDTH), "chinese": (signs, WIDTH), "w_q": (WIDTH, WIDTH), "w_k": (WIDTH, WIDTH)}
    shapes |= {"w_v": (WIDTH, WIDTH), "w_out": (WIDTH, signs)}
    start = [torch.randn(shape, generator=generator) / math.sqrt(WIDTH) for shape in shapes.values()]

    def loss_of(now: Sequence[Tensor]) -> Tensor:
        leaves = dict(zip(shapes, now, strict=True))
        rows = torch.randint(len(source), (BATCH,), generator=generator)
        _, brought = attend(leaves, source[rows], target[rows])
        real = target[rows] != 0
        return cross_entropy((brought @ leaves["w_out"])[real], target[rows][real])

    learned, losses = descend(start, loss_of, STEPS, lambda _: RATE, job.tell)
    found = dict(zip(shapes, learned, strict=True))
    return Aligner(found, losses, *_measured(found))


def _measured(found: Mapping[str, Tensor]) -> tuple[float, float]:
    """On pairs that it never saw: the share of links that the largest weight is on, and of words named rightly."""
    source, target, links = _numbers(pairs()[1])
    with torch.no_grad():
        weights, brought = attend(found, source, target)
        linked, real = links >= 0, target != 0
        right = (weights.argmax(dim=-1) == links)[linked]
        named = ((brought @ found["w_out"]).argmax(dim=-1) == target)[real]
    return float(right.double().mean()), float(named.double().mean())


def crossed(asking: SentenceTrace, answering: SentenceTrace) -> AttentionTrace:
    """One sentence attends to another through the layer of the first: no mask."""
    with torch.no_grad():
        return multi_head_attention(asking.x, asking.weights, memory=answering.x, scaled=asking.config.scaled)


def weights_of(layer: Aligner, pair: Pair) -> Tensor:
    """The weights of one pair: Chinese words in rows, English ones in columns."""
    source, target, _ = _numbers((pair,))
    with torch.no_grad():
        return attend(layer.parameters, source, target)[0][0]  # (L, S)
