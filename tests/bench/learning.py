"""How long a layer takes to learn, against plain loops of torch's own modules on the same sentences.

    python tests/bench/learning.py [D_MODEL NUM_HEADS LANGUAGE ROUNDS]

A plain loop: nn.Embedding, nn.MultiheadAttention, cross_entropy, and torch.optim.Adam at the best of a few rates tried.
"the same task": as in ours each word of every sentence is new, and an output is told from the words of its batch.
"words that stay the same": an easier task. The vectors of all words are one nn.Embedding, and an output is told from
all words; a new one would mean nothing to it.

All take turns, on one thread; processor seconds are counted. Two ratios of the medians are told: for as many steps of
as many sentences; and until the plain loop, too, gets as many of the held-out words right as ours does at its end. It
is asked every 50 steps, which is not timed, and given up after eight times our steps.
"""

import math
import statistics
import sys
import time
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from attention import AttentionConfig, AttentionWeights, Learned, learn
from attention.grammar import examples
from attention.grammar.batches import Batch, draw, kind_names, sentences
from attention.learn import _BATCH, MAX_LEN, STEPS, Parameters, _assess, _easy, _own, _own_width

_ASKED_EVERY, _MOST = 50, 8  # the last: times as many steps as ours


def ours(config: AttentionConfig, language: str) -> tuple[float, Learned]:
    start = time.process_time()
    layer = learn(config, language=language)
    return time.process_time() - start, layer


class SameTask(nn.Module):
    """Vectors of kinds of words are learned; what a word has of its own is drawn anew for every sentence."""

    rate = 0.02

    def __init__(self, config: AttentionConfig, language: str) -> None:
        super().__init__()
        self.config, self.language, self.training_set = config, language, sentences(language)[0]
        self.kinds = nn.Embedding(len(kind_names(language)), config.d_model)
        self.positions = nn.Embedding(MAX_LEN, config.d_model)
        self.attention = nn.MultiheadAttention(config.d_model, config.num_heads, batch_first=True)

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        width = self.config.d_model
        own = _own(torch.randn(*batch.ids.shape, _own_width(width), generator=generator), width)  # (N, L, d_model)
        embeddings = self.kinds(batch.kinds) + own.gather(1, batch.first.unsqueeze(-1).expand_as(own))
        x = embeddings + self.positions(torch.arange(batch.ids.shape[1]))
        output = self.attention(x, x, x, key_padding_mask=~batch.real)[0]
        numbers = (batch.is_word.flatten().cumsum(0) - 1).view_as(batch.ids)  # of the words of the batch
        targets = numbers.gather(1, batch.first.gather(1, batch.referents))
        return cross_entropy(output[batch.real] @ embeddings[batch.is_word].T, targets[batch.real])

    def accuracy(self) -> float:
        inner, outer = self.attention, self.attention.out_proj
        matrices = [w.T for w in (*inner.in_proj_weight.chunk(3), outer.weight)]
        biases = [*inner.in_proj_bias.chunk(3), outer.bias]
        weights = AttentionWeights(*matrices, *biases, num_heads=self.config.num_heads)
        now = Parameters(weights, self.kinds.weight, self.positions.weight)
        return _assess(self.config, self.language, now).accuracy


class WordsThatStay(nn.Module):
    """The vector of every word is learned: also of those of the held-out sentences that the training has."""

    rate = 0.01

    def __init__(self, config: AttentionConfig, language: str) -> None:
        super().__init__()
        self.training_set, self.held_out, count = _numbered(language)
        self.embedding, self.positions = nn.Embedding(count, config.d_model), nn.Embedding(MAX_LEN, config.d_model)
        self.attention = nn.MultiheadAttention(config.d_model, config.num_heads, batch_first=True)

    def output(self, batch: Batch) -> Tensor:
        x = self.embedding(batch.ids) + self.positions(torch.arange(batch.ids.shape[1]))
        return self.attention(x, x, x, key_padding_mask=~batch.real)[0]

    def loss(self, batch: Batch, _: torch.Generator) -> Tensor:
        targets = batch.ids.gather(1, batch.referents)[batch.real]
        return cross_entropy(self.output(batch)[batch.real] @ self.embedding.weight.T, targets)

    def accuracy(self) -> float:
        said = (self.output(self.held_out) @ self.embedding.weight.T).argmax(dim=-1)
        right = said == self.held_out.ids.gather(1, self.held_out.referents)
        return float(right[_easy(self.held_out) & self.held_out.real].double().mean())


def plain(task: SameTask | WordsThatStay, accuracy: float) -> tuple[float, float, int]:
    """Seconds for as many steps as ours, seconds until it is as accurate (inf: never), and after which step it is."""
    start = time.process_time()
    optimizer, generator = torch.optim.Adam(task.parameters(), lr=task.rate), torch.Generator().manual_seed(0)
    spent, same_steps = time.process_time() - start, 0.0
    for step in range(1, _MOST * STEPS + 1):
        start = time.process_time()
        loss = task.loss(draw(task.training_set, _BATCH, generator), generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        spent += time.process_time() - start
        same_steps = spent if step == STEPS else same_steps
        if step >= STEPS and step % _ASKED_EVERY == 0:
            with torch.no_grad():
                if task.accuracy() >= accuracy:
                    return same_steps, spent, step
    return same_steps, math.inf, _MOST * STEPS


def _numbered(language: str) -> tuple[Batch, Batch, int]:
    """The sentences for training and the held-out ones, each word with its number; and how many words there are."""
    batches = sentences(language)
    found = [examples(language, len(batch.real), held_out=i > 0) for i, batch in enumerate(batches)]
    words = dict.fromkeys(token.casefold() for some in found for example in some for token in example.tokens)
    index, told = {word: i for i, word in enumerate(words)}, []
    for batch, some in zip(batches, found, strict=True):
        rows = [[index[token.casefold()] for token in example.tokens] for example in some]
        longest = batch.real.shape[1]
        told.append(batch._replace(ids=torch.tensor([row + [0] * (longest - len(row)) for row in rows])))
    return told[0], told[1], len(words)


def main(d_model: int = 32, num_heads: int = 2, language: str = "en", rounds: int = 5) -> int:
    torch.set_num_threads(1)
    config = AttentionConfig(d_model, num_heads)
    ours(AttentionConfig(4, 1), language)  # what a process pays once
    tasks = {"the same task": SameTask, "words that stay the same": WordsThatStay}
    own, times = list[tuple[float, float]](), {name: list[tuple[float, float, int]]() for name in tasks}
    for _ in range(rounds):
        seconds, layer = ours(config, language)
        own.append((seconds, layer.history.checkpoints[-1].accuracy))
        for name, task in tasks.items():
            torch.manual_seed(0)  # where its modules begin
            times[name].append(plain(task(config, language), own[-1][1]))
    took, accuracy = _medians(own)
    print(f"d_model {d_model}, {num_heads} heads, {language}: {took:.2f} s, {100 * accuracy:.1f} % of the words right")
    for name, rows in times.items():
        same_steps, as_accurate, step = _medians(rows)
        until = f"{as_accurate:.2f} s ({step:.0f} steps), ratio {took / as_accurate:.2f}"
        print(
            f"plain, {name}, as many steps: {same_steps:.2f} s, ratio {took / same_steps:.2f}\n"
            f"plain, {name}, until as many are right: {until if as_accurate < math.inf else f'not in {step:.0f} steps'}"
        )
    return 0


def _medians(rows: Iterable[tuple[float, ...]]) -> list[float]:
    return [statistics.median(each) for each in zip(*rows, strict=True)]


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(*(int(each) if each.isdigit() else each for each in given)))
