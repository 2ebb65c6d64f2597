"""The terms of a derivation as signed bars, in HTML: every factor is a button that asks for its own cell."""

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from attention import Cell, Derivation, Factor, Term
from attention.tensors import TENSORS
from pages.ui.state.values import address_of
from pages.ui.words.numbers import number

MOST = 8  # terms shown at once
SMALL = 0.001  # a share of the largest term: what is smaller goes to the rest of a long sum
ValueOf = Callable[[Cell], float]


def code_of(cell: Cell) -> str:
    """How a reader of the code would write the cell: scores[8, 5]."""
    return f"{cell.tensor}[{cell.row}, {cell.column}]"


def shown_terms(derivation: Derivation, everything: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The numbers of the terms to show, and of the rest: what counts of a long sum, in its own order."""
    terms = derivation.terms
    if everything or len(terms) <= MOST:
        return tuple(range(len(terms))), ()
    own = (derivation.column,) if derivation.operation == "share" else ()
    others = sorted((i for i in range(len(terms)) if i not in own), key=lambda i: -abs(terms[i].product))
    least = SMALL * max(abs(term.product) for term in terms)
    count = [i for i in others[: MOST - 1 - len(own)] if abs(terms[i].product) >= least]
    kept = sorted((*own, *count))
    return tuple(kept), tuple(i for i in range(len(terms)) if i not in kept)


def bars(derivation: Derivation, everything: bool, rest_label: Callable[[int], str], value_of: ValueOf) -> Markup:
    """One line a term: its factors, its product, and a bar from the middle to the left or to the right.

    rest_label: what to call so many terms that are not shown. value_of: what stands in the trace at a cell. It is
    written beside the cell's name.
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
        words = Markup("<span class='rest'>{}</span>").format(rest_label(len(rest)))
        lines.append(_line(words, others, _bar(others, largest, is_share, False)))
    name = "terms shares" if is_share else "terms"
    return Markup("<div class='{}'>{}</div>").format(name, Markup("").join(lines))


def trail(cells: Sequence[Cell], current: Cell) -> Markup:
    """The way back: every cell asked before, as a button; the present one last."""
    steps = [_ask(cell, code_of(cell), back=i) for i, cell in enumerate(cells)]
    before = Markup("").join(Markup("{}<span class='arrow'>←</span>").format(step) for step in steps)
    return Markup("{}<b tabindex='-1'>{}</b>").format(before, code_of(current))


def full(value: float) -> str:
    """All digits of a number, as a program reads it, for those who point at it."""
    return number(value) if math.isinf(value) else repr(value)


def side_by_side(
    names: Sequence[str], first: Sequence[float], second: Sequence[float], titles: tuple[str, str]
) -> Markup:
    """Two shares of each name as bars, one above the other."""
    lines = Markup("").join(
        Markup(
            "<div class='pair'><span>{}</span><span class='track'><i class='share' style='width:{:.1%}'></i>"
            "<i class='share own' style='width:{:.1%}'></i></span><span>{} · {}</span></div>"
        ).format(name, a, b, number(a), number(b))
        for name, a, b in zip(names, first, second, strict=True)
    )
    legend = Markup(
        "<div class='pair'><span></span><span><b class='share'></b> {} <b class='share own'></b> {}</span></div>"
    )
    return Markup("<div class='pairs'>{}{}</div>").format(lines, legend.format(*titles))


def asking(cell: Cell) -> Markup:
    """A button that asks about a cell."""
    return _ask(cell, code_of(cell))


def _line(factors: Markup, product: float, bar: Markup) -> Markup:
    return Markup(
        "<div class='term'><span class='factors'>{}</span>"
        "<span class='product' title='{}'>{}</span><span class='track'>{}</span></div>"
    ).format(factors, full(product), number(product), bar)


def _bar(product: float, largest: float, is_share: bool, is_own: bool) -> Markup:
    """From the middle to the left or right for a signed term, from the left edge for a share."""
    part = min(1.0, abs(product) / largest) if math.isfinite(product) else 1.0
    if is_share:
        return Markup("<i class='{}' style='left:0;width:{}'></i>").format(
            "share own" if is_own else "share", f"{part:.2%}"
        )
    kind, side = ("plus", "left") if product >= 0 else ("minus", "right")
    return Markup("<i class='{}' style='{}:50%;width:{}'></i>").format(kind, side, f"{part / 2:.2%}")


def _factors(term: Term, value_of: ValueOf) -> Markup:
    return Markup("<span class='times'>×</span>").join(_factor(factor, value_of) for factor in term.factors)


def _factor(factor: Factor, value_of: ValueOf) -> Markup:
    if factor.cell is None:
        return Markup("<span class='constant' title='{}'>{}</span>").format(full(factor.value), number(factor.value))
    sign = "−" if factor.symbol.startswith("-") else ""  # the row's largest score is taken off
    value = value_of(factor.cell)
    shown = f"{value:.0f}" if TENSORS[factor.cell.tensor].whole else number(value)
    return _ask(
        factor.cell, Markup("{}{} <em title='{}'>{}</em>").format(sign, code_of(factor.cell), full(value), shown)
    )


def _ask(cell: Cell, text: str, back: int | None = None) -> Markup:
    way_back = Markup("") if back is None else Markup(" data-back='{}'").format(back)
    return Markup("<button type='button' class='ask' data-cell='{}'{}>{}</button>").format(
        address_of(cell), way_back, text
    )
