"""What is known of each tensor of the story: symbol, axes, heads, where its numbers are, and what may be edited.

Explaining, editing, showing, comparing and the address of a page read it here. A new tensor is a line in the table.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

import torch
from torch import Tensor

from attention import measures
from attention.config import AttentionConfig
from attention.functional import exponentials, merge_heads
from attention.trace import SentenceTrace

AxisKind = Literal["token", "query", "key", "word", "dim", "in", "out", "bias", "sum", "id"]
Range = Literal["signed", "share", "plain"]
Along = Literal["row", "column", "all", "across", "within", "query"]
Read = Callable[[SentenceTrace, int | None, int | None], Tensor]


@dataclass(frozen=True)
class Cell:
    """The address of one number, counted from 0; head is None for tensors without heads."""

    tensor: str
    row: int
    column: int
    head: int | None = None


@dataclass(frozen=True)
class Known:
    """What is known of one tensor, seen as a matrix: one head of it, where each head has its own.

    symbol: its LaTeX letter in formulas. rows, columns: what they stand for. range: numbers around 0 ("signed"), from
    0 to 1 ("share"), or such that only the number itself counts ("plain"). whole: whole numbers.
    edit: "cell" where one number can be set by hand, "head" where a whole head can be silenced.
    read: its values in a trace, given a head and a query: (rows, columns).
    """

    name: str
    symbol: str
    rows: AxisKind
    columns: AxisKind
    read: Read
    per_head: bool = False
    range: Range = "signed"
    whole: bool = False
    edit: Literal["", "cell", "head"] = ""

    @property
    def per_query(self) -> bool:
        """Whether each query has a matrix of its own."""
        return self.name == "contributions"


def _matrix(path: str) -> Read:
    """A tensor of two dimensions, or of three with the heads first."""
    whole: Callable[[SentenceTrace], Tensor] = attrgetter(path)
    return lambda trace, head, _: whole(trace) if head is None else whole(trace)[head]


def _ids(trace: SentenceTrace, *_: object) -> Tensor:
    return trace.ids.unsqueeze(-1)  # (L, 1)


def _bias(name: str) -> Read:
    return lambda trace, *_: getattr(trace.weights, name).unsqueeze(0)  # (1, d_model)


def _exponentials(trace: SentenceTrace, head: int | None, _: int | None) -> Tensor:
    return exponentials(trace.attention.masked_scores[head or 0])  # (L, S)


def _exp_sums(trace: SentenceTrace, head: int | None, query: int | None) -> Tensor:
    return measures.row_sums(_exponentials(trace, head, query))  # (L, 1)


def _contributions(trace: SentenceTrace, head: int | None, query: int | None) -> Tensor:
    """One query's: its weights times the values."""
    if query is None:
        raise ValueError(f"contributions are one query's: say which one, 0 to {len(trace.tokens) - 1}")
    check_place("contributions", "query", query, len(trace.tokens))
    attention = trace.attention
    return measures.contributions(attention.attn_weights[head or 0, query], attention.v[head or 0])  # (S, d_k)


