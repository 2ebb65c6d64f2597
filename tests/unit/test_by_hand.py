"""Weights set by hand: so simple that every number up to the scores can be checked on paper."""

import pytest
import torch

from attention import AttentionConfig, AttentionWeights, explain_cell, trace_by_hand, trace_sentence
from attention.embedding import small_table

SENTENCES = ["the cat saw the dog", "a", "", "我 喜欢 猫 因为 猫 很 可爱"]


def test_every_matrix_is_the_identity_and_every_bias_0():
    weights = AttentionWeights.by_hand(AttentionConfig(6, 3))
    for name in ("w_q", "w_k", "w_v", "w_o"):
        assert getattr(weights, name).tolist() == [[float(row == column) for column in range(6)] for row in range(6)]
    assert all(getattr(weights, name).tolist() == [0.0] * 6 for name in ("b_q", "b_k", "b_v", "b_o"))
    assert (weights.d_model, weights.num_heads, weights.head_dim) == (6, 3, 2)


def test_words_are_made_of_minus_1_0_and_1_and_each_of_them_occurs():
    table = small_table([f"word {i}" for i in range(50)], 8, seed=3)
    assert table.shape == (50, 8)
    assert set(table.flatten().tolist()) == {-1.0, 0.0, 1.0}
    assert small_table([], 8).shape == (0, 8)


def test_a_words_vector_depends_on_the_word_the_width_and_the_seed_alone():
    (alone,) = small_table(["cat"], 8, seed=1)
    assert torch.equal(small_table(["a", "cat", "dog"], 8, seed=1)[1], alone)
    others = (small_table(["cat"], 8, seed=2)[0], small_table(["dog"], 8, seed=1)[0])
    assert not any(torch.equal(other, alone) for other in others)


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize("num_heads", [1, 2, 4])
def test_without_positions_queries_keys_and_values_are_the_words_and_scores_are_whole(sentence, num_heads):
    trace = trace_by_hand(sentence, AttentionConfig(8, num_heads, positions=False, seed=5))
    attention = trace.attention
    assert torch.equal(trace.x, trace.embeddings)
    for tensor in (attention.q, attention.k, attention.v):
        assert torch.equal(torch.cat(list(tensor), dim=1), trace.x)
    rows = trace.x.long().reshape(len(trace.tokens), num_heads, 8 // num_heads)
    by_hand = [[[int((rows[i, h] * rows[j, h]).sum()) for j in range(len(rows))] for i in range(len(rows))]
               for h in range(num_heads)]  # fmt: skip
    assert attention.scores.tolist() == by_hand
    assert torch.equal(attention.scores, attention.scores.transpose(1, 2))


def test_with_positions_the_sines_and_cosines_are_added():
    config = AttentionConfig(8, 2)
    ours, random = trace_by_hand("the cat saw the dog", config), trace_sentence("the cat saw the dog", config)
    assert torch.equal(ours.positions, random.positions)
    assert torch.equal(ours.x, ours.embeddings + ours.positions)


def test_hidden_keys_and_the_causal_mask_close_what_they_close_for_other_weights():
    config = AttentionConfig(8, 2, causal=True)
    ours = trace_by_hand("the cat saw the dog", config, hidden_keys=(1,))
    random = trace_sentence("the cat saw the dog", config, hidden_keys=(1,))
    assert torch.equal(ours.attention.attn_weights == 0, random.attention.attn_weights == 0)


def test_its_cells_can_be_explained():
    trace = trace_by_hand("the cat saw the dog", AttentionConfig(8, 2, positions=False))
    made = explain_cell(trace, "scores", 1, 4, 0)
    assert made.value == float(trace.attention.scores[0, 1, 4])
    assert sum(round(term.product) for term in made.terms) == made.value
