"""The same layer, trained: it learns to output, for every word of a sentence, the word that this word refers to.

The vector of a word is that of its kind, which is learned, and something of its own, which follows from the word alone
and stays. So a word that the training never showed is understood as far as its kind is.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache, partial
from itertools import islice

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear, pad
from torch.nn.functional import embedding as lookup

from attention.config import AttentionConfig
from attention.embedding import add_positions, embedding_table, seeded, sinusoidal_positions, vocabulary
from attention.functional import causal_mask, merge_heads, split_heads
from attention.grammar import RELATIONS
from attention.grammar.batches import Batch, draws, kind_names, sentences, tokens_of, words_of
from attention.grammar.lexicon import kind_of_each, unlisted
from attention.measures import entropy, looks_at
from attention.tokens import spaces
from attention.trace import AttentionTrace, SentenceTrace, cut, multi_head_attention, trace_vectors
from attention.weights import AttentionWeights

MAX_LEN = 64  # positions that have a vector of their own; the tokens after them share the last one
STEPS = 260
_BATCH, _WIDE_BATCH = 49, 36  # sentences a step, on average; of the widest layers, whose steps take longest
_WIDE = 256  # columns: what is wider is one of those
_RATE, _WARM_UP, _DECAYS = 0.045, 10, (0.9, 0.98)  # Adam's step, the steps until it is reached, how it averages
_PRONOUN = 9.0  # how much a pronoun counts in the loss: of the relations it is the rarest and the hardest
_KIND, _OWN = 1.7, 3.0  # the length of a kind's vector before the training, and of what each word has of its own
_CALM = 1.0  # how much it counts in the loss that a head lets the others do what is theirs
_SUBJECT, _OBJECT = 5.0, 0.9  # and that every other head lets go of a verb's subject, and looks at its object
_VERB = 2.0  # how much such a verb counts then: its output is to say the subject all the same
_OTHERS = 120  # words of every kind that an output is to be told from, beside those of its sentence
_PRONOUN_PLACE = list(RELATIONS).index("pronoun")  # as in Batch.relations
_NO_WORD = -1  # the target of what only fills up
_NEVER_0 = 1e-6  # added to a weight before its logarithm


@dataclass(frozen=True, eq=False)
class Parameters:
    """All that is learned. There is no output layer: an output is compared with the vectors of words."""

    weights: AttentionWeights
    kinds: Tensor  # (kinds, d_model): the vector of each kind of word
    positions: Tensor  # (MAX_LEN, d_model); all 0 where positions are switched off


@dataclass(frozen=True, eq=False)
class Checkpoint(Parameters):
    """The layer after some steps. How well it did then on held-out sentences is measured when it is asked for."""

    config: AttentionConfig
    language: str
    step: int

    @cached_property
    def _measured(self) -> "Measured":
        return _assess(self.config, self.language, self)

    @property
    def embedding(self) -> Tensor:
        """The vectors of the vocabulary: (vocab_size, d_model)."""
        return _vectors(self.config, self.language, words_of(self.language), self)

    @property
    def loss(self) -> float:
        """The mean cross-entropy of the held-out words that one head can do, in nats."""
        return self._measured.loss

    @property
    def accuracy_by_relation(self) -> Mapping[str, float]:
        """The share of the words whose output is nearest to their referent."""
        return self._measured.by_relation

    @property
    def accuracy(self) -> float:
        """The same over the relations that one head can do."""
        return self._measured.accuracy

    @property
    def accuracy_beyond(self) -> float:
        """The same over those that take more."""
        return self._measured.beyond


@dataclass(frozen=True, eq=False)
class Measured:
    """What a layer does on held-out sentences; see Checkpoint."""

    loss: float
    by_relation: Mapping[str, float]
    accuracy: float
    beyond: float


@dataclass(frozen=True, eq=False)
class History:
    """How the training went, in some ten checkpoints, closer at the start. While it goes on, how it went so far."""

    losses: tuple[float, ...]  # of every step's batch
    checkpoints: tuple[Checkpoint, ...]
    steps: int  # that there will have been at the end


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
    """A trained layer, or one as it stands while it is trained, and how it came about."""

    config: AttentionConfig
    language: str
    divided: bool  # whether the training asked the heads to divide the work
    history: History

    @property
    def is_learning(self) -> bool:
        """Whether the training still goes on, so that there will be more checkpoints."""
        return self.history.checkpoints[-1].step < self.history.steps

    @property
    def is_divided(self) -> bool:
        """Whether its heads were asked to divide the work: two or more that can look both ways, and tell the sides."""
        return self.divided and can_divide(self.config)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The words that every output is compared with, beside those of the sentence."""
        return tuple(words_of(self.language))

    @property
    def embedding(self) -> Tensor:
        """The vectors of the vocabulary: (vocab_size, d_model)."""
        return self.history.checkpoints[-1].embedding

    def unknown(self, sentence: str | Sequence[str], gaps: Sequence[int] | None = None) -> Mapping[str, str]:
        """The different words of a sentence that are in no list, in reading order, and what kind of word each is taken
        for (see attention.grammar.lexicon). Case does not matter.

        gaps: before which tokens there is a space: in Chinese no word goes over one. By default those of the text.
        """
        return unlisted(self.language, cut(sentence), _gaps(sentence, gaps))

    def trace(
        self,
        sentence: str | Sequence[str],
        *,
        checkpoint: int | None = None,
        hidden_keys: Collection[int] = (),
        switches: AttentionConfig | None = None,
        gaps: Sequence[int] | None = None,
    ) -> SentenceTrace:
        """The walk of any sentence through the trained layer, or through the layer at one of history's checkpoints.

        switches: causal, scaled and positions, where they are to differ from those of the training; the weights stay.
        gaps: as for unknown. ValueError for a hidden key outside.
        """
        config = self._switched(switches)
        now, tokens = self._at(checkpoint), cut(sentence)
        kinds = kind_of_each(self.language, tokens, _gaps(sentence, gaps))
        words = {word: kinds[word] for word in vocabulary(tokens)}
        table = _vectors(self.config, self.language, words, now)  # (its words, d_model)
        places = torch.arange(len(tokens)).clamp(max=MAX_LEN - 1)  # (seq_len,)
        positions = now.positions[places] * config.positions  # (seq_len, d_model)
        return trace_vectors(
            sentence, config, now.weights, table, positions, hidden_keys=hidden_keys, positions_learned=True
        )

    def decode(self, sentence: str | Sequence[str], *, checkpoint: int | None = None) -> tuple[str, ...]:
        """For each token the word whose vector its output is nearest to: the largest dot product."""
        output = self.trace(sentence, checkpoint=checkpoint).attention.output
        return self.words(output, sentence, checkpoint=checkpoint)

    def words(
        self,
        output: Tensor,
        sentence: str | Sequence[str] = (),
        *,
        checkpoint: int | None = None,
        gaps: Sequence[int] | None = None,
    ) -> tuple[str, ...]:
        """For each row of output (seq_len, d_model) the word whose vector it is nearest to.

        Of the words of the vocabulary, and of those of that sentence. gaps: as for unknown.
        """
        own = kind_of_each(self.language, cut(sentence), _gaps(sentence, gaps))
        said = {word.casefold() for word in own}
        kinds = own | {word: kind for word, kind in words_of(self.language).items() if word not in said}
        table = _vectors(self.config, self.language, kinds, self._at(checkpoint))  # (words, d_model)
        nearest, words = logits(output, table).argmax(dim=-1), tuple(kinds)  # (seq_len,)
        return tuple(words[i] for i in nearest.tolist())

    def heads(self) -> tuple[HeadReport, ...]:
        """What each head does on the held-out sentences."""
        batch = sentences(self.language)[1]
        weights = self._held_out_weights(self.config, None)  # (N, H, L, L)
        places = torch.arange(batch.ids.shape[1]).expand_as(batch.ids)  # (N, L)
        on = [looks_at(weights, place.unsqueeze(1)) for place in (batch.referents, places - 1, places)]  # (N, H, L)
        measured = torch.stack([*on, entropy(weights)]).transpose(1, 2)[..., batch.real]  # (4, H, tokens)
        referent, previous, itself, spread = measured.mean(dim=-1).tolist()  # (H,) each
        without = [_assess(self.config, self.language, self._without(head)) for head in range(self.config.num_heads)]
        relations = batch.relations[batch.real]  # (tokens,)
        of_relation = {name: measured[0, :, relations == i].mean(dim=-1) for i, name in enumerate(RELATIONS)}  # (H,)
        return tuple(
            HeadReport(
                referent[head],
                previous[head],
                itself[head],
                spread[head],
                silenced.accuracy,
                {name: float(of_relation[name][head]) for name in silenced.by_relation},
                silenced.by_relation,
            )
            for head, silenced in enumerate(without)
        )

    def shares(
        self, switches: AttentionConfig | None = None, *, checkpoint: int | None = None
    ) -> tuple[Mapping[str, float], ...]:
        """For each head and relation the mean weight that the referent gets, on the held-out sentences.

        Of the relations that one head can do, and a word that refers to itself left out; and as "object" the mean
        weight that a verb between its subject and its object gives to the object. switches: see trace.
        """
        batch = sentences(self.language)[1]
        weights = self._held_out_weights(self._switched(switches), checkpoint)  # (N, H, L, L)
        gets = _on(weights, batch.referents).transpose(0, 1)[:, batch.real]  # (H, tokens)
        relations = batch.relations[batch.real]  # (tokens,)
        found = {
            name: gets[:, relations == i].mean(dim=-1).tolist()  # (H,)
            for i, (name, takes) in enumerate(RELATIONS.items())
            if takes == "one head" and name != "itself" and (relations == i).any()
        }
        found["object"] = _on(weights, batch.objects).transpose(0, 1)[:, batch.is_between].mean(dim=-1).tolist()
        return tuple({name: own[head] for name, own in found.items()} for head in range(self.config.num_heads))

    def accuracy_with(
        self, switches: AttentionConfig, *, silenced: int | None = None, checkpoint: int | None = None
    ) -> float:
        """The share of held-out words that the layer gets right; see Checkpoint.accuracy.

        switches: see trace. silenced: a head that nothing is heard of.
        """
        now = self._at(checkpoint) if silenced is None else self._without(silenced, checkpoint)
        return _assess(self._switched(switches), self.language, now).accuracy

    def accuracy_of_itself(self) -> float:
        """The share of held-out words that one gets right by always naming the word itself; see Checkpoint.accuracy."""
        batch = sentences(self.language)[1]
        meant = batch.ids.gather(1, batch.referents)  # (N, L)
        return float((meant == batch.ids)[_easy(batch) & batch.real].double().mean())

    def _held_out_weights(self, config: AttentionConfig, checkpoint: int | None) -> Tensor:
        """The attention weights of the held-out sentences, (N, H, L, L), with those switches."""
        now, batch = self._at(checkpoint), sentences(self.language)[1]
        return _forward(config, now, _embed(config, self.language, now, batch), batch).attn_weights

    def at(self, checkpoint: int) -> Checkpoint:
        """The layer at one of history's checkpoints; at the last one so far, where the training is not there yet."""
        return self.history.checkpoints[min(checkpoint, len(self.history.checkpoints) - 1)]

    def _at(self, checkpoint: int | None) -> Parameters:
        return self if checkpoint is None else self.at(checkpoint)

    def _switched(self, switches: AttentionConfig | None) -> AttentionConfig:
        """The layer's sizes, with other switches."""
        now = switches or self.config
        return replace(self.config, causal=now.causal, scaled=now.scaled, positions=now.positions)

    def _without(self, head: int, checkpoint: int | None = None) -> Parameters:
        """The layer with a head silenced: nothing of it passes W_O."""
        now = self._at(checkpoint)
        heads = torch.arange(self.config.d_model).unsqueeze(-1) // self.config.head_dim  # (d_model, 1): whose row it is
        weights = replace(now.weights, w_o=now.weights.w_o.masked_fill(heads == head, 0))
        return Parameters(weights, now.kinds, now.positions)


