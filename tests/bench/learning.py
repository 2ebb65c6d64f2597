"""How long a layer takes to learn, against a plain loop of torch's own modules on the same sentences.

    python tests/bench/learning.py [D_MODEL NUM_HEADS LANGUAGE ROUNDS]

The plain loop: the vectors of all words as one nn.Embedding, nn.MultiheadAttention, cross_entropy over all words, and
torch.optim.Adam; as many steps of as many sentences, on one thread. Both take turns; read the ratio of the medians.
"""

import statistics
import sys
import time

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from attention import AttentionConfig, learn
from attention.grammar import examples
from attention.grammar.batches import draw, sentences
from attention.learn import _BATCH, MAX_LEN, STEPS


def ours(config: AttentionConfig, language: str) -> float:
    start = time.perf_counter()
    learn(config, language=language)
    return time.perf_counter() - start


def plain(config: AttentionConfig, language: str) -> float:
    batches = sentences(language)[0]
    found = examples(language, len(batches.real))
    words = sorted({token for example in found for token in example.tokens})
    index, longest = {word: i for i, word in enumerate(words)}, batches.real.shape[1]
    rows = [[index[token] for token in example.tokens] for example in found]
    batches = batches._replace(ids=torch.tensor([row + [0] * (longest - len(row)) for row in rows]))
    torch.manual_seed(0)
    start = time.perf_counter()
    embedding, positions = nn.Embedding(len(words), config.d_model), nn.Embedding(MAX_LEN, config.d_model)
    attention = nn.MultiheadAttention(config.d_model, config.num_heads, batch_first=True)
    modules = nn.ModuleList([embedding, positions, attention])
    optimizer, generator = torch.optim.Adam(modules.parameters(), lr=0.01), torch.Generator().manual_seed(0)
    for _ in range(STEPS):
        batch = draw(batches, _BATCH, generator)
        x = embedding(batch.ids) + positions(torch.arange(batch.ids.shape[1]))
        output, _ = attention(x, x, x, key_padding_mask=~batch.real)
        targets = batch.ids.gather(1, batch.referents)[batch.real]
        loss = cross_entropy(output[batch.real] @ embedding.weight.T, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def main(d_model: int = 32, num_heads: int = 2, language: str = "en", rounds: int = 5) -> int:
    torch.set_num_threads(1)
    config = AttentionConfig(d_model, num_heads)
    ours(AttentionConfig(4, 1), language), plain(AttentionConfig(4, 1), language)  # what a process pays once
    times = [(ours(config, language), plain(config, language)) for _ in range(rounds)]
    own, other = (statistics.median(each) for each in zip(*times, strict=True))
    print(
        f"d_model {d_model}, {num_heads} heads, {language}: {own:.2f} s, plain {other:.2f} s, ratio {own / other:.2f}"
    )
    return 0


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(*(int(each) if each.isdigit() else each for each in given)))
