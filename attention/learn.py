"""The same layer, trained: it learns to output, for every word of a sentence, the word that this word refers to."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.functional import embedding as lookup

from attention.config import AttentionConfig
from attention.embedding import (
    add_positions,
    embedding_table,
    seeded,
    sinusoidal_positions,
    vocabulary,
)
from attention.grammar import RELATIONS
from attention.grammar.batches import Batch, alike, by_kind, draw, sentences
from attention.grammar.lexicon import kinds_of
from attention.measures import entropy, looks_at
from attention.trace import AttentionTrace, SentenceTrace, cut, multi_head_attention, trace_vectors
from attention.weights import AttentionWeights

MAX_LEN = 64  # positions that have a vector of their own; the tokens after them share the last one
STEPS = 300
_BATCH = {"en": 64, "zh": 60}  # sentences a step
_RATE, _WARM_UP, _DECAYS = 0.03, 10, (0.9, 0.98)  # Adam's step, the steps until it is reached, how it averages
_PRONOUN = 8.0  # how much a pronoun counts in the loss: of the relations it is the rarest and the hardest
_FORGOTTEN = 0.01  # the share of tokens shown as unknown, so that the unknown word has a vector that makes sense
# The share of the words that a batch sees as if they were new, so that truly new words are understood.
_NEW = {"en": 0.2, "zh": 0.1}


@dataclass(frozen=True, eq=False)
class Parameters:
    """All that is learned. There is no output layer: an output is compared with the embeddings."""

    weights: AttentionWeights
    embedding: Tensor  # (vocab_size, d_model)
    positions: Tensor  # (MAX_LEN, d_model); all 0 where positions are switched off


@dataclass(frozen=True, eq=False)
class Checkpoint(Parameters):
    """The layer after some steps, and how well it did then on held-out sentences."""

    step: int
    loss: float  # mean cross-entropy of the held-out words that one head can do, in nats
    accuracy_by_relation: Mapping[str, float]  # the share of the words whose output is nearest to their referent
    accuracy: float  # over the relations that one head can do
    accuracy_beyond: float  # over those that take more


@dataclass(frozen=True, eq=False)
class History:
    """How the training went, in some ten checkpoints, closer at the start."""

    losses: tuple[float, ...]  # of every step's batch
    checkpoints: tuple[Checkpoint, ...]


@dataclass(frozen=True)
class HeadReport:
    """What one head does on held-out sentences: shares of the words whose largest weight is on that token."""

    on_referent: float
    on_previous: float
    on_itself: float
    entropy: float  # mean, in nats
    accuracy_without: float  # of the layer, with this head silenced
    on_referent_by_relation: Mapping[str, float]
    accuracy_without_by_relation: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Learned(Parameters):
    """A trained layer, and how it came about."""

    config: AttentionConfig
    language: str
    vocabulary: tuple[str, ...]  # the unknown word, <unk>, first
    history: History

    def unknown(self, sentence: str | Sequence[str]) -> Mapping[str, str]:
        """The different words of a sentence that the layer has not learned, in reading order, and what kind of word
        each is taken for (see attention.grammar.lexicon). Case does not matter.
        """
        tokens = cut(sentence)
        kinds = dict(
            zip(reversed(tokens), reversed(kinds_of(self.language, tokens)), strict=True)
        )  # at its first place
        return {token: kinds[token] for token, i in zip(tokens, self._ids(tokens), strict=True) if i == 0}

    def trace(
        self,
        sentence: str | Sequence[str],
        *,
        checkpoint: int | None = None,
        hidden_keys: Collection[int] = (),
        switches: AttentionConfig | None = None,
    ) -> SentenceTrace:
        """The walk of any sentence through the trained layer, or through the layer at one of history's checkpoints.

        A word that the layer has not learned has the mean vector of the learned words of its kind, and something of its
        own that follows from the word alone. switches: causal, scaled and positions, where they are to differ from
        those of the training; the weights stay. ValueError for a hidden key outside.
        """
        config = self._switched(switches)
        now = self if checkpoint is None else self.history.checkpoints[checkpoint]
        tokens = cut(sentence)
        new, vocab = self._new_rows(tokens, now.embedding), vocabulary(tokens)
        rows = [new.get(word, now.embedding[i]) for word, i in zip(vocab, self._ids(vocab), strict=True)]
        table = torch.stack(rows) if rows else now.embedding[:0]  # (words of the sentence, d_model)
        places = torch.arange(len(tokens)).clamp(max=MAX_LEN - 1)  # (seq_len,)
        positions = now.positions[places] * config.positions  # (seq_len, d_model)
        return trace_vectors(
            sentence, config, now.weights, table, positions, hidden_keys=hidden_keys, positions_learned=True
        )

    def decode(self, sentence: str | Sequence[str], *, checkpoint: int | None = None) -> tuple[str, ...]:
        """For each token the word whose embedding its output is nearest to: the largest dot product."""
        output = self.trace(sentence, checkpoint=checkpoint).attention.output
        return self.words(output, sentence, checkpoint=checkpoint)

    def words(
        self, output: Tensor, sentence: str | Sequence[str] = (), *, checkpoint: int | None = None
    ) -> tuple[str, ...]:
        """For each row of output (seq_len, d_model) the word whose embedding it is nearest to.

        Of all words that the layer has learned, and of the new ones of that sentence.
        """
        embedding = self.embedding if checkpoint is None else self.history.checkpoints[checkpoint].embedding
        new = self._new_rows(cut(sentence), embedding)
        table = torch.cat([embedding, *(row.unsqueeze(0) for row in new.values())])  # (vocab_size + new words, d_model)
        nearest = logits(output, table).argmax(dim=-1)  # (seq_len,)
        words = (*self.vocabulary, *new)
        return tuple(words[i] for i in nearest.tolist())

    def _new_rows(self, tokens: Sequence[str], embedding: Tensor) -> dict[str, Tensor]:
        """The vector of each word that the layer has not learned: (d_model,)."""
        kinds, rows = alike(self.language), dict[str, Tensor]()
        for word, kind in self.unknown(tokens).items():
            learned = embedding[list(kinds.get(kind, (0,)))]  # (words of its kind, d_model)
            mean, spread = learned.mean(dim=0), learned.var(dim=0, correction=0).mean().sqrt()
            own = torch.randn(self.config.d_model, generator=seeded(f"new {word.casefold()}"))  # (d_model,)
            rows[word] = mean + own * spread
        return rows

    def heads(self) -> tuple[HeadReport, ...]:
        """What each head does on the held-out sentences."""
        batch = sentences(self.language)[2]
        weights = _forward(self.config, self, batch).attn_weights  # (N, H, L, L)
        places = torch.arange(batch.ids.shape[1]).expand_as(batch.ids)  # (N, L)
        on = [looks_at(weights, place.unsqueeze(1)) for place in (batch.referents, places - 1, places)]  # (N, H, L)
        measured = torch.stack([*on, entropy(weights)]).transpose(1, 2)  # (4, H, N, L)
        referent, previous, itself, spread = measured[..., batch.real].mean(dim=-1).tolist()  # (H,) each
        without = [_assess(self.config, self._without(head), batch) for head in range(self.config.num_heads)]
        hits, relations = measured[0][:, batch.real], batch.relations[batch.real]  # (H, tokens), (tokens,)
        of_relation = {name: hits[:, relations == i].mean(dim=-1).tolist() for i, name in enumerate(RELATIONS)}  # (H,)
        return tuple(
            HeadReport(
                referent[head],
                previous[head],
                itself[head],
                spread[head],
                silenced.accuracy,
                {name: of_relation[name][head] for name in silenced.accuracy_by_relation},
                silenced.accuracy_by_relation,
            )
            for head, silenced in enumerate(without)
        )

    def accuracy_with(
        self, switches: AttentionConfig, *, silenced: int | None = None, checkpoint: int | None = None
    ) -> float:
        """The share of held-out words that the layer gets right; see Checkpoint.accuracy.

        switches: see trace. silenced: a head that nothing is heard of.
        """
        now: Parameters = self if checkpoint is None else self.history.checkpoints[checkpoint]
        now = now if silenced is None else self._without(silenced, checkpoint)
        config = self._switched(switches)
        now = Parameters(now.weights, now.embedding, now.positions * config.positions)
        return _assess(config, now, sentences(self.language)[2]).accuracy

    def accuracy_of_itself(self) -> float:
        """The share of held-out words that one gets right by always naming the word itself; see Checkpoint.accuracy."""
        batch = sentences(self.language)[2]
        easy = torch.tensor([takes == "one head" for takes in RELATIONS.values()])[batch.relations]  # (N, L)
        return float((batch.targets == batch.ids)[easy & batch.real].double().mean())

    def _switched(self, switches: AttentionConfig | None) -> AttentionConfig:
        """The layer's sizes, with other switches."""
        now = switches or self.config
        return replace(self.config, causal=now.causal, scaled=now.scaled, positions=now.positions)

    def _without(self, head: int, checkpoint: int | None = None) -> Parameters:
        """The layer with a head silenced: nothing of it passes W_O."""
        now = self if checkpoint is None else self.history.checkpoints[checkpoint]
        heads = torch.arange(self.config.d_model).unsqueeze(-1) // self.config.head_dim  # (d_model, 1): whose row it is
        weights = replace(now.weights, w_o=now.weights.w_o.masked_fill(heads == head, 0))
        return Parameters(weights, now.embedding, now.positions)

    def _ids(self, tokens: Iterable[str]) -> list[int]:
        index = {word.casefold(): i for i, word in enumerate(self.vocabulary)}
        return [index.get(token.casefold(), 0) for token in tokens]