def checkpoint_steps(steps: int = STEPS) -> tuple[int, ...]:
    """After which steps the layer is kept: ten times and at the start, closer there, where more happens.

    >>> checkpoint_steps()
    (0, 3, 10, 23, 42, 65, 94, 127, 166, 211, 260)
    """
    return tuple(sorted({round(steps * (i / 10) ** 2) for i in range(11)}))


def logits(output: Tensor, words: Tensor) -> Tensor:
    """How near each output is to each word: its dot product with the word's vector."""
    return output @ words.T  # (..., words)


def own_parts(words: Iterable[str], config: AttentionConfig) -> Tensor:
    """What each word has of its own: a direction by chance in the second half of the columns, all of one length.

    It depends on the word, its case aside, on d_model and on the seed alone. Shape (words, d_model).
    """
    return _own_parts(tuple(word.casefold() for word in words), config.d_model, config.seed).clone()


def _gaps(sentence: str | Sequence[str], gaps: Sequence[int] | None) -> Sequence[int]:
    """Where the writer put spaces: as told, else as the text has them."""
    if gaps is not None:
        return gaps
    return spaces(sentence) if isinstance(sentence, str) else ()


@lru_cache(maxsize=16)
def _own_parts(words: tuple[str, ...], d_model: int, seed: int) -> Tensor:
    """The same, looked up where the same words are asked for again, as the vocabulary is."""
    width = _own_width(d_model)
    drawn = [_drawn(word, width, seed) for word in words]
    return _own(torch.stack(drawn) if drawn else torch.zeros(0, width), d_model)