_TABLE = (  # in the order of the story
    Known("ids", r"\mathrm{id}", "token", "id", _ids, range="plain", whole=True),
    Known("embedding_table", "E", "word", "dim", _matrix("embedding_table")),
    Known("one_hot", "H", "token", "word", _matrix("one_hot"), range="share", whole=True),
    Known("embeddings", "T", "token", "dim", _matrix("embeddings"), edit="cell"),
    Known("positions", "P", "token", "dim", _matrix("positions")),
    Known("x", "X", "token", "dim", _matrix("x")),
    Known("w_q", "W_Q", "in", "out", _matrix("weights.w_q")),
    Known("b_q", "b_Q", "bias", "out", _bias("b_q")),
    Known("w_k", "W_K", "in", "out", _matrix("weights.w_k")),
    Known("b_k", "b_K", "bias", "out", _bias("b_k")),
    Known("w_v", "W_V", "in", "out", _matrix("weights.w_v")),
    Known("b_v", "b_V", "bias", "out", _bias("b_v")),
    Known("q", "Q", "query", "dim", _matrix("attention.q"), per_head=True),
    Known("k", "K", "key", "dim", _matrix("attention.k"), per_head=True),
    Known("v", "V", "key", "dim", _matrix("attention.v"), per_head=True),
    Known("scores", "S", "query", "key", _matrix("attention.scores"), per_head=True, edit="cell"),
    Known("scaled_scores", r"\tilde{S}", "query", "key", _matrix("attention.scaled_scores"), per_head=True),
    Known("masked_scores", "M", "query", "key", _matrix("attention.masked_scores"), per_head=True),
    Known("exponentials", "e", "query", "key", _exponentials, per_head=True, range="share"),
    Known("exp_sums", r"\Sigma", "query", "sum", _exp_sums, per_head=True, range="plain"),
    Known("attn_weights", "A", "query", "key", _matrix("attention.attn_weights"), True, "share", edit="cell"),
    Known("contributions", "U", "key", "dim", _contributions, per_head=True),
    Known("head_outputs", "O", "query", "dim", _matrix("attention.head_outputs"), per_head=True, edit="head"),
    Known("joined", "C", "token", "dim", _matrix("attention.joined")),
    Known("w_o", "W_O", "in", "out", _matrix("weights.w_o")),
    Known("b_o", "b_O", "bias", "out", _bias("b_o")),
    Known("output", "Y", "token", "out", _matrix("attention.output")),
)
TENSORS = {known.name: known for known in _TABLE}
EDITABLE = tuple(known.name for known in _TABLE if known.edit == "cell")  # one cell at a time
(SILENCED,) = (known.name for known in _TABLE if known.edit == "head")  # a whole head


@dataclass(frozen=True)
class From:
    """Which numbers of another tensor a cell is made from.

    row, column: the cell's own "row" or "column", the "query" whose matrix it is, or "all" there are. Its column may be
    counted "across" all heads, or "within" the head that it lies in. Of a tensor with heads those of the cell's head
    are meant.
    """

    tensor: str
    row: Along
    column: Along


MADE_FROM: dict[str, tuple[From, ...]] = {  # nothing for what is given: ids, parameters, positions
    "one_hot": (From("ids", "row", "all"),),
    "embeddings": (From("one_hot", "row", "all"), From("embedding_table", "all", "column")),
    "x": (From("embeddings", "row", "column"), From("positions", "row", "column")),
    "q": (From("x", "row", "all"), From("w_q", "all", "across"), From("b_q", "all", "across")),
    "k": (From("x", "row", "all"), From("w_k", "all", "across"), From("b_k", "all", "across")),
    "v": (From("x", "row", "all"), From("w_v", "all", "across"), From("b_v", "all", "across")),
    "scores": (From("q", "row", "all"), From("k", "column", "all")),
    "scaled_scores": (From("scores", "row", "column"),),
    "masked_scores": (From("scaled_scores", "row", "column"),),
    "exponentials": (From("masked_scores", "row", "all"),),
    "exp_sums": (From("exponentials", "row", "all"),),
    "attn_weights": (From("exponentials", "row", "all"),),
    "contributions": (From("attn_weights", "query", "row"), From("v", "row", "column")),
    "head_outputs": (From("attn_weights", "row", "all"), From("v", "all", "column")),
    "joined": (From("head_outputs", "row", "within"),),
    "output": (From("joined", "row", "all"), From("w_o", "all", "column"), From("b_o", "all", "column")),
}


def matrix(trace: SentenceTrace, tensor: str, head: int | None = None, query: int | None = None) -> Tensor:
    """A tensor of a trace as rows and columns: one head of it where it has heads, one query's where it is a query's.

    >>> from attention import AttentionConfig, trace_sentence
    >>> trace = trace_sentence("the cat saw the dog", AttentionConfig(d_model=8, num_heads=2))
    >>> matrix(trace, "ids").shape, matrix(trace, "scores", head=1).shape
    (torch.Size([5, 1]), torch.Size([5, 5]))
    """
    return TENSORS[tensor].read(trace, head, query)  # (rows, columns)