def checkpoint_steps(steps: int = STEPS) -> tuple[int, ...]:
    """After which steps the layer is kept: ten times and at the start, closer there, where more happens.

    >>> checkpoint_steps()
    (0, 3, 12, 27, 48, 75, 108, 147, 192, 243, 300)
    """
    return tuple(sorted({round(steps * (i / 10) ** 2) for i in range(11)}))


def logits(output: Tensor, embedding: Tensor) -> Tensor:
    """How near each output is to each word: its dot product with the word's embedding."""
    return output @ embedding.T  # (..., vocab_size)


def adam_step(now: Tensor, grad: Tensor, mean: Tensor, square: Tensor, step: int, rate: float) -> tuple[Tensor, ...]:
    """One step of Adam, counted from 1: the parameter, the mean gradient and the mean squared gradient after it.

    Source: "Adam: A Method for Stochastic Optimization", algorithm 1 (arXiv 1412.6980). Ours, as torch.optim takes
    longer to import than the whole training.

    >>> adam_step(torch.tensor(1.), torch.tensor(5.), torch.tensor(0.), torch.tensor(0.), step=1, rate=0.25)[0]
    tensor(0.7500)
    """
    fast, slow = _DECAYS
    mean = fast * mean + (1 - fast) * grad
    square = slow * square + (1 - slow) * grad.square()
    downhill = mean / (1 - fast**step) / ((square / (1 - slow**step)).sqrt() + 1e-8)
    return now - rate * downhill, mean, square