def _own_width(d_model: int) -> int:
    """In how many columns, the last ones, a word has something of its own."""
    return d_model // 2 or 1


@lru_cache(maxsize=10_000)
def _drawn(word: str, width: int, seed: int) -> Tensor:
    return torch.randn(width, generator=seeded(f"{seed} own {word}"))  # (width,)


def _own(drawn: Tensor, d_model: int) -> Tensor:
    """Directions (..., width), made that long, in the last columns of vectors: (..., d_model)."""
    return pad(_OWN * drawn / drawn.norm(dim=-1, keepdim=True), (d_model - drawn.shape[-1], 0))


def adam_step(now: Tensor, grad: Tensor, mean: Tensor, square: Tensor, step: int, rate: float) -> tuple[Tensor, ...]:
    """One step of Adam, counted from 1: the parameter, the mean gradient and the mean squared gradient after it.

    Source: "Adam: A Method for Stochastic Optimization", algorithm 1 (arXiv 1412.6980). Ours, as torch.optim takes
    longer to import than the whole training.

    >>> adam_step(torch.tensor(1.), torch.tensor(5.), torch.tensor(0.), torch.tensor(0.), step=1, rate=0.25)[0]
    tensor(0.7500)
    """
    fast, slow = _DECAYS
    mean = (fast * mean).add_((1 - fast) * grad)  # in place what can be: a wide layer's numbers are many
    square = (slow * square).add_(grad.square().mul_(1 - slow))
    downhill = (mean / (1 - fast**step)).div_((square / (1 - slow**step)).sqrt_().add_(1e-8))
    return now - downhill.mul_(rate), mean, square


