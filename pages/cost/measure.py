"""What attention costs: measured here, beside n², torch's fused function, a recurrent layer and a convolution."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.profiler import profile
from torch.nn.functional import conv1d, cross_entropy
from torch.nn.functional import scaled_dot_product_attention as fused

from attention import scaled_dot_product_attention
from attention.embedding import add_positions, seeded, sinusoidal_positions
from attention.learn import descend
from pages.ui.layers.jobs import Job, Results
from pages.ui.layers.progress import TRAININGS
from pages.ui.state.visit import current

LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 2048)
WIDTH, ROUNDS = 64, 3
GAPS = (2, 4, 8, 16, 32)  # how far back the word to be copied stands
WORDS, HIDDEN, STEPS, BATCH, RATE = 8, 32, 200, 32, 0.01
_times: Results["Times"] = Results(TRAININGS, 200)
_copies: Results["Copied"] = Results(TRAININGS, 200)


class Times(NamedTuple):
    """Seconds for one sequence of a length; and how many bytes our core and the fused function held at most."""

    ours: float
    fused: float
    recurrent: float
    convolution: float
    ours_bytes: int
    fused_bytes: int


def _clock(run: Callable[[], object]) -> float:
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def most_held(run: Callable[[], object]) -> int:
    """The most bytes that what runs held at the same time, of those that torch gave it, as its profiler counts."""
    with profile(profile_memory=True, use_kineto=False) as seen:
        kept = run()  # until the profiler has ended
    events = sorted(seen.function_events or (), key=lambda event: event.time_range.end)
    changes = accumulate(event.self_cpu_memory_usage for event in events)
    del kept
    return max(changes, default=0)


def _measure(length: int, job: Job[Times]) -> Times:
    job.tell(0, 1)
    q, k, v = torch.randn(3, length, WIDTH, generator=seeded(f"cost {length}"))
    recurrent = nn.GRU(WIDTH, WIDTH, batch_first=True)
    kernel = torch.randn(WIDTH, WIDTH, 3, generator=seeded("kernel"))
    ours = partial(scaled_dot_product_attention, q, k, v)
    theirs = partial(fused, q[None, None], k[None, None], v[None, None])  # (N, H, L, d_k), else it is not fused
    with torch.no_grad():
        return Times(
            _clock(ours),
            _clock(theirs),
            _clock(partial(recurrent, q[None])),
            _clock(partial(conv1d, q.T[None], kernel, padding=1)),
            most_held(ours),
            most_held(theirs),
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
    own, start = _recurrent(generator) if kind == "recurrent" else _attention(generator, length)
    shapes = ((WORDS, HIDDEN), (HIDDEN, WORDS))  # the words' vectors, and what names a word
    both = [torch.randn(shape, generator=generator) / math.sqrt(shape[0]) for shape in shapes]

    def said(now: Sequence[Tensor], words: Tensor) -> Tensor:
        table, names, *layer = now
        return own(layer, table[words]) @ names  # (N, WORDS)

    def loss_of(now: Sequence[Tensor]) -> Tensor:
        words = torch.randint(WORDS, (BATCH, length), generator=generator)
        return cross_entropy(said(now, words), words[:, 0])

    def tell(step: int, *_: float) -> None:
        job.tell(number * STEPS + step, 2 * STEPS)

    learned, _ = descend([*both, *start], loss_of, STEPS, lambda _: RATE, tell)
    words = torch.randint(WORDS, (500, length), generator=generator)
    with torch.no_grad():
        return float((said(learned, words).argmax(dim=-1) == words[:, 0]).double().mean())


Layer = Callable[[Sequence[Tensor], Tensor], Tensor]  # its parameters, vectors (N, L, HIDDEN) to the last one's output


def _attention(generator: torch.Generator, length: int) -> tuple[Layer, list[Tensor]]:
    """One head of attention, and its matrices to start from."""
    positions = sinusoidal_positions(length, HIDDEN)  # (L, HIDDEN)

    def layer(matrices: Sequence[Tensor], vectors: Tensor) -> Tensor:
        w_q, w_k, w_v = matrices
        x = add_positions(vectors, positions)  # (N, L, HIDDEN)
        return scaled_dot_product_attention(x[:, -1:] @ w_q, x @ w_k, x @ w_v).output[:, 0]  # (N, HIDDEN)

    return layer, [torch.randn(HIDDEN, HIDDEN, generator=generator) / math.sqrt(HIDDEN) for _ in range(3)]


def _recurrent(generator: torch.Generator) -> tuple[Layer, list[Tensor]]:
    """A recurrent layer, and its parameters to start from."""
    gru = nn.GRU(HIDDEN, HIDDEN, batch_first=True)
    names = [name for name, _ in gru.named_parameters()]

    def layer(parameters: Sequence[Tensor], vectors: Tensor) -> Tensor:
        states, _ = torch.func.functional_call(gru, dict(zip(names, parameters, strict=True)), (vectors,))
        last: Tensor = states[:, -1]  # (N, HIDDEN)
        return last

    start = [(torch.rand(own.shape, generator=generator) * 2 - 1) / math.sqrt(HIDDEN) for own in gru.parameters()]
    return layer, start


class Paths(NamedTuple):
    """Of one kind of layer: steps that must wait for each other, and the way from the first word to the last."""

    waiting: int
    path: int


def paths(length: int, kernel: int = 3) -> dict[str, Paths]:
    """After table 1 of "Attention Is All You Need": waiting, and the way from end to end.

    A convolution looks kernel - 1 places back, and is stacked until the last word sees the first: O(n/k) layers, as
    section 4 says. The table counts one layer's steps, O(1), and the path of dilated ones, O(log_k n).
    """
    layers = math.ceil((length - 1) / (kernel - 1))
    return {"attention": Paths(1, 1), "recurrent": Paths(length, length - 1), "convolution": Paths(layers, layers)}