def learn(
    config: AttentionConfig,
    *,
    language: str = "en",
    steps: int = STEPS,
    on_step: Callable[[int, int, float], None] | None = None,
) -> Learned:
    """Train one attention layer, with its word vectors and positions, on the sentences of attention.grammar.

    on_step(step, steps, loss) is called after every step, counted from 1; what it raises ends the training and is
    passed on. The same arguments give the same numbers. Some settings learn little, and that is no error.
    ValueError for a language without a grammar, and for fewer than 0 steps.
    """
    if steps < 0:
        raise ValueError(f"steps must be at least 0, got {steps}")
    with one_thread():
        return _train(config, language, steps, on_step or (lambda *_: None))


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums cut up for several threads differ in their last digits; and for tensors this small threads only cost."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _train(config: AttentionConfig, language: str, steps: int, on_step: Callable[[int, int, float], None]) -> Learned:
    vocab, training, held_out = sentences(language)
    tensors = _start(config, vocab)
    means, squares = ([torch.zeros_like(tensor) for tensor in tensors] for _ in range(2))
    generator = seeded(f"{config.seed} batches")
    kept, groups = checkpoint_steps(steps), _groups(language, len(vocab))
    losses, checkpoints = list[float](), [_assess(config, _parameters(config, tensors), held_out)]
    for step in range(1, steps + 1):
        batch = draw(training, _BATCH[language], _FORGOTTEN, generator)
        is_new = torch.rand(len(vocab), generator=generator) < _NEW[language]  # (vocab_size,)
        own = torch.randn(len(vocab), config.d_model, generator=generator)  # (vocab_size, d_model)
        loss, grads = _gradients(config, tensors, batch, partial(_made_new, is_new=is_new, own=own, groups=groups))
        adam = partial(adam_step, step=step, rate=_rate(config, step, steps))
        moved = map(adam, tensors, grads, means, squares)
        tensors, means, squares = (list(group) for group in zip(*moved, strict=True))
        losses.append(loss)
        if step in kept:
            checkpoints.append(_assess(config, _parameters(config, tensors), held_out, step))
        on_step(step, steps, loss)
    last, history = checkpoints[-1], History(tuple(losses), tuple(checkpoints))
    return Learned(last.weights, last.embedding, last.positions, config, language, vocab, history)


def _rate(config: AttentionConfig, step: int, steps: int) -> float:
    """The length of Adam's step: up during the warm-up, then down to 0 in a straight line; shorter for wide layers."""
    return _RATE * min(1, 32 / config.d_model) * min(1, step / _WARM_UP) * (1 - (step - 1) / steps)


