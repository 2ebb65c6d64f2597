"""A board of panels packed for the painter in the browser (see painter.js): one block of bytes.

    4 bytes    length of the header, little-endian
    header     JSON, padded with spaces so that what follows begins at a multiple of 4
    numbers    float32, row by row, one block a panel; then the weights of the lines, (heads, rows, columns)
    marks      one byte a cell, 1 where the mask closed it, or where the number is not what it was

The header says what each panel is called, where it lies in the grid, what its rows and columns are, its scale, and at
which byte of the blocks its numbers and marks begin. The painter knows nothing of attention: it is told as rules which
cells of other panels a cell is made from.
"""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from attention.tensors import MADE_FROM
from pages.ui.figures.panels import Axis, Band, Board, Lines, Outline, Panel, Scale
from pages.ui.figures.views import View


class _Blocks:
    """Numbers and marks in the making."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def add(self, values: Tensor, kind: type) -> int:
        """Where it begins."""
        start, part = self._length, np.ascontiguousarray(values.detach().numpy().astype(kind)).tobytes()
        self._parts.append(part + bytes(-len(part) % 4))
        self._length += len(self._parts[-1])
        return start

    def bytes(self) -> bytes:
        return b"".join(self._parts)


def pack(board: Board, also: Mapping[str, object] | None = None) -> bytes:
    """A board as the painter takes it. also: more for the header, such as sentences."""
    blocks, scales = _Blocks(), list[Scale]()
    boards = [_board(each, number, blocks, scales) for number, each in enumerate(board.boards)]
    header: dict[str, object] = {
        "boards": [layout for layout, _ in boards],
        "panels": [panel for _, panels in boards for panel in panels],
        "scales": [{"kind": _kind(scale), "limit": scale.limit, "name": scale.name} for scale in scales],
        "shares": _shares(board),
        "lines": board.lines and _lines(board.lines, blocks),
    }
    numbers = blocks.bytes()
    version = zlib.crc32(numbers, zlib.crc32(json.dumps(header).encode()))  # of what is painted
    header |= {"version": version, **(also or {})}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + numbers


def unpack(scene: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the blocks of a packed scene."""
    (length,) = struct.unpack_from("<I", scene)
    return json.loads(scene[4 : 4 + length]), scene[4 + length :]


def _board(
    board: Board, number: int, blocks: _Blocks, scales: list[Scale]
) -> tuple[dict[str, object], list[dict[str, object]]]:
    panels: list[dict[str, object]] = []
    for r, line in enumerate(board.grid):
        for c, panel in enumerate(line):
            if panel is None:
                continue
            if panel.scale not in scales:
                scales.append(panel.scale)
            panels.append(_panel(panel, scales.index(panel.scale), blocks) | {"place": [number, r, c]})
    layout = {
        "widths": list(board.widths),
        "heights": list(board.heights),
        "signs": [[*place, sign] for place, sign in board.signs],
        "arrows": [[*start, *end] for start, end in board.arrows],
        "small": board.small,
    }
    return layout, panels


def _shares(board: Board) -> list[float]:
    """How much of the width each board takes."""
    if board.beside is None:
        return [1.0]
    return [board.share, *((1 - board.share) * share for share in _shares(board.beside))]


def _panel(panel: Panel, scale: int, blocks: _Blocks) -> dict[str, object]:
    view = panel.view or View("")
    closed = panel.closed is not None and bool(panel.closed.cells.any())
    changed = panel.changed is not None and bool(panel.changed.any())
    return {
        "title": panel.name,
        "shape": panel.shape if panel.show_shape else "",
        "size": list(panel.values.shape),
        "rows": _axis(panel.rows, panel.show_rows),
        "columns": _axis(panel.columns, panel.show_columns),
        "scale": scale,
        "role": panel.role,
        "whole": panel.whole,
        "outlines": [_outline(outline) for outline in panel.outlines],
        "bands": [_band(band) for band in panel.bands],
        "leads_to": panel.leads_to,
        "spread": panel.spread,
        "view": vars(view),
        "from": [vars(each) for each in MADE_FROM.get(view.tensor, ())],
        "values": blocks.add(panel.values, np.float32),
        "closed": blocks.add(panel.closed.cells, np.uint8) if panel.closed and closed else -1,
        "closed_text": panel.closed.text if panel.closed else "",
        "changed": blocks.add(panel.changed, np.uint8) if panel.changed is not None and changed else -1,
    }


def _axis(axis: Axis, shown: bool) -> dict[str, object]:
    return {"name": axis.name, "labels": list(axis.labels), "first": axis.first, "shown": shown}


def _outline(outline: Outline) -> dict[str, object]:
    return {"role": outline.role, "rows": outline.rows, "columns": outline.columns}


def _band(band: Band) -> list[int]:
    return [band.start, band.stop, band.hue]


def _kind(scale: Scale) -> str:
    return "share" if scale.weight else "plain" if scale.plain else "signed"


def _lines(lines: Lines, blocks: _Blocks) -> dict[str, object]:
    return {
        "tokens": list(lines.tokens),
        "query": lines.query,
        "head": lines.head,
        "says": list(lines.says),
        "guessed": [lines.guessed.get(token, "") for token in lines.tokens],
        "size": list(lines.weights.shape),
        "values": blocks.add(lines.weights, np.float32),
    }
