"""What the browser fetches without Streamlit: the packed scene of a page while a slider is held, and our scripts.

Stateless: an address says all. It begins no training and loads no model; where a layer is not at hand it says so.
"""

import zlib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from urllib.parse import parse_qsl

import anyio
import streamlit as st
import torch
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from attention import SentenceTrace, apply_edit
from pages import OVERVIEW, WALK
from pages.ui.figures.panels import Board
from pages.ui.figures.scene import pack
from pages.ui.figures.sight import Sight
from pages.ui.layers import ready
from pages.ui.layers.progress import TRAININGS
from pages.ui.state.address import NAMES, from_query
from pages.ui.state.resolved import Resolved
from pages.ui.state.settings import defaults
from pages.ui.state.sources import Layer
from pages.ui.state.values import SWAPPED

SCENES = "/-/scene"
_HERE = Path(__file__).parent
_FOLDERS = {"figures": ("painter", "lines", "play"), ".": ("dom", "stage", "player"), "ask": ("pointer",)}
_SCRIPTS = {name: _HERE / folder / f"{name}.js" for folder, names in _FOLDERS.items() for name in names}
LONGEST = 6000  # bytes of an address
_at_once = anyio.CapacityLimiter(2)  # scenes made at a time, so that pages keep their turn


def board(page: str, here: Sight) -> Board:
    """What that page's stage shows."""
    made: Board = import_module(f"pages.{page}.stage").stage(here)
    return here.marked(made)


def scene(query: Mapping[str, str]) -> bytes | str:
    """The packed scene of the page and the settings that an address names; why not, where it cannot be had."""
    page = query.get("page", OVERVIEW)
    if page not in (OVERVIEW, *WALK):
        return "page"
    wanted = {name: text for name, text in query.items() if name in NAMES and name != "pin"}
    here, _ = from_query(wanted, defaults("en"), ready.model_at_hand)
    if not here.tokens:
        return "empty"
    TRAININGS.disturb()
    layer = ready.layer_at_hand(here)
    if layer is None and (here.source.learns or here.source.is_loaded):
        return "layer"
    trace = _trace(here, layer)
    sight = Sight(here, trace, says=ready.said_by(here, trace, layer))
    return pack(board(page, sight), facts(sight))


def _trace(here: Resolved, layer: Layer) -> SentenceTrace:
    edit = here.settings.edit
    with torch.no_grad():
        trace = here.source.trace(here.settings, here.shown, here.config, layer)
        return trace if edit is None or edit.tensor == SWAPPED else apply_edit(trace, edit)


async def _scene(request: Request) -> Response:
    if len(request.url.query) > LONGEST:
        return Response("", 414)
    made = await anyio.to_thread.run_sync(
        scene, dict(parse_qsl(request.url.query, keep_blank_values=True)), limiter=_at_once
    )
    if isinstance(made, str):
        return Response(status_code=204, headers={"x-reason": made})  # no error: the reader is told
    return Response(made, media_type="application/octet-stream", headers={"cache-control": "no-store"})


@cache
def script(name: str) -> tuple[str, str]:
    """The file name of one of our scripts, which changes with it, and its text."""
    text = _SCRIPTS[name].read_text(encoding="utf-8")
    for other in _SCRIPTS:  # modules name each other plainly; here each gets its name for the browser
        if f'"./{other}.js"' in text:
            text = text.replace(f'"./{other}.js"', f'"./{script(other)[0]}"')
    return f"{name}-{zlib.crc32(text.encode()):08x}.js", text


def _base() -> str:
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def loader(name: str) -> str:
    """The script of a component: it fetches the real one, which would otherwise travel with every change."""
    return (
        f'const found = import(location.origin + "{_base()}/-/{script(name)[0]}");\n'
        "export default (component) => {\n"
        "  let end, over = false;\n"
        "  found.then((script) => { if (!over) end = script.default(component); });\n"
        "  return () => { over = true; end?.(); };\n"
        "};\n"
    )


def scenes() -> str:
    """The address of scenes."""
    return f"{_base()}{SCENES}"


def facts(here: Sight) -> dict[str, object]:
    """What the rules about cells need to know: the followed row, and how many columns a head has."""
    return {"row": here.query, "head_dim": here.trace.config.head_dim}


def routes() -> list[Route]:
    """Scenes and scripts."""

    async def send(request: Request) -> Response:
        found = dict(script(name) for name in _SCRIPTS)
        text = found.get(request.path_params["name"])
        if text is None:
            return Response("", 404)
        kept = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(text, media_type="text/javascript", headers=kept)

    return [Route(scenes(), _scene), Route(f"{_base()}/-/{{name}}", send)]
