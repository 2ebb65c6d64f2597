import math
from itertools import product

import pytest
import torch
from each import each
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention as torch_attention
from torch.testing import assert_close

from attention import AttentionSteps, scaled_dot_product_attention
from attention.checks import _broadcast
from attention.functional import (
    apply_mask,
    attention_scores,
    causal_mask,
    exponentials,
    merge_heads,
    project,
    scale_scores,
    softmax,
    split_heads,
    weighted_sum,
)

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
SIZES = st.integers(1, 6)
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}
DTYPES = each("dtype", TOLERANCE)
LENGTHS = pytest.mark.parametrize(
    ("query_len", "key_len"), [(4, 4), (3, 6), (6, 3), (1, 1), (1, 5), (5, 1), (0, 3), (3, 0), (0, 0)]
)


def make(*shapes, dtype=torch.float64, seed=0, grad=False):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(s, generator=generator, dtype=dtype).requires_grad_(grad) for s in shapes]


def qkv(query_len, key_len, d_k=4, d_v=4, lead=(), **options):
    return make((*lead, query_len, d_k), (*lead, key_len, d_k), (*lead, key_len, d_v), **options)


def random_bools(*shape, seed=1):
    """The first key stays open, so that no row is fully masked."""
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    mask[..., :1] = True
    return mask


def top_left(query_len, key_len):
    rows = [[key <= query for key in range(key_len)] for query in range(query_len)]
    return torch.tensor(rows, dtype=torch.bool).reshape(query_len, key_len)


def assert_same_as_torch(q, k, v, *, torch_mask=None, torch_options=(), **ours):
    """torch keeps its weights to itself: with the identity as values, its output is its weights."""
    lead = torch.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    q, k, v = (tensor.expand(*lead, *tensor.shape[-2:]) for tensor in (q, k, v))
    eye = torch.eye(k.shape[-2], dtype=q.dtype).expand(*lead, -1, -1)
    options = dict(torch_options) | {"attn_mask": torch_mask}
    steps = scaled_dot_product_attention(q, k, v, **ours)
    close = {"rtol": TOLERANCE[q.dtype], "atol": TOLERANCE[q.dtype]}
    assert_close(steps.output, torch_attention(q, k, v, **options), **close)
    assert_close(steps.attn_weights, torch_attention(q, k, eye, **options), **close)


@DTYPES
@LENGTHS
@each("lead", [(), (2,), (2, 3), (1, 2, 2)])
def test_equals_torch_for_any_lengths_and_leading_dimensions(dtype, query_len, key_len, lead):
    q, k, v = qkv(query_len, key_len, 4, 7, lead, dtype=dtype)
    assert_same_as_torch(q, k, v)
    assert_same_as_torch(q, k, v, is_causal=True, torch_options={"is_causal": True})