def side_by_side(trace: SentenceTrace, tensor: str) -> Tensor:
    """The columns of all heads of q, k, v or head_outputs, one head after the other: (L, d_model)."""
    heads: Tensor = getattr(trace.attention, tensor)
    return merge_heads(heads)  # (L, d_model)


def closed(trace: SentenceTrace, tensor: str, head: int | None) -> Tensor | None:
    """True where a mask closed a cell of a head: (L, S). A weight that was set there by hand counts as open.

    None for a tensor that stands before the masks or behind the weights.
    """
    if tensor not in ("masked_scores", "exponentials", "attn_weights"):
        return None
    masked = matrix(trace, "masked_scores", head) == -math.inf  # (L, S)
    return masked & (matrix(trace, tensor, head) == 0) if tensor == "attn_weights" else masked


def changes(now: Tensor, before: Tensor) -> Tensor:
    """True where a number is not what it was, beyond what the order of additions can do."""
    return ~torch.isclose(now, before, rtol=1e-5, atol=1e-6, equal_nan=True)


# Addresses.


def shape(tensor: str, config: AttentionConfig, seq_len: int, vocab_size: int) -> tuple[int, int]:
    """Rows and columns of a tensor (of one head of it, where each head has its own). KeyError for an unknown name."""
    known = TENSORS[tensor]
    sizes = {"token": seq_len, "query": seq_len, "key": seq_len, "word": vocab_size, "in": config.d_model}
    sizes |= {"out": config.d_model, "dim": config.head_dim if known.per_head else config.d_model}
    return sizes.get(known.rows, 1), sizes.get(known.columns, 1)


def fits(cell: Cell, config: AttentionConfig, seq_len: int, vocab_size: int) -> bool:
    """Whether a trace of these sizes has such a cell; one of a tensor with heads has to name its head."""
    known = TENSORS.get(cell.tensor)
    if known is None or (cell.head is not None) != known.per_head:
        return False
    rows, columns = shape(cell.tensor, config, seq_len, vocab_size)
    return 0 <= cell.row < rows and 0 <= cell.column < columns and 0 <= (cell.head or 0) < config.num_heads


def address(trace: SentenceTrace, tensor: str, row: int, column: int, head: int | None = None) -> Cell:
    """A cell's full address: the head is filled in where there is only one. ValueError where there is no such cell."""
    if tensor not in TENSORS:
        raise ValueError(f"there is no tensor {tensor!r}; there are {', '.join(TENSORS)}")
    known, heads = TENSORS[tensor], trace.config.num_heads
    if not known.per_head and head is not None:
        raise ValueError(f"{tensor} has no heads, so head must be None, got {head}")
    if known.per_head and head is None:
        if heads > 1:
            raise ValueError(f"{tensor} has {heads} heads: say which one, 0 to {heads - 1}")
        head = 0
    rows, columns = shape(tensor, trace.config, len(trace.tokens), len(trace.vocabulary))
    for name, place, count in (("head", head or 0, heads), ("row", row, rows), ("column", column, columns)):
        check_place(tensor, name, place, count)
    return Cell(tensor, row, column, head)


def check_place(tensor: str, name: str, place: int, count: int) -> None:
    """Raise ValueError unless the place, counted from 0, is one of so many."""
    if not 0 <= place < count:
        raise ValueError(f"{name} {place} is outside {tensor}: {count} in all, counted from 0")


def texts(trace: SentenceTrace, axis: AxisKind) -> Sequence[str]:
    """The tokens or words that stand along an axis; none where its places are only numbered."""
    if axis in ("token", "query", "key"):
        return trace.tokens
    return trace.vocabulary if axis == "word" else ()
