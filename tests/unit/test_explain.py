import dataclasses
import math
import re

import pytest
import torch
from each import each
from hypothesis import given, settings
from hypothesis import strategies as st

from attention import (
    AttentionConfig,
    AttentionWeights,
    Cell,
    Derivation,
    Edit,
    Factor,
    Index,
    Term,
    apply_edit,
    explain_cell,
    multi_head_attention,
    trace_sentence,
)

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
PRECISION = {torch.float32: 1e-5, torch.float64: 1e-12}
DTYPES = each("dtype", PRECISION)
SIZES = [(1, 1), (3, 3), (4, 1), (4, 4), (5, 1), (6, 3), (8, 2), (12, 2)]

# Every tensor in the order of the story, with what its rows and its columns are.
AXES = {
    "ids": ("token", "id"),
    "embedding_table": ("word", "dim"),
    "one_hot": ("token", "word"),
    "embeddings": ("token", "dim"),
    "positions": ("token", "dim"),
    "x": ("token", "dim"),
    **{f"w_{role}": ("in", "out") for role in "qkvo"},
    **{f"b_{role}": ("bias", "out") for role in "qkvo"},
    "q": ("query", "dim"),
    "k": ("key", "dim"),
    "v": ("key", "dim"),
    "scores": ("query", "key"),
    "scaled_scores": ("query", "key"),
    "masked_scores": ("query", "key"),
    "exponentials": ("query", "key"),
    "exp_sums": ("query", "sum"),
    "attn_weights": ("query", "key"),
    "contributions": ("key", "dim"),
    "head_outputs": ("query", "dim"),
    "joined": ("token", "dim"),
    "output": ("token", "out"),
}
STORY = list(AXES)
OPERATIONS = {
    "one_hot": {"indicator"},
    "positions": {"sine", "cosine"},
    "exponentials": {"exp"},
    "attn_weights": {"share"},
    "joined": {"copy"},
}
GIVEN = {"ids", "embedding_table", *(f"{kind}_{role}" for kind in "wb" for role in "qkvo")}


def weights_for(config, dtype=torch.float32):
    weights = AttentionWeights.random(config)
    cast = {field.name: getattr(weights, field.name).to(dtype) for field in dataclasses.fields(weights)[:-1]}
    return dataclasses.replace(weights, **cast)


def make(sentence="the cat the 猫", d_model=4, num_heads=2, dtype=torch.float32, hidden=(), **switches):
    config = AttentionConfig(d_model, num_heads, **switches)
    return trace_sentence(sentence, config, weights_for(config, dtype), hidden_keys=hidden)


def tensors_of(trace, query=0):
    """Every tensor under its name, (rows, columns) or (heads, rows, columns); torch makes those no trace keeps."""
    attention, weights = trace.attention, trace.weights
    masked = attention.masked_scores
    exps = (masked - masked.amax(-1, keepdim=True).nan_to_num(neginf=0)).exp()
    made = {
        "ids": trace.ids.unsqueeze(1),
        **{f"b_{role}": getattr(weights, f"b_{role}").unsqueeze(0) for role in "qkvo"},
        "exponentials": exps,
        "exp_sums": exps.sum(-1, keepdim=True),
        "contributions": torch.einsum("hj,hjd->hjd", attention.attn_weights[:, query], attention.v),
    }
    kept = {
        name: getattr(holder, name) for holder in (weights, attention, trace) for name in STORY if hasattr(holder, name)
    }
    return kept | made


def explain(trace, cell, query=0):
    return explain_cell(trace, cell.tensor, cell.row, cell.column, cell.head, query=query)


def cells_of(tensor, name):
    heads = range(len(tensor)) if tensor.dim() == 3 else [None]
    return [Cell(name, i, j, h) for h in heads for i in range(tensor.shape[-2]) for j in range(tensor.shape[-1])]


def number_at(tensor, cell):
    return float((tensor if cell.head is None else tensor[cell.head])[cell.row, cell.column])


def recombine(derivation):
    """Value by the docstring's rules, and the size that rounding errors are measured by.

    A sum that cancels cannot be more exact than its largest summands, nor a sine than its angle; and what e is raised
    to is as uncertain as its own summands.
    """
    products = [math.prod(factor.value for factor in term.factors) for term in derivation.terms]
    assert products == [term.product for term in derivation.terms]
    total, size = sum(products), sum(map(abs, products))
    match derivation.operation:
        case "sum":
            return total, size
        case "indicator" | "copy":
            assert len(products) == 1
            return total, abs(total)
        case "sine":
            return math.sin(total), size
        case "cosine":
            return math.cos(total), max(1, size)
        case "exp":
            return math.e**total, math.e**total * max(1, size) if total > -math.inf else 0
        case "share":
            share = products[derivation.column] / total if total else 0.0
            return share, share
        case "given" | "off" | "edited":
            assert not products
            return derivation.value, abs(derivation.value)
    raise AssertionError(derivation.operation)


