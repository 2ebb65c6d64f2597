"""Change one number of a trace by hand, and see what follows from it."""

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from attention.embedding import add_positions
from attention.functional import apply_mask, merge_heads, project, scale_scores, softmax, weighted_sum
from attention.tensors import EDITABLE, SILENCED, address
from attention.trace import AttentionTrace, Edit, SentenceTrace, multi_head_attention

__all__ = ["Edit", "apply_edit"]


def apply_edit(trace: SentenceTrace, edit: Edit) -> SentenceTrace:
    """A new trace with one number changed, or one head silenced, and everything after it computed anew.

    Everything before the change is the same object as in the old trace, which stays as it was. The masks stay in force.
    Edits can be chained, and each stays in force: what an earlier edit had set further down the line is set again
    after the line is computed anew. Of two edits of one place the last counts.
    Raises ValueError for a tensor that cannot be edited, a place outside it, a value that is not finite, and one so
    large that what follows from it is not finite.

    >>> from attention import AttentionConfig, trace_sentence
    >>> trace = trace_sentence("the cat saw the dog", AttentionConfig(d_model=8, num_heads=2))
    >>> edited = apply_edit(trace, Edit("scores", row=2, column=1, head=0, value=9.0))
    >>> edited.attention.scores[0, 2, 1], edited.attention.q is trace.attention.q
    (tensor(9.), True)
    """
    _check(trace, edit)
    story = (*EDITABLE, SILENCED)
    earlier = sorted(trace.edits, key=lambda old: story.index(old.tensor))
    further_down = [old for old in earlier if story.index(old.tensor) > story.index(edit.tensor)]
    changed = trace
    for each in (edit, *further_down):
        changed = _SETTERS[each.tensor](changed, each)
        following = (tensor for name, tensor in vars(changed.attention).items() if name != "masked_scores")
        if not all(tensor.isfinite().all() for tensor in following):
            raise ValueError(f"{edit.value} is too large: the numbers that follow from it would not all be finite")
    return replace(changed, edits=(*trace.edits, edit))


def _check(trace: SentenceTrace, edit: Edit) -> None:
    """ValueError unless the edit names a finite number and a place that there is."""
    if edit.tensor not in _SETTERS:
        raise ValueError(f"{edit.tensor!r} cannot be edited; what can be is {', '.join(_SETTERS)}")
    if edit.tensor == "embeddings" and trace.x_given:
        raise ValueError("embeddings cannot be edited where X comes from outside")
    silenced = edit.tensor == SILENCED
    address(trace, edit.tensor, *((0, 0) if silenced else (edit.row, edit.column)), edit.head)
    if silenced and edit.value != 0:
        raise ValueError(f"a head can only be silenced: the value must be 0, got {edit.value}")
    dtype = trace.embeddings.dtype
    if not abs(edit.value) <= torch.finfo(dtype).max:  # not "greater than": NaN is neither
        raise ValueError(f"the value of an edit must be finite in {dtype}, got {edit.value}")


def _with(tensor: Tensor, place: tuple[int, ...], value: float) -> Tensor:
    """A copy of a tensor that holds value at a place (a whole matrix, where place names only its head)."""
    copy = tensor.clone()
    copy[place] = value
    return copy


# One function per tensor that can be edited: set the number, compute what follows.


def _set_embedding(trace: SentenceTrace, edit: Edit) -> SentenceTrace:
    embeddings = _with(trace.embeddings, (edit.row, edit.column), edit.value)  # (seq_len, d_model)
    x = add_positions(embeddings, trace.positions)  # (seq_len, d_model)
    attention = multi_head_attention(x, trace.weights, attn_mask=_open(trace), scaled=trace.config.scaled)
    return replace(trace, embeddings=embeddings, x=x, attention=attention)


def _set_score(trace: SentenceTrace, edit: Edit) -> SentenceTrace:
    scores = _with(trace.attention.scores, (edit.head or 0, edit.row, edit.column), edit.value)  # (H, L, S)
    scaled = scale_scores(scores, 1 / math.sqrt(trace.config.head_dim) if trace.config.scaled else 1.0)  # (H, L, S)
    masked = apply_mask(scaled, _open(trace))  # (H, L, S)
    attention = replace(trace.attention, scores=scores, scaled_scores=scaled, masked_scores=masked)
    return _after_weights(trace, attention, softmax(masked))


def _set_weight(trace: SentenceTrace, edit: Edit) -> SentenceTrace:
    weights = _with(trace.attention.attn_weights, (edit.head or 0, edit.row, edit.column), edit.value)  # (H, L, S)
    return _after_weights(trace, trace.attention, weights)


def _silence(trace: SentenceTrace, edit: Edit) -> SentenceTrace:
    outputs = _with(trace.attention.head_outputs, (edit.head or 0,), 0.0)  # (H, L, d_k)
    return _after_heads(trace, trace.attention, outputs)


def _after_weights(trace: SentenceTrace, attention: AttentionTrace, weights: Tensor) -> SentenceTrace:
    """What follows from the attention weights (H, L, S)."""
    outputs = weighted_sum(weights, attention.v)  # (H, L, d_k)
    return _after_heads(trace, replace(attention, attn_weights=weights), outputs)


def _after_heads(trace: SentenceTrace, attention: AttentionTrace, outputs: Tensor) -> SentenceTrace:
    """What follows from the heads' outputs (H, L, d_k)."""
    joined = merge_heads(outputs)  # (L, d_model)
    output = project(joined, trace.weights.w_o, trace.weights.b_o)  # (L, d_model)
    return replace(trace, attention=replace(attention, head_outputs=outputs, joined=joined, output=output))


def _open(trace: SentenceTrace) -> Tensor:
    """The masks in force, read off the masked scores: True where a query may look, (H, L, S)."""
    return trace.attention.masked_scores != -torch.inf  # (H, L, S)


_SETTERS: dict[str, Callable[[SentenceTrace, Edit], SentenceTrace]] = {
    "embeddings": _set_embedding,
    "scores": _set_score,
    "attn_weights": _set_weight,
    "head_outputs": _silence,
}
