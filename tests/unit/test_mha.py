import dataclasses
import math

import pytest
import torch
from each import each
from torch import nn
from torch.nn.functional import linear
from torch.nn.functional import scaled_dot_product_attention as torch_attention
from torch.testing import assert_close

from attention import AttentionConfig, AttentionTrace, AttentionWeights, multi_head_attention

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=["float32", "float64"])
BIASES = pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
SIZES = [(4, 1), (8, 2), (12, 3), (16, 16), (64, 8)]
LAYERS = each(
    "d_model, num_heads, bias, dtype", [(*size, bias, t) for size in SIZES for bias in (True, False) for t in TOLERANCE]
)
MATRICES, VECTORS = ("w_q", "w_k", "w_v", "w_o"), ("b_q", "b_k", "b_v", "b_o")


def make(*shape, dtype=torch.float32, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def make_layer(d_model=8, num_heads=2, bias=True, dtype=torch.float32, **options):
    """Matrices as large as torch starts them; its biases start at 0, where no mistake with them would show."""
    options = {"batch_first": True} | options
    layer = nn.MultiheadAttention(d_model, num_heads, bias=bias, dtype=dtype, **options).eval()
    with torch.no_grad():
        for seed, parameter in enumerate(layer.parameters()):
            parameter.copy_(make(*parameter.shape, dtype=dtype, seed=seed) / math.sqrt(2 * d_model))
    return layer


def random_bools(*shape):
    """The first key stays open: torch gives NaN for a fully masked row."""
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(5)) < 0.5
    mask[..., 0] = True
    return mask


def top_left(query_len, key_len):
    return torch.tensor([[key <= query for key in range(key_len)] for query in range(query_len)])


def assert_same_as_torch(layer, x, memory=None, *, closed=None, padding=None, **ours):
    """closed and padding are torch's masks: True (or -inf) says that the key is NOT looked at."""
    trace = multi_head_attention(x, AttentionWeights.from_torch(layer), memory=memory, **ours)
    memory = x if memory is None else memory
    with torch.no_grad():
        output, weights = layer(
            x, memory, memory, attn_mask=closed, key_padding_mask=padding, average_attn_weights=False
        )
    assert_close(trace.output, output, rtol=0, atol=TOLERANCE[x.dtype])
    assert_close(trace.attn_weights, weights, rtol=0, atol=TOLERANCE[x.dtype])


class TestFromTorch:
    @LAYERS
    def test_without_a_mask_alone_and_in_a_batch(self, d_model, num_heads, bias, dtype):
        layer = make_layer(d_model, num_heads, bias, dtype)
        assert_same_as_torch(layer, make(6, d_model, dtype=dtype))
        assert_same_as_torch(layer, make(1, d_model, dtype=dtype))
        assert_same_as_torch(layer, make(3, 6, d_model, dtype=dtype))

    @LAYERS
    def test_boolean_masks_mean_the_opposite_there(self, d_model, num_heads, bias, dtype):
        layer, x = make_layer(d_model, num_heads, bias, dtype), make(6, d_model, dtype=dtype)
        for is_open in (random_bools(6, 6), random_bools(num_heads, 6, 6)):
            assert_same_as_torch(layer, x, attn_mask=is_open, closed=~is_open)

    @LAYERS
    def test_float_masks_are_added_in_both(self, d_model, num_heads, bias, dtype):
        layer, x = make_layer(d_model, num_heads, bias, dtype), make(6, d_model, dtype=dtype)
        mask = make(6, 6, dtype=dtype, seed=9).masked_fill(~random_bools(6, 6), -math.inf)
        assert_same_as_torch(layer, x, attn_mask=mask, closed=mask)

    @LAYERS
    def test_causal_alone_and_with_a_mask(self, d_model, num_heads, bias, dtype):
        layer, x = make_layer(d_model, num_heads, bias, dtype), make(6, d_model, dtype=dtype)
        is_open = random_bools(6, 6)
        assert_same_as_torch(layer, x, is_causal=True, closed=~top_left(6, 6))
        assert_same_as_torch(layer, x, attn_mask=is_open, is_causal=True, closed=~(is_open & top_left(6, 6)))

    @LAYERS
    @each("query_len, key_len", [(3, 5), (5, 3)])
    def test_cross_attention_through_memory(self, d_model, num_heads, bias, dtype, query_len, key_len):
        layer = make_layer(d_model, num_heads, bias, dtype)
        x, memory = make(query_len, d_model, dtype=dtype), make(key_len, d_model, dtype=dtype, seed=9)
        assert_same_as_torch(layer, x, memory)
        assert_same_as_torch(layer, x, memory, is_causal=True, closed=~top_left(query_len, key_len))
        assert_same_as_torch(layer, torch.stack([x, -x]), torch.stack([memory, -memory]))

    @LAYERS
    def test_padding_in_a_batch(self, d_model, num_heads, bias, dtype):
        layer, x = make_layer(d_model, num_heads, bias, dtype), make(2, 4, d_model, dtype=dtype)
        is_open = torch.tensor([[True, True, True, False], [True, False, False, False]])
        assert_same_as_torch(layer, x, attn_mask=is_open[:, None, None, :], padding=~is_open)

    @LAYERS
    def test_queries_keys_and_values_are_the_layers_own(self, d_model, num_heads, bias, dtype):
        layer, x = make_layer(d_model, num_heads, bias, dtype), make(6, d_model, dtype=dtype)
        memory = make(4, d_model, dtype=dtype, seed=9)
        trace = multi_head_attention(x, AttentionWeights.from_torch(layer), memory=memory)
        biases = layer.in_proj_bias.chunk(3) if bias else (None, None, None)
        head_dim = d_model // num_heads
        sources = zip((x, memory, memory), layer.in_proj_weight.chunk(3), biases, strict=True)
        for ours, (source, matrix, vector) in zip((trace.q, trace.k, trace.v), sources, strict=True):
            expected = linear(source, matrix, vector).detach()
            assert_close(torch.cat([*ours], dim=-1), expected, rtol=0, atol=5 * TOLERANCE[dtype])
            assert ours.shape == (num_heads, len(source), head_dim)


