"""A step performed: moment by moment what is lit, what appears, what travels, and the sentence that says it.

It is data: made from the trace like a board, and played by the painter, which knows nothing of what it means. A play
tells one row in full, so that its numbers can be followed, and the rest of the picture quickly.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from attention.tensors import TENSORS
from pages.ui.figures.sight import Sight
from pages.ui.words import prose

Range = tuple[int, int]
MOST_PARTS = 4  # in which a long sum is told


@dataclass(frozen=True)
class Area:
    """Some cells of a tensor: half-open ranges of its rows and columns, None for all of them."""

    tensor: str
    head: int | None = None
    rows: Range | None = None
    columns: Range | None = None


@dataclass(frozen=True)
class Shown:
    """Numbers that stand in cells for a while, such as a sum that is not complete: row by row."""

    area: Area
    numbers: tuple[float, ...]

    @staticmethod
    def of(area: Area, numbers: Sequence[float]) -> "Shown":
        """With as many digits as anyone can see."""
        return Shown(area, tuple(float(f"{number:.6g}") for number in numbers))


@dataclass(frozen=True)
class Travel:
    """Cells that fly to others: the first to the first, and so on; what is left over to the last."""

    start: Area
    end: Area


@dataclass(frozen=True)
class Moment:
    """words: what happens. fills: what appears, one cell after the other, and stays. beats: how long it takes."""

    words: str
    lit: tuple[Area, ...] = ()
    fills: tuple[Area, ...] = ()
    shown: tuple[Shown, ...] = ()
    travels: tuple[Travel, ...] = ()
    beats: float = 1.0


@dataclass(frozen=True)
class Play:
    """covers: what is not there before its moment comes. told: how many moments tell the one row in full."""

    name: str
    covers: tuple[Area, ...]
    moments: tuple[Moment, ...]
    told: int

    def pack(self) -> dict[str, object]:
        """As the painter takes it."""
        return asdict(self)


@dataclass
class Script:
    """A play in the making. page: whose words it speaks."""

    here: Sight
    page: str
    name: str
    covers: tuple[Area, ...]
    moments: list[Moment] = field(default_factory=list)
    told: int = 0

    def tell(
        self,
        words: str,
        *,
        lit: Sequence[Area] = (),
        fills: Sequence[Area] = (),
        shown: Sequence[Shown] = (),
        travels: Sequence[Travel] = (),
        beats: float = 1.5,
    ) -> None:
        """One moment."""
        self.moments.append(Moment(words, tuple(lit), tuple(fills), tuple(shown), tuple(travels), beats))

    def rest(self, words: str, *fills: Area, beats: float = 2.5) -> None:
        """The row is told; what is left appears quickly. Of a single token that has been told nothing is left."""
        self.told = len(self.moments)
        if len(self.here.labels) > 1 or not any(moment.fills for moment in self.moments):
            self.tell(words, fills=fills, beats=beats)

    def words(self, section: str, **facts: object) -> str:
        """The section "play_…" of the page's words, with its facts. It is plain text, never markup."""
        return prose.fill(prose.sections(self.page, self.here.lang)[f"play_{section}"], facts)

    def span(self, section: str, first: int, stop: int, **facts: object) -> str:
        """The words of a section for one of several (first), or for some of them (first to last)."""
        if stop - first == 1:
            return self.words(f"{section}_one", first=first, **facts)
        return self.words(f"{section}_some", first=first, last=stop - 1, **facts)

    def end(self) -> Play:
        return Play(self.here.name(self.name), self.covers, tuple(self.moments), self.told or len(self.moments))

    def token(self, position: int) -> str:
        """A token as a play's words, which are never markup, name it."""
        return self.here.labels[position]


def area(here: Sight, tensor: str, rows: Range | int | None = None, columns: Range | int | None = None) -> Area:
    """Cells of the chosen head's tensor, where each head has its own; a number stands for that row or column alone."""
    head = here.head if TENSORS[tensor].per_head else None
    return Area(tensor, head, _range(rows), _range(columns))


def _range(places: Range | int | None) -> Range | None:
    return (places, places + 1) if isinstance(places, int) else places


def parts(count: int, most: int = MOST_PARTS) -> list[Range]:
    """So many terms in a few parts of about the same length.

    >>> parts(3), parts(10)
    ([(0, 1), (1, 2), (2, 3)], [(0, 3), (3, 6), (6, 9), (9, 10)])
    """
    each = -(-count // most)
    return [(start, min(count, start + each)) for start in range(0, count, each)]


def dot(
    script: Script,
    left: Callable[[Range | None], Area],
    right: Callable[[Range | None], Area],
    target: Area,
    products: Sequence[float],
) -> float:
    """One number as a sum of products, told in a few parts: what each adds, and how far the sum is.

    left, right: the factors of a range of terms. Returns the whole sum.
    """
    total = 0.0
    for place, (first, stop) in enumerate(parts(len(products))):
        added = sum(products[first:stop])
        total += added
        sofar: dict[str, object] = {"total": total} if place else {}
        script.tell(
            script.span("product" if place else "product_first", first, stop, added=added, **sofar),
            lit=[left((first, stop)), right((first, stop)), target],
            shown=[Shown.of(target, [total])],
            beats=1.6,
        )
    return total
