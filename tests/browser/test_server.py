"""The server before any page: many first visitors at once, and visitors under a foreign name."""

import asyncio

import pytest
from apart import apart
from crowd import run, visit
from serving import serve
from websockets.exceptions import InvalidStatus

from pages import PAGES

LOOK = {"weights": "random", "d_model": "8", "num_heads": "2", "lang": "en"}


def kinds(answers) -> list[str]:
    """What kinds of elements were put on the page."""
    return [answer.delta.new_element.WhichOneof("type") for answer in answers if answer.HasField("delta")]


def test_many_first_visitors_of_a_fresh_server_see_no_exception():
    """Two of them would find a library half imported, were it not imported before."""

    async def first(server: str, page: str):
        async with visit(server) as visitor:
            return await run(visitor, page, **LOOK)

    async def all_at_once(server: str):
        return await asyncio.gather(*(first(server, page) for page in ("", *PAGES[1:8], "scores", "heads")))

    with serve() as server:
        pages = apart(all_at_once(server))
    assert all("bidi_component" in kinds(answers) for answers in pages)
    assert [kind for answers in pages for kind in kinds(answers) if kind == "exception"] == []


@pytest.mark.parametrize(("host", "is_let_in"), [("localhost", True), ("127.0.0.1", True), ("evil.example", False)])
def test_a_server_on_ones_own_machine_answers_under_its_own_names_only(server, host, is_let_in):
    """Else a page of somebody else's could speak to it under a name that it lets point here (DNS rebinding)."""

    async def come_in():
        async with visit(server, host) as visitor:
            return await run(visitor, **LOOK)

    if is_let_in:
        assert "bidi_component" in kinds(apart(come_in()))
    else:
        with pytest.raises(InvalidStatus, match="403"):
            apart(come_in())
