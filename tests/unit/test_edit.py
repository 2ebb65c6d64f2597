import dataclasses
import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from attention import AttentionConfig, AttentionTrace, AttentionWeights, Edit, SentenceTrace, apply_edit, trace_sentence

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
SENTENCE = "the cat saw the dog"
SIZES = [(1, 1), (3, 3), (4, 1), (6, 3), (8, 2)]
INSIDE = [field.name for field in dataclasses.fields(AttentionTrace)]
OUTSIDE = [field.name for field in dataclasses.fields(SentenceTrace) if field.name not in ("attention", "edits", "x")]
CHANGED_BY = {
    "embeddings": ["embeddings", *INSIDE],
    "scores": INSIDE[INSIDE.index("scores") :],
    "attn_weights": INSIDE[INSIDE.index("attn_weights") :],
    "head_outputs": INSIDE[INSIDE.index("head_outputs") :],
}
EDITS = {
    "embeddings": Edit("embeddings", 1, 2, value=1.5),
    "scores": Edit("scores", 2, 0, head=1, value=-2.5),
    "attn_weights": Edit("attn_weights", 3, 1, head=0, value=0.75),
    "head_outputs": Edit("head_outputs", head=1),
}


def make(sentence=SENTENCE, d_model=8, num_heads=2, hidden=(), **switches):
    return trace_sentence(sentence, AttentionConfig(d_model, num_heads, **switches), hidden_keys=hidden)


def tensors_of(trace):
    """Everything a trace holds, by name."""
    return {name: getattr(trace, name) for name in OUTSIDE} | vars(trace.attention)


def edited_in(tensor, name, edits):
    """A copy with the edits of the tensor of this name made in it."""
    tensor = tensor.clone()
    for edit in edits:
        if edit.tensor == name == "embeddings":
            tensor[edit.row, edit.column] = edit.value
        elif edit.tensor == name == "head_outputs":
            tensor[edit.head or 0] = 0
        elif edit.tensor == name:
            tensor[edit.head or 0, edit.row, edit.column] = edit.value
    return tensor


def by_torch(trace, hidden, *edits):
    """The whole line in torch's own words, from an unedited trace's embeddings on, with the edits on its way."""
    config, w = trace.config, trace.weights
    seq_len, heads = len(trace.tokens), config.num_heads

    def cut(x, matrix, bias):
        return torch.nn.functional.linear(x, matrix.T, bias).view(seq_len, heads, -1).permute(1, 0, 2)

    embeddings = edited_in(trace.embeddings, "embeddings", edits)
    x = embeddings + trace.positions
    q, k, v = cut(x, w.w_q, w.b_q), cut(x, w.w_k, w.b_k), cut(x, w.w_v, w.b_v)
    scores = edited_in(torch.einsum("hid,hjd->hij", q, k), "scores", edits)
    scaled = scores / math.sqrt(config.d_model / heads) if config.scaled else scores
    mask = torch.zeros(seq_len, seq_len)
    mask[:, list(hidden)] = -math.inf
    if config.causal:
        mask += torch.full((seq_len, seq_len), -math.inf).triu(1)
    masked = scaled + mask
    weights = edited_in(torch.softmax(masked, dim=-1).nan_to_num(0), "attn_weights", edits)
    outputs = edited_in(torch.einsum("hij,hjd->hid", weights, v), "head_outputs", edits)
    joined = torch.cat(list(outputs), dim=-1)
    output = torch.nn.functional.linear(joined, w.w_o.T, w.b_o)
    names = [x, q, k, v, scores, scaled, masked, weights, outputs, joined, output]
    return {"embeddings": embeddings} | dict(zip(INSIDE, names, strict=True))