def assert_agrees(derivation, number, precision):
    """The terms give the value, and the value is the tensor's number; 1e-37 because float32 has nothing smaller."""
    value, size = recombine(derivation)
    assert derivation.value == pytest.approx(value, rel=1e-13, abs=1e-14 * size if size < math.inf else 0)
    tolerance = precision * max(size, abs(value), 1e-37 / precision) if size < math.inf else 0
    assert derivation.value == number or abs(derivation.value - number) <= tolerance


@st.composite
def traces(draw, dtype=torch.float32):
    words = draw(st.lists(st.sampled_from(["the", "cat", "saw", "猫", "爱", ",", "👍🏽"]), min_size=1, max_size=9))
    sentence = " ".join(words)
    d_model, num_heads = draw(st.sampled_from(SIZES))
    switches = {name: draw(st.booleans()) for name in ("causal", "scaled", "positions")}
    seed = draw(st.integers(0, 5))
    places = range(len(words))
    hidden = draw(st.sets(st.sampled_from(places)) | st.just(set(places)))
    return make(sentence, d_model, num_heads, dtype, hidden, seed=seed, **switches)


@DTYPES
@given(st.data())
@PROPERTY
def test_any_cell_of_any_tensor_is_what_its_terms_say(dtype, data):
    trace = data.draw(traces(dtype))
    query = data.draw(st.integers(0, len(trace.tokens) - 1))
    tensors = tensors_of(trace, query)
    for name in STORY:
        cell = data.draw(st.sampled_from(cells_of(tensors[name], name)))
        assert_agrees(explain(trace, cell, query), number_at(tensors[name], cell), PRECISION[dtype])


SMALL = [
    {},
    {"d_model": 3, "num_heads": 3, "causal": True, "hidden": {0}},
    {"num_heads": 1, "scaled": False, "positions": False, "hidden": {1, 3}},
    {"sentence": "猫", "hidden": {0}},
]


@DTYPES
@each("options", SMALL)
@each("name", STORY)
def test_every_cell_of_small_traces_is_what_its_terms_say(name, options, dtype):
    trace = make(dtype=dtype, **options)
    query = len(trace.tokens) - 1
    tensor = tensors_of(trace, query)[name]
    for cell in cells_of(tensor, name):
        derivation = explain(trace, cell, query)
        assert_agrees(derivation, number_at(tensor, cell), PRECISION[dtype])
        expected = {"given"} if name in GIVEN else OPERATIONS.get(name, {"sum"})
        if name == "positions" and not trace.config.positions:
            expected = {"off"}
        assert derivation.operation in expected


# Sources.


@pytest.mark.parametrize("options", SMALL)
@pytest.mark.parametrize("start", ["output", "contributions"])
def test_sources_lead_from_the_end_back_to_the_ids_and_no_further(start, options):
    trace = make(**options)
    tensors = tensors_of(trace)
    level, depth, seen = {Cell(start, 0, 0, 0 if start == "contributions" else None)}, 0, set()
    while level:
        derivations = [explain(trace, cell) for cell in level]
        seen |= {cell.tensor for cell in level}
        for derivation in derivations:
            assert all(STORY.index(source.tensor) < STORY.index(derivation.tensor) for source in derivation.sources)
        level = {source for derivation in derivations for source in derivation.sources}
        depth += 1
    assert depth <= len(STORY)
    assert "ids" in seen
    assert {"q", "k", "w_k", "b_q", "exponentials"} <= seen
    assert set(tensors) >= seen


@PROPERTY
@given(st.data())
def test_a_factor_with_a_cell_is_the_number_in_that_cell(data):
    trace = data.draw(traces())
    tensors = tensors_of(trace)
    for name in STORY:
        cell = data.draw(st.sampled_from(cells_of(tensors[name], name)))
        derivation = explain(trace, cell)
        factors = [factor for term in derivation.terms for factor in term.factors]
        assert derivation.sources == tuple(dict.fromkeys(factor.cell for factor in factors if factor.cell))
        for factor in factors:
            if factor.cell is None or name == "one_hot":  # whose one factor says whether the id is the one asked for
                continue
            sign = -1 if factor.symbol == r"-\max" else 1
            assert sign * factor.value == pytest.approx(number_at(tensors[factor.cell.tensor], factor.cell), rel=1e-6)
            explained = explain(trace, factor.cell)
            assert explained.cell == factor.cell
            if factor.symbol != r"-\max":
                assert explained.symbols.split(" = ")[0] == factor.symbol


