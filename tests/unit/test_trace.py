import dataclasses
import math
import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from attention import AttentionConfig, AttentionWeights, SentenceTrace, trace_sentence

SENTENCE = "the animal did not cross the street"
PLAIN = AttentionConfig(8, 2, positions=False)
PROPERTY = settings(max_examples=20, deadline=None, derandomize=True)
HOSTILE = [
    "",
    "   ",
    "a",
    "x" * 10_000,
    "<script>alert(1)</script>",
    "</s>",
    "$x$ :red[x] ~~x~~ `x`",
    "👩\u200d👩\u200d👧\u200d👦 👍🏽 🇫🇷 1️⃣",
    "مرحبا بالعالم",
    "e\u0301 \u0301",
    "a\0b \ud800",
    "the the the the",
    "我喜欢猫因为猫很可爱",
]


def test_the_trace_tells_the_story_in_order():
    assert [field.name for field in dataclasses.fields(SentenceTrace)] == [
        "sentence",
        "config",
        "weights",
        "vocabulary",
        "embedding_table",
        "tokens",
        "ids",
        "one_hot",
        "embeddings",
        "positions",
        "x",
        "attention",
        "edits",
        "positions_learned",
        "x_given",
    ]
    with pytest.raises(dataclasses.FrozenInstanceError):
        trace_sentence(SENTENCE, PLAIN).tokens = ()


@pytest.mark.parametrize("sentence", HOSTILE)
@pytest.mark.parametrize("config", [AttentionConfig(4, 1), AttentionConfig(12, 12, causal=True, scaled=False)])
def test_any_text_gives_finite_numbers_of_the_promised_shapes(sentence, config):
    trace = trace_sentence(sentence, config)
    seq_len, vocab_size, heads = len(trace.tokens), len(set(trace.tokens)), config.num_heads
    attention = trace.attention
    assert trace.ids.shape == (seq_len,)
    assert trace.one_hot.shape == (seq_len, vocab_size)
    assert trace.embedding_table.shape == (vocab_size, config.d_model)
    assert trace.x.shape == trace.positions.shape == attention.output.shape == (seq_len, config.d_model)
    assert attention.q.shape == (heads, seq_len, config.head_dim)
    assert attention.attn_weights.shape == (heads, seq_len, seq_len)
    assert attention.output.isfinite().all()
    assert_close(attention.attn_weights.sum(dim=-1), torch.ones(heads, seq_len))


def test_every_tensor_follows_from_the_one_before():
    trace = trace_sentence(SENTENCE, AttentionConfig(8, 2))
    assert trace.tokens == tuple(SENTENCE.split())
    assert [trace.vocabulary[i] for i in trace.ids] == list(trace.tokens)
    assert trace.one_hot.argmax(dim=-1).tolist() == trace.ids.tolist()
    assert torch.equal(trace.embeddings, trace.embedding_table[trace.ids])
    assert torch.equal(trace.x, trace.embeddings + trace.positions)
    assert torch.equal(trace.attention.x, trace.x)


def test_a_word_has_one_embedding_in_every_sentence_but_its_output_depends_on_the_context():
    one, other = trace_sentence("river bank", PLAIN), trace_sentence("the bank lends money", PLAIN)
    assert torch.equal(one.embeddings[1], other.embeddings[1])
    assert not torch.isclose(one.attention.output[1], other.attention.output[1]).all()


def test_repeated_words_are_told_apart_by_their_positions_alone():
    on, off = (trace_sentence("the cat the", AttentionConfig(8, 2, positions=positions)) for positions in (True, False))
    assert torch.equal(on.embeddings[0], on.embeddings[2])
    assert not torch.isclose(on.x[0], on.x[2]).all()
    assert torch.equal(off.x[0], off.x[2])
    assert_close(off.attention.output[0], off.attention.output[2])


def test_positions_switched_off_are_all_zero():
    trace = trace_sentence(SENTENCE, PLAIN)
    assert not trace.positions.any()
    assert torch.equal(trace.x, trace.embeddings)