@BIASES
def test_a_copy_shares_no_memory_with_the_layer_and_learns_nothing(bias):
    layer = make_layer(bias=bias)
    weights = AttentionWeights.from_torch(layer)
    kept = {name: getattr(weights, name).clone() for name in MATRICES + VECTORS}
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(7)
    for name, tensor in kept.items():
        assert torch.equal(getattr(weights, name), tensor)
        assert not getattr(weights, name).requires_grad


def test_without_bias_the_copys_biases_are_zeros_of_its_own_type():
    weights = AttentionWeights.from_torch(make_layer(bias=False, dtype=torch.float64))
    for name in VECTORS:
        assert_close(getattr(weights, name), torch.zeros(8, dtype=torch.float64), rtol=0, atol=0)


def test_a_layer_that_puts_the_batch_second_has_the_same_weights():
    one, other = (AttentionWeights.from_torch(make_layer(batch_first=first)) for first in (True, False))
    assert all(torch.equal(getattr(one, name), getattr(other, name)) for name in MATRICES + VECTORS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kdim": 6}, "embed_dim=8, got kdim=6, vdim=8"),
        ({"vdim": 4}, "embed_dim=8, got kdim=8, vdim=4"),
        ({"add_bias_kv": True}, "add_bias_kv .* not supported"),
        ({"add_zero_attn": True}, "add_zero_attn .* not supported"),
    ],
)
def test_layers_we_cannot_reproduce_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        AttentionWeights.from_torch(make_layer(**options))


@DTYPES
@pytest.mark.parametrize("scaled", [True, False])
def test_every_head_is_torchs_attention_over_its_own_columns(dtype, scaled):
    weights, x = AttentionWeights.from_torch(make_layer(12, 3, dtype=dtype)), make(5, 12, dtype=dtype)
    trace = multi_head_attention(x, weights, is_causal=True, scaled=scaled)
    q, k, v = (
        x @ w + b
        for w, b in zip((weights.w_q, weights.w_k, weights.w_v), (weights.b_q, weights.b_k, weights.b_v), strict=True)
    )
    heads = [
        torch_attention(q[:, cut], k[:, cut], v[:, cut], is_causal=True, scale=1 / math.sqrt(4) if scaled else 1.0)
        for cut in (slice(0, 4), slice(4, 8), slice(8, 12))
    ]
    close = {"rtol": 0, "atol": 5 * TOLERANCE[dtype]}
    assert_close(trace.head_outputs, torch.stack(heads), **close)
    assert_close(trace.joined, torch.cat(heads, dim=-1), **close)
    assert_close(trace.output, torch.cat(heads, dim=-1) @ weights.w_o + weights.b_o, **close)