def test_the_sources_of_each_kind_of_tensor_are_the_right_row_and_column():
    trace = make(d_model=6, num_heads=3)  # heads of width 2; 4 tokens, 3 words
    cat, third = 1, 2

    def sources(tensor, row, column, head=None):
        return set(explain_cell(trace, tensor, row, column, head, query=3).sources)

    assert sources("one_hot", cat, 0) == {Cell("ids", cat, 0)}
    words = {Cell("one_hot", cat, w) for w in range(3)} | {Cell("embedding_table", w, 5) for w in range(3)}
    assert sources("embeddings", cat, 5) == words
    assert sources("x", cat, 5) == {Cell("embeddings", cat, 5), Cell("positions", cat, 5)}
    for role in "qkv":
        inputs = {Cell("x", cat, m) for m in range(6)} | {Cell(f"w_{role}", m, 5) for m in range(6)}
        assert sources(role, cat, 1, head=2) == inputs | {Cell(f"b_{role}", 0, 5)}
    met = {Cell("q", cat, d, third) for d in range(2)} | {Cell("k", 3, d, third) for d in range(2)}
    assert sources("scores", cat, 3, third) == met
    assert sources("scaled_scores", cat, 3, third) == {Cell("scores", cat, 3, third)}
    assert sources("masked_scores", cat, 3, third) == {Cell("scaled_scores", cat, 3, third)}
    best = int(trace.attention.masked_scores[third, cat].argmax())
    other = (best + 1) % 4
    expected = {Cell("masked_scores", cat, other, third), Cell("masked_scores", cat, best, third)}
    assert sources("exponentials", cat, other, third) == expected
    row = {Cell("exponentials", cat, j, third) for j in range(4)}
    assert sources("exp_sums", cat, 0, third) == sources("attn_weights", cat, 3, third) == row
    assert sources("contributions", 0, 1, third) == {Cell("attn_weights", 3, 0, third), Cell("v", 0, 1, third)}
    blend = {Cell("attn_weights", cat, j, third) for j in range(4)} | {Cell("v", j, 1, third) for j in range(4)}
    assert sources("head_outputs", cat, 1, third) == blend
    assert [sources("joined", cat, c) for c in range(6)] == [
        {Cell("head_outputs", cat, c % 2, c // 2)} for c in range(6)
    ]
    mixed = {Cell("joined", cat, m) for m in range(6)} | {Cell("w_o", m, 4) for m in range(6)}
    assert sources("output", cat, 4) == mixed | {Cell("b_o", 0, 4)}


# A trace worked by hand: two tokens, two numbers each.


def by_hand(num_heads=1, **switches):
    config = AttentionConfig(2, num_heads, positions=False, **switches)
    weights = AttentionWeights(
        w_q=torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
        w_k=torch.tensor([[0.0, 2.0], [1.0, 0.0]]),
        w_v=torch.tensor([[1.0, 1.0], [0.0, -1.0]]),
        w_o=torch.tensor([[2.0, 0.0], [0.0, 0.25]]),
        b_q=torch.tensor([0.25, 0.0]),
        b_k=torch.tensor([0.0, -1.0]),
        b_v=torch.tensor([0.0, 0.0]),
        b_o=torch.tensor([10.0, 0.5]),
        num_heads=num_heads,
    )
    trace = trace_sentence("a b", config, weights)
    x = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    attention = multi_head_attention(x, weights, is_causal=config.causal, scaled=config.scaled)
    return dataclasses.replace(trace, embeddings=x, x=x, attention=attention)


def products_of(derivation):
    return [[factor.value for factor in term.factors] for term in derivation.terms]


def test_by_hand_from_x_to_the_scores():
    trace = by_hand()
    q = explain_cell(trace, "q", 0, 0)
    assert (products_of(q), q.value) == ([[1, 1], [2, 0], [0.25]], 1.25)
    assert q.symbols == r"Q[0,0] = \sum_{m=0}^{1} X[0,m]\, W_Q[m,0] + b_Q[0]"
    assert q.numbers == r"1.00 \cdot 1.00 + 2.00 \cdot 0.00 + 0.25"
    assert q.cell == Cell("q", 0, 0, head=0)
    k = explain_cell(trace, "k", 1, 1)
    assert (products_of(k), k.value) == ([[3, 2], [-1, 0], [-1]], 5)
    assert k.numbers == r"3.00 \cdot 2.00 + (-1.00) \cdot 0.00 + (-1.00)"
    score = explain_cell(trace, "scores", 0, 1)
    assert (products_of(score), score.value) == ([[1.25, -1], [2, 5]], 8.75)
    assert score.formula == (r"S[0,1] = \sum_{d=0}^{1} Q[0,d]\, K[1,d] = 1.25 \cdot (-1.00) + 2.00 \cdot 5.00 = 8.75")
    scaled = explain_cell(trace, "scaled_scores", 0, 1)
    assert scaled.terms[0].factors == (
        Factor("S[0,1]", 8.75, Cell("scores", 0, 1, 0)),
        Factor(r"1/\sqrt{2}", 1 / math.sqrt(2)),
    )
    assert scaled.formula == r"\tilde{S}[0,1] = S[0,1] \cdot 1/\sqrt{2} = 8.75 \cdot 0.71 = 6.19"


def test_by_hand_with_two_heads_each_takes_its_own_column():
    trace = by_hand(num_heads=2)
    q = explain_cell(trace, "q", 1, 0, head=1)
    assert (products_of(q), q.value) == ([[3, 0], [-1, 1], [0]], -1)
    assert q.symbols == r"Q_{1}[1,0] = \sum_{m=0}^{1} X[1,m]\, W_Q[m,1] + b_Q[1]"
    score = explain_cell(trace, "scores", 1, 0, head=1)
    assert (products_of(score), score.value) == ([[-1, 1]], -1)
    assert score.formula == r"S_{1}[1,0] = \sum_{d=0}^{0} Q_{1}[1,d]\, K_{1}[0,d] = -1.00 \cdot 1.00 = -1.00"
    scaled = explain_cell(trace, "scaled_scores", 1, 0, head=1)
    assert scaled.formula == r"\tilde{S}_{1}[1,0] = S_{1}[1,0] \cdot 1/\sqrt{1} = -1.00 \cdot 1 = -1.00"


def test_by_hand_through_the_softmax_to_the_output():
    # Scaling is off and row 0 of the scores is 4.5, 8.75.
    trace = by_hand(scaled=False)
    scaled = explain_cell(trace, "scaled_scores", 0, 0)
    assert (products_of(scaled), scaled.formula) == (
        [[4.5, 1]],
        r"\tilde{S}[0,0] = S[0,0] \cdot 1 = 4.50 \cdot 1 = 4.50",
    )
    masked = explain_cell(trace, "masked_scores", 0, 0)
    assert (products_of(masked), masked.value) == ([[4.5], [0]], 4.5)
    assert masked.formula == r"M[0,0] = \tilde{S}[0,0] + \mathrm{mask}_{0,0} = 4.50 + 0 = 4.50"
    e = math.exp(4.5 - 8.75)
    first, second = (explain_cell(trace, "exponentials", 0, key) for key in (0, 1))
    assert products_of(first) == [[4.5], [-8.75]]
    assert first.terms[1].factors == (Factor(r"-\max", -8.75, Cell("masked_scores", 0, 1, 0)),)
    assert (first.value, second.value) == (pytest.approx(e), 1)
    assert first.formula == r"e[0,0] = \exp(M[0,0] - \max_{j} M[0,j]) = e^{4.50 - 8.75} = 0.01"
    total = explain_cell(trace, "exp_sums", 0, 0)
    assert (total.value, total.formula) == (
        pytest.approx(e + 1),
        r"\Sigma[0] = \sum_{j=0}^{1} e[0,j] = 0.01 + 1.00 = 1.01",
    )
    share = explain_cell(trace, "attn_weights", 0, 1)
    assert share.value == pytest.approx(1 / (e + 1))
    assert share.formula == r"A[0,1] = \frac{e[0,1]}{\sum_{j=0}^{1} e[0,j]} = \frac{1.00}{0.01 + 1.00} = 0.99"
    # The values are x0 and x0 - x1: (1, -1) and (3, 4).
    handed = explain_cell(trace, "contributions", 1, 1, query=0)
    assert handed.value == pytest.approx(4 / (e + 1), rel=1e-6)
    assert handed.formula == r"U[1,1] = A[0,1]\, V[1,1] = 0.99 \cdot 4.00 = 3.94"
    blended = explain_cell(trace, "head_outputs", 0, 1)
    assert blended.value == pytest.approx((-e + 4) / (e + 1), rel=1e-6)
    assert blended.symbols == r"O[0,1] = \sum_{j=0}^{1} A[0,j]\, V[j,1]"
    joined = explain_cell(trace, "joined", 0, 1)
    assert (joined.value, joined.symbols) == (pytest.approx(blended.value, rel=1e-6), "C[0,1] = O[0,1]")
    output = explain_cell(trace, "output", 0, 1)
    assert output.value == pytest.approx(0.25 * blended.value + 0.5, rel=1e-6)
    assert output.symbols == r"Y[0,1] = \sum_{m=0}^{1} C[0,m]\, W_O[m,1] + b_O[1]"


def test_by_hand_before_attention():
    trace = make("b a b c c", d_model=4, num_heads=1)  # words a, b, c
    ids = explain_cell(trace, "ids", 2, 0)
    assert (ids.operation, ids.terms, ids.value, ids.formula) == ("given", (), 1, r"\mathrm{id}[2] = 1")
    hot, cold = explain_cell(trace, "one_hot", 2, 1), explain_cell(trace, "one_hot", 2, 0)
    assert hot.terms == (Term((Factor(r"[\mathrm{id}[2] = 1]", 1.0, Cell("ids", 2, 0)),), 1.0),)
    assert hot.formula == r"H[2,1] = [\mathrm{id}[2] = 1] = [1 = 1] = 1"
    assert (cold.value, cold.numbers) == (0, "[1 = 0]")
    embedding = explain_cell(trace, "embeddings", 2, 3)
    table = trace.embedding_table[:, 3].tolist()
    assert products_of(embedding) == [[0, table[0]], [1, table[1]], [0, table[2]]]
    assert embedding.symbols == r"T[2,3] = \sum_{w=0}^{2} H[2,w]\, E[w,3]"
    assert re.fullmatch(r"0 \\cdot \(?\S+ \+ 1 \\cdot \(?\S+ \+ 0 \\cdot \(?\S+", embedding.numbers)
    parameter = explain_cell(trace, "w_o", 3, 1)
    assert (parameter.symbols, parameter.terms) == ("W_O[3,1]", ())
    assert explain_cell(trace, "b_k", 0, 2).symbols == "b_K[2]"
    x = explain_cell(trace, "x", 2, 3)
    assert products_of(x) == [[table[1]], [trace.positions[2, 3].item()]]
    assert x.symbols == "X[2,3] = T[2,3] + P[2,3]"


@pytest.mark.parametrize(
    ("column", "operation", "value", "symbols", "numbers"),
    [
        (0, "sine", math.sin(3), r"\sin(3 \cdot 1/10000^{0/4})", r"\sin(3 \cdot 1)"),
        (1, "cosine", math.cos(3), r"\cos(3 \cdot 1/10000^{0/4})", r"\cos(3 \cdot 1)"),
        (2, "sine", math.sin(0.03), r"\sin(3 \cdot 1/10000^{2/4})", r"\sin(3 \cdot 0.01)"),
        (3, "cosine", math.cos(0.03), r"\cos(3 \cdot 1/10000^{2/4})", r"\cos(3 \cdot 0.01)"),
    ],
)
def test_positions_are_waves_of_the_place_times_a_frequency(column, operation, value, symbols, numbers):
    derivation = explain_cell(make(), "positions", 3, column)
    assert derivation.operation == operation
    assert derivation.value == pytest.approx(value, rel=1e-12)
    assert derivation.symbols == f"P[3,{column}] = {symbols}"
    assert derivation.numbers == numbers
    place, frequency = derivation.terms[0].factors
    assert (place.symbol, place.value, place.cell, frequency.cell) == ("3", 3, None, None)
    assert frequency.value == pytest.approx(0.01 if column > 1 else 1)


def test_positions_switched_off_are_zero_without_a_reason():
    off = explain_cell(make(positions=False), "positions", 3, 1)
    assert (off.operation, off.terms, off.value, off.formula) == ("off", (), 0, "P[3,1] = 0.00")
    assert products_of(explain_cell(make(positions=False), "x", 3, 1))[1] == [0]


def test_a_closed_cell_is_minus_infinity_and_its_share_is_0():
    trace = make(num_heads=1, causal=True)
    masked = explain_cell(trace, "masked_scores", 1, 2)
    assert (masked.value, masked.terms[1].factors) == (-math.inf, (Factor(r"\mathrm{mask}_{1,2}", -math.inf),))
    assert masked.numbers.endswith(r" + (-\infty)")
    assert masked.formula.endswith(r"= -\infty")
    assert explain_cell(trace, "exponentials", 1, 2).sources[0] == Cell("masked_scores", 1, 2, 0)
    assert explain_cell(trace, "exponentials", 1, 2).numbers.startswith(r"e^{-\infty - ")
    assert explain_cell(trace, "exponentials", 1, 2).value == explain_cell(trace, "attn_weights", 1, 2).value == 0


def test_a_row_with_every_key_closed_has_zeros_and_no_largest_score():
    trace = make(num_heads=1, hidden=range(4))
    e = explain_cell(trace, "exponentials", 1, 2)
    assert e.terms[1].factors == (Factor("0", 0.0),)
    assert e.formula == r"e[1,2] = \exp(M[1,2] - 0) = e^{-\infty - 0} = 0.00"
    share = explain_cell(trace, "attn_weights", 1, 2)
    assert (share.operation, share.value, len(share.terms)) == ("share", 0, 4)
    assert share.formula == r"A[1,2] = \frac{e[1,2]}{1} = \frac{0.00}{1} = 0.00"


def test_of_equal_largest_scores_the_first_is_the_source():
    config = AttentionConfig(4, 1)
    silent = dataclasses.replace(weights_for(config), w_q=torch.zeros(4, 4), b_q=torch.zeros(4))
    trace = trace_sentence("the cat saw", config, silent, hidden_keys=[0])
    assert explain_cell(trace, "exponentials", 2, 2).sources == (
        Cell("masked_scores", 2, 2, 0),
        Cell("masked_scores", 2, 1, 0),
    )


# What it is called.


@each("name", STORY)
def test_rows_and_columns_say_what_they_mean(name):
    trace = make("dog 猫 cat dog", d_model=4, num_heads=2)
    tokens, words = ["dog", "猫", "cat", "dog"], ["cat", "dog", "猫"]
    texts = {**dict.fromkeys(["token", "query", "key"], tokens), "word": words}
    rows, columns = AXES[name]
    for cell in cells_of(tensors_of(trace)[name], name):
        derivation = explain(trace, cell)
        assert derivation.cell == cell
        assert (derivation.tensor, derivation.row, derivation.column, derivation.head) == dataclasses.astuple(cell)
        assert derivation.meaning == (derivation.row_means, derivation.column_means)
        assert derivation.row_means == Index(rows, cell.row, texts[rows][cell.row] if rows in texts else "")
        assert derivation.column_means == Index(
            columns, cell.column, texts[columns][cell.column] if columns in texts else ""
        )


def test_with_one_head_it_need_not_be_said_and_no_symbol_shows_it():
    trace = make(num_heads=1)
    assert explain_cell(trace, "scores", 2, 1) == explain_cell(trace, "scores", 2, 1, head=0)
    assert explain_cell(trace, "scores", 2, 1).head == 0
    assert explain_cell(trace, "x", 2, 1).head is None
    assert "(0)" not in explain_cell(trace, "scores", 2, 1).symbols
    assert explain_cell(trace, "joined", 2, 1).sources == (Cell("head_outputs", 2, 1, head=0),)


# LaTeX.

COMMANDS = {
    *("sum", "cdot", "cdots", "frac", "sqrt", "exp", "max", "sin", "cos"),
    *("mathrm", "tilde", "infty", "Sigma", ","),
}
HOSTILE = r"\frac{ } $x$ <b> 猫 ^ _ & % # id"


@PROPERTY
@given(st.data())
def test_formulas_are_balanced_shortened_and_say_signs_in_parentheses(data):
    trace = data.draw(traces())
    tensors = tensors_of(trace)
    for name in STORY:
        derivation = explain(trace, data.draw(st.sampled_from(cells_of(tensors[name], name))))
        formula = derivation.formula
        assert formula.startswith(derivation.symbols)
        assert formula.isascii()
        for opening, closing in ("{}", "()", "[]"):
            depths = [formula[:end].count(opening) - formula[:end].count(closing) for end in range(len(formula) + 1)]
            assert min(depths) == depths[-1] == 0
        assert set(re.findall(r"\\([a-zA-Z]+|.)", formula)) <= COMMANDS
        assert not re.search(r"(\+|\\cdot|- ) ?-", derivation.numbers)
        assert not re.search("nan|e[+-]", derivation.numbers)
        if derivation.operation == "sum":
            parts, has_bias = derivation.numbers.split(" + "), derivation.tensor in ("q", "k", "v", "output")
            is_long = len(derivation.terms) > 4
            assert len(parts) == (3 + has_bias if is_long else len(derivation.terms))
            assert [i for i, part in enumerate(parts) if part == r"\cdots"] == [2] * is_long


@each("name", STORY)
def test_the_words_of_the_sentence_never_get_into_latex(name):
    hostile = make(HOSTILE)
    # The same pattern of ids in plain letters: the vocabulary is sorted, so letters in that order get the same ids.
    letters = " ".join(chr(ord("a") + int(i)) for i in hostile.ids)
    plain = make(letters)
    assert plain.ids.tolist() == hostile.ids.tolist()
    for cell in cells_of(tensors_of(hostile)[name], name):
        assert explain(hostile, cell).symbols == explain(plain, cell).symbols
        numbers = explain(hostile, cell).numbers
        assert re.sub(r"\\(cdots?|sin|cos|frac|infty)\b|[-+\d.e^{}()\[\]= ]", "", numbers) == ""


def parameter(value):
    """The numbers of a cell that holds value."""
    trace = make(num_heads=1, dtype=torch.float64)
    weights = dataclasses.replace(trace.weights, w_q=torch.full((4, 4), value, dtype=torch.float64))
    return explain_cell(dataclasses.replace(trace, weights=weights), "w_q", 0, 0).numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (1.0, "1.00"),
        (0.9962, "0.996"),
        (-0.99999, "-0.99999"),
        (0.9999999, "1.00"),
        (1.0004, "1.00"),
        (0.126, "0.13"),
        (-0.126, "-0.13"),
        (0.005, "0.01"),
        (0.00499, "0.0050"),
        (-0.00123, "-0.0012"),
        (0.000999, r"9.99 \cdot 10^{-4}"),
        (0.00012, r"1.2 \cdot 10^{-4}"),
        (-0.00012345, r"-1.23 \cdot 10^{-4}"),
        (1e-20, r"1 \cdot 10^{-20}"),
        (123456.789, "123456.79"),
        (-1.5e9, r"-1.5 \cdot 10^{9}"),
        (math.inf, r"\infty"),
        (-math.inf, r"-\infty"),
    ],
)
def test_numbers_are_rounded_for_reading(value, text):
    assert parameter(value) == text


