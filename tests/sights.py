"""What an address shows, made as the server's own route makes it: for tests of boards, scenes and plays."""

from functools import cache

from attention.tensors import shape
from pages.ui import live
from pages.ui.figures.play import Area
from pages.ui.figures.sight import Sight
from pages.ui.state.address import from_query
from pages.ui.state.settings import Settings


@cache
def _sight(*address: tuple[str, str]) -> Sight:
    here, bad = from_query(dict(address), Settings())
    assert bad == ()
    return Sight(here, live._trace(here, None))


def sight(address: dict[str, str]) -> Sight:
    return _sight(*address.items())


def size(here: Sight, area: Area) -> tuple[int, ...]:
    """How many rows and columns the tensor of an area has."""
    trace = here.trace
    if area.tensor == "contributions":
        return tuple(here.own("contributions").shape)
    return shape(area.tensor, trace.config, len(trace.tokens), len(trace.vocabulary))


def cells(here: Sight, area: Area) -> list[tuple[str, int | None, int, int]]:
    """The addresses of an area's cells, in reading order."""
    rows, columns = size(here, area)
    down, across = area.rows or (0, rows), area.columns or (0, columns)
    return [(area.tensor, area.head, r, c) for r in range(*down) for c in range(*across)]