def test_the_trace_tells_the_story_in_order_with_the_shapes_it_promises():
    trace = multi_head_attention(make(3, 8), AttentionWeights.random(AttentionConfig(8, 2)), memory=make(5, 8, seed=1))
    shapes = {field.name: tuple(getattr(trace, field.name).shape) for field in dataclasses.fields(AttentionTrace)}
    assert list(shapes.items()) == [
        ("x", (3, 8)),
        ("q", (2, 3, 4)),
        ("k", (2, 5, 4)),
        ("v", (2, 5, 4)),
        ("scores", (2, 3, 5)),
        ("scaled_scores", (2, 3, 5)),
        ("masked_scores", (2, 3, 5)),
        ("attn_weights", (2, 3, 5)),
        ("head_outputs", (2, 3, 4)),
        ("joined", (3, 8)),
        ("output", (3, 8)),
    ]
    with pytest.raises(dataclasses.FrozenInstanceError):
        trace.output = trace.x


@pytest.mark.parametrize(("query_len", "key_len"), [(0, 0), (0, 3), (3, 0), (1, 1)])
def test_lengths_zero_and_one_work_and_no_keys_leave_the_output_bias(query_len, key_len):
    weights = AttentionWeights.random(AttentionConfig(8, 2))
    trace = multi_head_attention(make(query_len, 8), weights, memory=make(key_len, 8), is_causal=True)
    assert trace.attn_weights.shape == (2, query_len, key_len)
    assert trace.output.shape == (query_len, 8)
    if key_len == 0:
        assert torch.equal(trace.output, weights.b_o.expand(query_len, 8))


def test_one_memory_serves_a_whole_batch():
    weights = AttentionWeights.random(AttentionConfig(8, 2))
    x, memory = make(3, 4, 8), make(5, 8, seed=1)
    batched = multi_head_attention(x, weights, memory=memory)
    for row, output in zip(x, batched.output, strict=True):
        assert_close(output, multi_head_attention(row, weights, memory=memory).output, rtol=0, atol=1e-6)


def test_gradients_equal_torchs():
    layer = make_layer(dtype=torch.float64)
    x = make(4, 8, dtype=torch.float64).requires_grad_()
    ours = multi_head_attention(x, AttentionWeights.from_torch(layer), is_causal=True).output
    theirs, _ = layer(x, x, x, attn_mask=~top_left(4, 4))
    cotangent = make(4, 8, dtype=torch.float64, seed=3)
    (our_gradient,) = torch.autograd.grad((ours * cotangent).sum(), x)
    (their_gradient,) = torch.autograd.grad((theirs * cotangent).sum(), x)
    assert_close(our_gradient, their_gradient, rtol=0, atol=1e-12)


def test_nan_in_one_sentence_of_a_batch_stays_in_that_sentence():
    x = make(3, 4, 8)
    x[1, 2, 0] = math.nan
    output = multi_head_attention(x, AttentionWeights.random(AttentionConfig(8, 2))).output
    assert output.isnan().all(dim=-1).tolist() == [[False] * 4, [True] * 4, [False] * 4]
    assert not output[[0, 2]].isnan().any()


def test_neither_the_input_nor_the_weights_are_changed_in_place():
    weights = AttentionWeights.random(AttentionConfig(8, 2))
    inputs = [make(4, 8), make(4, 8, seed=1), random_bools(4, 4)]
    everything = inputs + [getattr(weights, name) for name in MATRICES + VECTORS]
    kept = [tensor.clone() for tensor in everything]
    multi_head_attention(inputs[0], weights, memory=inputs[1], attn_mask=inputs[2], is_causal=True)
    assert all(torch.equal(tensor, copy) for tensor, copy in zip(everything, kept, strict=True))