def test_small_negative_numbers_are_in_parentheses_with_their_power_of_ten():
    trace = by_hand()
    weights = dataclasses.replace(trace.weights, w_q=torch.full((2, 2), -0.00012), b_q=torch.full((2,), -0.00034))
    q = explain_cell(dataclasses.replace(trace, weights=weights), "q", 1, 0)
    assert q.numbers == (r"3.00 \cdot (-1.2 \cdot 10^{-4}) + (-1.00) \cdot (-1.2 \cdot 10^{-4}) + (-3.4 \cdot 10^{-4})")


@pytest.mark.parametrize(("tokens", "parts"), [(1, 1), (4, 4), (5, 3), (9, 3)])
def test_sums_of_more_than_four_are_shortened_in_fractions_too(tokens, parts):
    trace = make(" ".join("abcdefghi"[:tokens]), num_heads=1)
    numbers = explain_cell(trace, "attn_weights", 0, 0).numbers
    bottom = re.fullmatch(r"\\frac\{[^{}]+\}\{(.+)\}", numbers).group(1)
    assert len(bottom.split(" + ")) == parts
    assert bottom.endswith(r" + \cdots") == (tokens > 4)
    values = [explain_cell(trace, "exponentials", 0, key).value for key in range(tokens)]
    largest = sorted(values)[-2:]
    shown = [value for value in values if tokens <= 4 or value in largest]
    assert min(shown) >= 0.005
    assert bottom.split(" + ")[: len(shown)] == [f"{value:.2f}" for value in shown]


