import dataclasses
import math

import pytest
import torch
from each import each
from torch.nn.functional import scaled_dot_product_attention as torch_attention
from torch.testing import assert_close

from attention import AttentionConfig, AttentionWeights, trace_sentence
from attention.parity import largest_difference, to_torch, torch_output

SENTENCE = "the cat saw the dog"
TENSORS = [field.name for field in dataclasses.fields(AttentionWeights)[:-1]]


def in_double(weights):
    return dataclasses.replace(weights, **{name: getattr(weights, name).double() for name in TENSORS})


def with_output(trace, output):
    return dataclasses.replace(trace, attention=dataclasses.replace(trace.attention, output=output))


@pytest.mark.parametrize("num_heads", [1, 2, 8])
def test_a_layer_made_of_our_weights_gives_them_back_exactly(num_heads):
    weights = in_double(AttentionWeights.random(AttentionConfig(16, num_heads)))
    back = AttentionWeights.from_torch(to_torch(weights))
    assert back.num_heads == num_heads
    assert all(torch.equal(getattr(back, name), getattr(weights, name)) for name in TENSORS)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("hidden_keys", [(), (1,), (0, 1)], ids=str)
def test_torch_output_is_torchs_attention_head_by_head(causal, scaled, hidden_keys):
    config = AttentionConfig(12, 3, causal=causal, scaled=scaled)
    w = in_double(AttentionWeights.random(config))
    trace = trace_sentence(SENTENCE, config, w, hidden_keys=hidden_keys)
    is_open = torch.tensor(
        [[key not in hidden_keys and (key <= query or not causal) for key in range(5)] for query in range(5)]
    )
    q, k, v = (
        (trace.x @ matrix + vector).reshape(5, 3, 4).transpose(0, 1)
        for matrix, vector in ((w.w_q, w.b_q), (w.w_k, w.b_k), (w.w_v, w.b_v))
    )
    heads = torch_attention(q, k, v, attn_mask=is_open, scale=1 / 2 if scaled else 1.0)
    expected = heads.transpose(0, 1).reshape(5, 12) @ w.w_o + w.b_o
    expected[~is_open.any(dim=-1)] = math.nan
    assert_close(torch_output(trace), expected, rtol=0, atol=1e-12, equal_nan=True)


@each("sentence", ["", "a", SENTENCE, "我喜欢猫因为猫很可爱", "word " * 64])
@each("sizes", [(4, 1), (8, 8), (64, 8), (512, 16)])
@each("switches", [{}, {"causal": True}, {"scaled": False}, {"positions": False}])
def test_ours_is_torchs_to_the_rounding_of_float32(sentence, sizes, switches):
    trace = trace_sentence(sentence, AttentionConfig(*sizes, **switches))
    assert largest_difference(trace) < 1e-6 * math.sqrt(sizes[0])


@pytest.mark.parametrize("hidden_keys", [(), (1,), (0, 1), range(5)], ids=str)
@pytest.mark.parametrize("causal", [False, True])
def test_ours_is_torchs_to_the_rounding_of_float64(hidden_keys, causal):
    config = AttentionConfig(16, 4, causal=causal)
    weights = in_double(AttentionWeights.random(config))
    assert largest_difference(trace_sentence(SENTENCE, config, weights, hidden_keys=hidden_keys)) < 1e-12


def test_queries_with_no_key_to_look_at_are_not_compared():
    trace = trace_sentence(SENTENCE, AttentionConfig(8, 2), hidden_keys=range(5))
    assert torch_output(trace).isnan().all()
    assert largest_difference(trace) == 0.0


@pytest.mark.parametrize("row", range(5))
def test_one_wrong_number_shows(row):
    trace = trace_sentence(SENTENCE, AttentionConfig(8, 2))
    output = trace.attention.output.clone()
    output[row, 3] -= 0.5
    assert largest_difference(with_output(trace, output)) == pytest.approx(0.5, abs=1e-5)


def test_nan_in_our_output_is_not_taken_for_agreement():
    trace = trace_sentence(SENTENCE, AttentionConfig(8, 2))
    output = trace.attention.output.clone()
    output[1, 3] = math.nan
    assert not largest_difference(with_output(trace, output)) < 1e-5
