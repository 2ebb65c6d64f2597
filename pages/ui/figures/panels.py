"""What a figure is made of: panels with their axes and scales, on a board.

A figure is a board: a grid of panels that share rows and columns, so that a matrix product reads as one picture
(left operand on the left, right operand above, product in the corner).
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from pages.ui.figures.views import View

LABEL_LENGTH = 12


@dataclass(frozen=True)
class Axis:
    """What the rows or columns of a panel are: tokens with their labels, or dimensions with their numbers."""

    name: str
    labels: tuple[str, ...] = ()
    first: int = 0

    @property
    def is_tokens(self) -> bool:
        return bool(self.labels)

    def places(self, size: int) -> Sequence[object]:
        """What Plotly, which reads labels as HTML, calls each row or column: by the token, or by the dimension."""
        return tuple(html.escape(each, quote=False) for each in self.labels) or tuple(
            range(self.first, self.first + size)
        )


@dataclass(frozen=True, eq=False)
class Scale:
    """What the colours of the panels that share it mean.

    weight: 0 to 1. plain: no colour, the number alone counts. Else from -limit to +limit around 0.
    """

    limit: float = 1.0
    weight: bool = False
    plain: bool = False
    name: str = ""

    @staticmethod
    def signed(*tensors: Tensor, name: str = "") -> "Scale":
        """One scale, symmetric around 0, on which every finite number of the tensors has its place."""
        limit = max((float(t.abs().nan_to_num(0, 0, 0).max()) for t in tensors if t.numel()), default=0.0)
        return Scale(limit if limit > 0 else 1.0, name=name)

    @property
    def bounds(self) -> tuple[float, float]:
        return (0.0 if self.weight else -self.limit, self.limit)


@dataclass(frozen=True, eq=False)
class Band:
    """A coloured mark above columns start to stop - 1, such as the columns of one head."""

    start: int
    stop: int
    hue: int  # which of the heads' colours


@dataclass(frozen=True, eq=False)
class Outline:
    """A frame around some cells of a panel: rows and columns are half-open ranges; None is all of them."""

    role: str
    rows: tuple[int, int] | None = None
    columns: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Closed:
    """The cells that a mask closed, and what their hover text says of it."""

    cells: Tensor  # (rows, columns), True where closed
    text: str


@dataclass(frozen=True, eq=False)
class Panel:
    """One matrix as a heatmap."""

    values: Tensor  # (rows, columns)
    name: str
    rows: Axis
    columns: Axis
    scale: Scale
    role: str = ""
    closed: Closed | None = None
    show_rows: bool = True
    show_columns: bool = True
    show_shape: bool = True
    outlines: tuple[Outline, ...] = ()
    bands: tuple[Band, ...] = ()
    whole: bool = False  # whole numbers, such as ids
    view: View | None = None
    changed: Tensor | None = None  # (rows, columns), True where the number is not what it was
    leads_to: str = ""  # the page that a click on its title asks for
    spread: bool = False  # whether it is shown below how often each size of its numbers occurs

    def without(self, *parts: str) -> "Panel":
        """The same panel without its "rows" or "columns" labels or the "shape" in its title."""
        return replace(
            self,
            show_rows=self.show_rows and "rows" not in parts,
            show_columns=self.show_columns and "columns" not in parts,
            show_shape=self.show_shape and "shape" not in parts,
        )

    @property
    def shape(self) -> str:
        return " × ".join(map(str, self.values.shape))


@dataclass(frozen=True, eq=False)
class Lines:
    """A sentence with a line from each token to those it attends to.

    says: what the layer's output says of each token; () where it says nothing. guessed: of a token that is in no word
    list, what it is taken for.
    """

    tokens: tuple[str, ...]
    weights: Tensor  # (heads, L, L)
    query: int
    head: int
    says: tuple[str, ...] = ()
    guessed: Mapping[str, str] = field(default_factory=dict)


Place = tuple[int, int]  # row, column of a board's grid


@dataclass(frozen=True, eq=False)
class Board:
    """How panels are laid out: a grid (None leaves a place empty), column widths as shares, row heights in pixels.

    beside: another board to the right of it; Plotly draws it as a figure of its own. share: how much of the width both
    share is this board's.
    """

    grid: Sequence[Sequence[Panel | None]]
    widths: Sequence[float]
    heights: Sequence[int]
    gap: float = 0.05  # between columns, as a share of the width
    signs: tuple[tuple[Place, str], ...] = ()  # a sign such as "=" left of a place
    arrows: tuple[tuple[Place, Place], ...] = ()
    small: bool = False  # an overview: two-line titles, no numbers, no colour bars
    width: int = 900  # about how many pixels it gets on a desktop, to choose decimals that fit
    lines: Lines | None = None  # above everything
    beside: "Board | None" = None
    share: float = 0.5

    @property
    def boards(self) -> tuple["Board", ...]:
        """This board and those beside it, from left to right."""
        return (self, *(self.beside.boards if self.beside else ()))

    @property
    def panels(self) -> tuple[Panel, ...]:
        return tuple(panel for board in self.boards for line in board.grid for panel in line if panel)

    def each(self, change: Callable[[Panel], Panel]) -> "Board":
        """The same with every panel changed."""
        grid = [[panel and change(panel) for panel in line] for line in self.grid]
        return replace(self, grid=grid, beside=self.beside and self.beside.each(change))

    @property
    def stacked(self) -> bool:
        """Whether a title takes two lines, because side by side the panels are narrow."""
        return self.small or len(self.widths) > 2

    @property
    def words(self) -> str:
        """What the figure shows, for those who do not see it."""
        return "; ".join(
            f"{re.sub('<[^>]+>', '', panel.name.replace('<sub>', '_'))} {panel.shape}" for panel in self.panels
        )


def token_labels(tokens: Sequence[str]) -> tuple[str, ...]:
    """`3 street`: the position makes two equal tokens two; long tokens are cut."""
    cut = (token if len(token) <= LABEL_LENGTH else token[: LABEL_LENGTH - 1] + "…" for token in tokens)
    return tuple(f"{i} {token}" for i, token in enumerate(cut))


def heatmap_height(rows: int, *, least: int = 48, most: int = 600) -> int:
    """Pixels for so many rows of cells: roomy when few, never beyond most."""
    return max(least, min(most, rows * 27))