@DTYPES
def test_leading_dimensions_broadcast_as_torchs_do(dtype):
    q, k, v = make((2, 1, 3, 4), (5, 6, 4), (1, 1, 6, 2), dtype=dtype)
    steps = scaled_dot_product_attention(q, k, v)
    assert steps.scores.shape == (2, 5, 3, 6)
    assert steps.output.shape == (2, 5, 3, 2)
    expected = torch_attention(q.expand(2, 5, 3, 4), k.expand(2, 5, 6, 4), v.expand(2, 5, 6, 2))
    assert_close(steps.output, expected, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize(("query_lead", "key_lead"), [((), (3,)), ((3,), ()), ((2, 1), (3,))])
def test_broadcasting_works_from_either_side(query_lead, key_lead):
    q, k, v = make((*query_lead, 2, 4), (*key_lead, 5, 4), (*key_lead, 5, 4))
    assert_close(scaled_dot_product_attention(q, k, v).output, torch_attention(q, k, v))


@DTYPES
@pytest.mark.parametrize("shape", [(3, 5), (1, 5), (5,), (3, 1), (2, 3, 5), (2, 1, 5), ()], ids=str)
def test_a_boolean_mask_opens_where_it_is_true_as_torchs_does(dtype, shape):
    mask = random_bools(*shape) if shape else torch.tensor(True)
    q, k, v = qkv(3, 5, lead=(2,), dtype=dtype)
    assert_same_as_torch(q, k, v, attn_mask=mask, torch_mask=mask.expand(2, 3, 5))


@DTYPES
@pytest.mark.parametrize("shape", [(3, 5), (1, 5), (2, 3, 5)], ids=str)
@pytest.mark.parametrize("closed", [False, True], ids=["finite", "with -inf"])
def test_a_float_mask_is_added_after_scaling_as_torchs_is(dtype, shape, closed):
    (mask,) = make(shape, dtype=dtype, seed=2)
    if closed:
        mask = mask.masked_fill(~random_bools(*shape), -math.inf)
    q, k, v = qkv(3, 5, lead=(2,), dtype=dtype)
    assert_same_as_torch(q, k, v, attn_mask=mask, torch_mask=mask.expand(2, 3, 5))


@DTYPES
@pytest.mark.parametrize(("query_len", "key_len"), [(4, 4), (3, 6), (6, 3)])
def test_causal_and_a_mask_together_both_apply(dtype, query_len, key_len):
    q, k, v = qkv(query_len, key_len, dtype=dtype)
    both = random_bools(query_len, key_len) & top_left(query_len, key_len)
    (bias,) = make((query_len, key_len), dtype=dtype, seed=2)
    closed_bias = bias.masked_fill(~top_left(query_len, key_len), -math.inf)
    assert_same_as_torch(q, k, v, attn_mask=random_bools(query_len, key_len), is_causal=True, torch_mask=both)
    assert_same_as_torch(q, k, v, attn_mask=bias, is_causal=True, torch_mask=closed_bias)


@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0, -2.5])
def test_a_custom_scale_is_used_as_torch_uses_it(scale):
    q, k, v = qkv(3, 5, d_k=9)
    assert_same_as_torch(q, k, v, scale=scale, torch_options={"scale": scale})


def test_scale_zero_makes_every_open_key_equal():
    steps = scaled_dot_product_attention(*qkv(3, 3), is_causal=True, scale=0.0)
    assert_close(steps.attn_weights, top_left(3, 3) / torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64))


def test_the_worked_3_by_3_example():
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    steps = scaled_dot_product_attention(rows, rows, rows)
    e1, e2 = math.exp(1 / math.sqrt(2)), math.exp(2 / math.sqrt(2))
    two, three = 2 * e1 + 1, 2 * e1 + e2
    weights = [[e1 / two, 1 / two, e1 / two], [1 / two, e1 / two, e1 / two], [e1 / three, e1 / three, e2 / three]]
    output = [[2 * e1 / two, (1 + e1) / two], [(1 + e1) / two, 2 * e1 / two], [(e1 + e2) / three] * 2]
    half = math.sqrt(2) / 2
    scaled = [[half, 0.0, half], [0.0, half, half], [half, half, 2 * half]]
    assert steps.scores.tolist() == [[1, 0, 1], [0, 1, 1], [1, 1, 2]]
    exact = {"rtol": 0, "atol": 1e-15}
    assert_close(steps.scaled_scores, torch.tensor(scaled, dtype=torch.float64), **exact)
    assert_close(steps.masked_scores, steps.scaled_scores, **exact)
    assert_close(steps.attn_weights, torch.tensor(weights, dtype=torch.float64), **exact)
    assert_close(steps.output, torch.tensor(output, dtype=torch.float64), **exact)
    decimals = torch.tensor([[0.4011, 0.1978, 0.4011], [0.1978, 0.4011, 0.4011], [0.2483, 0.2483, 0.5035]])
    assert_close(steps.attn_weights.float(), decimals, rtol=0, atol=5e-5)


def test_the_steps_are_named_in_the_order_of_the_computation():
    assert AttentionSteps._fields == ("scores", "scaled_scores", "masked_scores", "attn_weights", "output")


def test_masked_scores_keep_open_cells_and_close_the_others():
    q, k, v = qkv(4, 3)
    steps = scaled_dot_product_attention(q, k, v, random_bools(4, 3), is_causal=True)
    is_open = random_bools(4, 3) & top_left(4, 3)
    assert torch.equal(steps.masked_scores == -math.inf, ~is_open)
    assert torch.equal(steps.masked_scores[is_open], steps.scaled_scores[is_open])


