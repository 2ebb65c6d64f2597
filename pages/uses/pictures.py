"""A small picture as a sentence of patches, and who attends to whom in the places where attention is used."""

from dataclasses import dataclass

import torch
from torch import Tensor

from attention import scaled_dot_product_attention
from pages.ui.state.settings import IMAGES

SIDE, PATCH = 12, 3  # pixels a side, of the picture and of a patch


def image(name: str) -> Tensor:
    """A small grey picture, 0 to 1: (SIDE, SIDE)."""
    row, column = torch.arange(SIDE).unsqueeze(1), torch.arange(SIDE).unsqueeze(0)
    centre = (SIDE - 1) / 2
    drawn = {
        "cross": ((row - centre).abs() < 1.6) | ((column - centre).abs() < 1.6),
        "disc": (row - centre) ** 2 + (column - centre) ** 2 < 18,
        "stripes": ((row + column) // 3) % 2 == 0,
    }
    assert set(drawn) == set(IMAGES)
    return drawn[name].float()


def patches(picture: Tensor) -> Tensor:
    """Each square of PATCH × PATCH pixels as one row: (patches, PATCH²)."""
    count = SIDE // PATCH
    squares = picture.view(count, PATCH, count, PATCH).transpose(1, 2)  # (count, count, PATCH, PATCH)
    return squares.reshape(count * count, PATCH * PATCH)


def looks(rows: Tensor) -> Tensor:
    """Which patches attend to which, by likeness alone (every matrix the identity): (patches, patches)."""
    x = rows - rows.mean()
    return scaled_dot_product_attention(x, x, x).attn_weights


@dataclass(frozen=True)
class Use:
    """One attention of a model: how many queries and keys of how many columns, and its mask.

    part, source, mask: names of sections.
    """

    part: str
    source: str
    queries: int
    keys: int
    mask: str


def uses(name: str, tokens: int, others: int) -> list[Use]:
    """The attentions of a model for that use. tokens, others: the lengths of the sentence and of another one."""
    count = (SIDE // PATCH) ** 2
    found = {
        "translation": [
            Use("encoder", "source_text", tokens, tokens, "mask_padding"),
            Use("decoder", "target_text", others, others, "mask_causal"),
            Use("between", "target_to_source", others, tokens, "mask_padding"),
        ],
        "summary": [
            Use("decoder", "text_and_summary", tokens + others, tokens + others, "mask_causal"),
        ],
        "picture": [Use("encoder", "patches", count, count, "mask_none")],
        "speech": [
            Use("encoder", "frames", 1500, 1500, "mask_none"),
            Use("decoder", "written_text", tokens, tokens, "mask_causal"),
            Use("between", "text_to_frames", tokens, 1500, "mask_none"),
        ],
        "shop": [Use("decoder", "history", 50, 50, "mask_causal")],
    }
    return found[name]