@pytest.mark.parametrize(
    ("x", "memory", "message"),
    [
        (
            make(3, 5),
            None,
            r"x must be as wide as the weights: 5 columns, but d_model is 8 \(x \(3 × 5\), weights \(8 × 8\)",
        ),
        (make(3, 8), make(4, 9), r"memory must be as wide as the weights: 9 columns, but d_model is 8"),
        (make(8), None, r"x needs at least 2 dimensions \(tokens × d_model\), got \(8\)"),
        (make(3, 8), make(8), r"memory needs at least 2 dimensions .* got \(8\)"),
        (make(3, 8, dtype=torch.float64), None, r"one type, got torch.float64 and torch.float32"),
        (torch.ones(3, 8, dtype=torch.int64), None, r"one type, got torch.int64 and torch.float32"),
        (make(3, 8), make(3, 8, dtype=torch.float64), r"memory and the weights .* got torch.float64"),
        (make(2, 3, 8), make(5, 4, 8), r"do not broadcast: query \(2 × 2 × 3 × 4\), key \(5 × 2 × 4 × 4\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(x, memory, message):
    with pytest.raises(ValueError, match=message):
        multi_head_attention(x, AttentionWeights.random(AttentionConfig(8, 2)), memory=memory)


def test_a_mask_that_does_not_fit_is_refused_with_both_shapes():
    weights = AttentionWeights.random(AttentionConfig(8, 2))
    with pytest.raises(ValueError, match=r"attn_mask \(3 × 4\) .* scores \(2 × 4 × 4\)"):
        multi_head_attention(make(4, 8), weights, attn_mask=torch.ones(3, 4, dtype=torch.bool))


@each("name", MATRICES + VECTORS)
@each("shape", [(8, 7), (7,), (8, 8, 1), ()])
def test_weights_of_a_wrong_shape_are_refused_by_name(name, shape):
    weights = AttentionWeights.random(AttentionConfig(8, 1))
    with pytest.raises(ValueError, match=rf"{name} must be of shape \(\d.* got"):
        dataclasses.replace(weights, **{name: torch.zeros(shape)})


@pytest.mark.parametrize("name", MATRICES + VECTORS)
def test_weights_of_mixed_types_are_refused(name):
    weights = AttentionWeights.random(AttentionConfig(8, 2))
    with pytest.raises(ValueError, match=r"torch\.float64"):
        multi_head_attention(make(3, 8), dataclasses.replace(weights, **{name: getattr(weights, name).double()}))


def test_heads_that_do_not_divide_the_weights_are_refused():
    weights = AttentionWeights.random(AttentionConfig(8, 2))
    with pytest.raises(ValueError, match="8 columns cannot be cut into 3 equal heads"):
        dataclasses.replace(weights, num_heads=3)


def test_weights_know_their_sizes_and_cannot_be_changed():
    weights = AttentionWeights.random(AttentionConfig(12, 3))
    assert (weights.d_model, weights.num_heads, weights.head_dim) == (12, 3, 4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        weights.w_q = weights.w_k


def test_random_weights_follow_from_the_seed_and_leave_torchs_own_generator_alone():
    before = torch.get_rng_state()
    one, same, other = (AttentionWeights.random(AttentionConfig(8, 2, seed=seed)) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    for name in MATRICES + VECTORS:
        assert torch.equal(getattr(one, name), getattr(same, name))
        assert not torch.isclose(getattr(one, name), getattr(other, name)).all()


def test_random_matrices_and_biases_differ_from_each_other():
    weights = AttentionWeights.random(AttentionConfig(8, 2))
    for names in (MATRICES, VECTORS):
        assert len({tuple(getattr(weights, name).flatten().tolist()) for name in names}) == 4


def test_the_number_of_heads_and_the_switches_leave_the_random_numbers_alone():
    plain = AttentionWeights.random(AttentionConfig(8, 1))
    for config in (AttentionConfig(8, 4), AttentionConfig(8, 8, causal=True, scaled=False, positions=False)):
        weights = AttentionWeights.random(config)
        assert weights.num_heads == config.num_heads
        assert all(torch.equal(getattr(weights, name), getattr(plain, name)) for name in MATRICES + VECTORS)


@pytest.mark.parametrize("name", MATRICES)
def test_random_matrices_keep_the_variance_of_what_they_multiply(name):
    matrix = getattr(AttentionWeights.random(AttentionConfig(256, 4)), name)
    assert abs(matrix.mean()) < 0.002
    assert (make(400, 256) @ matrix).var() == pytest.approx(1, abs=0.02)


def test_random_biases_are_small_but_not_zero():
    weights = AttentionWeights.random(AttentionConfig(512, 4))
    for name in VECTORS:
        assert getattr(weights, name).std() == pytest.approx(0.1, abs=0.01)
