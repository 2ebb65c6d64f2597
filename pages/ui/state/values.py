"""Kinds of values that a setting can have: how each is read from an address, written into one, and bounded.

Whatever comes from outside, from an address or from a widget, passes through here before it is believed.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from attention import AttentionConfig, Cell, Edit
from attention.tensors import EDITABLE, SILENCED, fits

MOST_EDITED = 1000.0
SWAPPED = "tokens"  # an edit of the sentence itself: the words at its row and column change places


@dataclass(frozen=True)
class Scope:
    """What bounds a setting: how big the layer and the sentence in force are.

    num_heads and num_layers are what there may be at most, where a real model is not at hand.
    """

    d_model: int
    num_heads: int
    num_layers: int
    config: AttentionConfig
    seq_len: int
    vocab_size: int
    can_swap: bool  # whether the sentence's tokens are words that can change places
    can_embed: bool  # whether an embedding can be set by hand

    def has(self, cell: Cell) -> bool:
        """Whether the trace has such a cell."""
        return fits(cell, self.config, self.seq_len, self.vocab_size)


class Value(ABC):
    """One kind of value."""

    @abstractmethod
    def parse(self, text: str) -> Any:
        """The value that an address writes so. ValueError where it is none."""

    @abstractmethod
    def take(self, said: object) -> Any:
        """The value that a widget says. ValueError where it is none: a browser can send anything."""

    def write(self, value: Any) -> str:
        """The value as an address writes it."""
        return str(value)

    def allows(self, value: Any, scope: Scope) -> bool:
        """Whether there is such a value where the sizes are these."""
        return True

    def fit(self, value: Any, scope: Scope) -> Any:
        """The nearest value that there is."""
        return value


@dataclass(frozen=True)
class Choice(Value):
    """One of a few words."""

    options: Sequence[str]

    def parse(self, text: str) -> str:
        return self.take(text)

    def take(self, said: object) -> str:
        if not isinstance(said, str) or said not in self.options:
            raise ValueError(f"{said!r} is none of {', '.join(self.options)}")
        return said

    def allows(self, value: object, scope: Scope) -> bool:
        return value in self.options


class Flag(Value):
    """On or off."""

    def parse(self, text: str) -> bool:
        return bool(("0", "1").index(text))

    def take(self, said: object) -> bool:
        if not isinstance(said, bool):
            raise ValueError(f"{said!r} is neither on nor off")
        return said

    def write(self, value: bool) -> str:
        return str(int(value))


@dataclass(frozen=True)
class Number(Value):
    """A whole number, one of those that there are."""

    there_are: Callable[[Scope], Sequence[int]]

    def parse(self, text: str) -> int:
        return whole(text)

    def take(self, said: object) -> int:
        if type(said) is not int:
            raise ValueError(f"{said!r} is no whole number")
        return said

    def allows(self, value: int, scope: Scope) -> bool:
        return value in self.there_are(scope)

    def fit(self, value: int, scope: Scope) -> int:
        """The nearest number; the smaller of two that are equally near."""
        numbers = self.there_are(scope)
        return value if value in numbers else min(numbers, key=lambda number: (abs(number - value), number))


@dataclass(frozen=True)
class Text(Value):
    """Any text up to so many characters."""

    most: int
    least: int = 0
    cut: bool = False  # whether a longer one is cut, rather than refused

    def parse(self, text: str) -> str:
        return self.take(text)

    def take(self, said: object) -> str:
        if not isinstance(said, str) or len(said) < self.least or (len(said) > self.most and not self.cut):
            raise ValueError(f"a text of {self.least} to {self.most} characters is wanted")
        return said[: self.most]


class Positions(Value):
    """Some of the sentence's tokens, by their positions."""

    def parse(self, text: str) -> tuple[int, ...]:
        return tuple(sorted({whole(part) for part in text.split("-")})) if text else ()

    def take(self, said: object) -> tuple[int, ...]:
        if not isinstance(said, list | tuple) or any(type(key) is not int for key in said):
            raise ValueError(f"{said!r} are no positions")
        return tuple(sorted(set(said)))

    def write(self, value: tuple[int, ...]) -> str:
        return "-".join(map(str, value))

    def allows(self, value: tuple[int, ...], scope: Scope) -> bool:
        return all(0 <= key < scope.seq_len for key in value)

    def fit(self, value: tuple[int, ...], scope: Scope) -> tuple[int, ...]:
        return tuple(key for key in value if key < scope.seq_len)


