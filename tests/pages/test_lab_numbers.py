"""The numbers that the labs show, against theory, torch, plain loops and the papers."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention as torch_attention

from attention import AttentionConfig, scaled_dot_product_attention, trace_sentence
from pages.context import words
from pages.cost import measure
from pages.cross import pairs
from pages.masks import kinds
from pages.mistakes import runs
from pages.order import shuffle
from pages.paper import exact, printed
from pages.rivals import scorers
from pages.root import dots
from pages.root.dots import DIVISORS
from pages.same import versions
from pages.today import layers
from pages.ui.state.settings import MASKS, MAX_TOKENS, WIDTHS, Settings
from pages.uses import pictures

TRACE = trace_sentence("the old king saw the princess and she smiled", AttentionConfig(16, 4))
SILENT = SimpleNamespace(tell=lambda *_: None)


# Why √d_k.


@pytest.mark.parametrize("divisor", DIVISORS)
@pytest.mark.parametrize("seed", [0, 7])
def test_measured_variances_are_those_of_the_theory(divisor, seed):
    """4,096 draws: the relative error of a variance is about √(2 / 4096) = 2 %, and more where the tails are heavy."""
    for width, measured in zip(WIDTHS, dots.variances(seed, divisor), strict=True):
        expected = {"none": width, "root": 1, "width": 1 / width}[divisor]
        assert measured == pytest.approx(expected, rel=0.2)
    assert dots.theory(divisor) == [{"none": w, "root": 1, "width": 1 / w}[divisor] for w in WIDTHS]


def test_the_dot_products_are_sums_of_the_first_columns():
    generator = torch.Generator().manual_seed(3)
    q, k = (torch.randn(dots.PAIRS, 1024, generator=generator) for _ in range(2))
    for place, width in enumerate(WIDTHS):
        expected = (q[:50, :width].double() * k[:50, :width].double()).sum(dim=1)
        torch.testing.assert_close(dots.dot_products(3)[:50, place].double(), expected, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("divisor", DIVISORS)
def test_the_size_of_the_gradient_is_the_one_that_autograd_finds(divisor):
    place = 6
    rows = dots.divided(dots.dot_products(0), divisor)[:, place].view(-1, dots.KEYS).double()
    sizes = [float(torch.autograd.functional.jacobian(lambda s: s.softmax(0), row).norm()) for row in rows]
    found = dots.softened(0, divisor)
    assert found.gradient[place] == pytest.approx(np.mean(sizes), rel=1e-6)
    assert found.largest[place] == pytest.approx(float(rows.softmax(1).amax(1).mean()), rel=1e-6)


def test_a_histogram_counts_every_score_it_has_room_for():
    for width in (1, 64, 1024):
        scores = dots.divided(dots.dot_products(0), "none")[:, WIDTHS.index(width)]
        line = dots.histogram(0, width, "none")
        assert sum(line.y) == pytest.approx(float((scores.abs() <= 4 * math.sqrt(width)).double().mean()), abs=1e-3)
        middle = sum(x * y for x, y in zip(line.x, line.y, strict=True))
        assert middle == pytest.approx(float(scores.mean()), abs=0.1 * math.sqrt(width))


def test_larger_divisors_make_a_row_more_even_and_keep_its_order():
    weights = dots.under_divisors(TRACE.attention.scores[0, 7] * 5)
    largest = weights.max(dim=1).values
    assert (largest.diff() < 0).all()
    assert len(set(weights.argmax(dim=1).tolist())) == 1


# Masks.


@pytest.mark.parametrize("mask", MASKS)
def test_a_mask_closes_what_its_name_says(mask):
    painted = (1 * MAX_TOKENS + 2, 4 * MAX_TOKENS + 0)
    is_open = kinds.chosen(replace(Settings(), mask=mask, window=3, painted=painted), 6)
    for q in range(6):
        for k in range(6):
            expected = {"none": True, "causal": k <= q, "window": q - 3 < k <= q}
            expected["painted"] = (q, k) not in ((1, 2), (4, 0))
            assert bool(is_open[q, k]) == expected[mask]


def test_four_pieces_of_code_for_a_row_that_is_closed_everywhere():
    attention = TRACE.attention
    found = kinds.all_closed(attention.scaled_scores[0, 3], attention.q[0, 3], attention.k[0], attention.v[0])
    by_name = {name: (weights, output) for name, weights, output in found}
    assert by_name["torch.softmax(-inf)"][0].isnan().all()
    assert not by_name["attention.softmax(-inf)"][0].any()
    even = by_name["softmax(-1e9)"]
    torch.testing.assert_close(even[0], torch.full((9,), 1 / 9))
    torch.testing.assert_close(even[1], attention.v[0].mean(dim=0))
    mask = torch.zeros(1, 9, dtype=torch.bool)
    expected = torch_attention(attention.q[:1, 3:4], attention.k[:1], attention.v[:1], attn_mask=mask)[0, 0]
    torch.testing.assert_close(by_name["F.scaled_dot_product_attention"][1], expected, equal_nan=True)


def test_true_means_opposite_things_to_two_functions_of_torch():
    q, k = TRACE.attention.q[1], TRACE.attention.k[1]
    is_true = torch.ones(9, 9, dtype=torch.bool).tril()
    fused, layer = kinds.both_meanings(q, k, is_true)
    scores = q @ k.T / 2
    torch.testing.assert_close(fused, scores.masked_fill(~is_true, -math.inf).softmax(dim=1))
    torch.testing.assert_close(layer, scores.masked_fill(is_true, -math.inf).softmax(dim=1), equal_nan=True)
    assert layer[-1].isnan().all()


def test_padding_takes_weight_until_it_is_masked():
    for closed in (False, True):
        weights = kinds.padded(TRACE, 12, 0, closed=closed)
        assert weights.shape == (12, 12)
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(12))
        assert bool(weights[:9, 9:].any()) is not closed
    torch.testing.assert_close(kinds.padded(TRACE, 12, 0, closed=True)[:9, :9], TRACE.attention.attn_weights[0])


# Positions.


def test_a_shuffle_moves_every_word_and_can_be_put_back():
    for shift in range(5):
        order = shuffle.order_of(9, shift)
        assert sorted(order) == list(range(9))
        rows = torch.arange(9.0).unsqueeze(1)
        assert shuffle.moved_back(rows[order], order).flatten().tolist() == list(range(9))
    assert shuffle.order_of(9, 0) == list(range(9))


def test_without_positions_rows_move_along_with_their_words():
    for positions in (False, True):
        config = AttentionConfig(16, 4, positions=positions)
        was = trace_sentence(TRACE.tokens, config)
        order = shuffle.order_of(9, 2)
        now = trace_sentence([TRACE.tokens[place] for place in order], config)
        apart = (shuffle.moved_back(now.attention.output, order) - was.attention.output).abs().max()
        assert (float(apart) < 1e-5) is not positions


def test_only_the_distance_counts_for_rope_and_alibi():
    for kind in shuffle.kinds_for(4):
        scores = [shuffle.moved_score(TRACE, 1, 7, 5, kind, shift, None) for shift in range(20)]
        spread = max(scores) - min(scores)
        assert (spread < 1e-4) is (kind in ("none", "rotary", "alibi")), kind
    own = float(TRACE.attention.scaled_scores[1, 7, 5])
    assert shuffle.moved_score(TRACE, 1, 7, 5, "sinusoidal", 0, None) == pytest.approx(own, abs=1e-5)
    assert "rotary" not in shuffle.kinds_for(3)


def test_products_of_positions_follow_the_cosine_of_their_distance():
    found = shuffle.position_products(20, 8)
    speeds = [10000 ** (-2 * i / 8) for i in range(4)]
    for first in (0, 4):
        for apart in (0, 1, 9):
            expected = sum(math.cos(apart * speed) for speed in speeds)
            assert float(found[first, first + apart]) == pytest.approx(expected, abs=1e-5)


# By hand.


def test_the_numbers_by_hand_are_those_of_the_curriculum():
    found = exact.work_out(exact.FIRST)
    assert found.q.tolist() == [[1, 0], [0, 1], [1, 1]]
    assert found.scores.tolist() == [[1, 0, 1], [0, 1, 1], [1, 1, 2]]
    assert found.scaled == found.scores / sympy.sqrt(2)
    e = sympy.exp(1 / sympy.sqrt(2))
    assert sympy.simplify(found.weights[0, 1] - 1 / (1 + 2 * e)) == 0
    q = torch.tensor([[1.0, 0], [0, 1], [1, 1]], dtype=torch.float64)[None]
    expected = torch_attention(q, q, q)[0]
    torch.testing.assert_close(exact.as_tensor(found.output), expected)
    assert exact.largest_difference(found) < 1e-12


@pytest.mark.parametrize("text", ["", "1 2", "1 2 / 3 ; 1 / 2", "a b ; c", "1 2 ; 1 2", "99 ; 1", "1;2;3", "1 ; "])
def test_what_cannot_be_worked_out_by_hand_is_refused(text):
    with pytest.raises(exact.NotSmallError):
        exact.work_out(text)


def test_other_small_numbers_are_worked_out_as_torch_does():
    found = exact.work_out("1 −2 / 0 3 ; 2 0 / 1 −1")
    q = torch.tensor([[0.0, 2.0], [3.0, -3.0]], dtype=torch.float64)[None]
    torch.testing.assert_close(exact.as_tensor(found.weights), (q @ q.mT / math.sqrt(2)).softmax(-1)[0])
    torch.testing.assert_close(exact.column_wise(found).sum(dim=0), torch.ones(2, dtype=torch.float64))


# Same thing, other code.


@pytest.mark.parametrize("config", [AttentionConfig(16, 4), AttentionConfig(16, 1, causal=True, scaled=False)])
def test_every_version_computes_the_same_layer(config):
    trace = trace_sentence("the cat saw the dog", config)
    found = versions.compare(trace)
    assert {each.name for each in found} == {*versions.VERSIONS, "module"}
    assert max(each.difference for each in found) < 1e-5
    is_open = torch.ones(5, 5, dtype=torch.bool)
    is_open = is_open.tril() if config.causal else is_open
    scale = 1 / math.sqrt(config.head_dim) if config.scaled else 1.0
    torch.testing.assert_close(versions.batched(trace.x, trace.weights, is_open, scale), trace.attention.output)


def test_several_heads_cost_as_many_multiplications_as_one():
    one, eight = versions.counted(512, 1, 9), versions.counted(512, 8, 9)
    assert (one.projections, one.scores, one.parameters) == (eight.projections, eight.scores, eight.parameters)
    assert eight.exponentials == 8 * one.exponentials == 8 * 81
    layer = nn.MultiheadAttention(512, 8)
    assert one.parameters == sum(each.numel() for each in layer.parameters())


# Other scores.


def test_side_by_side_the_scaled_dot_product_is_the_layer_s_own():
    found = scorers.side_by_side(TRACE, 2, 0)
    torch.testing.assert_close(found["scaled"], TRACE.attention.attn_weights[2])
    torch.testing.assert_close(found["dot"], TRACE.attention.scores[2].softmax(dim=-1))
    ratio = found["cosine"].max(dim=1).values / found["cosine"].min(dim=1).values
    assert float(ratio.max()) <= math.e**2 + 1e-4
    assert [scorers.parameters(name, 4) for name in scorers.SCORERS] == [0, 0, 16, 36, 0]


def test_a_layer_learns_with_another_score_too(monkeypatch):
    monkeypatch.setattr(scorers, "STEPS", 60)
    found = scorers._train("additive", "en", 0, SILENT)
    assert found.losses[0] > 1.5
    assert found.accuracy > 0.6


# Context.


def test_one_word_in_two_sentences_has_one_embedding_and_two_outputs():
    other = trace_sentence("the boy saw the old queen and she smiled", AttentionConfig(16, 4))
    at = words.shared(TRACE, other, 7)
    assert at == (7, 7)
    found = words.apart(TRACE, other, at)
    assert found.embedding == 0
    assert found.output > 0.01
    assert found.cosine < 1
    assert words.shared(TRACE, trace_sentence("dogs bark", AttentionConfig(16, 4)), 7) is None


# Cost.


def test_the_paths_are_those_of_the_paper_in_numbers_with_convolutions_stacked_until_the_ends_meet():
    found = measure.paths(9)
    assert found["attention"] == (1, 1)
    assert found["recurrent"] == (9, 8)
    assert found["convolution"] == (4, 4)  # each looks 2 back: 4 layers reach 8 back
    assert measure.paths(2)["convolution"] == (1, 1)
    assert measure.paths(2048)["convolution"].path == 1024  # about n / (k − 1), not log_k n


def test_the_most_bytes_held_are_counted():
    """By hand: of three numbers that follow from each other, two are held at once, and then the last."""

    def run():
        first = torch.ones(1000)  # 4,000 bytes
        second = torch.cat([first, first])  # 8,000
        del first
        return second[:10].clone()  # 40

    assert measure.most_held(run) == pytest.approx(12_000, abs=200)


def test_without_a_mask_the_core_keeps_three_matrices():
    *matrices, _ = scaled_dot_product_attention(*torch.randn(3, 8, 4))
    assert [matrix.shape for matrix in matrices] == [(8, 8)] * 4
    assert len({matrix.data_ptr() for matrix in matrices}) == 3


def test_long_texts_take_the_core_four_matrices_at_once_and_the_fused_function_none():
    n, threads = 512, torch.get_num_threads()
    torch.set_num_threads(1)  # each has tiles of its own
    try:
        found = measure._measure(n, SILENT)
    finally:
        torch.set_num_threads(threads)
    assert found.ours_bytes == pytest.approx(4 * 4 * n * n, rel=0.1)
    assert found.fused_bytes < 4 * n * n / 2  # not even half of one matrix


def test_a_measurement_times_all_four():
    found = measure._measure(16, SILENT)
    assert min(found) > 0
    assert measure.squares(8.0, [1, 2, 4]) == [0.5, 2.0, 8.0]


def test_attention_learns_to_copy_from_afar_and_a_recurrent_layer_from_near_by():
    assert measure.learn_to_copy("attention", 16, SILENT, 0) > 0.9
    assert measure.learn_to_copy("recurrent", 2, SILENT, 1) > 0.9
    far = measure._copy(32, SILENT)  # what the lab asks about
    assert far.attention > 0.9
    assert far.recurrent < 0.5


# Cross-attention.


def test_the_pairs_are_translations_word_by_word():
    both, held_out = pairs.pairs()
    meanings = {
        english: chinese
        for kind in ("PEOPLE", "THINGS", "VERBS", "ADJECTIVES", "PLACES", "TIMES")
        for english, chinese in getattr(pairs, kind)
    } | {"in": "在"}
    assert not set(both) & set(held_out)
    for pair in both + held_out:
        assert len(pair.links) == len(pair.chinese)
        for word, link in zip(pair.chinese, pair.links, strict=True):
            assert meanings[pair.english[link]] == word


def test_an_alignment_is_learned_that_nobody_taught():
    layer = pairs.train(0, SILENT)
    assert layer.said > 0.95
    assert layer.accuracy > 0.7  # by chance about 1 in 7
    pair = pairs.pairs()[1][0]
    weights = pairs.weights_of(layer, pair)
    assert weights.shape == (len(pair.chinese), len(pair.english))
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(len(pair.chinese)))


# Today's models.


def test_with_as_many_heads_of_keys_nothing_changes_and_a_cache_changes_nothing_ever():
    torch.testing.assert_close(layers.shared(TRACE, 4).kept[0], TRACE.attention.attn_weights)
    one = layers.shared(TRACE, 1)
    k = TRACE.attention.k.mean(dim=0, keepdim=True)
    expected = torch_attention(TRACE.attention.q[None], k[None], torch.eye(9)[None, None], enable_gqa=True)[0]
    torch.testing.assert_close(one.kept[0], expected)
    for upto in (0, 4, 8):
        found = layers.written(TRACE, upto)
        assert found.difference < 1e-5
        assert (found.with_cache, found.without) == (1, upto + 1)
        causal = trace_sentence(TRACE.tokens, replace(TRACE.config, causal=True)).attention.attn_weights
        torch.testing.assert_close(found.weights, causal[:, upto, : upto + 1])
    assert layers.cache_numbers(10, 2, 8, 3) == 2 * 10 * 2 * 8 * 3


def test_caps_and_windows_are_those_of_the_layer():
    scores, weights = layers.capped(TRACE, 0, 2)
    torch.testing.assert_close(scores, 2 * (TRACE.attention.scaled_scores[0] / 2).tanh())
    torch.testing.assert_close(weights, scores.softmax(dim=-1))
    causal, narrow = layers.windowed(TRACE, 0, 1)
    torch.testing.assert_close(narrow, torch.eye(9))
    torch.testing.assert_close(causal.triu(1), torch.zeros(9, 9))


# Nine mistakes.


def test_what_is_missing_without_w_o_or_biases():
    found = runs.without(TRACE)
    assert found["whole"] < 1e-5
    assert found["no_mixing"] > 0.05
    weights = TRACE.weights
    bare = [w_or_b for w_or_b in (weights.b_q, weights.b_k, weights.b_v, weights.b_o) if w_or_b.any()]
    assert (found["no_biases"] > 1e-4) is bool(bare)


def test_what_reaches_the_output_adds_up_to_it():
    found = runs.parts(TRACE, 1, 7)
    attention = TRACE.attention
    lengths = [float((attention.attn_weights[1, 7, k] * attention.v[1, k]).norm()) for k in range(9)]
    assert found.handed == pytest.approx(lengths, rel=1e-5)
    assert found.weights == pytest.approx(attention.attn_weights[1, 7].tolist())


def test_w_x_does_not_fit_and_torch_says_so():
    assert "16" in runs.turned(TRACE)
    assert "9" in runs.turned(TRACE)
    square = trace_sentence("a b c d", AttentionConfig(4, 1))
    assert runs.turned(square) == ""


def test_other_random_numbers_are_other_layers():
    found = runs.favourites(TRACE, 7, 4)
    for seed, key, weight in found:
        row = trace_sentence(TRACE.tokens, replace(TRACE.config, seed=seed)).attention.attn_weights[0, 7]
        assert (key, weight) == (int(row.argmax()), pytest.approx(float(row.max())))


def test_the_divisor_decides_the_variance_by_its_square():
    once, twice = (runs.under(TRACE, 0, 3, divisor)[0] for divisor in (1.0, 2.0))
    assert once == pytest.approx(4 * twice)


# Where it is used.


@pytest.mark.parametrize("name", ["cross", "disc", "stripes"])
def test_patches_are_the_squares_of_the_picture_row_by_row(name):
    picture = pictures.image(name)
    rows = pictures.patches(picture)
    for number in range(16):
        down, across = divmod(number, 4)
        square = picture[3 * down : 3 * down + 3, 3 * across : 3 * across + 3]
        assert rows[number].tolist() == square.flatten().tolist()
    torch.testing.assert_close(pictures.looks(rows).sum(dim=1), torch.ones(16))


def test_between_two_sequences_the_matrix_has_a_row_for_each_query():
    between = pictures.uses("translation", 9, 6)[2]
    assert (between.queries, between.keys) == (6, 9)


def test_the_printed_example_is_what_softmax_rounds_to_and_not_what_it_gives():
    """By hand: the first query's scores are 2, 4, 4, so its weights are 1, e², e² over 1 + 2 e²."""
    loose, right = printed.attended(is_scaled=False), printed.attended(is_scaled=True)
    assert loose.scores.tolist() == [[2, 4, 4], [4, 16, 12], [4, 12, 10]]
    assert printed.VALUES.tolist() == [[1, 2, 3], [2, 8, 0], [2, 6, 3]]
    share = 1 / (1 + 2 * math.exp(2))
    assert float(loose.attn_weights[0, 0]) == pytest.approx(share, rel=1e-6)
    assert float(loose.output[0, 0]) == pytest.approx(2 - share, rel=1e-6)
    root = math.exp(2 / math.sqrt(3))
    assert float(right.attn_weights[0, 0]) == pytest.approx(1 / (1 + 2 * root), rel=1e-6)
    assert float((printed.WEIGHTS - loose.attn_weights).abs().max()) < 0.07  # as printed they are its rounded ones
    torch.testing.assert_close(printed.WEIGHTS @ printed.VALUES, printed.OUTPUT)