def test_of_a_long_sum_the_two_products_that_count_most_are_written_in_their_order_and_the_bias():
    trace = make(num_heads=1, dtype=torch.float64, d_model=6)
    x = torch.zeros_like(trace.x)
    x[2] = torch.tensor([0.1, -3.0, 0.0, 0.2, 2.0, -0.3], dtype=torch.float64)
    ones = torch.ones(6, 6, dtype=torch.float64)
    weights = dataclasses.replace(trace.weights, w_q=ones, b_q=torch.full((6,), -0.5, dtype=torch.float64))
    q = explain_cell(dataclasses.replace(trace, x=x, weights=weights), "q", 2, 1)
    assert q.numbers == r"-3.00 \cdot 1.00 + 2.00 \cdot 1.00 + \cdots + (-0.50)"


def test_a_lone_number_is_said_once_and_anything_else_is_followed_by_its_value():
    trace = make()
    assert explain_cell(trace, "w_q", 0, 1).formula == f"W_Q[0,1] = {trace.weights.w_q[0, 1]:.2f}"
    x = explain_cell(trace, "x", 0, 1)
    assert x.formula == f"{x.symbols} = {x.numbers} = {trace.x[0, 1]:.2f}"


# Refusals, and what must stay as it is.


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (("z", 0, 0), "no tensor 'z'; there are ids, embedding_table, .*, output"),
        (("x", 4, 0), "row 4 is outside x: 4 in all, counted from 0"),
        (("x", -1, 0), "row -1 is outside x"),
        (("x", 0, 4), "column 4 is outside x: 4 in all"),
        (("x", 0, -1), "column -1 is outside x"),
        (("x", 0, 0, 0), "x has no heads, so head must be None, got 0"),
        (("q", 0, 2, 0), "column 2 is outside q: 2 in all"),
        (("q", 0, 0), "q has 2 heads: say which one, 0 to 1"),
        (("q", 0, 0, 2), "head 2 is outside q: 2 in all"),
        (("q", 0, 0, -1), "head -1 is outside q"),
        (("scores", 0, 4, 1), "column 4 is outside scores: 4 in all"),
        (("exp_sums", 0, 1, 1), "column 1 is outside exp_sums: 1 in all"),
        (("ids", 0, 1), "column 1 is outside ids: 1 in all"),
        (("b_q", 1, 0), "row 1 is outside b_q: 1 in all"),
        (("embedding_table", 3, 0), "row 3 is outside embedding_table: 3 in all"),
        (("one_hot", 3, 3), "column 3 is outside one_hot: 3 in all"),
        (("contributions", 0, 0, 0), "contributions are one query's: say which one, 0 to 3"),
    ],
)
def test_what_is_not_there_is_refused_with_the_numbers(place, message):
    with pytest.raises(ValueError, match=message):
        explain_cell(make(), *place)


