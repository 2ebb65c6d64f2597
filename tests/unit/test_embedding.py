import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from attention.embedding import (
    add_positions,
    embedding_table,
    look_up,
    one_hot_rows,
    seeded,
    sinusoidal_positions,
    token_ids,
    vocabulary,
)

WORDS = ["the", "cat", "saw", "the", "dog", "猫", "👍🏽"]
PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


def test_the_vocabulary_holds_each_word_once_in_a_fixed_order():
    vocab = vocabulary(WORDS)
    assert vocab == ("cat", "dog", "saw", "the", "猫", "👍🏽")
    assert vocabulary(WORDS[::-1]) == vocab
    assert vocabulary([]) == ()


@given(st.lists(st.text(max_size=3)))
@PROPERTY
def test_ids_lead_back_to_the_words(words):
    vocab = vocabulary(words)
    ids = token_ids(words, vocab)
    assert ids.dtype == torch.int64
    assert [vocab[i] for i in ids] == words


def test_a_word_outside_the_vocabulary_is_an_error():
    with pytest.raises(KeyError, match="dog"):
        token_ids(["dog"], ("cat",))


def test_one_hot_rows_equal_torchs():
    ids = torch.tensor([2, 0, 2, 4])
    assert_close(one_hot_rows(ids, 5), torch.nn.functional.one_hot(ids, 5).float(), rtol=0, atol=0)
    assert one_hot_rows(ids, 5, torch.float64).dtype == torch.float64
    assert one_hot_rows(ids[:0], 0).shape == (0, 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_hot_times_the_table_is_exactly_row_look_up(dtype):
    vocab = vocabulary(WORDS)
    table = embedding_table(vocab, 16).to(dtype)
    ids = token_ids(WORDS, vocab)
    assert torch.equal(look_up(one_hot_rows(ids, len(vocab), dtype), table), table[ids])


def test_a_words_vector_does_not_depend_on_the_other_words():
    one, other = embedding_table(["cat", "dog"], 8), embedding_table(["ant", "bee", "dog"], 8)
    assert torch.equal(one[1], other[2])


def test_words_seeds_and_widths_have_vectors_of_their_own():
    rows = [
        embedding_table(["cat"], 8, seed=0)[0],
        embedding_table(["dog"], 8, seed=0)[0],
        embedding_table(["cat"], 8, seed=1)[0],
    ]
    assert len({tuple(row.tolist()) for row in rows}) == 3
    assert embedding_table(["cat"], 12).shape == (1, 12)
    assert embedding_table([], 12).shape == (0, 12)


def test_embedding_entries_have_mean_0_and_variance_1():
    table = embedding_table([f"word {i}" for i in range(200)], 256)
    assert abs(table.mean()) < 0.02
    assert abs(table.var() - 1) < 0.02
    assert table.mean(dim=-1).var() < 0.01


def test_random_numbers_are_reproducible_and_leave_torchs_own_generator_alone():
    before = torch.get_rng_state()
    first = embedding_table(["cat"], 8)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng():
        torch.manual_seed(123)
        assert torch.equal(embedding_table(["cat"], 8), first)


def test_any_name_can_seed_even_a_lone_surrogate():
    names = ["", "a", "b", "\ud800"]
    assert len({torch.randn(1, generator=seeded(name)).item() for name in names}) == len(names)


@pytest.mark.parametrize(
    ("seq_len", "d_model"), [(64, 4), (64, 64), (64, 512), (7, 1), (9, 5), (11, 13), (1, 8), (0, 8)]
)
def test_positions_follow_the_papers_formula_to_the_last_float32_digit(seq_len, d_model):
    expected = torch.zeros(seq_len, d_model)
    for pos in range(seq_len):
        for column in range(d_model):
            angle = pos / 10000.0 ** (2 * (column // 2) / d_model)
            expected[pos, column] = math.cos(angle) if column % 2 else math.sin(angle)
    assert_close(sinusoidal_positions(seq_len, d_model), expected, rtol=0, atol=1.2e-7)


def test_positions_in_double_precision_are_exact_and_rounded_only_at_the_end():
    double = sinusoidal_positions(64, 12, torch.float64)
    expected = [
        [(math.cos if c % 2 else math.sin)(pos / 10000 ** (2 * (c // 2) / 12)) for c in range(12)] for pos in range(64)
    ]
    assert_close(double, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-14)
    assert torch.equal(sinusoidal_positions(64, 12), double.float())


def test_the_dot_product_of_two_positions_depends_on_their_distance_alone():
    rows = sinusoidal_positions(32, 16)
    products = rows @ rows.T
    for distance in range(32):
        expected = sum(math.cos(distance / 10000 ** (i / 8)) for i in range(8))
        assert_close(products.diagonal(distance), torch.full((32 - distance,), expected), rtol=0, atol=1e-4)


def test_positions_are_added_and_the_embeddings_stay_as_they_were():
    embeddings, positions = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[0.5, 1.0], [-1.0, 0.0]])
    kept = embeddings.clone()
    assert add_positions(embeddings, positions).tolist() == [[1.5, 3.0], [2.0, 4.0]]
    assert torch.equal(embeddings, kept)
