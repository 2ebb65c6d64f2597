"""One cell of a trace, taken apart into the arithmetic that made it.

Every tensor has its own small function, see the list at the end; its symbol and axes are in attention/tensors.py.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Literal, NamedTuple

from torch import Tensor

from attention.functional import exponentials
from attention.tensors import SILENCED, TENSORS, AxisKind, Cell, address, check_place, matrix, texts
from attention.trace import SentenceTrace

Operation = Literal["given", "indicator", "sum", "sine", "cosine", "off", "exp", "share", "copy", "edited"]


@dataclass(frozen=True)
class Factor:
    """One number of a product: its LaTeX symbol, and the cell it comes from (None for a constant)."""

    symbol: str
    value: float
    cell: Cell | None = None


@dataclass(frozen=True)
class Term:
    """One summand: factors, and the product of their values."""

    factors: tuple[Factor, ...]
    product: float


@dataclass(frozen=True)
class Index:
    """What a row or column number means: a kind of axis, the place on it, and the token or word there, if any.

    kind is "token", "query", "key", "word" (vocabulary entry), "dim", "in", "out", "bias", "sum" or "id".
    """

    kind: AxisKind
    number: int
    text: str = ""


@dataclass(frozen=True)
class Derivation:
    """How one number came about. value follows from the terms' products, whose sum is called Σ here, by operation:

    "sum": Σ. "copy", "indicator": the only product. "sine", "cosine": of the only product, an angle in radians.
    "exp": e to the power Σ. "share": the column's own product / Σ, and 0 where Σ is 0.
    "given" (an id, a learned number, an X from outside), "edited" (set by hand) and "off" (0): no terms.

    The sums are Python floats, added exactly: value agrees with the tensor's cell up to the tensor's rounding.
    symbols and numbers are LaTeX and hold no text of the sentence. Long sums of numbers are shortened there, not in
    terms.
    """

    cell: Cell
    row_means: Index
    column_means: Index
    operation: Operation
    terms: tuple[Term, ...]
    value: float
    symbols: str
    numbers: str

    @property
    def tensor(self) -> str:
        """The tensor's name."""
        return self.cell.tensor

    @property
    def row(self) -> int:
        """The cell's row, counted from 0."""
        return self.cell.row

    @property
    def column(self) -> int:
        """The cell's column, counted from 0."""
        return self.cell.column

    @property
    def head(self) -> int | None:
        """The cell's head, None for tensors without heads."""
        return self.cell.head

    @property
    def meaning(self) -> tuple[Index, Index]:
        """What the row and the column mean."""
        return self.row_means, self.column_means

    @property
    def formula(self) -> str:
        """Symbols = numbers = value, in LaTeX; a lone number is not said twice."""
        value = _number(self.value, whole=TENSORS[self.tensor].whole)
        return f"{self.symbols} = {self.numbers}" + (f" = {value}" if value != self.numbers else "")

    @property
    def sources(self) -> tuple[Cell, ...]:
        """The different cells that the factors come from, in order."""
        return tuple(dict.fromkeys(f.cell for term in self.terms for f in term.factors if f.cell is not None))


def explain_cell(
    trace: SentenceTrace, tensor: str, row: int, column: int, head: int | None = None, *, query: int | None = None
) -> Derivation:
    """Take one number of a trace apart, down to the cells of the step before it.

    tensor: a name of the trace, of its attention or weights, or "exponentials", "exp_sums" or "contributions" (one
    query's, so they need query; it is ignored elsewhere). Tensors with heads need head, unless there is only one.
    Raises ValueError for an unknown tensor and for a row, column, head or query outside.

    >>> from attention import AttentionConfig, trace_sentence
    >>> trace = trace_sentence("the cat saw the dog", AttentionConfig(d_model=8, num_heads=2))
    >>> explain_cell(trace, "scores", 2, 1, head=0).symbols
    'S_{0}[2,1] = \\\\sum_{d=0}^{3} Q_{0}[2,d]\\\\, K_{0}[1,d]'
    >>> explain_cell(trace, "joined", 2, 5).sources
    (Cell(tensor='head_outputs', row=2, column=1, head=1),)
    """
    at = _At(trace, address(trace, tensor, row, column, head), query)
    known, left = TENSORS[tensor], at.name(tensor, row, column)
    work = _edited(at) or _WORK[tensor](at, row, column)
    return Derivation(
        cell=at.cell,
        row_means=_index(trace, known.rows, row),
        column_means=_index(trace, known.columns, column),
        operation=work.operation,
        terms=work.terms,
        value=work.value,
        symbols=f"{left} = {work.symbols}" if work.symbols else left,
        numbers=work.numbers,
    )