def descend(
    start: Sequence[Tensor],
    loss_of: Callable[[Sequence[Tensor]], Tensor],
    steps: int,
    rate: Callable[[int], float],
    on_step: Callable[[int, int, float], None] | None = None,
) -> tuple[list[Tensor], tuple[float, ...]]:
    """Change some tensors step by step so that a loss gets smaller, with Adam: what they are then, and every loss.

    loss_of: the loss of a batch, drawn anew in each step, for these tensors. rate: of a step, counted from 1.
    on_step(step, steps, loss) is called after every step; what it raises ends it and is passed on.
    """
    now = [tensor.detach() for tensor in start]
    means, squares = ([torch.zeros_like(tensor) for tensor in now] for _ in range(2))
    losses: list[float] = []
    with one_thread():
        for step in range(1, steps + 1):
            with torch.enable_grad():
                leaves = [tensor.detach().requires_grad_() for tensor in now]
                loss = loss_of(leaves)
                grads = torch.autograd.grad(loss, leaves)
            moved = map(partial(adam_step, step=step, rate=rate(step)), now, grads, means, squares)
            now, means, squares = (list(group) for group in zip(*moved, strict=True))
            losses.append(float(loss.detach()))
            if on_step:
                on_step(step, steps, losses[-1])
    return now, tuple(losses)