@dataclass(frozen=True)
class Cells(Positions):
    """Some cells between two tokens, each as row × most + column."""

    most: int

    def allows(self, value: tuple[int, ...], scope: Scope) -> bool:
        return all(max(divmod(cell, self.most)) < scope.seq_len and cell >= 0 for cell in value)

    def fit(self, value: tuple[int, ...], scope: Scope) -> tuple[int, ...]:
        return tuple(cell for cell in value if max(divmod(cell, self.most)) < scope.seq_len)


class Optional(Value):
    """A value that may be missing: an address then has nothing there."""

    def fit(self, value: Any, scope: Scope) -> Any:
        return value if value is None or self.allows(value, scope) else None


class Place(Optional):
    """One cell of one tensor, or none."""

    def parse(self, text: str) -> Cell | None:
        return cell_at(text) if text else None

    def take(self, said: object) -> Cell | None:
        if said is not None and not isinstance(said, Cell):
            raise ValueError(f"{said!r} is no cell")
        return said

    def write(self, value: Cell | None) -> str:
        return address_of(value) if value else ""

    def allows(self, value: Cell | None, scope: Scope) -> bool:
        return value is None or scope.has(value)


class Change(Optional):
    """A change by hand, or none: a number set, a head silenced, or two words swapped."""

    def parse(self, text: str) -> Edit | None:
        if not text:
            return None
        place, _, number = text.partition(":")
        cell, value = cell_at(place), float(number) if number.isascii() else math.nan
        if not math.isfinite(value):
            raise ValueError(f"{number!r} is no finite number")
        return Edit(cell.tensor, cell.row, cell.column, cell.head, as_written(value))

    def take(self, said: object) -> Edit | None:
        if said is not None and not isinstance(said, Edit):
            raise ValueError(f"{said!r} is no change by hand")
        return said

    def write(self, value: Edit | None) -> str:
        if value is None:
            return ""
        return f"{address_of(Cell(value.tensor, value.row, value.column, value.head))}:{value.value:g}"

    def allows(self, value: Edit | None, scope: Scope) -> bool:
        if value is None:
            return True
        if value.tensor == SWAPPED:
            length = scope.seq_len if scope.can_swap else 0
            return value.row < value.column < length and value.head is None and value.value == 0
        if value.tensor == SILENCED and (value.row, value.column, value.value) != (0, 0, 0.0):
            return False
        low, high = limits(value.tensor)
        return (
            value.tensor in (*EDITABLE, SILENCED)
            and (value.tensor != "embeddings" or scope.can_embed)
            and low <= value.value <= high
            and scope.has(Cell(value.tensor, value.row, value.column, value.head))
        )


def limits(tensor: str) -> tuple[float, float]:
    """From where to where a number of a tensor can be set by hand: a weight stays a share."""
    return (0.0, 1.0) if tensor == "attn_weights" else (-MOST_EDITED, MOST_EDITED)


def address_of(cell: Cell) -> str:
    """A cell as an address writes it.

    >>> address_of(Cell("scores", 8, 5, 0)), address_of(Cell("x", 8, 3))
    ('scores.8.5.0', 'x.8.3')
    """
    return ".".join([cell.tensor, *(str(part) for part in (cell.row, cell.column, cell.head) if part is not None)])


def cell_at(address: str) -> Cell:
    """The cell of an address. ValueError where it is not one.

    >>> cell_at("scores.8.5.0")
    Cell(tensor='scores', row=8, column=5, head=0)
    """
    tensor, *parts = address.split(".")
    if len(parts) not in (2, 3):
        raise ValueError(f"{address[:50]!r} is no cell: tensor.row.column, and the head where there are heads")
    return Cell(tensor, *map(whole, parts))


def as_written(value: float) -> float:
    """A number set by hand as an address keeps it: to six digits."""
    return float(f"{value:g}")


def whole(text: str) -> int:
    """A whole number in plain digits. ValueError for anything else (signs, spaces, other scripts' digits)."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise ValueError(f"{text[:50]!r} is no whole number of at most six digits")
    return int(text)