def _index(trace: SentenceTrace, kind: AxisKind, number: int) -> Index:
    along = texts(trace, kind)
    return Index(kind, number, along[number] if along else "")


class _At(NamedTuple):
    """The cell to explain and its trace, with ways to read factors. Without a head, they mean the explained cell's."""

    trace: SentenceTrace
    cell: Cell
    query: int | None = None

    def name(self, tensor: str, row: int | str, column: int | str, head: int | None = None) -> str:
        """A cell's LaTeX symbol: the matrix, its head below where there are several, and in brackets row and column."""
        known, head = TENSORS[tensor], self._head(tensor, head)
        several = head is not None and self.trace.config.num_heads > 1
        letter = f"{known.symbol}_{{{head}}}" if several else known.symbol
        if known.rows == "bias":
            return f"{letter}[{column}]"
        return f"{letter}[{row}]" if known.columns in ("id", "sum") else f"{letter}[{row},{column}]"

    def one(self, tensor: str, row: int, column: int, head: int | None = None) -> Factor:
        """One number."""
        head = self._head(tensor, head)
        value = float(self._row(tensor, row, head)[column].item())
        return Factor(self.name(tensor, row, column, head), value, Cell(tensor, row, column, head))

    def across(self, tensor: str, row: int) -> list[Factor]:
        """The numbers of one row, from left to right."""
        head = self._head(tensor)
        values: list[float] = self._row(tensor, row, head).tolist()
        return [Factor(self.name(tensor, row, i), value, Cell(tensor, row, i, head)) for i, value in enumerate(values)]

    def down(self, tensor: str, column: int) -> list[Factor]:
        """The numbers of one column, from top to bottom."""
        head = self._head(tensor)
        values: list[float] = self._matrix(tensor, head)[:, column].tolist()
        places = ((Cell(tensor, i, column, head), value) for i, value in enumerate(values))
        return [Factor(self.name(tensor, cell.row, column), value, cell) for cell, value in places]

    def _head(self, tensor: str, head: int | None = None) -> int | None:
        if not TENSORS[tensor].per_head:
            return None
        return self.cell.head if head is None else head

    def _row(self, tensor: str, row: int, head: int | None) -> Tensor:
        """One row; of the exponentials, which no trace keeps, only this one is computed."""
        if tensor == "exponentials":
            return exponentials(self._matrix("masked_scores", head)[row])  # (S,)
        return self._matrix(tensor, head)[row]  # (columns,)

    def _matrix(self, tensor: str, head: int | None) -> Tensor:
        return matrix(self.trace, tensor, head, self.query)  # (rows, columns)


class _Work(NamedTuple):
    """What a tensor's function finds out; symbols is the right side of the definition, "" where there is none."""

    operation: Operation
    terms: tuple[Term, ...]
    value: float
    symbols: str
    numbers: str


def _term(*factors: Factor) -> Term:
    return Term(factors, math.prod(factor.value for factor in factors))


def _total(terms: Sequence[Term]) -> float:
    return math.fsum(term.product for term in terms)


def _sum(terms: Sequence[Term], symbols: str, plus: int = 0) -> _Work:
    """plus: how many terms at the end stand outside the sum sign, as a bias does."""
    return _Work("sum", tuple(terms), _total(terms), symbols, _added(terms, plus))


def _over(index: str, count: int, *factors: str) -> str:
    return rf"\sum_{{{index}=0}}^{{{count - 1}}} " + r"\, ".join(factors)


# Numbers in LaTeX.


def _number(value: float, whole: bool = False) -> str:
    r"""Two decimals, four where those say too little; then three digits times a power of ten; whole numbers without.

    What is not quite 1 has as many decimals as it takes to say so.

    >>> _number(-0.125), _number(0.0041), _number(0.00012), _number(7.0, whole=True), _number(0.9962)
    ('-0.12', '0.0041', '1.2 \\cdot 10^{-4}', '7', '0.996')
    """
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    if whole and value.is_integer():
        return str(int(value))
    if 0.995 <= abs(value) < 1 - 1e-6:  # beyond that it is what the order of additions can do
        return next(text for decimals in range(3, 8) if abs(float(text := f"{value:.{decimals}f}")) < 1)
    if value == 0 or 0.005 <= abs(value) < 1e6:
        return f"{value + 0.0:.2f}"  # + 0.0: a reader's zero has no sign
    if 0.001 <= abs(value) < 0.005:
        return f"{value:.4f}"
    digits, exponent = f"{value:.2e}".split("e")
    return rf"{digits.rstrip('0').rstrip('.')} \cdot 10^{{{int(exponent)}}}"