@pytest.mark.parametrize("query", [-1, 4])
def test_a_query_outside_is_refused(query):
    with pytest.raises(ValueError, match=f"query {query} is outside contributions: 4 in all"):
        explain_cell(make(), "contributions", 0, 0, 0, query=query)


def test_a_query_does_not_matter_to_other_tensors():
    assert explain_cell(make(), "scores", 0, 0, 0, query=3) == explain_cell(make(), "scores", 0, 0, 0)


def test_an_empty_sentence_has_parameters_but_no_rows():
    trace = make("")
    assert explain_cell(trace, "w_q", 0, 0).value == trace.weights.w_q[0, 0].item()
    with pytest.raises(ValueError, match="row 0 is outside x: 0 in all"):
        explain_cell(trace, "x", 0, 0)


def test_weights_that_learn_are_explained_without_a_warning():
    trace = make(num_heads=1)
    for parameter in (trace.weights.w_q, trace.weights.b_q):
        parameter.requires_grad_()
    learning = trace_sentence(trace.sentence, trace.config, trace.weights)
    for name, tensor in tensors_of(make(num_heads=1)).items():
        explain(learning, cells_of(tensor, name)[0])


def test_a_derivation_is_frozen():
    derivation = explain_cell(make(), "x", 0, 0)
    assert isinstance(derivation, Derivation)
    for part, field in ((derivation, "value"), (derivation.terms[0], "product"), (derivation.cell, "row")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, field, 1)