WORDS = SENTENCE.split()


@PROPERTY
@given(st.permutations(range(len(WORDS))))
def test_without_positions_shuffling_the_words_shuffles_the_output(order):
    shuffled = trace_sentence(" ".join(WORDS[i] for i in order), PLAIN).attention
    original = trace_sentence(SENTENCE, PLAIN).attention
    assert_close(shuffled.output, original.output[order], rtol=0, atol=1e-5)
    assert_close(shuffled.attn_weights, original.attn_weights[:, order][:, :, order], rtol=0, atol=1e-5)


@pytest.mark.parametrize("config", [AttentionConfig(8, 2), AttentionConfig(8, 2, positions=False, causal=True)])
def test_positions_or_a_causal_mask_make_the_order_matter(config):
    reversed_words = trace_sentence(" ".join(WORDS[::-1]), config).attention.output
    assert (reversed_words.flip(0) - trace_sentence(SENTENCE, config).attention.output).abs().max() > 0.01


def test_causal_weights_are_exactly_zero_above_the_diagonal_and_positive_elsewhere():
    weights = trace_sentence(SENTENCE, AttentionConfig(8, 2, causal=True)).attention.attn_weights
    above = torch.tensor([[key > query for key in range(7)] for query in range(7)])
    assert (weights[:, above] == 0).all()
    assert (weights[:, ~above] > 0).all()


def test_causal_outputs_do_not_depend_on_what_comes_later():
    config = AttentionConfig(8, 2, causal=True)
    start, whole = trace_sentence("the animal did", config), trace_sentence(SENTENCE, config)
    assert_close(whole.attention.output[:3], start.attention.output, rtol=0, atol=1e-6)


def test_the_number_of_heads_changes_neither_x_nor_the_weights_but_the_output():
    one, four = (trace_sentence(SENTENCE, AttentionConfig(8, heads)) for heads in (1, 4))
    assert torch.equal(one.x, four.x)
    for field in dataclasses.fields(AttentionWeights)[:-1]:
        assert torch.equal(getattr(one.weights, field.name), getattr(four.weights, field.name))
    assert_close(one.attention.q[0], torch.cat([*four.attention.q], dim=-1), rtol=0, atol=0)
    assert (one.attention.output - four.attention.output).abs().max() > 0.01