CLOSED_ROW = torch.tensor([[True, True, False], [False, False, False], [False, True, True]])
FULLY_MASKED = pytest.mark.parametrize(
    "options",
    [
        {"attn_mask": CLOSED_ROW},
        {"attn_mask": torch.zeros(3, 3, dtype=torch.float64).masked_fill(~CLOSED_ROW, -math.inf)},
        {"attn_mask": CLOSED_ROW.roll(-1, 0), "is_causal": True},
        {"attn_mask": torch.tensor([False, True, True]), "is_causal": True},
        {"attn_mask": torch.tensor(False)},
    ],
    ids=["boolean", "float", "boolean and causal", "hidden first key and causal", "everything"],
)


@FULLY_MASKED
def test_a_fully_masked_row_is_zero_forward_and_backward_and_the_others_are_torchs(options):
    q, k, v = qkv(3, 3, grad=True)
    is_open = top_left(3, 3) if "is_causal" in options else torch.ones(3, 3, dtype=torch.bool)
    mask = options["attn_mask"]
    is_open = is_open & (mask if mask.dtype == torch.bool else mask == 0)
    closed = ~is_open.any(dim=-1)
    assert closed.any()

    steps = scaled_dot_product_attention(q, k, v, **options)
    assert not steps.attn_weights[closed].any()
    assert not steps.output[closed].any()

    kept = torch_attention(q[~closed], k, v, attn_mask=is_open[~closed])
    assert_close(steps.output[~closed], kept)
    (cotangent,) = make((3, 4), seed=3)
    ours = torch.autograd.grad((steps.output * cotangent).sum(), (q, k, v))
    theirs = torch.autograd.grad((kept * cotangent[~closed]).sum(), (q, k, v))
    assert not ours[0][closed].any()
    for our_gradient, their_gradient in zip(ours, theirs, strict=True):
        assert_close(our_gradient, their_gradient, rtol=0, atol=1e-12)


@FULLY_MASKED
def test_gradients_through_a_fully_masked_row_pass_gradcheck(options):
    def weights_and_output(q, k, v):
        return scaled_dot_product_attention(q, k, v, **options)[3:]

    assert torch.autograd.gradcheck(weights_and_output, qkv(3, 3, grad=True))


@DTYPES
@pytest.mark.parametrize(
    "options",
    [{}, {"attn_mask": random_bools(3, 5)}, {"is_causal": True}, {"scale": 0.3}, {"scale": 0.0}],
    ids=["plain", "boolean mask", "causal", "scale 0.3", "scale 0"],
)
def test_gradients_equal_torchs(dtype, options):
    tensors = qkv(3, 5, 4, 2, lead=(2,), dtype=dtype, grad=True)
    (cotangent,) = make((2, 3, 2), dtype=dtype, seed=3)
    ours = torch.autograd.grad((scaled_dot_product_attention(*tensors, **options).output * cotangent).sum(), tensors)
    theirs = torch.autograd.grad((torch_attention(*tensors, **options) * cotangent).sum(), tensors)
    for our_gradient, their_gradient in zip(ours, theirs, strict=True):
        assert_close(our_gradient, their_gradient, rtol=0, atol=5 * TOLERANCE[dtype])


def test_nan_in_a_query_reaches_its_own_row_and_no_other():
    q, k, v = qkv(3, 5, lead=(2,))
    clean = scaled_dot_product_attention(q, k, v)
    q[1, 2, 0] = math.nan
    steps = scaled_dot_product_attention(q, k, v)
    touched = torch.tensor([[False] * 3, [False, False, True]])
    for tensor, kept in zip(steps, clean, strict=True):
        assert tensor[touched].isnan().all()
        assert torch.equal(tensor[~touched], kept[~touched])


def test_nan_in_a_key_reaches_every_query_that_may_look_at_it():
    q, k, v = qkv(4, 4)
    k[2, 0] = math.nan
    assert scaled_dot_product_attention(q, k, v).output.isnan().all()
    causal = scaled_dot_product_attention(q, k, v, is_causal=True).output
    assert causal.isnan().all(dim=-1).tolist() == [False, False, True, True]
    assert not causal[:2].isnan().any()


def test_nan_in_a_value_reaches_its_column_of_the_output():
    q, k, v = qkv(3, 5)
    v[4, 1] = math.nan
    assert scaled_dot_product_attention(q, k, v).output.isnan().tolist() == [[False, True, False, False]] * 3


def test_nan_in_a_float_mask_reaches_its_row():
    mask = torch.zeros(3, 5, dtype=torch.float64)
    mask[1, 0] = math.nan
    output = scaled_dot_product_attention(*qkv(3, 5), mask).output
    assert output.isnan().all(dim=-1).tolist() == [False, True, False]
    assert not output[[0, 2]].isnan().any()


