import math
import statistics

import pytest
import torch
from torch.testing import assert_close

from attention.measures import contributions, cosine, entropy, open_keys, peak, previous_share, variance


@pytest.mark.parametrize(
    ("row", "expected"),
    [([0.25, 0.5, 0.25], (1, 0.5)), ([0.5, 0.0, 0.5], (0, 0.5)), ([-3.0, -2.0], (1, -2.0)), ([7.0], (0, 7.0))],
)
def test_the_peak_is_the_first_largest_entry(row, expected):
    assert peak(torch.tensor(row)) == expected


@pytest.mark.parametrize(
    ("row", "nats"),
    [
        ([0.25] * 4, math.log(4)),
        ([0.0, 1.0, 0.0], 0.0),
        ([0.0, 0.0, 0.0], 0.0),
        ([0.5, 0.5, 0.0], math.log(2)),
        ([0.75, 0.25], math.log(4) - 0.75 * math.log(3)),
    ],
)
def test_entropy_by_hand(row, nats):
    assert entropy(torch.tensor(row)).item() == pytest.approx(nats, abs=1e-6)


def test_entropy_is_taken_row_by_row_over_the_keys():
    weights = torch.rand(2, 3, 5, generator=torch.Generator().manual_seed(0)).softmax(dim=-1)
    assert_close(entropy(weights), torch.distributions.Categorical(probs=weights).entropy())


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0, 4.0], [5.0], [-1.0, 1.0], [1e4, 1e4 + 1, 1e4 + 2]])
def test_variance_is_the_populations(values):
    assert variance(torch.tensor(values)) == pytest.approx(statistics.pvariance(values))


def test_variance_takes_all_entries_of_a_matrix_and_is_nan_for_none():
    assert variance(torch.tensor([[0.0, 0.0], [2.0, 2.0]])) == 1.0
    assert math.isnan(variance(torch.zeros(0, 4)))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1.0, 0.0], [0.0, 3.0], 0.0),
        ([1.0, 2.0], [2.0, 4.0], 1.0),
        ([1.0, 2.0], [-2.0, -4.0], -1.0),
        ([1.0, 0.0], [5.0, 5.0], 1 / math.sqrt(2)),
        ([3.0, 4.0], [4.0, 3.0], 24 / 25),
    ],
)
def test_cosine_by_hand(a, b, expected):
    assert cosine(torch.tensor(a), torch.tensor(b)) == pytest.approx(expected, abs=1e-12)


def test_contributions_are_weight_times_value_and_add_up_to_the_output():
    weights, values = torch.tensor([0.25, 0.0, 0.75]), torch.tensor([[4.0, 8.0], [5.0, 5.0], [-4.0, 0.0]])
    parts = contributions(weights, values)
    assert parts.tolist() == [[1.0, 2.0], [0.0, 0.0], [-3.0, 0.0]]
    assert torch.equal(parts.sum(dim=0), weights @ values)


def test_open_keys_counts_what_each_query_may_look_at():
    closed = -math.inf
    masked_scores = torch.tensor([[1.0, closed, 0.0], [closed, closed, closed], [-1e30, 2.0, 3.0]])
    assert open_keys(masked_scores).tolist() == [2, 0, 3]
    assert open_keys(masked_scores.expand(4, 3, 3)).tolist() == [[2, 0, 3]] * 4
    assert open_keys(torch.zeros(2, 0)).tolist() == [0, 0]


def test_the_share_of_the_previous_token_is_a_mean_over_all_queries_but_the_first_in_each_head():
    weights = torch.rand(3, 5, 5, generator=torch.Generator().manual_seed(0)).softmax(dim=-1)
    expected = [statistics.fmean(float(head[i, i - 1]) for i in range(1, 5)) for head in weights]
    assert previous_share(weights).tolist() == pytest.approx(expected)
    assert math.isnan(previous_share(torch.ones(1, 1)))