def learn(
    config: AttentionConfig,
    *,
    language: str = "en",
    steps: int = STEPS,
    divided: bool = True,
    on_step: Callable[[int, int, float], None] | None = None,
    on_checkpoint: Callable[[Learned], None] | None = None,
) -> Learned:
    """Train one attention layer, with the vectors of kinds of words and of positions, on attention.grammar's sentences.

    divided: whether the loss asks the heads to divide the work; see restlessness and neglect. on_step(step, steps,
    loss) is called after every step, counted from 1; what it raises ends the training and is passed on. on_checkpoint
    gets the layer as it stands, before the first step and each time it is kept. The same arguments give the same
    numbers. Some settings learn little, and that is no error. ValueError for a language without a grammar, and fewer
    than 0 steps.
    """
    if steps < 0:
        raise ValueError(f"steps must be at least 0, got {steps}")
    with one_thread():
        return _train(config, language, steps, divided, on_step or (lambda *_: None), on_checkpoint or (lambda _: None))


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums cut up for several threads differ in their last digits; and for tensors this small threads only cost."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _train(
    config: AttentionConfig,
    language: str,
    steps: int,
    divided: bool,
    on_step: Callable[[int, int, float], None],
    on_checkpoint: Callable[[Learned], None],
) -> Learned:
    kept, losses, checkpoints = checkpoint_steps(steps), list[float](), list[Checkpoint]()
    start = _start(config, language)
    now = _joined(start)  # all parameters in one row, which is quicker
    mean, square = torch.zeros_like(now), torch.zeros_like(now)

    def keep(step: int) -> Learned:
        found = _parameters(config, _apart(now, start))
        parameters = found.weights, found.kinds, found.positions
        checkpoints.append(Checkpoint(*parameters, config, language, step))
        history = History(tuple(losses), tuple(checkpoints), steps)
        learned = Learned(*parameters, config, language, divided, history)
        on_checkpoint(learned)
        return learned

    learned = keep(0)
    generator = seeded(f"{config.seed} batches")
    batches = draws(sentences(language)[0], _WIDE_BATCH if config.d_model > _WIDE else _BATCH, generator)
    for step, batch in enumerate(islice(batches, steps), start=1):
        own = torch.randn(*batch.ids.shape, _own_width(config.d_model), generator=generator)  # (N, L, width)
        loss, grad = _gradient(config, now, start, batch, _own(own, config.d_model), divided)
        now, mean, square = adam_step(now, grad, mean, square, step, _rate(config, step, steps))
        losses.append(loss)
        if step in kept:
            learned = keep(step)
        on_step(step, steps, loss)
    return learned


