"""How well layers of many sizes learn: one training per size, in the background, its result kept for all visitors."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from attention import AttentionConfig, learn
from pages.ui.layers.jobs import Job, Results
from pages.ui.layers.progress import TRAININGS
from pages.ui.state.visit import current

WIDTHS = (4, 8, 16, 32, 64)
HEADS = (1, 2, 4, 8)
ENOUGH = 0.95
ALIKE = 0.02  # mean accuracies that differ by less are called alike
_accuracies: Results[float] = Results(TRAININGS, 10_000)


def sizes(config: AttentionConfig) -> tuple[AttentionConfig, ...]:
    """All sizes of the grid, scaled and not, everything else as in config; the small ones first."""
    return tuple(
        replace(config, d_model=d_model, num_heads=num_heads, scaled=scaled)
        for d_model in WIDTHS
        for num_heads in HEADS
        if d_model % num_heads == 0
        for scaled in (True, False)
    )


def training(config: AttentionConfig, language: str) -> Job[float]:
    """The job that trains a layer of that size and finds its accuracy: ended, under way, or begun now."""
    return _accuracies.job((config, language), partial(_accuracy, config, language), current().id)


def _accuracy(config: AttentionConfig, language: str, job: Job[float]) -> float:
    return learn(config, language=language, on_step=job.tell).history.checkpoints[-1].accuracy


def accuracy(config: AttentionConfig, language: str) -> float | None:
    """The share of held-out words that a layer of that size gets right; None where it has not been trained."""
    return _accuracies.find((config, language))


def table(config: AttentionConfig, language: str, *, scaled: bool) -> Tensor:
    """Accuracy by d_model (rows) and num_heads (columns); NaN where there is none."""
    rows = [
        [
            accuracy(replace(config, d_model=d_model, num_heads=num_heads, scaled=scaled), language)
            if d_model % num_heads == 0
            else None
            for num_heads in HEADS
        ]
        for d_model in WIDTHS
    ]
    return torch.tensor([[torch.nan if share is None else share for share in row] for row in rows])


def impossible() -> Tensor:
    """Which sizes there cannot be, as in table."""
    return torch.tensor([[d_model % num_heads != 0 for num_heads in HEADS] for d_model in WIDTHS])


def missing(config: AttentionConfig, language: str) -> Sequence[AttentionConfig]:
    """The sizes that have not been trained yet."""
    return [size for size in sizes(config) if accuracy(size, language) is None]


def smallest(found: Tensor) -> int | None:
    """The smallest d_model at which some number of heads is enough; None where there is none (yet)."""
    enough = (found >= ENOUGH).any(dim=1)  # (widths,)
    return next((width for width, is_enough in zip(WIDTHS, enough.tolist(), strict=True) if is_enough), None)


def described(config: AttentionConfig) -> str:
    """A size as a formula, in either language."""
    root = " (/ √d_k)" if config.scaled else ""
    return f"d_model = {config.d_model}, num_heads = {config.num_heads}{root}"


class Compared(NamedTuple):
    """Mean accuracies over the sizes that were trained both ways, and the section that says whether they differ."""

    section: str
    with_it: float
    without_it: float
    both: int


def compared(scaled: Tensor, unscaled: Tensor) -> Compared | None:
    """How much the division by √d_k matters, as far as is known; None where nothing was trained both ways."""
    both = ~(scaled.isnan() | unscaled.isnan())
    if not bool(both.any()):
        return None
    with_it, without_it = float(scaled[both].mean()), float(unscaled[both].mean())
    section = "scaling_same" if abs(with_it - without_it) < ALIKE else "scaling_differs"
    return Compared(section, with_it, without_it, int(both.sum()))
