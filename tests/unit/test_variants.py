"""What later models changed, against torch, complex numbers, plain loops and the formulas of the papers."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attention.variants import (
    additive_scores,
    alibi,
    alibi_slopes,
    bilinear_scores,
    cap,
    cosine_scores,
    rotate,
    share_kv,
    window_mask,
)

PROPERTY = settings(max_examples=50, deadline=None, derandomize=True)


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# Rotary positions.


@pytest.mark.parametrize("width", [2, 6, 8])
def test_turning_is_multiplication_by_a_complex_number_of_length_1(width):
    x, positions = numbers(5, width), torch.arange(5)
    as_complex = torch.view_as_complex(x.view(5, width // 2, 2).contiguous())
    speeds = torch.tensor([10000 ** (-2 * i / width) for i in range(width // 2)], dtype=torch.float64)
    angles = torch.outer(positions.double(), speeds)
    expected = torch.view_as_real(as_complex * torch.polar(torch.ones_like(angles), angles)).flatten(1)
    torch.testing.assert_close(rotate(x, positions), expected)


@PROPERTY
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 200))
def test_the_product_of_two_turned_vectors_depends_on_their_distance_alone(first, second, shift):
    q, k = numbers(1, 8, seed=1), numbers(1, 8, seed=2)
    here = rotate(q, torch.tensor([first])) @ rotate(k, torch.tensor([second])).T
    moved = rotate(q, torch.tensor([first + shift])) @ rotate(k, torch.tensor([second + shift])).T
    torch.testing.assert_close(here, moved)


def test_turning_keeps_lengths_and_a_vector_at_the_first_position():
    x = numbers(4, 6)
    torch.testing.assert_close(rotate(x, torch.arange(4)).norm(dim=1), x.norm(dim=1))
    torch.testing.assert_close(rotate(x, torch.zeros(4)), x)


def test_an_odd_width_cannot_be_turned_in_pairs():
    with pytest.raises(ValueError, match="not 5"):
        rotate(numbers(2, 5), torch.arange(2))


# Linear biases, windows, caps, shared heads.


def test_the_slopes_of_eight_heads_are_those_of_the_paper():
    assert alibi_slopes(8).tolist() == [2.0**-i for i in range(1, 9)]


def test_the_bias_is_minus_the_slope_for_every_step_between_two_tokens():
    for q in range(4):
        for k in range(5):
            assert float(alibi(4, 5, 0.25)[q, k]) == -0.25 * abs(q - k)


@pytest.mark.parametrize("window", [1, 2, 5, 9])
def test_a_window_is_the_causal_mask_without_what_lies_further_back(window):
    found = window_mask(6, 6, window)
    for q in range(6):
        assert found[q].nonzero().flatten().tolist() == list(range(max(0, q - window + 1), q + 1))


def test_a_cap_bends_large_scores_keeps_their_order_and_leaves_small_ones():
    scores = torch.linspace(-200, 200, 401, dtype=torch.float64)
    found = cap(scores, 50.0)
    assert float(found.abs().max()) < 50
    assert (found.diff() > 0).all()
    assert abs(float(cap(torch.tensor(0.5, dtype=torch.float64), 50.0)) - 0.5) < 1e-4
    assert cap(scores, 0.0) is scores


def test_each_head_of_keys_serves_the_query_heads_beside_it():
    kv = numbers(2, 3, 4)
    shared = share_kv(kv, 6)
    assert [shared[h].equal(kv[h // 3]) for h in range(6)] == [True] * 6
    with pytest.raises(ValueError, match="5 query heads"):
        share_kv(kv, 5)


# Other scores, by loops over queries and keys.


def by_loops(score, q, k):
    return torch.stack([torch.stack([score(a, b) for b in k]) for a in q])


def test_other_scores_are_what_their_formulas_say():
    q, k = numbers(3, 4, seed=3), numbers(5, 4, seed=4)
    w, w_1, w_2, v = numbers(4, 4, seed=5), numbers(4, 6, seed=6), numbers(4, 6, seed=7), numbers(6, seed=8)
    cases = {
        "bilinear": (bilinear_scores(q, k, w), lambda a, b: a @ w @ b),
        "additive": (additive_scores(q, k, w_1, w_2, v), lambda a, b: v @ (w_1.T @ a + w_2.T @ b).tanh()),
        "cosine": (cosine_scores(q, k), lambda a, b: a @ b / math.sqrt(float(a @ a) * float(b @ b))),
    }
    for name, (found, formula) in cases.items():
        torch.testing.assert_close(found, by_loops(formula, q, k), msg=name)