@st.composite
def cases(draw, tensors=tuple(CHANGED_BY), edits=1):
    """A trace, the keys hidden in it, and edits of it."""
    words = draw(st.lists(st.sampled_from(["the", "cat", "猫", "爱", "."]), min_size=1, max_size=6))
    d_model, num_heads = draw(st.sampled_from(SIZES))
    hidden = draw(st.sets(st.sampled_from(range(len(words)))))
    switches = {name: draw(st.booleans()) for name in ("causal", "scaled", "positions")}
    trace = make(" ".join(words), d_model, num_heads, hidden, **switches)
    token, column, head = (st.integers(0, size - 1) for size in (len(words), d_model, num_heads))
    value = st.floats(-4, 4, width=32)
    kinds = {
        "embeddings": st.builds(Edit, st.just("embeddings"), token, column, st.none(), value),
        "scores": st.builds(Edit, st.just("scores"), token, token, head, value),
        "attn_weights": st.builds(Edit, st.just("attn_weights"), token, token, head, value),
        "head_outputs": st.builds(Edit, st.just("head_outputs"), head=head),
    }
    edit = st.one_of(*(kinds[name] for name in tensors))
    return trace, hidden, draw(st.lists(edit, min_size=edits, max_size=edits))


def assert_same_numbers(trace, expected):
    for name, tensor in expected.items():
        assert_close(
            tensors_of(trace)[name], tensor, rtol=1e-5, atol=2e-5, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.parametrize("tensor", CHANGED_BY)
@given(st.data())
@PROPERTY
def test_what_follows_is_computed_anew_and_what_comes_before_is_the_same_object(tensor, data):
    trace, hidden, [edit] = data.draw(cases([tensor]))
    edited = apply_edit(trace, edit)
    assert_same_numbers(edited, by_torch(trace, hidden, edit))
    before, after = tensors_of(trace), tensors_of(edited)
    assert [name for name in before if after[name] is not before[name]] == CHANGED_BY[tensor]
    assert edited.x is edited.attention.x or tensor != "embeddings"
    assert (edited.x is trace.x) == (tensor != "embeddings")
    assert edited.edits == (edit,)


@PROPERTY
@given(cases(edits=3))
def test_several_edits_all_stay_in_force(case):
    trace, hidden, edits = case
    edited = trace
    for edit in edits:
        edited = apply_edit(edited, edit)
    assert edited.edits == tuple(edits)
    assert_same_numbers(edited, by_torch(trace, hidden, *edits))


@pytest.mark.parametrize("order", list(itertools.permutations(EDITS)), ids="+".join)
def test_the_order_of_edits_of_different_places_does_not_matter(order):
    trace = make(causal=True, hidden=[1])
    edited = trace
    for name in order:
        edited = apply_edit(edited, EDITS[name])
    assert_same_numbers(edited, by_torch(trace, [1], *EDITS.values()))
    assert edited.edits == tuple(EDITS[name] for name in order)


def test_by_hand_a_score_its_share_and_what_it_brings():
    # One head, one number a token; queries and keys are 0, so that every share is a half until a score is set.
    config = AttentionConfig(1, 1, positions=False)
    zero, one = torch.zeros(1, 1), torch.ones(1, 1)
    nothing = torch.zeros(1)
    weights = AttentionWeights(zero, zero, one, 2 * one, nothing, nothing, nothing, torch.tensor([5.0]), 1)
    trace = trace_sentence("a b", config, weights)
    for row, value in enumerate([10.0, 20.0]):
        trace = apply_edit(trace, Edit("embeddings", row, value=value))
    assert trace.attention.output.tolist() == [[2 * 15 + 5], [2 * 15 + 5]]
    edited = apply_edit(trace, Edit("scores", 1, 1, value=math.log(3)))
    assert_close(edited.attention.attn_weights, torch.tensor([[[0.5, 0.5], [0.25, 0.75]]]))
    assert_close(edited.attention.output, torch.tensor([[35.0], [2 * (2.5 + 15) + 5]]))
    heavy = apply_edit(edited, Edit("attn_weights", 0, 0, value=2.0))
    assert_close(heavy.attention.output, torch.tensor([[2 * (20 + 10) + 5.0], [40.0]]))
    assert apply_edit(heavy, Edit("head_outputs")).attention.output.tolist() == [[5], [5]]


def test_a_silenced_head_leaves_what_the_others_say():
    trace = make()
    silent = apply_edit(trace, Edit("head_outputs", head=1))
    kept = trace.attention.joined.clone()
    kept[:, 4:] = 0
    assert torch.equal(silent.attention.joined, kept)
    assert torch.equal(apply_edit(trace, Edit("head_outputs", row=99, column=-1, head=1)).attention.joined, kept)
    everything = apply_edit(silent, Edit("head_outputs", head=0))
    assert torch.equal(everything.attention.output, trace.weights.b_o.expand(5, 8))


@pytest.mark.parametrize("tensor", EDITS)
def test_the_old_trace_is_not_touched(tensor):
    trace = apply_edit(make(causal=True), Edit("scores", 0, 0, head=0, value=1.0))
    before = {
        name: value.clone() if isinstance(value, torch.Tensor) else value for name, value in tensors_of(trace).items()
    }
    weights = [getattr(trace.weights, field.name).clone() for field in dataclasses.fields(trace.weights)[:-1]]
    edited = apply_edit(trace, EDITS[tensor])
    assert_same_exactly(tensors_of(trace), before)
    for kept, field in zip(weights, dataclasses.fields(trace.weights), strict=False):
        assert torch.equal(getattr(trace.weights, field.name), kept)
    assert len(trace.edits) == 1
    assert len(edited.edits) == 2
    # Nor is it touched through the new one.
    for name in CHANGED_BY[tensor]:
        tensors_of(edited)[name].fill_(7)
    assert_same_exactly(tensors_of(trace), before)


def assert_same_exactly(one, other):
    for name, value in one.items():
        assert torch.equal(value, other[name]) if isinstance(value, torch.Tensor) else value == other[name]


@PROPERTY
@given(cases(["embeddings", "scores", "attn_weights"]))
def test_setting_a_number_to_what_it_is_changes_nothing(case):
    trace, _, [edit] = case
    tensor = tensors_of(trace)[edit.tensor]
    held = (tensor if edit.head is None else tensor[edit.head])[edit.row, edit.column].item()
    unchanged = apply_edit(trace, dataclasses.replace(edit, value=held))
    assert_same_exactly(tensors_of(unchanged), tensors_of(trace))


def test_silencing_a_silent_head_changes_nothing():
    silent = apply_edit(make(), EDITS["head_outputs"])
    assert_same_exactly(tensors_of(apply_edit(silent, EDITS["head_outputs"])), tensors_of(silent))


@PROPERTY
@given(cases(edits=2))
def test_masks_stay_in_force(case):
    trace, _, edits = case
    closed = trace.attention.masked_scores == -math.inf
    edited = trace
    for edit in edits:
        edited = apply_edit(edited, edit)
    assert torch.equal(edited.attention.masked_scores == -math.inf, closed)
    touched = {(edit.head, edit.row, edit.column) for edit in edits if edit.tensor == "attn_weights"}
    weights = edited.attention.attn_weights
    assert all(weights[place] == 0 or place in touched for place in map(tuple, closed.nonzero().tolist()))


def test_a_score_behind_a_mask_can_be_set_and_changes_nothing():
    trace = make(causal=True)
    edited = apply_edit(trace, Edit("scores", 0, 4, head=0, value=100.0))
    assert edited.attention.scores[0, 0, 4] == 100
    assert torch.equal(edited.attention.masked_scores, trace.attention.masked_scores)
    assert torch.equal(edited.attention.output, trace.attention.output)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [(one, other) for i, one in enumerate(EDITS) for other in list(EDITS)[:i]],
)
def test_an_edit_stays_in_force_when_something_before_it_is_changed(earlier, later):
    trace = make()
    edited = apply_edit(apply_edit(trace, EDITS[earlier]), EDITS[later])
    for name in (earlier, later):
        edit = EDITS[name]
        tensor = edited.embeddings if name == "embeddings" else getattr(edited.attention, name)[edit.head]
        assert not tensor.any() if name == "head_outputs" else tensor[edit.row, edit.column] == edit.value


