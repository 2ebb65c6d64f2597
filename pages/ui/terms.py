"""The terms of a derivation as signed bars, in HTML: every factor is a button that asks for its own cell."""

import html
import math
from collections.abc import Callable, Sequence

from attention import Cell, Derivation, Factor, Term
from pages.ui.prose import number
from pages.ui.settings import address_of

MOST = 8  # terms shown at once


def code_of(cell: Cell) -> str:
    """How a reader of the code would write the cell: scores[8, 5]."""
    return f"{cell.tensor}[{cell.row}, {cell.column}]"


def shown_terms(derivation: Derivation, everything: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The numbers of the terms to show, and of the rest: the largest of a long sum, in their own order."""
    terms = derivation.terms
    if everything or len(terms) <= MOST:
        return tuple(range(len(terms))), ()
    own = (derivation.column,) if derivation.operation == "share" else ()
    others = sorted((i for i in range(len(terms)) if i not in own), key=lambda i: -abs(terms[i].product))
    kept = sorted((*own, *others[: MOST - 1 - len(own)]))
    return tuple(kept), tuple(i for i in range(len(terms)) if i not in kept)


ValueOf = Callable[[Cell], float]


def bars(derivation: Derivation, everything: bool, rest_label: str, value_of: ValueOf) -> str:
    """One line a term: its factors, its product, and a bar from the middle to the left or to the right.

    value_of: what stands in the trace at a cell. It is written beside the cell's name.
    """
    shown, rest = shown_terms(derivation, everything)
    others = math.fsum(derivation.terms[i].product for i in rest)
    finite = [abs(p) for p in (others, *(derivation.terms[i].product for i in shown)) if math.isfinite(p)]
    largest = max(finite, default=0.0) or 1.0
    is_share = derivation.operation == "share"
    lines = []
    for i in shown:
        product = derivation.terms[i].product
        bar = _bar(product, largest, is_share, is_share and i == derivation.column)
        lines.append(_line(_factors(derivation.terms[i], value_of), product, bar))
    if rest:
        words = f"<span class='rest'>{html.escape(rest_label)}</span>"
        lines.append(_line(words, others, _bar(others, largest, is_share, False)))
    return f"<div class='terms{' shares' if is_share else ''}'>{''.join(lines)}</div>"


def trail(cells: Sequence[Cell], current: Cell) -> str:
    """The way back: every cell asked before, as a button; the present one last."""
    steps = [_ask(cell, code_of(cell), back=i) for i, cell in enumerate(cells)]
    return "".join(f"{step}<span class='arrow'>←</span>" for step in steps) + f"<b tabindex='-1'>{code_of(current)}</b>"


def asking(cell: Cell) -> str:
    """A button that asks about a cell."""
    return _ask(cell, code_of(cell))


def _line(factors: str, product: float, bar: str) -> str:
    return (
        f"<div class='term'><span class='factors'>{factors}</span>"
        f"<span class='product'>{written(product)}</span><span class='track'>{bar}</span></div>"
    )


def _bar(product: float, largest: float, is_share: bool, is_own: bool) -> str:
    """From the middle to the left or right for a signed term, from the left edge for a share."""
    part = min(1.0, abs(product) / largest) if math.isfinite(product) else 1.0
    if is_share:
        return f"<i class='share{' own' if is_own else ''}' style='left:0;width:{part:.2%}'></i>"
    kind, side = ("plus", "left") if product >= 0 else ("minus", "right")
    return f"<i class='{kind}' style='{side}:50%;width:{part / 2:.2%}'></i>"


def _factors(term: Term, value_of: ValueOf) -> str:
    return "<span class='times'>×</span>".join(_factor(factor, value_of) for factor in term.factors)


def _factor(factor: Factor, value_of: ValueOf) -> str:
    if factor.cell is None:
        return f"<span class='constant'>{written(factor.value)}</span>"
    sign = "−" if factor.symbol.startswith("-") else ""  # the row's largest score is taken off
    value = value_of(factor.cell)
    number = f"{value:.0f}" if factor.cell.tensor == "ids" else written(value)
    return _ask(factor.cell, f"{sign}{code_of(factor.cell)} <em>{number}</em>")


def _ask(cell: Cell, text: str, back: int | None = None) -> str:
    address = address_of(cell)
    way_back = "" if back is None else f" data-back='{back}'"
    return f"<button type='button' class='ask' data-cell='{address}'{way_back}>{text}</button>"


def written(value: float) -> str:
    """A number for reading, infinity included."""
    return ("−∞" if value < 0 else "∞") if math.isinf(value) else number(value)
