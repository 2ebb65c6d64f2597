"""The operator that engines run, held against ONNX's own cases for it, and against torch."""

import warnings

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention as torch_attention

from attention.operator import attention

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import onnx
    from onnx import TensorProto

INPUTS = ("query", "key", "value", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen")
NAMES = {
    "scale": "scale",
    "softcap": "softcap",
    "left_window_size": "left_window",
    "right_window_size": "right_window",
    "q_num_heads": "q_num_heads",
    "kv_num_heads": "kv_num_heads",
}
KEPT = ("scores", "capped", "masked", "weights")
DTYPES = {TensorProto.FLOAT: torch.float32, TensorProto.FLOAT16: torch.float16, TensorProto.DOUBLE: torch.float64}
DTYPES[TensorProto.BFLOAT16] = torch.bfloat16


def cases():
    """Every node test of the operator; the expanded ones are the same cases as graphs of other operators."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case import node
        from onnx.backend.test.case.node import attention  # which makes its cases, and no other operator's

        assert attention.Attention
        found = node._NodeTestCases
    return [case for case in found if [node.op_type for node in case.model.graph.node] == ["Attention"]]


def tensor(value):
    array = np.asarray(value)
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.astype(np.float32)).to(torch.bfloat16)
    return torch.from_numpy(np.array(array))


def run(case):
    """A thin adapter: the node's inputs and attributes by our names."""
    (node,) = case.model.graph.node
    inputs, outputs = case.data_sets[0]
    by_name = dict(zip([each.name for each in case.model.graph.input], inputs, strict=True))
    given = {ours: tensor(by_name[name]) for ours, name in zip(INPUTS, node.input, strict=False) if name}
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    options = {NAMES[name]: value for name, value in attributes.items() if name in NAMES}
    options["is_causal"] = bool(attributes.get("is_causal", 0))
    options["keep"] = KEPT[attributes.get("qk_matmul_output_mode", 0)]
    if "softmax_precision" in attributes:
        options["softmax_dtype"] = DTYPES[attributes["softmax_precision"]]
    found = attention(**given, **options)
    wanted = [name for name in node.output if name]
    places = [place for place, name in enumerate(node.output) if name]
    return [(name, found[place], tensor(value)) for name, place, value in zip(wanted, places, outputs, strict=True)]


def test_onnx_s_own_cases_pass():
    found_cases, failed = cases(), []
    assert len(found_cases) > 80
    for case in found_cases:
        for name, found, expected in run(case):
            loose = 2e-2 if expected.dtype in (torch.float16, torch.bfloat16) else 1e-5
            same = found.shape == expected.shape
            if not same or not torch.allclose(found.double(), expected.double(), loose, loose, equal_nan=True):
                failed.append(f"{case.name}: {name}")
    assert failed == []


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_shared_keys_and_values_are_torch_s_grouped_attention(groups):
    q = torch.randn(2, 4, 5, 8, generator=torch.Generator().manual_seed(1))
    k, v = torch.randn(2, 2, groups, 7, 8, generator=torch.Generator().manual_seed(2))
    expected = torch_attention(q, k, v, enable_gqa=True)
    torch.testing.assert_close(attention(q, k, v).output, expected, rtol=1e-5, atol=1e-5)


def test_a_cache_gives_the_same_as_the_whole_sequence_word_by_word():
    q, k, v = torch.randn(3, 1, 2, 6, 4, generator=torch.Generator().manual_seed(3))
    whole = attention(q, k, v, is_causal=True).output
    past_key = past_value = torch.zeros(1, 2, 0, 4)
    for place in range(6):
        own = slice(place, place + 1)
        step = attention(q[:, :, own], k[:, :, own], v[:, :, own], None, past_key, past_value, is_causal=True)
        past_key, past_value = step.present_key, step.present_value
        torch.testing.assert_close(step.output, whole[:, :, own], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"query": torch.zeros(1, 2, 3), "key": torch.zeros(1, 1, 2, 3), "value": torch.zeros(1, 1, 2, 3)}, "3, 4, 4"),
        ({"query": torch.zeros(1, 2, 4), "key": torch.zeros(1, 2, 4), "value": torch.zeros(1, 2, 4)}, "q_num_heads"),
        ({"past_key": torch.zeros(1, 2, 1, 4)}, "past_value"),
        ({"query": torch.zeros(1, 3, 2, 4)}, "3 query heads"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence_that_names_it(given, message):
    usual = {name: torch.zeros(1, 2, 3, 4) for name in ("query", "key", "value")}
    with pytest.raises(ValueError, match=message):
        attention(**usual | given)