def _rate(config: AttentionConfig, step: int, steps: int) -> float:
    """The length of Adam's step: up during the warm-up, then down to 0 in a straight line; shorter for wide layers.

    Wide layers take longer to warm up: 512 columns with a short one learn two thirds of the Chinese words, with this
    nine of ten. The power was found by trying: with 1 instead of 0.8 wide layers learn less, with 0.6 those of 256 do.
    """
    warm_up = max(_WARM_UP, config.d_model // 5)
    return _RATE * math.pow(min(1, 32 / config.d_model), 0.8) * min(1, step / warm_up) * (1 - (step - 1) / steps)


def _start(config: AttentionConfig, language: str) -> list[Tensor]:
    """The untrained numbers: the weights are those of the pages with random ones, and positions can be learned."""
    weights = AttentionWeights.random(config)
    kinds = embedding_table(kind_names(language), config.d_model, config.seed) * (_KIND / math.sqrt(config.d_model))
    positions = sinusoidal_positions(MAX_LEN, config.d_model) * config.positions
    return [kinds, positions, *(getattr(weights, field.name) for field in fields(weights)[:-1])]


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    """All numbers of some tensors in one row."""
    return torch.cat([tensor.flatten() for tensor in tensors])


def _apart(row: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Such a row as tensors again, of those shapes."""
    pieces = row.split([tensor.numel() for tensor in like])
    return [piece.view_as(tensor) for piece, tensor in zip(pieces, like, strict=True)]


def _parameters(config: AttentionConfig, tensors: Sequence[Tensor]) -> Parameters:
    kinds, positions, w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o = tensors
    weights = AttentionWeights(w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o, config.num_heads)
    return Parameters(weights, kinds, positions)


def _gradient(
    config: AttentionConfig, row: Tensor, like: Sequence[Tensor], batch: Batch, own: Tensor, divided: bool
) -> tuple[float, Tensor]:
    """The loss of a batch, and how it changes with each parameter.

    own: (N, L, d_model), what each token has of its own; drawn anew for every sentence, so that all words are new.
    """
    with torch.enable_grad():
        leaf = row.detach().requires_grad_()
        now = _parameters(config, _apart(leaf, like))
        own = own.gather(1, batch.first.unsqueeze(-1).expand_as(own))  # the same for the same token
        embeddings = lookup(batch.kinds, now.kinds) + own  # (N, L, d_model)
        attn_weights, output = quick_attention(config, now, embeddings, batch)
        lost = surprise(output, embeddings, now.kinds, batch)  # (N, L)
        importance = torch.where(batch.relations == _PRONOUN_PLACE, _PRONOUN, 1.0)  # (N, L)
        divides = divided and can_divide(config)
        if divides:
            importance = torch.where(batch.is_between, _VERB, importance)
        importance = importance * batch.real
        loss: Tensor = (lost * importance).sum() / importance.sum()
        asked = loss
        if divides:
            clinging, past_object = neglect(attn_weights, batch)
            asked = loss + _CALM * restlessness(attn_weights, batch) + _SUBJECT * clinging + _OBJECT * past_object
        return float(loss.detach()), torch.autograd.grad(asked, leaf)[0]


def surprise(output: Tensor, embeddings: Tensor, kinds: Tensor, batch: Batch) -> Tensor:
    """How little each output (N, L, d_model) says its word: minus the logarithm of that word's share, in nats; (N, L).

    The shares are a softmax over the words of its sentence and _OTHERS words of every kind. Those could be any: what a
    word has of its own is a direction by chance, _OWN long, so each counts with the average over all directions. For an
    output of length o in those w columns that is about exp(r - a - a ln((r + a) / w)), with a = w / 2 and r² = a² +
    (o _OWN)². 0 for what only fills up.
    Source: "Computation of modified Bessel functions and their ratios" (Amos, 1974), the lower bound of their ratio,
    integrated.
    """
    of_sentence = torch.baddbmm(closed(batch.is_word).unsqueeze(1), output, embeddings.transpose(1, 2))  # (N, L, L)
    width = _own_width(output.shape[-1])
    half, far = width / 2, _OWN**2 * output[..., -width:].square().sum(dim=-1, keepdim=True)  # far: (N, L, 1)
    root = (far + half**2).sqrt()
    average = root - half - half * ((root + half) / width).log()  # (N, L, 1): its logarithm
    of_others = logits(output, kinds) + (average + math.log(_OTHERS))  # (N, L, kinds)
    scores = torch.cat([of_sentence, of_others], dim=-1)  # (N, L, L + kinds)
    targets = batch.first.gather(1, batch.referents).masked_fill(~batch.real, _NO_WORD)  # (N, L)
    lost = cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=_NO_WORD, reduction="none")
    return lost.view_as(targets)


def restlessness(attn_weights: Tensor, batch: Batch) -> Tensor:
    """How much the heads put on single words where the work is the others': a term of the loss that divides the work.

    Heads 0, 2, ... are to find what stands before a word, heads 1, 3, ... what stands after it. Where the referent
    is on the other side, a head is asked to spread its weights: the sum of their squares is 1 where all is on one word,
    and 1 / n where it is spread over n. A verb between its subject and its object has work for both: see neglect.
    """
    places = torch.arange(batch.ids.shape[1])  # (L,)
    after = (batch.referents > places) & batch.real  # (N, L)
    before = (batch.referents < places) & batch.real & ~batch.is_between  # (N, L)
    peaks = attn_weights.square().sum(dim=-1)  # (N, H, L)
    return ((peaks[:, 0::2] * after.unsqueeze(1)).sum() + (peaks[:, 1::2] * before.unsqueeze(1)).sum()) / (
        batch.real.sum()
    )


def neglect(attn_weights: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """How far heads 1, 3, ... cling to the subjects of verbs, and look past their objects: two more terms of that loss.

    Of the verbs between their subject and their object: the squares of the weights on the subject, and minus the
    logarithms of those on the object, in nats; each summed and shared out among all words.
    """
    theirs, between, words = attn_weights[:, 1::2], batch.is_between.unsqueeze(1), batch.real.sum()
    clinging, past_object = _on(theirs, batch.referents).square(), -(_on(theirs, batch.objects) + _NEVER_0).log()
    return (clinging * between).sum() / words, (past_object * between).sum() / words


def _on(attn_weights: Tensor, places: Tensor) -> Tensor:
    """The weight (N, H, L) that each query gives to the key at its place: attn_weights (N, H, L, L), places (N, L)."""
    return attn_weights.gather(-1, places[:, None, :, None].expand(-1, attn_weights.shape[1], -1, -1)).squeeze(-1)


def can_divide(config: AttentionConfig) -> bool:
    """Whether there are two heads, both can look both ways, and they can tell the sides apart."""
    return config.num_heads > 1 and config.positions and not config.causal


def quick_attention(
    config: AttentionConfig, now: Parameters, embeddings: Tensor, batch: Batch
) -> tuple[Tensor, Tensor]:
    """The weights (N, H, L, L) and the output (N, L, d_model) of the layer: what attention/functional.py computes.

    Torch's own functions do several of those steps at once, and one backward: learning takes up to a fifth less time.
    """
    weights, (count, length) = now.weights, embeddings.shape[:2]
    x = _with_positions(config, now, embeddings)  # (N, L, d_model)

    def heads(w: Tensor, b: Tensor) -> Tensor:
        return split_heads(linear(x, w.T, b), config.num_heads).flatten(0, 1)  # (N · H, L, d_k)

    q, k, v = heads(weights.w_q, weights.b_q), heads(weights.w_k, weights.b_k), heads(weights.w_v, weights.b_v)
    is_open = batch.real.unsqueeze(1)  # (N, 1, L)
    if config.causal:
        is_open = is_open & causal_mask(length, length)  # (N, L, L)
    mask = closed(is_open).repeat_interleave(config.num_heads, dim=0)  # (N · H, 1 or L, L)
    scale = 1 / math.sqrt(config.head_dim) if config.scaled else 1.0
    attn_weights = torch.baddbmm(mask, q, k.transpose(1, 2), alpha=scale).softmax(dim=-1)  # (N · H, L, L)
    joined = merge_heads((attn_weights @ v).unflatten(0, (count, config.num_heads)))  # (N, L, d_model)
    return attn_weights.unflatten(0, (count, config.num_heads)), linear(joined, weights.w_o.T, weights.b_o)


def _with_positions(config: AttentionConfig, now: Parameters, embeddings: Tensor) -> Tensor:
    """X of embeddings (N, L, d_model)."""
    return add_positions(embeddings, now.positions[: embeddings.shape[1]]) if config.positions else embeddings


def closed(is_open: Tensor) -> Tensor:
    """A mask to be added to scores: 0 where they stay, minus infinity where they are closed."""
    return torch.where(is_open, 0.0, -math.inf)


def _forward(config: AttentionConfig, now: Parameters, embeddings: Tensor, batch: Batch) -> AttentionTrace:
    """embeddings: (N, L, d_model)."""
    x = _with_positions(config, now, embeddings)  # (N, L, d_model)
    is_open = batch.real[:, None, None, :]  # (N, 1, 1, L)
    return multi_head_attention(x, now.weights, attn_mask=is_open, is_causal=config.causal, scaled=config.scaled)


def _vectors(config: AttentionConfig, language: str, words: Mapping[str, str], now: Parameters) -> Tensor:
    """The vectors of words, given each one's kind: (words, d_model)."""
    names = kind_names(language)
    of_kinds = now.kinds[[names.index(kind) for kind in words.values()]]  # (words, d_model)
    return of_kinds + own_parts(words, config)


def _embed(config: AttentionConfig, language: str, now: Parameters, batch: Batch) -> Tensor:
    """The embeddings of held-out sentences: (N, L, d_model)."""
    return lookup(batch.kinds, now.kinds) + own_parts(tokens_of(language), config)[batch.ids]


def _easy(batch: Batch) -> Tensor:
    """Which words one head can do: (N, L)."""
    return torch.tensor([takes == "one head" for takes in RELATIONS.values()])[batch.relations]


def _assess(config: AttentionConfig, language: str, now: Parameters) -> Measured:
    """How well a layer does on the held-out sentences: each output is compared with what Learned.words compares it."""
    batch, words = sentences(language)[1], words_of(language)
    table = _vectors(config, language, words, now)  # (vocab_size, d_model)
    embeddings = _embed(config, language, now, batch)  # (N, L, d_model)
    output = _forward(config, now, embeddings, batch).output  # (N, L, d_model)
    ids = batch.ids.masked_fill(~batch.real, -1).unsqueeze(-1)  # (N, L, 1)
    is_said = (ids == torch.arange(len(words))).any(dim=1)  # (N, vocab_size): the vocabulary's words come first
    of_sentence = (output @ embeddings.transpose(1, 2)).masked_fill(~batch.is_word.unsqueeze(1), -math.inf)  # (N, L, L)
    of_others = logits(output, table).masked_fill(is_said.unsqueeze(1), -math.inf)  # (N, L, vocab_size)
    scores = torch.cat([of_sentence, of_others], dim=-1)[batch.real]  # (tokens, L + vocab_size)
    targets = batch.first.gather(1, batch.referents)[batch.real]  # (tokens,)
    right, easy = (scores.argmax(dim=-1) == targets).double(), _easy(batch)[batch.real]  # (tokens,)
    relations = batch.relations[batch.real]
    of_relation = [right[relations == i] for i in range(len(RELATIONS))]
    shares = {name: float(own.mean()) for name, own in zip(RELATIONS, of_relation, strict=True) if len(own)}
    loss = float(cross_entropy(scores[easy], targets[easy]))
    return Measured(loss, shares, float(right[easy].mean()), float(right[~easy].mean()))