def test_of_two_edits_of_one_place_the_last_counts():
    first, last = (Edit("scores", 2, 1, head=0, value=value) for value in (3.0, -1.0))
    trace = make()
    twice = apply_edit(apply_edit(trace, first), last)
    assert twice.edits == (first, last)
    assert_same_exactly(tensors_of(twice), tensors_of(apply_edit(trace, last)))
    moved = apply_edit(twice, EDITS["embeddings"])
    assert moved.attention.scores[0, 2, 1] == -1


def test_with_one_head_it_need_not_be_said():
    trace = make(num_heads=1)
    for edit in (Edit("scores", 1, 2, value=3.0), Edit("attn_weights", 1, 2, value=0.5), Edit("head_outputs")):
        one, other = apply_edit(trace, edit), apply_edit(trace, dataclasses.replace(edit, head=0))
        assert_same_exactly(tensors_of(one), tensors_of(other))


def test_double_precision_stays_double():
    config = AttentionConfig(8, 2)
    weights = AttentionWeights.random(config)
    doubled = {field.name: getattr(weights, field.name).double() for field in dataclasses.fields(weights)[:-1]}
    trace = trace_sentence(SENTENCE, config, dataclasses.replace(weights, **doubled))
    for edit in EDITS.values():
        trace = apply_edit(trace, edit)
    assert {tensor.dtype for tensor in vars(trace.attention).values()} == {torch.float64}
    exact = apply_edit(trace, Edit("scores", 0, 0, head=0, value=0.1)).attention.scores[0, 0, 0]
    assert exact.item() == 0.1


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Edit("q", head=0), "'q' cannot be edited; what can be is embeddings, scores, attn_weights, head_outputs"),
        (Edit("", head=0), "'' cannot be edited"),
        (Edit("embeddings", 5, 0), "row 5 is outside embeddings: 5 in all, counted from 0"),
        (Edit("embeddings", -1, 0), "row -1 is outside embeddings"),
        (Edit("embeddings", 0, 8), "column 8 is outside embeddings: 8 in all"),
        (Edit("embeddings", 0, 0, 0), "embeddings has no heads, so head must be None, got 0"),
        (Edit("scores", 0, 0), "scores has 2 heads: say which one, 0 to 1"),
        (Edit("scores", 0, 0, 2), "head 2 is outside scores: 2 in all"),
        (Edit("scores", 0, 0, -1), "head -1 is outside scores"),
        (Edit("scores", 0, 5, 0), "column 5 is outside scores: 5 in all"),
        (Edit("attn_weights", 0, -1, 0), "column -1 is outside attn_weights"),
        (Edit("head_outputs"), "head_outputs has 2 heads"),
        (Edit("head_outputs", head=2), "head 2 is outside head_outputs"),
        (Edit("head_outputs", head=0, value=1.0), "a head can only be silenced: the value must be 0, got 1.0"),
        (Edit("scores", 0, 0, 0, math.inf), "must be finite in torch.float32, got inf"),
        (Edit("embeddings", 0, 0, None, math.nan), "must be finite in torch.float32, got nan"),
        (Edit("embeddings", 0, 0, None, 1e39), "must be finite in torch.float32, got 1e[+]39"),
        (Edit("embeddings", 0, 0, None, 1e30), "1e[+]30 is too large: .* not all be finite"),
        (Edit("attn_weights", 0, 0, 0, -3e38), "-3e[+]38 is too large"),
        (Edit("scores", 0, 0, 0, 1e39), "must be finite in torch.float32, got 1e[+]39"),
        (Edit("attn_weights", 0, 0, 0, -1e39), "must be finite in torch.float32, got -1e[+]39"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_numbers(edit, message):
    with pytest.raises(ValueError, match=message):
        apply_edit(make(), edit)


def test_a_score_set_by_hand_does_not_hide_that_it_would_have_overflowed():
    # Set again, it would be the only finite score, and the -inf that it replaces would look like a mask.
    trace = apply_edit(make("cat", d_model=2, num_heads=1), Edit("scores", value=1.0))
    with pytest.raises(ValueError, match=r"1e\+25 is too large"):
        apply_edit(trace, Edit("embeddings", value=1e25))


def test_a_trace_starts_without_edits_and_an_edit_is_frozen():
    assert make().edits == ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        EDITS["scores"].value = 1.0