def _start(config: AttentionConfig, vocab: Sequence[str]) -> list[Tensor]:
    """The untrained numbers, the ones of the pages: only the embeddings are shorter, and positions can be learned."""
    weights = AttentionWeights.random(config)
    embedding = embedding_table(vocab, config.d_model, config.seed) * (1.7 / math.sqrt(config.d_model))
    positions = sinusoidal_positions(MAX_LEN, config.d_model) * config.positions
    return [embedding, positions, *(getattr(weights, field.name) for field in fields(weights)[:-1])]


def _parameters(config: AttentionConfig, tensors: Sequence[Tensor]) -> Parameters:
    embedding, positions, w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o = tensors
    weights = AttentionWeights(w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o, config.num_heads)
    return Parameters(weights, embedding, positions * config.positions)


def _groups(language: str, vocab_size: int) -> Tensor:
    """Which words are of one kind: (kinds, vocab_size), 1 / the kind's size for its words, 0 elsewhere."""
    kinds = by_kind(language)
    groups = torch.zeros(len(kinds), vocab_size)
    for group, words in zip(groups, kinds.values(), strict=True):
        group[list(words)] = 1 / len(words)
    return groups  # (kinds, vocab_size)


def _made_new(embedding: Tensor, is_new: Tensor, own: Tensor, groups: Tensor) -> Tensor:
    """The embedding with some words as if they were new: the mean of their kind, and something of their own."""
    is_of = (groups > 0).to(embedding.dtype)  # (kinds, vocab_size)
    means = is_of.T @ (groups @ embedding)  # (vocab_size, d_model)
    away = (embedding - means).detach().square()  # (vocab_size, d_model)
    spreads = is_of.T @ (groups @ away).mean(dim=-1, keepdim=True).sqrt()  # (vocab_size, 1)
    is_new = is_new & (is_of.sum(dim=0) > 0)  # the unknown word is of no kind
    return torch.where(is_new.unsqueeze(-1), means + own * spreads, embedding)  # (vocab_size, d_model)


def _gradients(
    config: AttentionConfig, tensors: Sequence[Tensor], batch: Batch, seen: Callable[[Tensor], Tensor]
) -> tuple[float, Sequence[Tensor]]:
    """The loss of a batch, and how it changes with each parameter. seen: the embedding as this batch sees it."""
    with torch.enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in tensors]
        now = _parameters(config, leaves)
        now = replace(now, embedding=seen(now.embedding))
        output = _forward(config, now, batch).output[batch.real]  # (tokens, d_model)
        lost = cross_entropy(logits(output, now.embedding), batch.targets[batch.real], reduction="none")  # (tokens,)
        is_pronoun = batch.relations[batch.real] == list(RELATIONS).index("pronoun")  # (tokens,)
        importance = torch.where(is_pronoun, _PRONOUN, 1.0)  # (tokens,)
        loss: Tensor = (lost * importance).sum() / importance.sum()
        return float(loss.detach()), torch.autograd.grad(loss, leaves)


def _forward(config: AttentionConfig, now: Parameters, batch: Batch) -> AttentionTrace:
    embeddings = lookup(batch.ids, now.embedding)  # (N, L, d_model): one-hot @ embedding, without the zeros
    x = add_positions(embeddings, now.positions[: batch.ids.shape[1]])  # (N, L, d_model)
    is_open = batch.real[:, None, None, :]  # (N, 1, 1, L)
    return multi_head_attention(x, now.weights, attn_mask=is_open, is_causal=config.causal, scaled=config.scaled)


def _assess(config: AttentionConfig, now: Parameters, batch: Batch, step: int = 0) -> Checkpoint:
    """How well a layer does on a batch."""
    scores = logits(_forward(config, now, batch).output[batch.real], now.embedding)  # (tokens, vocab_size)
    targets, relations = batch.targets[batch.real], batch.relations[batch.real]  # (tokens,)
    right = (scores.argmax(dim=-1) == targets).double()  # (tokens,)
    easy = torch.tensor([takes == "one head" for takes in RELATIONS.values()])[relations]  # (tokens,)
    of_relation = [right[relations == i] for i in range(len(RELATIONS))]
    shares = {name: float(own.mean()) for name, own in zip(RELATIONS, of_relation, strict=True) if len(own)}
    loss, accuracy, beyond = cross_entropy(scores[easy], targets[easy]), right[easy].mean(), right[~easy].mean()
    tensors = now.weights, now.embedding, now.positions
    return Checkpoint(*tensors, step, float(loss), shares, float(accuracy), float(beyond))
