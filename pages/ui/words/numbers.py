"""Numbers written for people."""

import math

_ALMOST = 1e-6  # what the order of additions can do to a number near 1
_SMALLEST = 1e-8  # below that a number is said to be almost 0
_SMALLEST_SHARE = 1e-7


def written(fact: object) -> str:
    """A fact as the reader sees it: floats as number writes them, a true minus sign."""
    if isinstance(fact, float):
        return number(fact)
    return str(fact).replace("-", "−") if isinstance(fact, int) else str(fact)


def number(value: float) -> str:
    """A number for reading: two decimals, and more where they would hide that it is not 0, or not quite 1.

    >>> number(-1.234), number(0.000031), number(0.0), number(3e-12)
    ('−1.23', '0.000031', '0.00', '≈ 0')
    >>> number(0.9962), number(0.99999), number(1.0), number(-math.inf)
    ('0.996', '0.99999', '1.00', '−∞')
    """
    if math.isinf(value):
        return "−∞" if value < 0 else "∞"
    size = abs(value)
    if 0 < size < _SMALLEST:
        return "≈ 0"
    value += 0.0  # no sign for a zero
    return f"{value:.{_decimals(size)}f}".replace("-", "−")


def operand(value: float) -> str:
    """A number for reading that follows an operator: in brackets where it is negative.

    >>> operand(0.55), operand(-0.55)
    ('0.55', '(−0.55)')
    """
    text = number(value)
    return f"({text})" if text.startswith("−") else text


def percent(share: float) -> str:
    """A share in hundredths, without the sign: never rounded up to all or down to nothing.

    >>> percent(0.9962), percent(0.99999), percent(1.0), percent(0.5), percent(0.0004), percent(0.0), percent(1e-9)
    ('99.6', '99.999', '100', '50.0', '0.04', '0', '≈ 0')
    """
    size = abs(share)
    if size == 0 or 1 - _ALMOST <= size <= 1 + _ALMOST or not math.isfinite(share):
        decimals = 0
    elif size < _SMALLEST_SHARE:
        return "≈ 0"
    else:
        decimals = next(decimals for decimals in range(1, 6) if round(100 * size, decimals) not in (0, 100))
    return f"{100 * share + 0.0:.{decimals}f}".replace("-", "−")


def _decimals(size: float) -> int:
    """How many decimals show two digits of a small number, and that one just below 1 is not 1."""
    if 0 < size < 0.005:
        return 1 - math.floor(math.log10(size))
    if 0.995 <= size < 1 - _ALMOST:
        return next(decimals for decimals in range(3, 8) if float(f"{size:.{decimals}f}") < 1)
    return 2


def signed(value: int) -> str:
    """A whole number with its sign.

    >>> signed(2), signed(-1), signed(0)
    ('+2', '−1', '0')
    """
    return f"{value:+d}".replace("-", "−") if value else "0"
