"""Refuse what cannot be computed, with a sentence that names the numbers and the rule."""

from itertools import zip_longest

import torch
from torch import Tensor

from attention.config import check_heads

__all__ = ["check_heads", "check_mask", "check_qkv", "check_width"]


def check_qkv(query: Tensor, key: Tensor, value: Tensor) -> None:
    """ValueError unless query (..., L, d_k), key (..., S, d_k) and value (..., S, d_v) fit each other."""
    named = {"query": query, "key": key, "value": value}
    shapes = ", ".join(f"{name} {_shape(tensor)}" for name, tensor in named.items())
    for name, tensor in named.items():
        if tensor.dim() < 2:
            raise ValueError(f"{name} needs at least 2 dimensions (tokens × width), got {_shape(tensor)}")
        if not tensor.is_floating_point():
            raise ValueError(f"{name} must hold floating-point numbers, got {tensor.dtype}")
    if len({tensor.dtype for tensor in named.values()}) > 1:
        types = ", ".join(f"{name} {tensor.dtype}" for name, tensor in named.items())
        raise ValueError(f"query, key and value must be of one type, got {types}")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"queries and keys must be equally wide: {query.shape[-1]} is not {key.shape[-1]} ({shapes})")
    if query.shape[-1] == 0:
        raise ValueError(f"queries and keys must be at least 1 wide ({shapes})")
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(f"every key needs one value: {key.shape[-2]} keys, {value.shape[-2]} values ({shapes})")
    if _broadcast(query.shape[:-2], key.shape[:-2], value.shape[:-2]) is None:
        raise ValueError(f"the leading dimensions do not broadcast: {shapes}")


def check_mask(attn_mask: Tensor | None, scores: Tensor) -> None:
    """ValueError unless the mask is boolean or of the scores' type, and broadcasts to their shape (..., L, S)."""
    if attn_mask is None:
        return
    if attn_mask.dtype not in (torch.bool, scores.dtype):
        raise ValueError(f"attn_mask must be torch.bool or {scores.dtype} like the scores, got {attn_mask.dtype}")
    if _broadcast(attn_mask.shape, scores.shape) != scores.shape:
        raise ValueError(f"attn_mask {_shape(attn_mask)} does not broadcast to the scores {_shape(scores)}")


def check_width(name: str, x: Tensor, w: Tensor) -> None:
    """ValueError unless x is (..., tokens, d_model) of the weights' width and type."""
    if x.dim() < 2:
        raise ValueError(f"{name} needs at least 2 dimensions (tokens × d_model), got {_shape(x)}")
    if x.shape[-1] != w.shape[0]:
        raise ValueError(
            f"{name} must be as wide as the weights: {x.shape[-1]} columns, but d_model is {w.shape[0]} "
            f"({name} {_shape(x)}, weights {_shape(w)})"
        )
    if x.dtype != w.dtype:
        raise ValueError(f"{name} and the weights must be of one type, got {x.dtype} and {w.dtype}")


def _shape(tensor: Tensor) -> str:
    return "(" + " × ".join(map(str, tensor.shape)) + ")"


def _broadcast(*shapes: torch.Size) -> tuple[int, ...] | None:
    """The shape that these come to, or None. Our own, as torch's takes a second or two to import what it needs."""
    sizes = [{*found} - {1} or {1} for found in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1)]
    return None if any(len(found) > 1 for found in sizes) else tuple(found.pop() for found in reversed(sizes))
