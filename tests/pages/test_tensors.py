"""The tensors by name: what can be asked about is what the trace holds, and a panel's origin is what it shows."""

from functools import cache

import numpy as np
import pytest
import torch
from each import each
from hypothesis import given, settings
from hypothesis import strategies as st
from visiting import shape_by_rule, tensor_of

from attention import AttentionConfig, Cell, explain_cell, trace_sentence
from pages.ui.tensors import OF_HEADS, TENSORS, Origin, changes, fits, letters_of, matrix, shape_of, view

PROPERTY = settings(max_examples=300, deadline=None, derandomize=True)
SENTENCES = ("hello", "the the the", "the dog saw the cat", "我 喜欢 猫 因为 猫 很 可爱", "a b c d")
SIZES = ((4, 1), (4, 4), (8, 2), (12, 3), (16, 16), (64, 8))
NAME = each("name", TENSORS)
CASE = each(
    "case",
    [
        (sentence, AttentionConfig(*size, causal=i % 2 == 0, scaled=i % 3 > 0, positions=i % 5 > 0, seed=i), hidden)
        for i, (sentence, size) in enumerate((s, z) for s in SENTENCES for z in SIZES)
        for hidden in [(0,) if i % 4 == 0 else ()]
    ],
)


@cache
def traced(sentence, config, hidden=()):
    with torch.no_grad():
        return trace_sentence(sentence, config, hidden_keys=hidden)


def heads_of(name, config):
    return range(config.num_heads) if name in OF_HEADS else [None]


@CASE
def test_names_shapes_and_numbers_agree_with_the_trace(case):
    config, trace = case[1], traced(*case)
    length, words = len(trace.tokens), len(trace.vocabulary)
    for name in TENSORS:
        for head in heads_of(name, config):
            expected = tensor_of(trace, name, head, length - 1)
            found = matrix(trace, name, head, length - 1)
            assert tuple(found.shape) == expected.shape == shape_of(name, config, length, words), name
            assert expected.shape == shape_by_rule(name, config, length, words), name
            np.testing.assert_allclose(found.double().numpy(), expected, rtol=1e-6, atol=1e-7, err_msg=name)


@NAME
def test_what_rows_and_columns_count_is_what_they_are_as_many_as(name):
    config = AttentionConfig(12, 3)
    sizes = {"L": 5, "V": 4, "D": 12, "K": 4, "1": 1}
    assert tuple(sizes[letter] for letter in letters_of(name)) == shape_by_rule(name, config, 5, 4)


def test_every_tensor_that_can_be_explained_can_be_asked_about_and_the_other_way_round():
    trace = traced("the dog saw the cat", AttentionConfig(8, 2))
    for name in TENSORS:
        explain_cell(trace, name, 0, 0, 0 if name in OF_HEADS else None, query=0)
    with pytest.raises(ValueError, match="there are") as raised:
        explain_cell(trace, "no tensor", 0, 0)
    named = str(raised.value).split("there are ")[1].split(", ")
    assert sorted(named) == sorted(TENSORS)


@each("name", ["", "tokens", "X", "weights", "config", "__class__", "vocabulary", "edits"])
def test_what_is_no_tensor_has_no_shape_and_no_cell(name):
    config = AttentionConfig(8, 2)
    assert shape_of(name, config, 5, 4) is None
    assert not any(fits(Cell(name, 0, 0, head), config, 5, 4) for head in (None, 0))


@PROPERTY
@given(
    name=st.sampled_from(TENSORS),
    size=st.sampled_from(SIZES),
    place=st.tuples(st.integers(-2, 20), st.integers(-2, 70)),
    head=st.none() | st.integers(-1, 17),
    length=st.integers(1, 12),
)
def test_a_cell_fits_exactly_where_the_trace_can_explain_it(name, size, place, head, length):
    config = AttentionConfig(*size)
    trace = traced(" ".join("abcab"[i % 5] for i in range(length)), config)
    says = fits(Cell(name, *place, head), config, length, len(trace.vocabulary))
    if (head is None) == (name in OF_HEADS):  # explain_cell fills in the only head; an address has to name it
        assert not says
        return
    try:
        explain_cell(trace, name, *place, head, query=0)
    except ValueError:
        assert not says
    else:
        assert says


# What a panel of some origin shows of a trace.

TRACE = traced("the dog saw the cat", AttentionConfig(12, 3, seed=2))
ATTENTION = TRACE.attention


def test_a_panel_of_a_tensor_shows_it_upright_turned_or_in_part():
    assert torch.equal(view(TRACE, Origin("k", 1), 0), ATTENTION.k[1])
    assert torch.equal(view(TRACE, Origin("k", 1, transposed=True), 0), ATTENTION.k[1].T)
    assert torch.equal(view(TRACE, Origin("k", 1, transposed=True), 0, (4, 5)), ATTENTION.k[1].T)
    assert torch.equal(view(TRACE, Origin("x"), 0, (5, 12)), TRACE.x)


@pytest.mark.parametrize("head", [0, 1, 2])
def test_a_panel_of_one_head_s_columns_of_a_matrix_shows_those(head):
    shown = view(TRACE, Origin("w_q", first=4 * head, width=4), 0, (12, 4))
    assert shown is not None
    assert torch.equal(shown, TRACE.weights.w_q[:, 4 * head : 4 * head + 4])


def test_a_panel_of_all_heads_shows_them_side_by_side():
    shown = view(TRACE, Origin("v", head_dim=4), 0, (5, 12))
    assert torch.equal(shown, torch.cat(list(ATTENTION.v), dim=1))


def test_a_panel_of_a_query_s_contributions_shows_that_query_s():
    for query in range(5):
        expected = ATTENTION.attn_weights[1, query][:, None] * ATTENTION.v[1]
        torch.testing.assert_close(view(TRACE, Origin("contributions", 1), query, (5, 4)), expected)


@each(
    "origin, query, shape",
    [
        (Origin("contributions", 0), 5, (5, 4)),
        (Origin("scores", 3), 0, (5, 5)),
        (Origin("x"), 0, (5, 8)),
        (Origin("x"), 0, (6, 12)),
        (Origin("k", 0, transposed=True), 0, (5, 4)),
        (Origin("w_q", first=8, width=6), 0, (12, 6)),
        (Origin("w_q", first=12, width=4), 0, (12, 4)),
        (Origin("w_q", first=0, width=4), 0, (8, 4)),
        (Origin("output"), 0, (5, 4)),
        (Origin("embedding_table"), 0, (5, 12)),
        (Origin("v", head_dim=4), 0, (5, 8)),
    ],
)
def test_a_panel_of_another_shape_shows_nothing_of_this_trace(origin, query, shape):
    assert view(TRACE, origin, query, shape) is None


def test_what_belongs_to_no_query_is_shown_whatever_the_query():
    assert torch.equal(view(TRACE, Origin("x"), 11, (5, 12)), TRACE.x)
    assert torch.equal(view(TRACE, Origin("scores", 2), 11, (5, 5)), ATTENTION.scores[2])


def test_a_number_has_changed_where_no_rounding_explains_it():
    inf, nan = torch.inf, torch.nan
    before = torch.tensor([1.0, 0.0, -inf, nan, -inf, 1000.0, 1.0, 0.0])
    now = torch.tensor([1.000001, 5e-7, -inf, nan, 1.0, 1000.001, 1.0001, 1e-5])
    assert changes(now, before).tolist() == [False, False, False, False, True, False, True, True]
    assert changes(torch.tensor([1, 2]), torch.tensor([1, 3])).tolist() == [False, True]
