import dataclasses

import pytest

from attention import AttentionConfig


@pytest.mark.parametrize(("d_model", "num_heads", "head_dim"), [(1, 1, 1), (8, 2, 4), (12, 3, 4), (512, 16, 32)])
def test_head_dim_is_one_heads_share_of_d_model(d_model, num_heads, head_dim):
    assert AttentionConfig(d_model, num_heads).head_dim == head_dim


def test_the_defaults_are_the_papers_encoder():
    config = AttentionConfig(8, 2)
    assert (config.causal, config.scaled, config.positions, config.seed) == (False, True, True, 0)


@pytest.mark.parametrize(
    ("d_model", "num_heads", "division"),
    [(8, 3, "8 = 3 × 2 + 2"), (512, 7, "512 = 7 × 73 + 1"), (4, 8, "4 = 8 × 0 + 4")],
)
def test_an_uneven_cut_is_refused_with_both_numbers_and_the_division(d_model, num_heads, division):
    with pytest.raises(ValueError, match=rf"{d_model} columns .* {num_heads} equal heads") as refusal:
        AttentionConfig(d_model, num_heads)
    assert division in str(refusal.value)


@pytest.mark.parametrize(("d_model", "num_heads"), [(0, 1), (8, 0), (-8, 2), (8, -2), (0, 0)])
def test_sizes_below_one_are_refused_with_both_numbers(d_model, num_heads):
    with pytest.raises(ValueError, match=f"at least 1, got d_model={d_model}, num_heads={num_heads}"):
        AttentionConfig(d_model, num_heads)


def test_every_divisor_of_d_model_is_accepted_and_nothing_else():
    accepted = []
    for num_heads in range(1, 25):
        try:
            accepted.append(AttentionConfig(24, num_heads).num_heads)
        except ValueError:
            continue
    assert accepted == [1, 2, 3, 4, 6, 8, 12, 24]


def test_settings_cannot_be_changed_afterwards_and_equal_settings_are_equal():
    config = AttentionConfig(8, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 1
    assert config == AttentionConfig(8, 2)
    assert hash(config) == hash(AttentionConfig(8, 2))
    assert config != AttentionConfig(8, 4)