def _operand(number: str) -> str:
    """A number that follows an operator: in parentheses where it is negative."""
    return f"({number})" if number.startswith("-") else number


def _multiplied(term: Term, leads: bool = True) -> str:
    """The factors and dots between them; leads says that no operator stands before."""
    numbers = [_number(f.value, whole=f.cell is None or TENSORS[f.cell.tensor].whole) for f in term.factors]
    return r" \cdot ".join(number if leads and not i else _operand(number) for i, number in enumerate(numbers))


def _added(terms: Sequence[Term], plus: int = 0) -> str:
    """Up to four products in full; of more, the two that count most, in their order, and the last ones (plus)."""
    if len(terms) <= 4:
        return " + ".join(_multiplied(term, leads=not i) for i, term in enumerate(terms))
    summed, outside = terms[: len(terms) - plus], terms[len(terms) - plus :]
    first, second = sorted(nlargest(2, range(len(summed)), key=lambda i: abs(summed[i].product)))
    ends = [_multiplied(term, leads=False) for term in (summed[second], *outside)]
    return " + ".join([_multiplied(summed[first]), ends[0], r"\cdots", *ends[1:]])


# One function per tensor, in the order of the story: what is multiplied, what is added.


def _edited(at: _At) -> _Work | None:
    """A number set by hand explains itself, and the last hand counts. None where the cell was left alone."""
    cell = at.cell
    for edit in reversed(at.trace.edits):
        here = edit.tensor == SILENCED or (edit.row, edit.column) == (cell.row, cell.column)
        if here and (edit.tensor, edit.head or 0) == (cell.tensor, cell.head or 0):
            return _Work("edited", (), edit.value, "", _number(edit.value))
    return None


def _id(at: _At, row: int, column: int) -> _Work:
    value = int(at.trace.ids[row])
    return _Work("given", (), float(value), "", str(value))


def _parameter(at: _At, row: int, column: int) -> _Work:
    value = at.one(at.cell.tensor, row, column).value
    return _Work("given", (), value, "", _number(value))


def _one_hot(at: _At, row: int, word: int) -> _Work:
    number, symbol = int(at.trace.ids[row]), f"[{at.name('ids', row, 0)} = {word}]"
    term = _term(Factor(symbol, float(number == word), Cell("ids", row, 0)))
    return _Work("indicator", (term,), term.product, symbol, f"[{number} = {word}]")


def _embedding(at: _At, row: int, column: int) -> _Work:
    hot, table = at.across("one_hot", row), at.down("embedding_table", column)
    symbols = _over("w", len(hot), at.name("one_hot", row, "w"), at.name("embedding_table", "w", column))
    return _sum(list(map(_term, hot, table)), symbols)


def _position(at: _At, row: int, column: int) -> _Work:
    if not at.trace.config.positions:
        return _Work("off", (), 0.0, "", _number(0.0))
    if at.trace.positions_learned:
        return _parameter(at, row, column)
    even, d_model = column - column % 2, at.trace.config.d_model
    frequency = Factor(rf"1/10000^{{{even}/{d_model}}}", 1 / 10000 ** (even / d_model))
    angle = _term(Factor(str(row), float(row)), frequency)
    symbols, numbers = rf"({row} \cdot {frequency.symbol})", f"({_multiplied(angle)})"
    if column == even:
        return _Work("sine", (angle,), math.sin(angle.product), rf"\sin{symbols}", rf"\sin{numbers}")
    return _Work("cosine", (angle,), math.cos(angle.product), rf"\cos{symbols}", rf"\cos{numbers}")


def _x(at: _At, row: int, column: int) -> _Work:
    if at.trace.x_given:
        return _parameter(at, row, column)
    embedding, position = at.one("embeddings", row, column), at.one("positions", row, column)
    return _sum([_term(embedding), _term(position)], f"{embedding.symbol} + {position.symbol}")


def _projected(at: _At, source: str, row: int, role: str, out: int) -> _Work:
    """A row of source times a column of a weight matrix, plus the bias there."""
    inputs, matrix, bias = at.across(source, row), at.down(f"w_{role}", out), at.one(f"b_{role}", 0, out)
    symbols = _over("m", len(inputs), at.name(source, row, "m"), at.name(f"w_{role}", "m", out))
    return _sum([*map(_term, inputs, matrix), _term(bias)], f"{symbols} + {bias.symbol}", plus=1)


def _qkv(at: _At, row: int, column: int) -> _Work:
    # A head's columns of the matrix start at head · d_k.
    return _projected(at, "x", row, at.cell.tensor, (at.cell.head or 0) * at.trace.config.head_dim + column)