@pytest.mark.parametrize(("d_model", "num_heads"), [(8, 1), (8, 2), (64, 4), (12, 4)])
def test_the_scores_are_divided_by_the_root_of_the_heads_width(d_model, num_heads):
    attention = trace_sentence(SENTENCE, AttentionConfig(d_model, num_heads)).attention
    assert_close(attention.scaled_scores * math.sqrt(d_model / num_heads), attention.scores)
    assert_close(attention.scores.var(), attention.scaled_scores.var() * (d_model // num_heads))


def test_switching_the_scale_off_leaves_the_scores_as_they_are():
    attention = trace_sentence(SENTENCE, AttentionConfig(8, 2, scaled=False)).attention
    assert torch.equal(attention.scaled_scores, attention.scores)


@pytest.mark.parametrize("causal", [False, True])
def test_without_a_question_attention_is_uniform_over_the_open_keys(causal):
    config = AttentionConfig(8, 2, causal=causal)
    silent = dataclasses.replace(AttentionWeights.random(config), w_q=torch.zeros(8, 8), b_q=torch.zeros(8))
    weights = trace_sentence("one two three four", config, silent, hidden_keys={2}).attention.attn_weights
    half, third = 1 / 2, 1 / 3
    rows = [[1, 0, 0, 0], [half, half, 0, 0], [half, half, 0, 0], [third, third, 0, third]]
    expected = rows if causal else [rows[3]] * 4
    assert_close(weights, torch.tensor([expected, expected], dtype=torch.float32))


@pytest.mark.parametrize("hidden_keys", [[4], (0, 1), {0, 6}, frozenset(range(1, 7)), [3, 3]])
def test_hidden_keys_get_no_weight_and_the_rest_is_as_if_they_were_not_there(hidden_keys):
    attention = trace_sentence(SENTENCE, PLAIN, hidden_keys=hidden_keys).attention
    left = [i for i in range(7) if i not in set(hidden_keys)]
    without = trace_sentence(" ".join(WORDS[i] for i in left), PLAIN).attention
    assert (attention.attn_weights[:, :, sorted(set(hidden_keys))] == 0).all()
    assert_close(attention.attn_weights[:, left][:, :, left], without.attn_weights, rtol=0, atol=1e-6)
    assert_close(attention.output[left], without.output, rtol=0, atol=1e-6)


def test_a_query_that_may_look_at_nothing_outputs_the_output_bias():
    config = AttentionConfig(8, 2, causal=True)
    trace = trace_sentence(SENTENCE, config, hidden_keys=[0, 1])
    assert not trace.attention.attn_weights[:, :2].any()
    assert torch.equal(trace.attention.output[:2], trace.weights.b_o.expand(2, 8))
    assert (trace.attention.attn_weights[:, 2:, 2] > 0).all()


@pytest.mark.parametrize("hidden_keys", [[7], [-1], [0, 99]])
def test_a_hidden_key_outside_the_sentence_is_refused_with_the_numbers(hidden_keys):
    message = rf"hidden_keys \[{hidden_keys[-1]}\] are not among the sentence's 7 positions"
    with pytest.raises(ValueError, match=message):
        trace_sentence(SENTENCE, PLAIN, hidden_keys=hidden_keys)


@pytest.mark.parametrize(("d_model", "num_heads"), [(8, 4), (16, 2)])
def test_weights_for_other_settings_are_refused_with_all_four_numbers(d_model, num_heads):
    weights = AttentionWeights.random(AttentionConfig(d_model, num_heads))
    message = f"d_model={d_model}, num_heads={num_heads}, .* d_model=8, num_heads=2"
    with pytest.raises(ValueError, match=message):
        trace_sentence(SENTENCE, PLAIN, weights)


def test_default_weights_are_the_random_ones_of_the_settings():
    config = AttentionConfig(8, 2, seed=5)
    given_weights = trace_sentence(SENTENCE, config, AttentionWeights.random(config))
    assert torch.equal(trace_sentence(SENTENCE, config).attention.output, given_weights.attention.output)


def test_weights_in_double_precision_make_everything_double():
    weights = AttentionWeights.random(PLAIN)
    doubled = {f.name: getattr(weights, f.name).double() for f in dataclasses.fields(weights)[:-1]}
    trace = trace_sentence(SENTENCE, PLAIN, dataclasses.replace(weights, **doubled), hidden_keys=[1])
    tensors = [getattr(trace, name) for name in ("embedding_table", "one_hot", "embeddings", "positions", "x")]
    tensors += list(vars(trace.attention).values())
    assert {tensor.dtype for tensor in tensors} == {torch.float64}


def test_seeds_change_embeddings_and_weights():
    one, other = (trace_sentence(SENTENCE, AttentionConfig(8, 2, seed=seed)) for seed in (0, 1))
    assert not torch.isclose(one.embeddings, other.embeddings).any()
    assert not torch.isclose(one.weights.w_q, other.weights.w_q).all()


def test_another_process_gets_the_same_numbers_without_what_takes_long_to_import():
    code = (
        "import sys; from attention import AttentionConfig, trace_sentence\n"
        f"output = trace_sentence({SENTENCE!r}, AttentionConfig(8, 2)).attention.output\n"
        "print(output.flatten().tolist(), 'sympy' in sys.modules)"
    )
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    elsewhere = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    here = trace_sentence(SENTENCE, AttentionConfig(8, 2)).attention.output.flatten().tolist()
    assert elsewhere.stdout.strip() == f"{here} False"
