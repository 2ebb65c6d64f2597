"""What attention costs: measured here, beside n², torch's fused function, a recurrent layer and a convolution."""

import math
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, cross_entropy
from torch.nn.functional import scaled_dot_product_attention as fused

from attention import scaled_dot_product_attention
from attention.embedding import seeded, sinusoidal_positions
from pages.ui.layers.jobs import Job, Results
from pages.ui.layers.progress import TRAININGS
from pages.ui.state.visit import current

LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 2048)
WIDTH, ROUNDS = 64, 3
GAPS = (2, 4, 8, 16, 32)  # how far back the word to be copied stands
WORDS, HIDDEN, STEPS, BATCH = 8, 32, 200, 32
_times: Results["Times"] = Results(TRAININGS, 200)
_copies: Results["Copied"] = Results(TRAININGS, 200)


class Times(NamedTuple):
    """Seconds for one sequence of a length, and how many numbers our core keeps for it."""

    ours: float
    fused: float
    recurrent: float
    convolution: float
    kept: int


def _clock(run: Callable[[], object]) -> float:
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def _measure(length: int, job: Job[Times]) -> Times:
    job.tell(0, 1)
    q, k, v = torch.randn(3, length, WIDTH, generator=seeded(f"cost {length}"))
    recurrent = nn.GRU(WIDTH, WIDTH, batch_first=True)
    kernel = torch.randn(WIDTH, WIDTH, 3, generator=seeded("kernel"))
    with torch.no_grad():
        steps = scaled_dot_product_attention(q, k, v)
        return Times(
            _clock(partial(scaled_dot_product_attention, q, k, v)),
            _clock(partial(fused, q[None], k[None], v[None])),
            _clock(partial(recurrent, q[None])),
            _clock(partial(conv1d, q.T[None], kernel, padding=1)),
            sum(step.numel() for step in steps),
        )


def measuring(length: int) -> Job[Times]:
    """The job that measures a length: ended, under way, or begun now."""
    return _times.job(length, partial(_measure, length), current().id)


def measured(length: int) -> Times | None:
    """What was measured for a length, where it was."""
    return _times.find(length)


def squares(last: float, lengths: list[int]) -> list[float]:
    """A curve of n² that ends at a measured time."""
    return [last * (length / lengths[-1]) ** 2 for length in lengths]


class Copied(NamedTuple):
    """The share of sequences in which the word so far back was named, by attention and by a recurrent layer."""

    attention: float
    recurrent: float


def copying(gap: int) -> Job[Copied]:
    """The job that trains both to name the word gap places back."""
    return _copies.job(gap, partial(_copy, gap), current().id)


def copied(gap: int) -> Copied | None:
    """How both did, where they were trained."""
    return _copies.find(gap)


def _copy(gap: int, job: Job[Copied]) -> Copied:
    shares = []
    for number, kind in enumerate(("attention", "recurrent")):
        shares.append(learn_to_copy(kind, gap, job, number))
    return Copied(*shares)


def learn_to_copy(kind: str, gap: int, job: Job[Copied], number: int) -> float:
    """Train one layer: after gap + 1 words, name the first of them. Both have vectors of HIDDEN columns."""
    generator, length = seeded(f"copy {kind} {gap}"), gap + 1
    recurrent = nn.GRU(HIDDEN, HIDDEN, batch_first=True)
    with torch.no_grad():
        for own in recurrent.parameters():
            own.copy_((torch.rand(own.shape, generator=generator) * 2 - 1) / math.sqrt(HIDDEN))
    shapes = ((WORDS, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, WORDS))
    given = [(torch.randn(s, generator=generator) / math.sqrt(s[0])).requires_grad_() for s in shapes]
    table, w_q, w_k, w_v, w_out = given
    positions = sinusoidal_positions(length, HIDDEN)

    def said(words: Tensor) -> Tensor:
        x = table[words]  # (N, L, HIDDEN)
        if kind == "recurrent":
            states: Tensor = recurrent(x)[0]  # (N, L, HIDDEN)
            return states[:, -1] @ w_out  # (N, WORDS)
        x = x + positions
        out = scaled_dot_product_attention(x[:, -1:] @ w_q, x @ w_k, x @ w_v).output  # (N, 1, HIDDEN)
        return out[:, 0] @ w_out  # (N, WORDS)

    leaves = [*given, *recurrent.parameters()] if kind == "recurrent" else given
    means, squared = ([torch.zeros_like(leaf) for leaf in leaves] for _ in range(2))
    for step in range(1, STEPS + 1):
        words = torch.randint(WORDS, (BATCH, length), generator=generator)
        with torch.enable_grad():
            loss = cross_entropy(said(words), words[:, 0])
            slopes = torch.autograd.grad(loss, leaves, allow_unused=True)
        with torch.no_grad():
            for leaf, slope, mean, square in zip(leaves, slopes, means, squared, strict=True):  # Adam
                if slope is not None:
                    mean.mul_(0.9).add_(slope, alpha=0.1)
                    square.mul_(0.98).addcmul_(slope, slope, value=0.02)
                    leaf.sub_(0.01 / (1 - 0.9**step) * mean / ((square / (1 - 0.98**step)).sqrt() + 1e-8))
        job.tell(number * STEPS + step, 2 * STEPS)
    words = torch.randint(WORDS, (500, length), generator=generator)
    with torch.no_grad():
        return float((said(words).argmax(dim=-1) == words[:, 0]).double().mean())


class Paths(NamedTuple):
    """Of one kind of layer: steps that must wait for each other, and the way from the first word to the last."""

    waiting: int
    path: int


def paths(length: int, kernel: int = 3) -> dict[str, Paths]:
    """As in table 1 of the paper: waiting, and the way from end to end. A convolution looks kernel - 1 places back, and
    is stacked until the last word sees the first.
    """
    layers = math.ceil((length - 1) / (kernel - 1))
    return {"attention": Paths(1, 1), "recurrent": Paths(length, length - 1), "convolution": Paths(layers, layers)}
