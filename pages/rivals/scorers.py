"""Other ways to score a query against a key, on the layer in force; and a small layer trained with each."""

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from attention import SentenceTrace
from attention.embedding import seeded
from attention.functional import attention_scores, scale_scores, softmax
from attention.grammar.batches import Batch, draw, sentences
from attention.learn import descend
from attention.variants import additive_scores, bilinear_scores, cosine_scores
from pages.ui.layers.jobs import Job, Results
from pages.ui.layers.progress import TRAININGS
from pages.ui.state.visit import current

SCORERS = ("dot", "scaled", "bilinear", "additive", "cosine")
WIDTH, STEPS, BATCH, RATE = 32, 250, 40, 0.01
_results: Results["Trained"] = Results(TRAININGS, 200)


class Trained(NamedTuple):
    """How a layer with one head did: the loss of every step, and the share of held-out words it points at rightly."""

    losses: tuple[float, ...]
    accuracy: float


def extra(scorer: str, width: int, seed: int) -> list[Tensor]:
    """The parameters that a scorer has beside W_Q and W_K, by chance."""
    generator = seeded(f"{seed} {scorer}")
    shapes: dict[str, list[tuple[int, ...]]] = {"bilinear": [(width, width)]}
    shapes |= {"additive": [(width, width), (width, width), (width,)]}
    return [torch.randn(shape, generator=generator) / math.sqrt(width) for shape in shapes.get(scorer, [])]


def score(scorer: str, q: Tensor, k: Tensor, more: Sequence[Tensor]) -> Tensor:
    """Every query with every key: (..., L, S). more: see extra."""
    if scorer == "dot":
        return attention_scores(q, k)
    if scorer == "bilinear":
        return bilinear_scores(q, k, more[0])
    if scorer == "additive":
        return additive_scores(q, k, more[0], more[1], more[2])
    if scorer == "cosine":
        return cosine_scores(q, k)
    return scale_scores(attention_scores(q, k), 1 / math.sqrt(q.shape[-1]))


def side_by_side(trace: SentenceTrace, head: int, seed: int) -> dict[str, Tensor]:
    """The weights that each scorer gives for the queries and keys of a head, (L, L) each; masks stay."""
    q, k = trace.attention.q[head], trace.attention.k[head]
    closed = trace.attention.masked_scores[head] == -math.inf  # (L, L)
    return {
        scorer: softmax(score(scorer, q, k, extra(scorer, q.shape[-1], seed)).masked_fill(closed, -math.inf))
        for scorer in SCORERS
    }


def parameters(scorer: str, width: int) -> int:
    """How many numbers a scorer learns beside W_Q and W_K."""
    return sum(each.numel() for each in extra(scorer, width, 0))


def training(scorer: str, language: str, seed: int) -> Job[Trained]:
    """The job that trains a layer with that scorer: ended, under way, or begun now."""
    own = scorer, language, seed
    return _results.job(own, partial(_train, *own), current().id)


def trained(scorer: str, language: str, seed: int) -> Trained | None:
    """How such a layer did, where it was trained."""
    return _results.find((scorer, language, seed))


def _train(scorer: str, language: str, seed: int, job: Job[Trained]) -> Trained:
    """One head, kinds and positions as vectors, the same task for all: point at the word that is referred to."""
    batches, held_out = sentences(language)
    generator = seeded(f"{seed} other scores")
    kinds = int(batches.kinds.max()) + 1
    longest = max(batches.ids.shape[1], held_out.ids.shape[1])
    shapes = ((kinds, WIDTH), (longest, WIDTH), (WIDTH, WIDTH), (WIDTH, WIDTH))
    given = [torch.randn(shape, generator=generator) / math.sqrt(shape[1]) for shape in shapes]

    def loss_of(now: Sequence[Tensor]) -> Tensor:
        batch = draw(batches, BATCH, generator)
        return cross_entropy(_scores(scorer, now, batch)[batch.real], batch.referents[batch.real])

    learned, losses = descend([*given, *extra(scorer, WIDTH, seed)], loss_of, STEPS, lambda _: RATE, job.tell)
    with torch.no_grad():
        right = _scores(scorer, learned, held_out).argmax(dim=-1) == held_out.referents  # (N, L)
    return Trained(losses, float(right[held_out.real].double().mean()))


def _scores(scorer: str, leaves: Sequence[Tensor], batch: Batch) -> Tensor:
    """The scores of every word with every word of its sentence, (N, L, L); what only fills up is closed."""
    kinds, positions, w_q, w_k, *more = leaves
    x = kinds[batch.kinds] + positions[: batch.kinds.shape[1]]  # (N, L, WIDTH)
    scores = score(scorer, x @ w_q, x @ w_k, more)  # (N, L, L)
    return scores.masked_fill(~batch.real.unsqueeze(1), -1e9)