MISFITS = [
    ([(4,), (3, 4), (3, 4)], {}, r"query needs at least 2 dimensions \(tokens × width\), got \(4\)"),
    ([(3, 4), (), (3, 4)], {}, r"key needs at least 2 dimensions \(tokens × width\), got \(\)"),
    ([(3, 4), (3, 4), (3,)], {}, r"value needs at least 2 dimensions \(tokens × width\), got \(3\)"),
    ([(3, 4), (3, 5), (3, 4)], {}, r"equally wide: 4 is not 5 \(query \(3 × 4\), key \(3 × 5\), value"),
    ([(3, 0), (3, 0), (3, 4)], {}, r"at least 1 wide \(query \(3 × 0\)"),
    ([(2, 4), (3, 4), (5, 4)], {}, r"every key needs one value: 3 keys, 5 values"),
    ([(2, 3, 4), (5, 3, 4), (3, 4)], {}, r"do not broadcast: query \(2 × 3 × 4\), key \(5 × 3 × 4\)"),
    ([(2, 3, 4), (3, 4), (5, 3, 4)], {}, r"do not broadcast: .*value \(5 × 3 × 4\)"),
    ([(3, 4), (5, 4), (5, 4)], {"attn_mask": torch.ones(2, 5).bool()}, r"\(2 × 5\) .* scores \(3 × 5\)"),
    ([(3, 4), (5, 4), (5, 4)], {"attn_mask": torch.ones(5, 3).bool()}, r"\(5 × 3\) .* scores \(3 × 5\)"),
    ([(3, 4), (5, 4), (5, 4)], {"attn_mask": torch.ones(2, 3, 5)}, r"\(2 × 3 × 5\) .* scores \(3 × 5\)"),
    ([(1, 4), (5, 4), (5, 4)], {"attn_mask": torch.ones(3, 5)}, r"\(3 × 5\) .* scores \(1 × 5\)"),
    ([(3, 4), (5, 4), (5, 4)], {"attn_mask": torch.ones(3, 5).long()}, r"bool or torch.float32 .* got torch.int64"),
    ([(3, 4), (5, 4), (5, 4)], {"attn_mask": torch.ones(3, 5).double()}, r"float32 .* got torch.float64"),
]


@pytest.mark.parametrize(("shapes", "options", "message"), MISFITS)
def test_what_does_not_fit_is_refused_with_the_numbers(shapes, options, message):
    with pytest.raises(ValueError, match=message):
        scaled_dot_product_attention(*(torch.zeros(shape) for shape in shapes), **options)


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_only_floating_point_numbers_are_taken(position, dtype):
    tensors = [torch.zeros(3, 4) for _ in range(3)]
    tensors[position] = tensors[position].to(dtype)
    name = ("query", "key", "value")[position]
    with pytest.raises(ValueError, match=f"{name} must hold floating-point numbers, got {dtype}"):
        scaled_dot_product_attention(*tensors)


def test_mixed_types_are_refused_with_their_names():
    with pytest.raises(ValueError, match=r"query torch.float32, key torch.float64, value torch.float32"):
        scaled_dot_product_attention(torch.zeros(3, 4), torch.zeros(3, 4).double(), torch.zeros(3, 4))


@pytest.mark.parametrize("mask", [random_bools(3, 5), make((3, 5))[0], None], ids=["boolean", "float", "none"])
def test_no_input_is_changed_in_place(mask):
    inputs = [*qkv(3, 5), *([] if mask is None else [mask])]
    kept = [tensor.clone() for tensor in inputs]
    scaled_dot_product_attention(*inputs, is_causal=True)
    assert all(torch.equal(tensor, copy) for tensor, copy in zip(inputs, kept, strict=True))


@PROPERTY
@given(SIZES, SIZES, SIZES, st.booleans(), st.integers(0, 2**32))
def test_every_querys_weights_are_positive_and_sum_to_1_over_the_keys(query_len, key_len, d_k, causal, seed):
    weights = scaled_dot_product_attention(*qkv(query_len, key_len, d_k, seed=seed), is_causal=causal).attn_weights
    assert_close(weights.sum(dim=-1), torch.ones(query_len, dtype=torch.float64))
    is_open = top_left(query_len, key_len) if causal else torch.ones(query_len, key_len, dtype=torch.bool)
    assert (weights[is_open] > 0).all()
    assert (weights[~is_open] == 0).all()


