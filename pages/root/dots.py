"""What the lab on √d_k measures: dot products of random queries and keys, and what softmax makes of them."""

import math
from functools import lru_cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from attention import AttentionConfig, learn
from attention.functional import softmax
from attention.measures import entropy
from pages.ui.figures.curves import Line
from pages.ui.layers.jobs import Job, Results
from pages.ui.layers.progress import TRAININGS
from pages.ui.state.settings import WIDTHS
from pages.ui.state.visit import current

DIVISORS = ("none", "root", "width")
PAIRS, KEYS = 4096, 16  # random queries with a key each; how many keys a query has, where softmax is taken
TRAINED = ((32, 2), (64, 1))  # d_model, num_heads: heads of 16 and of 64 columns


@lru_cache(maxsize=8)
def dot_products(seed: int) -> Tensor:
    """q · k of random vectors with entries of mean 0 and variance 1, for every width: (PAIRS, widths)."""
    generator = torch.Generator().manual_seed(seed)
    q, k = (torch.randn(PAIRS, WIDTHS[-1], generator=generator) for _ in range(2))
    sums = (q * k).cumsum(dim=1)  # (PAIRS, 1024): the sum of the first d_k products
    return sums[:, [width - 1 for width in WIDTHS]]  # (PAIRS, widths)


def divided(products: Tensor, divisor: str) -> Tensor:
    """The scores of every width, divided by nothing, by √d_k or by d_k."""
    widths = torch.tensor(WIDTHS, dtype=products.dtype)  # (widths,)
    return products / {"none": torch.ones_like(widths), "root": widths.sqrt(), "width": widths}[divisor]


def variances(seed: int, divisor: str) -> list[float]:
    """The measured variance of the scores, for every width."""
    return divided(dot_products(seed), divisor).double().var(dim=0).tolist()


def theory(divisor: str) -> list[float]:
    """What the variance is expected to be."""
    return [{"none": float(width), "root": 1.0, "width": 1 / width}[divisor] for width in WIDTHS]


def histogram(seed: int, width: int, divisor: str) -> Line:
    """How the scores of one width spread: the share in each bin, over the scores of all three divisors."""
    scores = divided(dot_products(seed), divisor)[:, WIDTHS.index(width)]
    edge, bins = 4 * math.sqrt(width), 161
    counts = torch.histc(scores, bins, -edge, edge) / len(scores)  # (bins,)
    step = 2 * edge / bins
    return Line("", [-edge + step * (i + 0.5) for i in range(bins)], counts.tolist(), hue=DIVISORS.index(divisor))


class Softened(NamedTuple):
    """Of the weights of random queries, means over them, for every width."""

    entropy: list[float]
    gradient: list[float]
    largest: list[float]


@lru_cache(maxsize=24)
def softened(seed: int, divisor: str) -> Softened:
    """What softmax makes of the scores: how spread its weights are, how large they get, and how steep it is there.

    Steepness: the size (Frobenius norm) of the matrix of derivatives, diag(p) - p pᵀ.
    """
    scores = divided(dot_products(seed), divisor).T.reshape(len(WIDTHS), -1, KEYS)  # (widths, queries, KEYS)
    weights = softmax(scores.double())  # (widths, queries, KEYS)
    slopes = torch.diag_embed(weights) - weights.unsqueeze(-1) * weights.unsqueeze(-2)  # (widths, queries, KEYS, KEYS)
    sizes = slopes.flatten(-2).norm(dim=-1)  # (widths, queries)
    means = entropy(weights).mean(dim=-1), sizes.mean(dim=-1), weights.amax(dim=-1).mean(dim=-1)  # (widths,) each
    return Softened(*(mean.tolist() for mean in means))


def under_divisors(scores: Tensor) -> Tensor:
    """The weights of one row of scores, divided by √1, √2, √4 ...: (keys,) to (widths, keys)."""
    roots = torch.tensor(WIDTHS, dtype=scores.dtype).sqrt().unsqueeze(-1)  # (widths, 1)
    return softmax(scores / roots)  # (widths, keys)


def sizes(seed: int) -> list[AttentionConfig]:
    """The layers to train: narrow and wide heads, with the division and without."""
    return [
        AttentionConfig(d_model, heads, scaled=scaled, seed=seed)
        for d_model, heads in TRAINED
        for scaled in (True, False)
    ]


class Course(NamedTuple):
    """How a training went: the loss of every step's batch, and the share of held-out words right at the end."""

    losses: tuple[float, ...]
    accuracy: float


_trained: Results[Course] = Results(TRAININGS, 400)


def _learn(config: AttentionConfig, language: str, job: Job[Course]) -> Course:
    history = learn(config, language=language, on_step=job.tell).history
    return Course(history.losses, history.checkpoints[-1].accuracy)


def training(config: AttentionConfig, language: str) -> Job[Course]:
    """The job that trains such a layer: ended, under way, or begun now."""
    return _trained.job((config, language), partial(_learn, config, language), current().id)


def trained(config: AttentionConfig, language: str) -> Course | None:
    """How the training of such a layer went, where it was done."""
    return _trained.find((config, language))


def smooth(losses: tuple[float, ...], over: int = 15) -> list[float]:
    """Each step's loss as the mean of those around it."""
    values = torch.tensor(losses, dtype=torch.float64)
    return torch.stack([values[max(0, i - over) : i + over + 1].mean() for i in range(len(values))]).tolist()
