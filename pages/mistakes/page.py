"""Nine mistakes: what one often reads of attention, run on the layer in force, and the number that refutes it."""

import math
from collections.abc import Callable
from functools import partial

from attention import measures
from attention.functional import scale_scores, softmax, weighted_sum
from pages.mistakes import runs
from pages.ui.lab import LayerLab, asked

EXPERIMENTS = ("root", "shape", "purpose", "side", "axis", "random", "share", "mixing", "twice")
SEEDS = 5

here = LayerLab()
trace, config, attention = here.trace, here.trace.config, here.trace.attention
head, query = here.head, here.query
size, d_k = len(here.labels), config.head_dim


def wrong_root() -> tuple[list[str], list[list[object]], dict[str, object]]:
    rows: list[list[object]] = []
    for name, divisor in (("√d_k", math.sqrt(d_k)), ("√d_model", math.sqrt(config.d_model)), ("1", 1.0)):
        spread, largest = runs.under(trace, head, query, divisor)
        rows.append([f"{name} = {divisor:.2f}", spread, largest])
    names = ["divisor", "variance", "largest"]
    return names, rows, {"right": rows[0][2], "wrong": rows[1][2], "d_k": d_k, "d_model": config.d_model}


def wrong_shape() -> tuple[list[str], list[list[object]], dict[str, object]]:
    tensors = {"V_h": attention.v[head], "O_h": attention.head_outputs[head]}
    tensors |= {"Concat": attention.joined, "output": attention.output}
    rows: list[list[object]] = [[name, " × ".join(map(str, each.shape))] for name, each in tensors.items()]
    return ["tensor", "shape"], rows, {"d_k": d_k, "heads": config.num_heads, "d_model": config.d_model}


def wrong_purpose() -> tuple[list[str], list[list[object]], dict[str, object]]:
    raw, scaled = runs.under(trace, head, query, 1.0), runs.under(trace, head, query, math.sqrt(d_k))
    rows: list[list[object]] = [["1", *raw], [f"√{d_k}", *scaled]]
    return ["divisor", "variance", "largest"], rows, {"before": raw[0], "after": scaled[0], "largest": scaled[1]}


def wrong_side() -> tuple[list[str], list[list[object]], dict[str, object]]:
    error = runs.turned(trace)
    shapes = f"({size} × {config.d_model}) ({config.d_model} × {config.d_model})"
    turned = f"({config.d_model} × {config.d_model}) ({size} × {config.d_model})"
    rows: list[list[object]] = [["X W", shapes, f"{size} × {config.d_model}"]]
    rows.append(["W X", turned, here.code(error) if error else here.text("fits")])
    return ["formula", "shapes", "result"], rows, {"tokens": size}


def wrong_axis() -> tuple[list[str], list[list[object]], dict[str, object]]:
    weights = attention.attn_weights[head]
    rows_sum, columns_sum = weights.sum(dim=1), weights.sum(dim=0)
    rows: list[list[object]] = [
        [here.text("rows"), float(rows_sum.min()), float(rows_sum.max())],
        [here.text("columns"), float(columns_sum.min()), float(columns_sum.max())],
    ]
    return ["sums", "least", "most"], rows, {"key": here.leader(columns_sum), "most": float(columns_sum.max())}


def wrong_random() -> tuple[list[str], list[list[object]], dict[str, object]]:
    if trace.x_given:
        own = measures.peak(attention.attn_weights[head, query])
        found = [(0, own.column, own.value)]
    else:
        found = runs.favourites(trace, query, SEEDS)
    rows: list[list[object]] = [[seed, here.token(key), weight] for seed, key, weight in found]
    return ["seed", "key", "weight"], rows, {"query": here.token(query), "different": len({key for _, key, _ in found})}


def wrong_share() -> tuple[list[str], list[list[object]], dict[str, object]]:
    found = runs.parts(trace, head, query)
    order = sorted(range(size), key=lambda key: -found.weights[key])[:6]
    rows: list[list[object]] = [
        [here.token(key), found.weights[key], found.handed[key], found.mixed[key]] for key in order
    ]
    heavy, long = order[0], max(range(size), key=found.mixed.__getitem__)
    facts = {"query": here.token(query), "heavy": here.token(heavy), "long": here.token(long)}
    return ["key", "weight", "handed", "mixed"], rows, facts | {"share": found.weights[long]}


def wrong_mixing() -> tuple[list[str], list[list[object]], dict[str, object]]:
    found = runs.without(trace)
    rows: list[list[object]] = [[here.text(f"with_{name}"), value] for name, value in found.items()]
    return ["version", "difference"], rows, {"mixing": found["no_mixing"]}


def wrong_twice() -> tuple[list[str], list[list[object]], dict[str, object]]:
    pair = measures.first_repeat(trace.tokens)
    other = trace if pair else here.also(here.text("twice_sentence")) or trace
    first, second = measures.first_repeat(other.tokens) or (0, 0)
    apart = float((other.attention.output[first] - other.attention.output[second]).abs().max())
    same = float((other.embeddings[first] - other.embeddings[second]).abs().max())
    rows: list[list[object]] = [[here.text("embedding_rows"), same], [here.text("output_rows"), apart]]
    facts = {"word": here.code(other.tokens[first]), "first": first, "second": second, "apart": apart}
    return ["what", "difference"], rows, facts


Run = Callable[[], tuple[list[str], list[list[object]], dict[str, object]]]
RUNS: dict[str, Run] = {
    "root": wrong_root,
    "shape": wrong_shape,
    "purpose": wrong_purpose,
    "side": wrong_side,
    "axis": wrong_axis,
    "random": wrong_random,
    "share": wrong_share,
    "mixing": wrong_mixing,
    "twice": wrong_twice,
}
CODE: dict[str, Callable[..., object]] = {"root": scale_scores, "purpose": scale_scores, "axis": softmax}
STEPS = {"root": "scaling", "shape": "weighted_sum", "purpose": "scaling", "side": "projections", "axis": "softmax"}
STEPS |= {"random": "scores", "share": "weighted_sum", "mixing": "heads", "twice": "embedding"}

chosen = here.choose(*EXPERIMENTS)
here.asks(asked(f"true_{chosen}", "no", "yes"))
names, rows, facts = RUNS[chosen]()


def draw() -> None:
    here.say(f"read_{chosen}")
    here.table([here.text(f"column_{name}") for name in names], rows)


here.place(draw)
section = "notice_mixing_same" if chosen == "mixing" and not runs.is_mixing(trace) else f"notice_{chosen}"
here.tells(partial(here.say, section, **facts), CODE.get(chosen, weighted_sum))
here.back(STEPS[chosen])