# Traces changed by hand.

EDITS = {
    "embeddings": Edit("embeddings", 1, 2, value=1.5),
    "scores": Edit("scores", 2, 0, head=1, value=-2.5),
    "attn_weights": Edit("attn_weights", 3, 1, head=0, value=0.75),
    "head_outputs": Edit("head_outputs", head=1),
}


def is_edited(cell, edits):
    for edit in edits:
        if (cell.tensor, cell.head) == (edit.tensor, edit.head) and (
            edit.tensor == "head_outputs" or (cell.row, cell.column) == (edit.row, edit.column)
        ):
            return True
    return False


@DTYPES
@pytest.mark.parametrize("names", [*([name] for name in EDITS), list(EDITS), list(EDITS)[::-1]], ids="+".join)
def test_an_edited_cell_is_given_by_hand_and_all_others_explain_as_usual(names, dtype):
    trace, edits = make(dtype=dtype, causal=True), [EDITS[name] for name in names]
    for edit in edits:
        trace = apply_edit(trace, edit)
    tensors, count = tensors_of(trace), 0
    for name in STORY:
        for cell in cells_of(tensors[name], name):
            derivation = explain(trace, cell)
            assert_agrees(derivation, number_at(tensors[name], cell), PRECISION[dtype])
            assert (derivation.operation == "edited") == is_edited(cell, edits)
            count += derivation.operation == "edited"
    assert count == sum(8 if edit.tensor == "head_outputs" else 1 for edit in edits)


def test_what_was_set_by_hand_is_said_as_it_was_set():
    trace = apply_edit(make(), EDITS["scores"])
    edited = explain_cell(trace, "scores", 2, 0, head=1)
    assert (edited.terms, edited.value, edited.formula) == ((), -2.5, "S_{1}[2,0] = -2.50")
    silent = explain_cell(apply_edit(trace, EDITS["head_outputs"]), "head_outputs", 3, 1, head=1)
    assert (silent.operation, silent.value, silent.formula) == ("edited", 0, "O_{1}[3,1] = 0.00")


def test_of_two_edits_of_one_place_the_last_is_explained():
    trace = apply_edit(apply_edit(make(), EDITS["scores"]), dataclasses.replace(EDITS["scores"], value=4.0))
    assert explain_cell(trace, "scores", 2, 0, head=1).value == 4


def test_an_edit_without_a_head_is_the_only_heads():
    trace = apply_edit(make(num_heads=1), Edit("scores", 2, 0, value=3.0))
    assert explain_cell(trace, "scores", 2, 0).operation == "edited"
    assert explain_cell(trace, "scores", 2, 1).operation == "sum"