def _score(at: _At, query: int, key: int) -> _Work:
    q, k = at.across("q", query), at.across("k", key)
    return _sum(list(map(_term, q, k)), _over("d", len(q), at.name("q", query, "d"), at.name("k", key, "d")))


def _scaled_score(at: _At, query: int, key: int) -> _Work:
    score, d_k = at.one("scores", query, key), at.trace.config.head_dim
    scale = Factor(rf"1/\sqrt{{{d_k}}}", 1 / math.sqrt(d_k)) if at.trace.config.scaled else Factor("1", 1.0)
    return _sum([_term(score, scale)], rf"{score.symbol} \cdot {scale.symbol}")


def _masked_score(at: _At, query: int, key: int) -> _Work:
    score, closed = at.one("scaled_scores", query, key), at.one("masked_scores", query, key).value == -math.inf
    mask = Factor(rf"\mathrm{{mask}}_{{{query},{key}}}", -math.inf if closed else 0.0)
    return _sum([_term(score), _term(mask)], f"{score.symbol} + {mask.symbol}")


def _exponential(at: _At, query: int, key: int) -> _Work:
    row = at.across("masked_scores", query)
    largest, taken = max(row, key=lambda score: score.value), rf"\max_{{j}} {at.name('masked_scores', query, 'j')}"
    minus, number = Factor(r"-\max", -largest.value, largest.cell), _operand(_number(largest.value))
    if largest.value == -math.inf:  # with every key closed there is no largest score, and 0 stands in for it
        minus, taken, number = Factor("0", 0.0), "0", "0"
    terms = (_term(row[key]), _term(minus))
    symbols, numbers = rf"\exp({row[key].symbol} - {taken})", f"e^{{{_number(row[key].value)} - {number}}}"
    return _Work("exp", terms, math.exp(_total(terms)), symbols, numbers)


def _exp_sum(at: _At, query: int, column: int) -> _Work:
    row = at.across("exponentials", query)
    return _sum(list(map(_term, row)), _over("j", len(row), at.name("exponentials", query, "j")))


def _share(at: _At, query: int, key: int) -> _Work:
    whole = _exp_sum(at, query, 0)
    own = whole.terms[key].factors[0]
    # With every key closed there is nothing to divide: 0 is divided by 1.
    below, total, numbers = (whole.symbols, whole.value, whole.numbers) if whole.value else ("1", 1.0, "1")
    fraction = rf"\frac{{{own.symbol}}}{{{below}}}", rf"\frac{{{_number(own.value)}}}{{{numbers}}}"
    return _Work("share", whole.terms, own.value / total, *fraction)


def _contribution(at: _At, key: int, column: int) -> _Work:
    if at.query is None:
        raise ValueError(f"contributions are one query's: say which one, 0 to {len(at.trace.tokens) - 1}")
    check_place("contributions", "query", at.query, len(at.trace.tokens))
    share, value = at.one("attn_weights", at.query, key), at.one("v", key, column)
    return _sum([_term(share, value)], rf"{share.symbol}\, {value.symbol}")


def _head_output(at: _At, query: int, column: int) -> _Work:
    shares, values = at.across("attn_weights", query), at.down("v", column)
    symbols = _over("j", len(shares), at.name("attn_weights", query, "j"), at.name("v", "j", column))
    return _sum(list(map(_term, shares, values)), symbols)


def _joined(at: _At, row: int, column: int) -> _Work:
    head, own_column = divmod(column, at.trace.config.head_dim)
    part = at.one("head_outputs", row, own_column, head)
    return _Work("copy", (_term(part),), part.value, part.symbol, _number(part.value))


def _output(at: _At, row: int, column: int) -> _Work:
    return _projected(at, "joined", row, "o", column)


# What each tensor is worked out by.
_WORK: Mapping[str, Callable[[_At, int, int], _Work]] = {
    "ids": _id,
    "embedding_table": _parameter,
    "one_hot": _one_hot,
    "embeddings": _embedding,
    "positions": _position,
    "x": _x,
    "w_q": _parameter,
    "w_k": _parameter,
    "w_v": _parameter,
    "w_o": _parameter,
    "b_q": _parameter,
    "b_k": _parameter,
    "b_v": _parameter,
    "b_o": _parameter,
    "q": _qkv,
    "k": _qkv,
    "v": _qkv,
    "scores": _score,
    "scaled_scores": _scaled_score,
    "masked_scores": _masked_score,
    "exponentials": _exponential,
    "exp_sums": _exp_sum,
    "attn_weights": _share,
    "contributions": _contribution,
    "head_outputs": _head_output,
    "joined": _joined,
    "output": _output,
}