@PROPERTY
@given(st.permutations(range(5)), st.integers(0, 2**32))
def test_the_order_of_the_keys_does_not_matter_without_a_mask(order, seed):
    q, k, v = qkv(3, 5, seed=seed)
    output = scaled_dot_product_attention(q, k, v).output
    assert_close(scaled_dot_product_attention(q, k[order], v[order]).output, output, rtol=0, atol=1e-12)


@pytest.mark.parametrize("d_k", [1, 2, 3, 4, 16, 64])
def test_scaling_divides_the_variance_of_the_scores_by_d_k(d_k):
    steps = scaled_dot_product_attention(*qkv(20, 20, d_k))
    before, after = steps.scores.var(), steps.scaled_scores.var()
    assert_close(after * d_k, before, rtol=1e-13, atol=0)


@PROPERTY
@given(SIZES, SIZES, st.integers(0, 6), st.lists(SIZES, max_size=2))
def test_splitting_then_merging_heads_is_the_identity_and_the_other_way_round(num_heads, head_dim, seq_len, lead):
    (joined,) = make((*lead, seq_len, num_heads * head_dim))
    (heads,) = make((*lead, num_heads, seq_len, head_dim))
    assert torch.equal(merge_heads(split_heads(joined, num_heads)), joined)
    assert torch.equal(split_heads(merge_heads(heads), num_heads), heads)


def test_each_head_owns_neighbouring_columns():
    (x,) = make((2, 5, 12))
    heads = split_heads(x, 3)
    assert heads.shape == (2, 3, 5, 4)
    for head in range(3):
        assert torch.equal(heads[:, head], x[:, :, 4 * head : 4 * head + 4])


def test_an_uneven_split_is_refused_with_both_numbers():
    with pytest.raises(ValueError, match="10 columns cannot be cut into 4 equal heads"):
        split_heads(torch.zeros(3, 10), 4)


@LENGTHS
def test_the_causal_mask_is_counted_from_the_top_left(query_len, key_len):
    assert torch.equal(causal_mask(query_len, key_len), top_left(query_len, key_len))


@DTYPES
@pytest.mark.parametrize("size", [1.0, 30.0, 1e4, 1e30])
def test_softmax_equals_torchs_along_the_rows_whatever_the_size(dtype, size):
    (scores,) = make((2, 3, 5), dtype=dtype)
    assert_close(softmax(scores * size), torch.softmax(scores * size, dim=-1), rtol=0, atol=TOLERANCE[dtype])


def test_exponentials_reach_1_in_every_open_row_and_are_exactly_0_in_closed_cells():
    closed = -math.inf
    exps = exponentials(torch.tensor([[1.0, 3.0, closed], [closed, closed, closed], [-900.0, closed, -901.0]]))
    expected = [[math.exp(-2), 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, math.exp(-1)]]
    assert_close(exps, torch.tensor(expected))
    assert (exps == 0).tolist() == [[False, False, True], [True, True, True], [False, True, False]]


def test_the_small_functions_by_hand():
    x, w = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[0.0, 1.0], [10.0, 0.0]])
    assert project(x, w, torch.tensor([0.5, -0.5])).tolist() == [[20.5, 0.5], [40.5, 2.5]]
    assert attention_scores(x, w).tolist() == [[2.0, 10.0], [4.0, 30.0]]
    assert scale_scores(x, 0.5).tolist() == [[0.5, 1.0], [1.5, 2.0]]
    assert apply_mask(x, torch.tensor([[True, False], [False, True]])).tolist() == [[1, -math.inf], [-math.inf, 4]]
    assert apply_mask(x, torch.tensor([[0.5, -math.inf]])).tolist() == [[1.5, -math.inf], [3.5, -math.inf]]
    assert weighted_sum(torch.tensor([[0.25, 0.75]]), x).tolist() == [[2.5, 3.5]]


def test_shapes_come_to_what_torch_says_or_to_nothing():
    shapes = [torch.Size(sizes) for length in range(4) for sizes in product((0, 1, 2, 3), repeat=length)]
    for first, second in product(shapes, repeat=2):
        try:
            theirs = torch.broadcast_shapes(first, second)
        except RuntimeError:
            theirs = None
        assert _broadcast(first, second) == theirs
