"""How long a layer takes to learn, against a plain loop of torch's own modules on the same sentences.

    python tests/bench/learning.py [D_MODEL NUM_HEADS LANGUAGE ROUNDS]

The plain loop: the vectors of all words as one nn.Embedding, nn.MultiheadAttention, cross_entropy over all words, and
torch.optim.Adam at the rate that is usual for it, on one thread. Both take turns. Two ratios of the medians are told:
for as many steps of as many sentences; and until the plain loop, too, gets as many of the held-out words right as ours
does at its end (it is asked every 50 steps, and that is not timed). Ours has the harder task: for it each word of
every sentence is new.
"""

import statistics
import sys
import time

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from attention import AttentionConfig, Learned, learn
from attention.grammar import examples
from attention.grammar.batches import Batch, draw, sentences
from attention.learn import _BATCH, MAX_LEN, STEPS, _easy

_RATE, _ASKED_EVERY, _MOST = 0.01, 50, 20  # the last: times as many steps as ours


def ours(config: AttentionConfig, language: str) -> tuple[float, Learned]:
    start = time.perf_counter()
    layer = learn(config, language=language)
    return time.perf_counter() - start, layer


def plain(config: AttentionConfig, language: str, accuracy: float) -> tuple[float, float, int]:
    """Seconds for as many steps as ours, seconds until it is as accurate (inf: never), and after which step it is."""
    training, held_out, count = _numbered(language)
    easy = _easy(held_out) & held_out.real
    torch.manual_seed(0)
    start = time.perf_counter()
    embedding, positions = nn.Embedding(count, config.d_model), nn.Embedding(MAX_LEN, config.d_model)
    attention = nn.MultiheadAttention(config.d_model, config.num_heads, batch_first=True)
    modules = nn.ModuleList([embedding, positions, attention])
    optimizer, generator = torch.optim.Adam(modules.parameters(), lr=_RATE), torch.Generator().manual_seed(0)

    def outputs(batch: Batch) -> torch.Tensor:
        x = embedding(batch.ids) + positions(torch.arange(batch.ids.shape[1]))
        return attention(x, x, x, key_padding_mask=~batch.real)[0]

    spent, same_steps = time.perf_counter() - start, 0.0
    for step in range(1, _MOST * STEPS + 1):
        start = time.perf_counter()
        batch = draw(training, _BATCH, generator)
        targets = batch.ids.gather(1, batch.referents)[batch.real]
        loss = cross_entropy(outputs(batch)[batch.real] @ embedding.weight.T, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        spent += time.perf_counter() - start
        same_steps = spent if step == STEPS else same_steps
        if step >= STEPS and step % _ASKED_EVERY == 0:
            with torch.no_grad():
                said = (outputs(held_out) @ embedding.weight.T).argmax(dim=-1)
            right = said == held_out.ids.gather(1, held_out.referents)
            if float(right[easy].double().mean()) >= accuracy:
                return same_steps, spent, step
    return same_steps, float("inf"), _MOST * STEPS


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
    times = []
    for _ in range(rounds):
        own, layer = ours(config, language)
        accuracy = layer.history.checkpoints[-1].accuracy
        times.append((own, *plain(config, language, accuracy), accuracy))
    own, same_steps, as_accurate, step, accuracy = (statistics.median(each) for each in zip(*times, strict=True))
    print(
        f"d_model {d_model}, {num_heads} heads, {language}: {own:.2f} s, {100 * accuracy:.1f} % of the words right\n"
        f"plain, as many steps: {same_steps:.2f} s, ratio {own / same_steps:.2f}\n"
        f"plain, until as many are right: {as_accurate:.2f} s ({step:.0f} steps), ratio {own / as_accurate:.2f}"
    )
    return 0


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(*(int(each) if each.isdigit() else each for each in given)))
