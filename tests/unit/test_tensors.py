"""The tensors by name: what is said of each is what the trace holds, and nothing that is not there has an address."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attention import AttentionConfig, explain_cell, trace_sentence
from attention.edit import Edit, apply_edit
from attention.tensors import (
    EDITABLE,
    MADE_FROM,
    SILENCED,
    TENSORS,
    Cell,
    address,
    changes,
    closed,
    fits,
    matrix,
    shape,
    side_by_side,
    texts,
)

PROPERTY = settings(max_examples=300, deadline=None, derandomize=True)
SENTENCES = ("hello", "the the the", "the dog saw the cat", "我 喜欢 猫 因为 猫 很 可爱", "a b c d")
SIZES = ((4, 1), (4, 4), (8, 2), (12, 3), (16, 16), (64, 8))
NAME = pytest.mark.parametrize("name", TENSORS)
OF_HEADS = (
    *("q", "k", "v", "scores", "scaled_scores", "masked_scores", "exponentials", "exp_sums"),
    *("attn_weights", "contributions", "head_outputs"),
)
# Every size once with every sentence, with each switch on and off.
CASES = [
    (
        sentence,
        AttentionConfig(*size, causal=i % 2 == 0, scaled=i % 3 > 0, positions=i % 5 > 0, seed=i),
        (0,) if i % 4 == 0 else (),
    )
    for i, (sentence, size) in enumerate((sentence, size) for sentence in SENTENCES for size in SIZES)
]


@cache
def traced(sentence, config, hidden=()):
    with torch.no_grad():
        return trace_sentence(sentence, config, hidden_keys=hidden)


def exponentials(masked):
    most = masked.amax(dim=1, keepdim=True)
    return (masked - torch.where(most == -torch.inf, 0.0, most)).exp()


def by_definition(trace, name, head, query):
    """Rows and columns of a tensor, each taken from the trace or worked out in the words of the curriculum."""
    layer, weights = trace.attention, trace.weights
    if name == "ids":
        return trace.ids[:, None]
    if name == "exponentials":
        return exponentials(layer.masked_scores[head])
    if name == "exp_sums":
        return exponentials(layer.masked_scores[head]).sum(dim=1, keepdim=True)
    if name == "contributions":
        return layer.attn_weights[head, query][:, None] * layer.v[head]
    if name.startswith("b_"):
        return getattr(weights, name)[None]
    owner = next(part for part in (layer, weights, trace) if hasattr(part, name))
    return getattr(owner, name)[head] if name in OF_HEADS else getattr(owner, name)


def shape_by_rule(name, config, tokens, words):
    """Rows and columns of a tensor by the words of the curriculum; of one head of it, where each has its own."""
    columns = {"ids": 1, "exp_sums": 1, "one_hot": words}
    columns |= dict.fromkeys(("scores", "scaled_scores", "masked_scores", "exponentials", "attn_weights"), tokens)
    columns |= dict.fromkeys(("q", "k", "v", "contributions", "head_outputs"), config.d_model // config.num_heads)
    rows = {"embedding_table": words}
    rows |= {f"w_{role}": config.d_model for role in "qkvo"} | {f"b_{role}": 1 for role in "qkvo"}
    return rows.get(name, tokens), columns.get(name, config.d_model)


def test_names_shapes_and_numbers_agree_with_the_trace():
    for case in CASES:
        config, trace = case[1], traced(*case)
        length, words = len(trace.tokens), len(trace.vocabulary)
        for name in TENSORS:
            for head in range(config.num_heads) if name in OF_HEADS else [None]:
                expected = by_definition(trace, name, head, length - 1)
                found = matrix(trace, name, head, length - 1)
                said = f"{name} of {case}"
                assert tuple(found.shape) == tuple(expected.shape) == shape(name, config, length, words), said
                assert tuple(found.shape) == shape_by_rule(name, config, length, words), said
                np.testing.assert_allclose(found.double(), expected.double(), rtol=1e-6, atol=1e-7, err_msg=said)


def test_the_tensors_with_heads_are_those_of_a_head():
    assert tuple(name for name, known in TENSORS.items() if known.per_head) == OF_HEADS
    assert [name for name, known in TENSORS.items() if known.per_query] == ["contributions"]


@NAME
def test_what_rows_and_columns_count_is_what_they_are_as_many_as(name):
    known = TENSORS[name]
    sizes = {"token": 5, "query": 5, "key": 5, "word": 4, "in": 12, "out": 12, "dim": 4 if known.per_head else 12}
    sizes |= {"bias": 1, "sum": 1, "id": 1}
    assert (sizes[known.rows], sizes[known.columns]) == shape_by_rule(name, AttentionConfig(12, 3), 5, 4)


@NAME
def test_the_numbers_of_a_tensor_are_of_the_kind_that_is_said(name):
    known = TENSORS[name]
    for case in CASES:
        trace = traced(*case)
        values = matrix(trace, name, 0 if known.per_head else None, 0)
        if known.range == "share":
            assert ((values >= 0) & (values <= 1)).all()
        if known.whole:
            assert torch.equal(values, values.round())
    assert known.name == name
    assert known.symbol


def test_every_tensor_that_can_be_explained_can_be_asked_about_and_the_other_way_round():
    trace = traced("the dog saw the cat", AttentionConfig(8, 2))
    for name in TENSORS:
        explain_cell(trace, name, 0, 0, 0 if name in OF_HEADS else None, query=0)
    with pytest.raises(ValueError, match="there are") as raised:
        explain_cell(trace, "no tensor", 0, 0)
    assert str(raised.value).split("there are ")[1].split(", ") == list(TENSORS)


def test_what_can_be_edited_is_what_an_edit_can_change():
    trace = traced("the dog saw the cat", AttentionConfig(8, 2))
    changed = []
    for name in TENSORS:
        for whole_head in (False, True):
            edit = Edit(name, head=0) if whole_head else Edit(name, 1, 1, 0 if name in OF_HEADS else None, 0.5)
            try:
                apply_edit(trace, edit)
            except ValueError:
                continue
            changed.append(name)
    assert set(changed) == {*EDITABLE, SILENCED}


@pytest.mark.parametrize("name", ["", "tokens", "X", "weights", "config", "__class__", "vocabulary", "edits"])
def test_what_is_no_tensor_has_no_shape_and_no_cell(name):
    config = AttentionConfig(8, 2)
    with pytest.raises(KeyError):
        shape(name, config, 5, 4)
    assert not any(fits(Cell(name, 0, 0, head), config, 5, 4) for head in (None, 0))


@PROPERTY
@given(
    name=st.sampled_from(list(TENSORS)),
    size=st.sampled_from(SIZES),
    place=st.tuples(st.integers(-2, 20), st.integers(-2, 70)),
    head=st.none() | st.integers(-1, 17),
    length=st.integers(1, 12),
)
def test_a_cell_fits_exactly_where_the_rule_says_that_there_is_one(name, size, place, head, length):
    config = AttentionConfig(*size)
    trace = traced(" ".join("abcab"[i % 5] for i in range(length)), config)
    rows, columns = shape_by_rule(name, config, length, len(trace.vocabulary))
    is_inside = 0 <= place[0] < rows and 0 <= place[1] < columns
    is_head = head in range(config.num_heads) if name in OF_HEADS else head is None
    assert fits(Cell(name, *place, head), config, length, len(trace.vocabulary)) == (is_inside and is_head)
    if is_inside and is_head:
        assert address(trace, name, *place, head) == Cell(name, *place, head)
    elif head is not None or name not in OF_HEADS:  # the only head is filled in
        with pytest.raises(ValueError, match=r"head|row|column"):
            address(trace, name, *place, head)


def test_the_only_head_need_not_be_named_and_one_of_several_must():
    assert address(traced("a b", AttentionConfig(4, 1)), "scores", 1, 0) == Cell("scores", 1, 0, 0)
    with pytest.raises(ValueError, match="0 to 1"):
        address(traced("a b", AttentionConfig(4, 2)), "scores", 1, 0)


def test_contributions_are_of_one_query_that_must_be_named_and_be_there():
    trace = traced("a b", AttentionConfig(4, 1))
    with pytest.raises(ValueError, match="0 to 1"):
        matrix(trace, "contributions", 0)
    for query in (-1, 2):
        with pytest.raises(ValueError, match=f"query {query}"):
            matrix(trace, "contributions", 0, query)


def test_the_heads_side_by_side_are_their_columns_one_head_after_the_other():
    attention = traced("the dog saw the cat", AttentionConfig(12, 3)).attention
    for name in ("q", "k", "v", "head_outputs"):
        expected = torch.cat(list(getattr(attention, name)), dim=1)
        assert torch.equal(side_by_side(traced("the dog saw the cat", AttentionConfig(12, 3)), name), expected)


def test_tokens_and_words_stand_along_the_axes_that_count_them():
    trace = traced("the dog saw the cat", AttentionConfig(8, 2))
    for kind in ("token", "query", "key"):
        assert tuple(texts(trace, kind)) == ("the", "dog", "saw", "the", "cat")
    assert tuple(texts(trace, "word")) == ("cat", "dog", "saw", "the")
    for kind in ("dim", "in", "out", "bias", "sum", "id"):
        assert tuple(texts(trace, kind)) == ()


# What a mask closed, and what changed.


def test_a_cell_is_closed_where_the_masks_say_so_from_the_masks_to_the_weights():
    trace = traced("the dog saw the cat", AttentionConfig(8, 2, causal=True), (0,))
    expected = torch.tensor([[key == 0 or key > query for key in range(5)] for query in range(5)])
    for name in TENSORS:
        found = closed(trace, name, 1 if name in OF_HEADS else None)
        if name in ("masked_scores", "exponentials", "attn_weights"):
            assert found is not None, name
            assert torch.equal(found, expected), name
        else:
            assert found is None, name


def test_a_weight_that_was_set_by_hand_is_open_where_the_mask_closed_its_score():
    trace = traced("the dog saw the cat", AttentionConfig(8, 2, causal=True))
    edited = apply_edit(trace, Edit("attn_weights", 0, 3, 1, 0.5))
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    assert torch.equal(closed(edited, "masked_scores", 1), later)
    open_now = later.clone()
    open_now[0, 3] = False
    assert torch.equal(closed(edited, "attn_weights", 1), open_now)
    assert torch.equal(closed(edited, "attn_weights", 0), later)


def test_a_number_has_changed_where_no_rounding_explains_it():
    inf, nan = torch.inf, torch.nan
    before = torch.tensor([1.0, 0.0, -inf, nan, -inf, 1000.0, 1.0, 0.0])
    now = torch.tensor([1.000001, 5e-7, -inf, nan, 1.0, 1000.001, 1.0001, 1e-5])
    assert changes(now, before).tolist() == [False, False, False, False, True, False, True, True]
    assert changes(torch.tensor([1, 2]), torch.tensor([1, 3])).tolist() == [False, True]


@NAME
def test_what_a_cell_is_made_from_lies_within_what_the_table_says(name):
    """The other way round: every kind of source that the arithmetic names is in the table, and no other."""
    trace = traced("the dog saw the cat", AttentionConfig(12, 3, causal=True, seed=1))
    rows, columns = shape(name, trace.config, len(trace.tokens), len(trace.vocabulary))
    told = {each.tensor for each in MADE_FROM.get(name, ())}
    found = set()
    head = 1 if TENSORS[name].per_head else None
    for row in range(rows):
        for column in range(columns):
            for source in explain_cell(trace, name, row, column, head, query=2).sources:
                found.add(source.tensor)
                (each,) = (each for each in MADE_FROM[name] if each.tensor == source.tensor)
                own = {"row": row, "column": column, "query": 2, "within": column % 4, "across": 4 + column}
                for along, place in ((each.row, source.row), (each.column, source.column)):
                    assert along == "all" or own[along] == place, (row, column, source)
                if source.head is not None:
                    assert source.head == (column // 4 if head is None else head)
    assert found == told
