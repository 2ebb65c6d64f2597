"""Attention on small whole numbers, exactly: fractions, roots and powers of e, with sympy, which comes with torch."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sympy
import torch

from attention import scaled_dot_product_attention

FIRST = "1 0 0 / 0 1 0 / 0 0 1 ; 1 0 / 0 1 / 1 1"  # X ; W
MOST_ROWS, LARGEST = 4, 9


class NotSmallError(ValueError):
    """The numbers given cannot be worked out by hand."""


@dataclass(frozen=True, eq=False)
class Sum:
    """X and W as given, and every step of attention with W_Q = W_K = W_V = W, exactly."""

    x: sympy.Matrix
    w: sympy.Matrix
    q: sympy.Matrix
    scores: sympy.Matrix
    scaled: sympy.Matrix
    weights: sympy.Matrix
    output: sympy.Matrix


def read(text: str) -> tuple[list[list[int]], list[list[int]]]:
    """X and W from a text such as "1 0 / 0 1 ; 1 2 / 3 4", rows between slashes. NotSmallError for any other."""
    parts = text.split(";")
    if len(parts) != 2 or not re.fullmatch(r"[-−\d\s/;,]*", text):
        raise NotSmallError
    x, w = ([row.replace("−", "-").replace(",", " ").split() for row in part.split("/")] for part in parts)
    try:
        matrices = [[[int(number) for number in row] for row in matrix] for matrix in (x, w)]
    except ValueError as error:
        raise NotSmallError from error
    x_rows, w_rows = matrices
    for rows in matrices:
        if not 1 <= len(rows) <= MOST_ROWS or not 1 <= len(rows[0]) <= MOST_ROWS or len({len(row) for row in rows}) > 1:
            raise NotSmallError
        if max(abs(number) for row in rows for number in row) > LARGEST:
            raise NotSmallError
    if len(x_rows[0]) != len(w_rows):
        raise NotSmallError
    return x_rows, w_rows


@lru_cache(maxsize=32)
def work_out(text: str) -> Sum:
    """Every step, exactly. NotSmallError as for read."""
    x, w = (sympy.Matrix(rows) for rows in read(text))
    q = x * w  # (L, d_k): queries, keys and values are the same
    scores = q * q.T  # (L, L)
    scaled = scores / sympy.sqrt(q.cols)  # (L, L)
    weights = sympy.Matrix(scaled.rows, scaled.cols, lambda i, j: _share(scaled.row(i), j))
    return Sum(x, w, q, scores, scaled, weights, weights * q)


def _share(row: sympy.Matrix, column: int) -> sympy.Expr:
    """One entry of softmax: 1 over the sum of e to the gaps."""
    return 1 / sum(sympy.exp(score - row[column]) for score in row)


def as_tensor(matrix: sympy.Matrix) -> torch.Tensor:
    """The same in decimals, in double precision."""
    rows = [[float(matrix[i, j]) for j in range(matrix.cols)] for i in range(matrix.rows)]
    return torch.tensor(rows, dtype=torch.float64)


def as_latex(matrix: sympy.Matrix) -> str:
    """The exact numbers as a formula."""
    lines = (" & ".join(sympy.latex(matrix[i, j]) for j in range(matrix.cols)) for i in range(matrix.rows))
    return r"\begin{bmatrix} " + r" \\[5pt] ".join(lines) + r" \end{bmatrix}"


def in_decimals(matrix: sympy.Matrix) -> str:
    """The same rounded to three decimals, where they are not whole."""

    def written(value: sympy.Expr) -> str:
        return str(value) if value.is_Integer else f"{float(value):.3f}"

    lines = (" & ".join(written(matrix[i, j]) for j in range(matrix.cols)) for i in range(matrix.rows))
    return r"\begin{bmatrix} " + r" \\ ".join(lines) + r" \end{bmatrix}"


def largest_difference(found: Sum) -> float:
    """How far the core's own output is from the exact one."""
    q = as_tensor(found.q)
    return float((scaled_dot_product_attention(q, q, q).output - as_tensor(found.output)).abs().max())


def column_wise(found: Sum) -> torch.Tensor:
    """The mistake of taking softmax down the columns: (L, L)."""
    return as_tensor(found.scaled).softmax(dim=0)


def unscaled(found: Sum) -> torch.Tensor:
    """The mistake of leaving out the division: the weights (L, L)."""
    return as_tensor(found.scores).softmax(dim=-1)


def by_model(found: Sum) -> torch.Tensor:
    """The mistake of dividing by the root of the width of X: the weights (L, L)."""
    return (as_tensor(found.scores) / math.sqrt(found.x.cols)).softmax(dim=-1)


def row_sums(values: torch.Tensor) -> Sequence[float]:
    """What each row adds up to."""
    return [float(each) for each in values.sum(dim=1)]
